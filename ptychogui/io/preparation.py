"""Deciding how the frames are prepared: by what is said, by the file, or by looking at a sample of frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ptychogui.io import detect
from ptychogui.io.data import Data
from ptychogui.io.prepare import Layout, PreparedFrames, counts, rows, spread, window
from ptychogui.io.raw import Raw
from ptychogui.io.readers import frames_of
from ptychogui.params import InputError
from ptychogui.types import Frames, Mask, Origin, Real, Value

_CENSUS_BYTES = 2**28
_SAMPLE_BYTES = 2**27
_NOISY = 1e-3
"""The part of the values below zero from which they are noise; fewer are marks of gaps."""


@dataclass(frozen=True)
class Preparation:
    """Prepared frames, their mask, whether they still have the file's own pixels, and how to tell people."""

    frames: PreparedFrames
    untouched: bool
    values: tuple[Value, ...]
    warnings: tuple[str, ...]


def decide(raw: Raw, data: Data, far: bool) -> Preparation:
    """Choose dark, mask, hot pixels, zero frequency, centre, crop and bin; raises `InputError` for unusable frames."""
    numbers = _numbers(raw, data)
    dark, dark_value = _dark(raw, data)
    block = rows(raw.frames, numbers[spread(len(numbers), _sample_size(raw.frames))])
    sample = counts(block)
    blind = detect.gaps(sample)
    _check_signs(block.astype(np.float32), blind)
    noisy = bool(np.mean((sample < 0) & ~blind) > _NOISY)
    if dark is not None:
        sample = np.maximum(sample - dark, 0)
    given, mask_origin = _given_mask(raw, data)
    gaps = blind & given
    mask = given & ~gaps
    doubt = raw.doubts.get("mask", "") if mask_origin == "file" else ""
    mean = detect.mean_pattern(sample, mask)
    from_corner, zero_value = _zero_frequency(raw, data, mean, far)
    layout, centre, centre_value = _layout(raw, data, mean, far, from_corner)
    mask, hot_value = _hot(data, sample, mask, layout, centre if far else None)
    used = layout.mask(mask)
    if not used.any():
        raise InputError("The mask leaves no pixel of the frames; check data.mask, or the mask in the file.")
    frames = PreparedFrames(raw.frames, numbers, layout, used, dark, data.saturation, noisy)
    values = (
        _frames_value(raw, data, frames),
        zero_value,
        centre_value,
        Value("crop", f"{data.crop} × {data.crop}" if data.crop else "whole frame", "user" if data.crop else "default"),
        Value("bin", f"{data.bin} × {data.bin}", "user" if data.bin > 1 else "default"),
        _mask_value(given, mask_origin, int(gaps.sum()), doubt),
        hot_value,
        dark_value,
    )
    ny, nx = raw.frames.shape[1:]
    untouched = layout == Layout(from_corner, "none", (0, 0), (ny, nx), 1)
    return Preparation(frames, untouched, values, (*_gap_warning(int(gaps.sum())), *_census(frames)))


def _sample_size(frames: Frames) -> int:
    """So many frames are looked at: 64, or fewer where they are large."""
    return int(np.clip(_SAMPLE_BYTES // (4 * frames.shape[1] * frames.shape[2]), 8, 64))


def _numbers(raw: Raw, data: Data) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    count = raw.frames.shape[0]
    if data.exclude and max(data.exclude) >= count:
        raise InputError(f"data.exclude names frame {max(data.exclude)}, but the file holds {count} frames.")
    numbers = np.setdiff1d(np.arange(count, dtype=np.intp), np.asarray(data.exclude, dtype=np.intp))
    if not len(numbers):
        raise InputError("data.exclude leaves no frame.")
    return numbers


def _check_signs(block: Real, gaps: Mask) -> None:
    """Raise `InputError` for a stack that is mostly negative, gaps aside."""
    finite = np.isfinite(block)
    if not finite.any():
        raise InputError("Not one of the frames that were looked at has a valid pixel; this is no stack of counts.")
    inside = np.where(finite & ~gaps, block, 0)
    negative, positive = -inside[inside < 0].sum(), inside[inside > 0].sum()
    if (block[finite] < 0).mean() > 0.6 or negative > positive:
        raise InputError(
            "The frames are mostly negative, so they are no counts; check that the file holds raw intensities "
            "and no differences, phases or logarithms."
        )


def _dark(raw: Raw, data: Data) -> tuple[Real | None, Value]:
    if data.dark is None:
        if raw.dark is None:
            return None, Value("dark", "none", "default")
        _check_shape("dark frames", raw.dark.shape, raw.frames)
        return raw.dark, Value("dark", f"{raw.dark_text}, mean {raw.dark.mean():.4g} counts", "file")
    stack = _stack(data.dark, "dark")
    total = np.zeros(stack.shape[1:])
    for n in range(stack.shape[0]):
        total += stack[n]
    dark: Real = (total / stack.shape[0]).astype(np.float32)
    _check_shape("dark frames", dark.shape, raw.frames)
    text = f"{Path(data.dark).name}, {stack.shape[0]} frames, mean {dark.mean():.4g} counts"
    return dark, Value("dark", text, "user")


def _given_mask(raw: Raw, data: Data) -> tuple[Mask, Origin]:
    """The user's mask, or the file's, or every pixel."""
    mask: Mask = np.ones(raw.frames.shape[1:], bool)
    origin: Origin = "default"
    if data.mask is not None:
        mask, origin = np.asarray(_stack(data.mask, "mask")[0]) != 0, "user"
    elif raw.mask is not None:
        mask, origin = raw.mask, "file"
    _check_shape("mask", mask.shape, raw.frames)
    return mask, origin


def _mask_value(mask: Mask, origin: Origin, gaps: int, doubt: str) -> Value:
    text = "none" if origin == "default" else f"{int((~mask).sum())} pixels left out"
    if not gaps:
        return Value("mask", text, origin, doubt)
    text = f"{gaps} pixels without counts left out" if origin == "default" else f"{text}, and {gaps} without counts"
    return Value("mask", text, "guessed" if origin == "default" else origin, doubt)


def _stack(name: str, what: str) -> Frames:
    """The frames of another file, whatever its format; two dimensions make one frame."""
    path = Path(name).expanduser()
    if not path.exists():
        raise InputError(f"The {what} file {path} does not exist; check data.{what}.")
    return frames_of(path)


def _check_shape(what: str, shape: tuple[int, ...], frames: Frames) -> None:
    ny, nx = frames.shape[1:]
    if shape != (ny, nx):
        raise InputError(f"The {what} of {' × '.join(map(str, shape))} pixels does not fit the frames of {ny} × {nx}.")


def _zero_frequency(raw: Raw, data: Data, mean: Real, far: bool) -> tuple[bool, Value]:
    said = data.zero_frequency or raw.found.get("zero_frequency")
    if said is not None:
        return said == "corner", Value("zero frequency", said, "user" if data.zero_frequency else "file")
    corner = far and detect.in_corner(mean)
    doubt = "" if far else "a near-field frame is taken as it is"
    return corner, Value("zero frequency", "corner" if corner else "centre", "guessed", doubt)


def _layout(
    raw: Raw, data: Data, mean: Real, far: bool, from_corner: bool
) -> tuple[Layout, tuple[float, float], Value]:
    """Where the beam is in the turned frame, and the window around it; the beam is also returned in file pixels."""
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
    return Layout(from_corner, data.flip, corner, size, data.bin), found, value


def _hot(
    data: Data, sample: Real, mask: Mask, layout: Layout, centre: tuple[float, float] | None
) -> tuple[Mask, Value]:
    """The mask (in file pixels) without hot pixels; `centre` is the beam in the turned frame."""
    if not data.hot_pixels:
        return mask, Value("hot pixels", "not looked for", "user")
    hot = detect.hot_pixels(layout.turned(sample), layout.turned(mask), centre)
    kept = _turned_back(~hot, layout)
    text = f"{int(hot.sum())} left out" if hot.any() else "none found"
    return mask & kept, Value("hot pixels", text, "guessed")


def _turned_back(mask: Mask, layout: Layout) -> Mask:
    """A mask of the turned frame in the file's own pixels."""
    if "x" in layout.flip:
        mask = mask[:, ::-1]
    if "y" in layout.flip:
        mask = mask[::-1]
    if layout.flip.startswith("t"):
        mask = mask.T
    return np.fft.ifftshift(mask) if layout.from_corner else mask


def _frames_value(raw: Raw, data: Data, frames: PreparedFrames) -> Value:
    count, ny, nx = raw.frames.shape
    text = f"{count} of {ny} × {nx}, {raw.frames.dtype}"
    if data.exclude:
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
