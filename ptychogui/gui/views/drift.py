"""How refined positions differ from nominal ones: the part that is common to all, in figures, and what is left."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ptychogui.gui.views.lengths import PIXELS, Lengths, lengths
from ptychogui.types import Positions


@dataclass(frozen=True)
class Drift:
    """The affine map that takes nominal positions nearest to the refined ones, and what it leaves.

    A common shift, which nothing can tell, is left out. `rotation_rad` turns the x axis towards the y axis, as a scan's
    rotation does; `shear` is how far the y axis then leans towards x. `moved_m` is the median length of the whole
    drift, `left_m` that of the part which is no affine map; `extent_m` is the longer side of the scan.
    """

    scale_y: float
    scale_x: float
    rotation_rad: float
    shear: float
    moved_m: float
    left_m: float
    extent_m: float

    def text(self, unit: Lengths) -> str:
        """The drift in one line; a common part that moves the edge less than what is left is not worth a figure."""
        seen = max(self.left_m / (self.extent_m / 2), 1e-6)
        scales = (self.scale_y, self.scale_x)
        alike = abs(self.scale_y - self.scale_x) < seen
        scale = f"{math.sqrt(abs(self.scale_y * self.scale_x)):.4f}" if alike else "{:.4f} × {:.4f}".format(*scales)
        common = [
            f"scale {scale}" if max(abs(s - 1) for s in scales) >= seen else "",
            f"rotation {math.degrees(self.rotation_rad):+.3g}°" if abs(self.rotation_rad) >= seen else "",
            f"shear {self.shear:+.3g}" if abs(self.shear) >= seen else "",
        ]
        moved = f"moved {_short(self.moved_m, unit)}"
        uneven = f"unevenly {_short(self.left_m, unit)}" if any(common) else ""
        parts = [moved, uneven, *common]
        return "  ·  ".join(part for part in parts if part)


def _short(length_m: float, unit: Lengths) -> str:
    """A length that may be much shorter than the scan, for which `unit` is made."""
    own = PIXELS if unit == PIXELS else lengths(length_m, 0.0)
    return f"{length_m / own.unit_si:.3g} {own.symbol}"


def ways(nominal_m: Positions, refined_m: Positions | None) -> Positions | None:
    """How far and where to (N, 2) each position was moved, without the shift of all; None where none was."""
    if refined_m is None or refined_m.shape != nominal_m.shape or np.allclose(nominal_m, refined_m, atol=0):
        return None
    way: Positions = refined_m - nominal_m
    way -= np.nanmean(way, 0)
    return way


def drift(nominal_m: Positions, refined_m: Positions) -> Drift | None:
    """The drift from nominal to refined positions (N, 2); None where they are the same, or span no area."""
    good = np.isfinite(nominal_m).all(1) & np.isfinite(refined_m).all(1)
    before, after = nominal_m[good], refined_m[good]
    if len(before) < 3 or np.array_equal(before, after):
        return None
    before, after = before - before.mean(0), after - after.mean(0)
    if np.linalg.matrix_rank(before) < 2:
        return None
    across = np.linalg.lstsq(before, after, rcond=None)[0].T  # after = across @ before
    rotation_rad = math.atan2(across[0, 1], across[1, 1])
    cos, sin = math.cos(rotation_rad), math.sin(rotation_rad)
    upright = np.array([[cos, -sin], [sin, cos]]) @ across
    scale_y = float(upright[0, 0])
    return Drift(
        scale_y=scale_y,
        scale_x=float(upright[1, 1]),
        rotation_rad=rotation_rad,
        shear=float(upright[1, 0]) / scale_y if scale_y else math.nan,
        moved_m=float(np.median(np.hypot(*(after - before).T))),
        left_m=float(np.median(np.hypot(*(after - before @ across.T).T))),
        extent_m=float(np.ptp(before, 0).max()),
    )
