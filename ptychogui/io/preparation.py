"""Deciding how the frames are prepared: by what is said, by the file, or by looking at a sample of frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ptychogui.io import defects, detect
from ptychogui.io.correction import weights
from ptychogui.io.data import Data
from ptychogui.io.prepare import Layout, PreparedFrames, spread, window
from ptychogui.io.raw import Raw
from ptychogui.io.shapes import painted
from ptychogui.io.survey import Survey, survey
from ptychogui.params import InputError
from ptychogui.types import Mask, Origin, Real, Value

_CENSUS_BYTES = 2**28


@dataclass(frozen=True)
class Plan:
    """How frames become prepared ones.

    `out` holds the pixels (ny, nx) of the file that each rule leaves out (True), by its name, before `shapes` were
    painted; `mask` (ny, nx) is True for those that remain. `beam` (y, x) is where the beam was found in the whole frame
    after the flip, `centre` (y, x) what is made the middle there. `values` tell people.
    """

    layout: Layout
    mask: Mask
    out: dict[str, Mask]
    beam: tuple[float, float]
    centre: tuple[float, float]
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Preparation:
    """Prepared frames, their mask, whether they still have the file's own pixels, and how to tell people."""

    frames: PreparedFrames
    untouched: bool
    values: tuple[Value, ...]
    warnings: tuple[str, ...]


def decide(raw: Raw, data: Data, far: bool) -> Preparation:
    """Choose dark, mask, hot pixels, zero frequency, centre, crop and bin; raises `InputError` for unusable frames."""
    seen = survey(raw, data)
    made = plan(raw, data, far, seen)
    frames, normalised = prepared(raw, data, seen, made)
    crop_value = Value("crop", _crop_text(data.crop), "user" if data.crop else "default")
    values = (
        _frames_value(raw, data, frames),
        *made.values[:2],
        crop_value,
        Value("bin", f"{data.bin} × {data.bin}", "user" if data.bin > 1 else "default"),
        *made.values[2:],
        *seen.correction.values,
        *normalised,
    )
    ny, nx = raw.frames.shape[1:]
    untouched = made.layout == Layout(made.layout.from_corner, "none", (0, 0), (ny, nx), 1)
    return Preparation(frames, untouched, values, (*_gap_warning(int(made.out["gaps"].sum())), *_census(frames)))


def plan(raw: Raw, data: Data, far: bool, seen: Survey) -> Plan:
    """Where the middle is, what is cut out and which pixels are used, from a sample that was looked at before.

    This is what has to be done anew when anything but dark, flat, file of the mask or chosen frames changes. Raises
    `InputError` where a value does not fit.
    """
    gaps = seen.gaps & seen.given
    mask = seen.given & ~seen.blind
    mean = np.where(mask, seen.mean, np.float32(0))
    from_corner, zero_value = _zero_frequency(raw, data, mean, far)
    layout, found, centre, centre_value = _layout(raw, data, mean, far, from_corner)
    out = {"file": ~seen.given, "gaps": gaps, "flat": seen.blind & ~seen.gaps}
    out |= _defects(data, seen.sample, mean, mask, layout, found if far else None) | _thresholds(data, mean)
    mask = mask & ~np.logical_or.reduce(list(out.values()))
    if data.mask_shapes:
        whole = np.fft.fftshift(mask) if from_corner else mask
        whole = painted(data.mask_shapes, whole)
        mask = (np.fft.ifftshift(whole) if from_corner else whole) & ~seen.blind
    if not layout.mask(mask).any():
        raise InputError("The mask leaves no pixel of the frames; check data.mask, or the mask in the file.")
    doubt = raw.doubts.get("mask", "") if seen.mask_origin == "file" else ""
    values = (
        zero_value,
        centre_value,
        _mask_value(seen.given, seen.mask_origin, int(gaps.sum()), doubt),
        *_defect_values(data, out),
        *_painted_values(data, out),
    )
    return Plan(layout, mask, out, found, centre, values)


def prepared(raw: Raw, data: Data, seen: Survey, made: Plan) -> tuple[PreparedFrames, tuple[Value, ...]]:
    """The frames as they are planned, and how their normalisation is told."""
    factors, value = weights(raw, data, seen.numbers)
    used = made.layout.mask(made.mask)
    frames = PreparedFrames(raw, seen.numbers, made.layout, used, seen.correction, data.saturation, seen.noisy, factors)
    if data.normalisation == "sum":
        block = made.layout.frames(np.maximum(seen.sample, 0))[:, used]
        sums = np.where(np.isfinite(block), block, 0).sum(1, dtype=np.float64)
        total = float(np.median(sums[sums > 0])) if (sums > 0).any() else 1.0
        value = Value("normalisation", f"every frame to {total:.4g} counts", "user")
        frames = replace(frames, total=total)
    return frames, () if value is None else (value,)


def _zero_frequency(raw: Raw, data: Data, mean: Real, far: bool) -> tuple[bool, Value]:
    said = data.zero_frequency or raw.found.get("zero_frequency")
    if said is not None:
        return said == "corner", Value("zero frequency", said, "user" if data.zero_frequency else "file")
    corner = far and detect.in_corner(mean)
    doubt = "" if far else "a near-field frame is taken as it is"
    return corner, Value("zero frequency", "corner" if corner else "centre", "guessed", doubt)


def _layout(
    raw: Raw, data: Data, mean: Real, far: bool, from_corner: bool
) -> tuple[Layout, tuple[float, float], tuple[float, float], Value]:
    """The window, where the beam was found, and what is made the middle; both in the whole frame after the flip."""
    whole = Layout(from_corner, data.flip, (0, 0), (1, 1), 1)
    turned = whole.turned(mean)
    shape = (turned.shape[0], turned.shape[1])
    middle = (shape[0] // 2, shape[1] // 2)
    found = detect.beam(turned) if far else middle
    offset = max(abs(f - m) for f, m in zip(found, middle))
    said = "zero_frequency" in raw.found or from_corner
    if data.centre is not None:
        ny, nx = raw.frames.shape[1:]
        centre: tuple[float, float] = whole.turned_point(data.centre, (ny, nx))
        value = Value("centre", f"y {data.centre[0]:g}, x {data.centre[1]:g}", "user")
    elif far and not said and offset > max(2.0, 0.03 * min(shape)):
        centre = found
        text = f"beam at y {found[0]:.1f}, x {found[1]:.1f}, moved to the middle"
        value = Value("centre", text, "guessed", f"it was {offset:.1f} px off; data.centre overrides it")
    else:
        centre = middle
        value = Value("centre", f"y {middle[0]}, x {middle[1]} (the middle)", "default")
    corner, size = window(shape, centre, data.crop, data.bin)
    return Layout(from_corner, data.flip, corner, size, data.bin), found, centre, value


def _defects(
    data: Data, sample: Real, mean: Real, mask: Mask, layout: Layout, beam: tuple[float, float] | None
) -> dict[str, Mask]:
    """Hot and dead pixels (of the file); `beam` is where it was found in the turned frame."""
    out = {}
    turned, use, level = layout.turned(sample), layout.turned(mask), layout.turned(mean)
    if data.hot_pixels:
        out["hot"] = turned_back(defects.hot_pixels(turned, use, beam, data.defect_factor, level), layout)
    if data.dead_pixels:
        out["dead"] = turned_back(defects.dead_pixels(turned, use, data.defect_factor, level), layout)
    return out


def _thresholds(data: Data, mean: Real) -> dict[str, Mask]:
    out: dict[str, Mask] = {}
    if data.mask_below is not None:
        out["below"] = mean < data.mask_below
    if data.mask_above is not None:
        out["above"] = mean > data.mask_above
    return out


def turned_back(mask: Mask, layout: Layout) -> Mask:
    """A mask of the turned frame in the file's own pixels."""
    if "x" in layout.flip:
        mask = mask[:, ::-1]
    if "y" in layout.flip:
        mask = mask[::-1]
    if layout.flip.startswith("t"):
        mask = mask.T
    return np.fft.ifftshift(mask) if layout.from_corner else mask


def _mask_value(mask: Mask, origin: Origin, gaps: int, doubt: str) -> Value:
    text = "none" if origin == "default" else f"{int((~mask).sum())} pixels left out"
    if not gaps:
        return Value("mask", text, origin, doubt)
    text = f"{gaps} pixels without counts left out" if origin == "default" else f"{text}, and {gaps} without counts"
    return Value("mask", text, "guessed" if origin == "default" else origin, doubt)


def _defect_values(data: Data, out: dict[str, Mask]) -> tuple[Value, ...]:
    """Hot pixels are always told of, dead ones where there are any."""
    values = []
    for name, wanted in (("hot", data.hot_pixels), ("dead", data.dead_pixels)):
        if not wanted:
            values.append(Value(f"{name} pixels", "not looked for", "user"))
            continue
        count = int(out[name].sum())
        if count or name == "hot":
            values.append(Value(f"{name} pixels", f"{count} left out" if count else "none found", "guessed"))
    return tuple(values)


def _painted_values(data: Data, out: dict[str, Mask]) -> tuple[Value, ...]:
    values = []
    if "below" in out or "above" in out:
        count = int(sum(out[name].sum() for name in ("below", "above") if name in out))
        values.append(Value("threshold", f"{count} pixels left out by their mean", "user"))
    if data.mask_shapes:
        count = len(data.mask_shapes)
        values.append(Value("painted mask", f"{count} shape{'s' if count > 1 else ''}", "user"))
    return tuple(values)


def _crop_text(crop: int | tuple[int, int] | None) -> str:
    if crop is None:
        return "whole frame"
    rows, columns = crop if isinstance(crop, tuple) else (crop, crop)
    return f"{rows} × {columns}"


def _frames_value(raw: Raw, data: Data, frames: PreparedFrames) -> Value:
    count, ny, nx = raw.frames.shape
    text = f"{count} of {ny} × {nx}, {raw.frames.dtype}"
    if len(frames) < count:
        text += f"; {len(frames)} used"
    if frames.shape[1:] != (ny, nx):
        text += f"; prepared {frames.shape[1]} × {frames.shape[2]}"
    return Value("frames", text, "file")


def _gap_warning(gaps: int) -> tuple[str, ...]:
    return (f"{gaps} pixels hold no counts in most frames; they are masked.",) if gaps else ()


def _census(frames: PreparedFrames) -> tuple[str, ...]:
    """What was mended, as sentences; a stack of moderate size is looked through, of a large one only the sample."""
    warnings = []
    if frames.negative_valid:
        warnings.append("Some values were negative; they count as 0.")
    small = int(np.prod(frames.source.shape)) * frames.source.dtype.itemsize <= _CENSUS_BYTES
    blocks = (block for _, block in frames.blocks()) if small else iter([frames[spread(len(frames), 8)]])
    invalid = empty = looked = 0
    for block in blocks:
        finite = np.isfinite(block)
        invalid += int((~finite).sum())
        empty += int((np.where(finite, block, 0).sum((1, 2)) <= 0).sum())
        looked += len(block)
    if empty == looked:
        raise InputError("Not one of the frames holds a count in a pixel that is used; check the file and the mask.")
    if invalid:
        warnings.append(f"{invalid} values in single frames are no counts; they are left out.")
    if empty:
        warnings.append(f"{empty} frames hold no counts at all; leave them out with data.exclude.")
    return tuple(warnings)
