"""How far an experiment is from the one that a network was trained for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ptychogui.engine.learn.experiment import Experiment, unlike
from ptychogui.engine.learn.weights import Weights
from ptychogui.params import format_quantity

OTHER_PROBE = 0.5
"""Probes that are further apart than this have less in common than not."""
_LIKE = 0.2
_OTHER_PIXEL = 1.1
_OTHER_COUNTS = 10.0
_NOT_KNOWN_M = 1.0
"""A pixel that is not known counts as one metre, and as more on the network's grid."""


@dataclass(frozen=True)
class Fit:
    """An experiment beside that of a network's training.

    `probe` is 0 for the same probe and 1 for one that has nothing in common with it; `pixel` and `counts` are ratios.
    """

    probe: float
    pixel: float
    counts: float
    pixel_m: float
    trained_pixel_m: float
    window: tuple[int, int]
    pixels: int
    knows_probe: bool
    """Whether the network is given the probe, so that it may be another one."""
    many_probes: bool = False
    """Whether it was trained for probes of many kinds."""

    @classmethod
    def of(cls, weights: Weights, given: Experiment, window: tuple[int, int]) -> Fit:
        """How far an experiment on the network's grid is from that of its training."""
        card = weights.card
        return cls(
            unlike(weights.probe, given.probe.to(weights.probe.device)),
            given.pixel_m[1] / card.pixel_m[1],
            given.counts / card.counts,
            given.pixel_m[1],
            card.pixel_m[1],
            window,
            card.network.pixels,
            card.network.knows_probe,
            card.training.variety > 0,
        )


@dataclass(frozen=True)
class Doubt:
    """One sentence on what does not fit; `fatal` where the network must not be used."""

    text: str
    fatal: bool


def doubts(fit: Fit, *, any_probe: bool = False) -> Iterator[Doubt]:
    """What does not fit, the worst first."""
    if (sentence := too_small(fit.window, fit.pixels)) is not None:
        yield Doubt(sentence, fatal=True)
    if fit.probe > OTHER_PROBE and not fit.knows_probe:
        yield Doubt(
            f"The network was trained for another probe ({fit.probe:.0%} unlike this one): fine-tune it to this "
            "experiment, or let it be given any probe (start.any_probe=true).",
            fatal=not any_probe,
        )
    elif fit.probe > (OTHER_PROBE if fit.many_probes and fit.knows_probe else _LIKE):
        more = " It is given the probe, so it may serve all the same." if fit.knows_probe else ""
        yield Doubt(f"The network was trained for a probe that is {fit.probe:.0%} unlike this one.{more}", fatal=False)
    known = max(fit.pixel_m, fit.trained_pixel_m) < _NOT_KNOWN_M
    if known and not 1 / _OTHER_PIXEL < fit.pixel < _OTHER_PIXEL:
        here, there = (format_quantity(float(f"{value:.3g}"), "m") for value in (fit.pixel_m, fit.trained_pixel_m))
        yield Doubt(f"The network was trained for a pixel of {there}, and here it sees one of {here}.", fatal=False)
    if fit.counts < 1 / _OTHER_COUNTS:
        yield Doubt(f"The frames have {1 / fit.counts:.0f} times fewer counts than those of its training.", fatal=False)


def too_small(window: tuple[int, int], pixels: int) -> str | None:
    """What to do where patterns of `window` (ny, nx) have fewer pixels than a network takes."""
    if min(window) >= pixels:
        return None
    return (
        f"The patterns have {window[0]} × {window[1]} pixels and the network takes {pixels} × {pixels}: choose a "
        "network for smaller patterns, or train one."
    )
