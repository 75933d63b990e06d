"""What the frames alone tell: saturated, hot and dead pixels, counts, the centre, the field, frames without beam."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ptychogui.check.doubt import Doubt
from ptychogui.check.look import Look
from ptychogui.check.shadow import Shadow, shadow
from ptychogui.geometry import Geometry
from ptychogui.io import defects, detect
from ptychogui.io.data import Data
from ptychogui.io.prepare import PreparedFrames
from ptychogui.params import format_quantity
from ptychogui.types import Dataset, Real

_PILED = 10
"""Values at the maximum from which they are a pile, if in three pixels or more and three times those just below."""
_FEW_COUNTS = 2000
"""Counts of a frame below which noise rules the picture."""
_LIT = 100
"""Counts that neighbours of a pixel have in all of the sample before its silence means something."""
_LOST, _STRONG = 0.2, 4.0
"""Parts of the median counts below and above which a frame is not like the others."""
_OFF_CENTRE = 0.04
"""The part of the side by which the pattern may miss the middle; its own shape may move the centroid so far."""
_SPREAD, _POINTED = 0.5, 0.002
"""Parts of the frame that a pattern fills: more is rather a hologram, less rather a diffraction pattern."""
_PARALLEL = 1.1
"""A shadow that is enlarged less is one in a parallel beam."""
_GUESSED = "Nothing says whether the field is near or far; a far field is assumed, but the frames"


def checks(dataset: Dataset, data: Data, look: Look) -> Iterator[Doubt]:
    """Every check of the frames."""
    yield saturation(look)
    yield hot_pixels(data, look)
    yield dead_pixels(data, look)
    yield photons(look)
    yield field(dataset, look)
    if dataset.geometry.field == "far":
        yield centre(dataset, look)
    yield outliers(dataset, data, look)


def saturation(look: Look) -> Doubt:
    """Counts that pile up at the largest value."""
    values = look.raw[np.isfinite(look.raw)]
    most = float(values.max(initial=0))
    at_most = look.raw >= most * (1 - 1e-6)
    piled, pixels = int(at_most.sum()), int(at_most.any(0).sum())
    width = max(0.03 * most, 1.5)
    below = (int((values > most - width).sum()) - piled) / int(width)  # values at each count just below
    figures = {"largest_count": most, "values_at_it": piled, "pixels": pixels}
    if most > 2 and piled >= _PILED + 3 * below and pixels >= 3:
        return Doubt(
            "saturation",
            "wrong",
            f"{piled} values in {pixels} pixels of {len(look.raw)} frames are all {most:g}, so the detector was "
            "saturated there; leave such values out.",
            figures,
            {"data.saturation": most},
        )
    return Doubt("saturation", "ok", f"No counts pile up at the largest value, {most:g}.", figures)


def hot_pixels(data: Data, look: Look) -> Doubt:
    """Pixels that are always far too bright, where the reader was told not to look for them."""
    if data.hot_pixels:
        return Doubt("hot pixels", "ok", "Hot pixels are looked for and left out.")
    found = int(defects.hot_pixels(look.sample, look.mask, detect.beam(look.mean)).sum())
    if not found:
        return Doubt("hot pixels", "ok", "There are no hot pixels.", {"pixels": 0})
    sentence = f"{found} pixels are always far brighter than their neighbours; leave them out."
    return Doubt("hot pixels", "doubt", sentence, {"pixels": found}, {"data.hot_pixels": True})


def dead_pixels(data: Data, look: Look) -> Doubt:
    """Pixels that always say the same where their neighbours see much; those that the reader has left out are known."""
    padded = np.pad(np.where(look.mask, look.mean, np.nan), 1, constant_values=np.nan)
    ny, nx = look.mean.shape
    around = np.stack([padded[dy : dy + ny, dx : dx + nx] for dy in range(3) for dx in range(3) if (dy, dx) != (1, 1)])
    known = np.isfinite(around)
    third = np.sort(np.where(known, around, np.inf), axis=0)[2]  # the third darkest: pairs of dead pixels are found
    bright = np.where(known.sum(0) >= 3, third, 0) * len(look.sample) > _LIT
    dead = look.mask & bright & (np.max(look.sample, 0) == np.min(look.sample, 0))
    if not dead.any():
        return Doubt("dead pixels", "ok", "There are no dead pixels.", {"pixels": 0})
    y, x = np.argwhere(dead)[0]
    cure = "give a mask that leaves them out with data.mask" if data.dead_pixels else "leave them out"
    return Doubt(
        "dead pixels",
        "doubt",
        f"{int(dead.sum())} pixels always say the same where their neighbours do not, the first at y {y}, x {x} of the "
        f"prepared frame; {cure}.",
        {"pixels": int(dead.sum())},
        {} if data.dead_pixels else {"data.dead_pixels": True},
    )


def photons(look: Look) -> Doubt:
    """The counts of a frame, and the R-factor that their noise alone makes."""
    root = np.sqrt(np.maximum(np.nan_to_num(look.sample), 0)).sum() / len(look.sample)
    noise = float(_noise_of_root(look.mean).sum() / max(root, 1e-9))
    figures = {"counts_per_frame": look.counts_per_frame, "r_factor_of_noise": round(noise, 4)}
    text = f"A frame has {look.counts_per_frame:.3g} counts; if they are photons, noise alone makes an R-factor of "
    if look.counts_per_frame < _FEW_COUNTS:
        more = "the picture will be noisy: a Poisson loss, fewer epochs or binning help"
        return Doubt("photons", "doubt", f"{text}about {noise:.2g}, and {more}.", figures)
    return Doubt("photons", "ok", f"{text}about {noise:.2g}.", figures)


def _noise_of_root(mean: Real) -> NDArray[np.float64]:
    """E|√n − √λ| of Poisson counts n with mean λ, which is 0.4 for many."""
    few = np.linspace(0, 5, 100) ** 2
    n = np.arange(80)[:, None]
    table = (stats.poisson.pmf(n, few) * np.abs(np.sqrt(n) - np.sqrt(few))).sum(0)
    return np.asarray(np.interp(mean, few, table))


def field(dataset: Dataset, look: Look) -> Doubt:
    """Whether the frames look like what they are taken for: diffraction patterns or holograms.

    Where nobody says which, the shadow that the sample casts tells: in a far field the whole beam has to find room in
    the window that the angle between two pixels of the detector leaves, λz/Δ.
    """
    level = np.minimum(look.mean, np.quantile(look.mean[look.mask], 0.999))
    spread = float(level.sum() ** 2 / max(float(np.square(level).sum()), 1e-30) / look.mask.sum())
    taken = dataset.geometry.field
    figures: dict[str, float | str] = {"part_of_the_frame": round(spread, 4)}
    guessed = any(value.name == "field" and value.origin == "guessed" for value in dataset.values)
    if taken == "far" and guessed and dataset.geometry.convergence_rad is None:
        cast = shadow(dataset, look.mean)
        told = None if cast is None else _of_shadow(dataset.geometry, cast, figures)
        if told is not None and (told.level != "ok" or spread <= _SPREAD):
            return told
    if taken == "far" and spread > _SPREAD and guessed and dataset.geometry.convergence_rad is None:
        return Doubt(
            "field",
            "doubt",
            f"The light fills {spread:.0%} of the frame, as in a hologram, but a far field is assumed: for a near "
            "field set data.field, and data.focus_to_sample_m for a cone beam.",
            figures,
            {"data.field": "near"},
        )
    if taken == "near" and spread < _POINTED:
        return Doubt(
            "field",
            "doubt",
            f"The light is gathered in {spread:.2%} of the frame, as in a diffraction pattern, but a near field is "
            "assumed.",
            figures,
            {"data.field": "far"},
        )
    return Doubt("field", "ok", f"The light fills {spread:.0%} of the frame, as a {taken} field may.", figures)


def _of_shadow(geometry: Geometry, cast: Shadow, figures: dict[str, float | str]) -> Doubt:
    """What a shadow of the sample in frames that are taken as a far field by guess tells of the field."""
    window_m = min(n * pixel for n, pixel in zip(geometry.shape, geometry.pixel_m))
    figures |= {"beam_part_of_window": round(cast.width_m / window_m, 3), "pairs_that_agree": round(cast.agreeing, 2)}
    fix: dict[str, Any] = {"data.field": "near"}
    enlarged, source = "", ""
    if geometry.detector_pixel_m is not None and geometry.distance_m is not None:
        magnification = cast.px_per_m * math.sqrt(math.prod(geometry.detector_pixel_m))
        figures["magnification"] = round(magnification, 4)
        enlarged = f", enlarged {magnification:.3g} times"
        if magnification < _PARALLEL:
            return Doubt(
                "field", "doubt", f"{_GUESSED} move as far as the sample does: the field is near.", figures, fix
            )
        focus_m = geometry.distance_m / (magnification - 1)
        fix["data.focus_to_sample_m"] = float(f"{focus_m:.3g}")
        source = f" whose focus lies {format_quantity(fix['data.focus_to_sample_m'], 'm')} from the sample"
    if cast.width_m <= window_m:
        sentence = f"{_GUESSED} are shadows of the sample{enlarged}, of a beam that a far field has room for."
        return Doubt("field", "ok", sentence, figures)
    wide, room = (format_quantity(float(f"{length:.2g}"), "m") for length in (cast.width_m, window_m))
    sizes = f"{wide} wide, where a far field has room for {room}" if geometry.calibrated else "too wide for a far field"
    return Doubt(
        "field",
        "doubt",
        f"{_GUESSED} are shadows of the sample{enlarged}, of a beam {sizes}: take a near field in a cone{source}.",
        figures,
        fix,
    )


def centre(dataset: Dataset, look: Look) -> Doubt:
    """Whether the beam is in the middle of the pattern."""
    ny, nx = look.mean.shape
    y, x = detect.beam(look.mean)
    off = (y - ny // 2, x - nx // 2)
    figures = {"y_px": round(off[0], 2), "x_px": round(off[1], 2)}
    if max(map(abs, off)) <= max(1.5, _OFF_CENTRE * min(ny, nx)):
        return Doubt("centre", "ok", f"The beam is {np.hypot(*off):.1f} px from the middle of the pattern.", figures)
    frames = dataset.frames
    fix = {}
    if isinstance(frames, PreparedFrames):
        place = frames.layout.file_point((y, x), frames.source.shape[1:])
        fix = {"data.centre": [round(place[0], 1), round(place[1], 1)]}
    return Doubt(
        "centre",
        "doubt",
        f"The beam is {off[0]:+.1f} px (y), {off[1]:+.1f} px (x) off the middle of the pattern; set the centre.",
        figures,
        fix,
    )


def outliers(dataset: Dataset, data: Data, look: Look) -> Doubt:
    """Frames that have far fewer or far more counts than the others."""
    typical = look.counts_per_frame
    spread = 1.4826 * float(np.median(np.abs(look.totals - typical)))
    away = np.abs(look.totals - typical) > 6 * spread
    odd = away & ((look.totals < _LOST * typical) | (look.totals > _STRONG * typical))
    odd |= look.blind
    figures = {"frames": int(odd.sum()), "spread": round(spread / max(typical, 1e-30), 4)}
    if not odd.any():
        return Doubt("frames", "ok", "Every frame has about as many counts as the others.", figures)
    numbers = look.numbers[odd]
    if isinstance(dataset.frames, PreparedFrames):
        numbers = dataset.frames.numbers[numbers]
    exclude = sorted({*data.exclude, *map(int, numbers)})
    return Doubt(
        "frames",
        "wrong" if look.blind.any() else "doubt",  # a run refuses frames without a valid pixel
        f"{int(odd.sum())} frames have far fewer or far more counts than the others, the first is number {numbers[0]}: "
        "the beam was lost, or the frame is broken; leave them out.",
        figures,
        {"data.exclude": exclude},
    )
