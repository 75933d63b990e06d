"""What is known of the detector and the beam beside the frames: dark and flat frames, a mask, a monitor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import files, npy
from ptychogui.io.data import Data
from ptychogui.io.prepare import Correction
from ptychogui.io.raw import Raw
from ptychogui.io.readers import frames_of
from ptychogui.params import InputError
from ptychogui.types import Frames, Mask, Origin, Real, Value

_LONGEST_TEXT = 2**26
_LEAST_FLAT = 0.05
"""A pixel that answers less than this part of the mean does not count at all."""


def correction(raw: Raw, data: Data) -> Correction:
    """Dark and flat field, from files, from frames of the scan, or from what the data file holds."""
    dark, dark_value = _dark(raw, data)
    gain, flat_value = _gain(raw, data, dark)
    return Correction(dark, gain, (dark_value, *flat_value))


def _dark(raw: Raw, data: Data) -> tuple[Real | None, Value]:
    stack, text = _given(raw, data.dark, data.dark_frames, "dark")
    if stack is None:
        if raw.dark is None:
            return None, Value("dark", "none", "default")
        _check_shape("dark frames", raw.dark.shape, raw.frames)
        return raw.dark, Value("dark", f"{raw.dark_text}, mean {raw.dark.mean():.4g} counts", "file")
    dark = _mean(stack)
    _check_shape("dark frames", dark.shape, raw.frames)
    return dark, Value("dark", f"{text}, mean {dark.mean():.4g} counts", "user")


def _gain(raw: Raw, data: Data, dark: Real | None) -> tuple[Real | None, tuple[Value, ...]]:
    """One over the flat field, whose mean counts as one."""
    stack, text = _given(raw, data.flat, data.flat_frames, "flat")
    if stack is None:
        return None, ()
    flat = _mean(stack)
    _check_shape("flat frames", flat.shape, raw.frames)
    flat = np.where(np.isfinite(flat), flat if dark is None else flat - dark, 0)
    if not (flat > 0).any():
        raise InputError("The flat frames hold no counts above the dark ones; check data.flat.")
    flat = flat / flat[flat > 0].mean()
    good = flat > _LEAST_FLAT
    gain: Real = np.where(good, 1 / np.where(good, flat, 1), np.nan).astype(np.float32)
    left_out = f", {int((~good).sum())} pixels that hardly answer are left out" if not good.all() else ""
    return gain, (Value("flat", f"{text}, from {flat[good].min():.3g} to {flat.max():.3g}{left_out}", "user"),)


def _given(raw: Raw, name: str | None, numbers: tuple[int, ...], what: str) -> tuple[Frames | None, str]:
    """The frames that the user names, from a file or of the scan itself, and how to call them."""
    if name is not None and numbers:
        raise InputError(f"data.{what} and data.{what}_frames are both given, but only one of them can hold.")
    if name is not None:
        stack = _stack(name, what)
        return stack, f"{Path(name).name}, {stack.shape[0]} frames"
    if not numbers:
        return None, ""
    if max(numbers) >= raw.frames.shape[0]:
        raise InputError(
            f"data.{what}_frames names frame {max(numbers)}, but the file holds {raw.frames.shape[0]} frames."
        )
    return np.stack([np.asarray(raw.frames[n]) for n in numbers]), f"{len(numbers)} frames of the scan"


def _mean(stack: Frames) -> Real:
    total = np.zeros(stack.shape[1:])
    for n in range(stack.shape[0]):
        total += stack[n]
    return np.asarray(total / stack.shape[0], np.float32)


def given_mask(raw: Raw, data: Data) -> tuple[Mask, Origin]:
    """The mask (ny, nx) of the user, or the file's, or every pixel."""
    mask: Mask = np.ones(raw.frames.shape[1:], bool)
    origin: Origin = "default"
    if data.mask is not None:
        mask, origin = np.asarray(_stack(data.mask, "mask")[0]) != 0, "user"
    elif raw.mask is not None:
        mask, origin = raw.mask, "file"
    _check_shape("mask", mask.shape, raw.frames)
    return mask, origin


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


def _monitor(path: Path) -> NDArray[np.float64]:
    """The numbers of a `.npy`, or the last number in each line of a text; a heading is skipped."""
    if not path.is_file():
        raise InputError(f"The monitor file {path} does not exist; check data.monitor.")
    if npy.sniff(path):
        return npy.load(path).astype(np.float64).ravel()
    lines = files.head(path, _LONGEST_TEXT).decode("utf-8", "replace").splitlines()
    cells = [line.replace(",", " ").replace(";", " ").split()[-1] for line in lines if line.strip(" ,;")]
    numbers = [number for number in map(_number, cells) if number is not None]
    if len(numbers) < max(1, len(cells) - 1):
        raise InputError(f"{path} is no list of numbers, one for each frame; check data.monitor.")
    return np.array(numbers)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def weights(raw: Raw, data: Data, numbers: NDArray[np.intp]) -> tuple[Real | None, Value | None]:
    """By what each frame (N,) of the file is multiplied for the beam to have been as strong in all that are used."""
    if data.normalisation != "monitor":
        return None, None
    if data.monitor is not None:
        path = Path(data.monitor).expanduser()
        monitor, text = _monitor(path), path.name
    elif raw.monitor is not None:
        monitor, text = raw.monitor, raw.monitor_text
    else:
        raise InputError("The file holds no monitor of the beam; name a file with data.monitor, or normalise by sum.")
    count = raw.frames.shape[0]
    if len(monitor) != count:
        raise InputError(f"The monitor has {len(monitor)} values, but the file holds {count} frames.")
    used = monitor[numbers]
    bad = numbers[~(np.isfinite(used) & (used > 0))]
    if len(bad):
        raise InputError(f"The monitor of frame {bad[0]} is not above zero; leave such frames out with data.exclude.")
    with np.errstate(divide="ignore", invalid="ignore"):
        factors: Real = (np.median(used) / monitor).astype(np.float32)
    spread = float(np.std(used) / np.mean(used))
    return factors, Value("normalisation", f"by the monitor {text}, which varies by {spread:.2%}", "user")
