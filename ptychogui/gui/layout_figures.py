"""The figures of a layout in words."""

from __future__ import annotations

from ptychogui.gui.views.lengths import Lengths
from ptychogui.layout.figures import Figures

ANGSTROM_BELOW_M = 1e-9
"""Where pixels at the sample are smaller, doses are told for an Å², as electron microscopists do."""


def figures_text(found: Figures, unit: Lengths, pixel_m: float) -> str:
    """Two lines: what the layout gives, and what it costs."""
    gives = [f"{found.points} point{'' if found.points == 1 else 's'}"]
    if found.points > 1:
        gives.append(f"step {unit.text(found.step_m / unit.unit_si)}")
    if found.overlap is not None and found.shared_area is not None:
        gives.append(f"overlap {max(found.overlap, 0):.0%} linear, {found.shared_area:.0%} by area")
    if found.covered_by is not None:
        gives.append(f"each place is lit {found.covered_by:.1f} times")
    costs = [duration_text(found.seconds), size_text(found.file_bytes)]
    if found.dose_per_m2 is not None:
        costs.insert(0, f"dose {_dose_text(found.dose_per_m2, unit, pixel_m)}")
    return "  ·  ".join(gives) + "\n" + "  ·  ".join(costs)


def _dose_text(dose_per_m2: float, unit: Lengths, pixel_m: float) -> str:
    side_m, name = (1.0, "px") if unit.symbol == "px" else (1e-10, "Å") if pixel_m < ANGSTROM_BELOW_M else (1e-6, "µm")
    return f"{dose_per_m2 * side_m**2:.3g} counts per {name}²"


def duration_text(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"


def size_text(size: int) -> str:
    """The size of a file before compression."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit} before compression"
    return f"{size} bytes"
