"""The unit that suits a picture: nm, µm, mm, their inverses, or pixels where nothing is known."""

from __future__ import annotations

from dataclasses import dataclass

UNCALIBRATED_M = 0.1
"""A pixel at the sample as large as this is no length: where nothing is known, one pixel counts as one 'metre'."""

_METRES = ((1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"))


@dataclass(frozen=True)
class Lengths:
    """A value in SI divided by `unit_si` is a number of `symbol`."""

    unit_si: float
    symbol: str

    def text(self, value: float) -> str:
        """A number of this unit, as a read-out shows it."""
        return f"{value:.4g} {self.symbol}"


PIXELS = Lengths(1.0, "px")


def lengths(extent_m: float, pixel_m: float) -> Lengths:
    """The unit in which a picture of this extent reads best."""
    if pixel_m >= UNCALIBRATED_M:
        return PIXELS
    unit, symbol = next((u for u in _METRES if extent_m >= 2 * u[0]), _METRES[-1])
    return Lengths(unit, symbol)


def inverse_lengths(extent: float) -> Lengths:
    """The unit in which spatial frequencies (1/m) up to `extent` read best."""
    unit, symbol = next((u for u in reversed(_METRES) if extent * u[0] >= 1), _METRES[0])
    return Lengths(1 / unit, f"{symbol}⁻¹")
