"""What was found of the unknowns beside object, probe and positions, in a line of text."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ptychogui.params import format_quantity
from ptychogui.types import Dataset, Result

LENGTHS = {"distance_m": "distance", "focus_to_sample_m": "focus to sample"}


def unknowns_text(figures: Mapping[str, float]) -> str:
    """The figures of a `Snapshot.unknowns` as people read them; '' where nothing was refined."""
    change = figures.get("distance_change")
    changed = f" ({100 * change:+.3g} %)" if change is not None else ""
    parts = [
        f"{label} {format_quantity(float(f'{figures[name]:.5g}'), 'm')}{changed}"
        for name, label in LENGTHS.items()
        if name in figures
    ]
    if "gain_spread" in figures:
        parts.append(f"brightness ±{100 * figures['gain_spread']:.3g} %")
    if "background" in figures:
        parts.append(f"background {figures['background']:.3g} counts")
    return "  ·  ".join(parts)


def figures_of(result: Result, dataset: Dataset | None) -> dict[str, float]:
    """The same figures of a result; its changes are against what the data say, where these are there."""
    kept = result.unknowns
    found = {name: float(kept[name]) for name in LENGTHS if name in kept}
    for name, value in found.copy().items():
        given = getattr(dataset.geometry, name) if dataset is not None else None
        if given:
            found["distance_change"] = value / given - 1
    if "gain" in kept:
        found["gain_spread"] = float(np.std(kept["gain"]))
    if "background" in kept:
        found["background"] = float(np.mean(kept["background"]))
    return found
