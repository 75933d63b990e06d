"""A file in a few words and a small picture, without reading more of it than that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ptychogui.geometry import wavelength_of_photon_m
from ptychogui.io import contents, detect, files, hdf5, mapped, npy, proposals, result, tiff
from ptychogui.io.contents import HDF5, Contents, Node
from ptychogui.io.geometry import energy_of_eV
from ptychogui.io.stored import stored_npy
from ptychogui.params import InputError, format_quantity
from ptychogui.types import Complex, Frames, Real

SUFFIXES = (".cxi", ".h5", ".hdf5", ".nxs", ".npz", ".npy", ".mat", ".tif", ".tiff", ".ptyd", ".ptyr")
"""Of files that may hold a scan or a result, also before `.bz2` and `.gz`."""
COMPRESSED = (".bz2", ".gz")
SIDE_PX = 96
_LARGE_BYTES = 2**23
"""Of an archive with frames of more bytes none is unpacked for a picture."""


@dataclass(frozen=True)
class Outline:
    """What a file is in short lines, and a picture: a pattern (y, x) of counts, or an object (Y, X), complex."""

    lines: tuple[str, ...]
    pattern: Real | None = None
    obj: Complex | None = None


def is_candidate(name: str) -> bool:
    """Whether a file may be one that can be opened, by its name."""
    path = Path(name.lower())
    return (Path(path.stem) if path.suffix in COMPRESSED else path).suffix in SUFFIXES


def outline(path: Path) -> Outline:
    """What a file is. Raises `InputError` where it cannot be read."""
    if files.is_compressed(path):
        return Outline(("compressed",))  # a look would unpack all of it
    if result.is_result(path):
        return _of_result(path)
    if contents.is_contents(path):
        with contents.opened(path) as found:
            return _of_arrays(found)
    if npy.sniff(path):
        return _of_frames(_npy(path), "")
    if tiff.sniff(path):
        return _of_frames(tiff.pages(path), "")
    raise InputError(f"{path} is none of the formats that can be read.")


def _npy(path: Path) -> Frames:
    try:
        array = stored_npy(path)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path} is a damaged NumPy file ({error}).") from error
    whole = npy.load(path) if array is None else array
    if len(whole.shape) < 3:
        raise InputError(f"{path} holds no stack of frames.")
    return whole.reshape(math.prod(whole.shape[:-2]), *whole.shape[-2:])


def _of_result(path: Path) -> Outline:
    with hdf5.opened(path) as file:
        obj, epochs = file["object"], len(file["loss"])
        r_factor = hdf5.number(file.get("metrics/r_factor"), "")
        step = max(1, max(obj.shape[1:]) // SIDE_PX)
        picture = np.asarray(obj[:, ::step, ::step]).prod(0).astype(np.complex64)
        wavelength_m = hdf5.number(file.get("geometry/wavelength_m"), "m")
    quality = f", R {r_factor:.3f}" if r_factor is not None else ""
    return Outline(tuple(filter(None, (f"{epochs} epochs{quality}", _light(wavelength_m)))), obj=picture)


def _of_arrays(found: Contents) -> Outline:
    """The likeliest stack of frames of a file whose layout need not be known."""
    stacks = proposals.proposals(found, "frames")
    if not stacks:
        count = sum(node.kind == "array" for node in found.nodes)
        return Outline((f"{count} arrays, no frames",))
    node = next(node for node in found.nodes if node.path == stacks[0].path)
    asked, _ = proposals.proposed(found)
    quantities = mapped.quantities(found, asked)
    wavelength_m = quantities.get("wavelength_m")
    if quantities.get("energy_eV"):
        wavelength_m = wavelength_of_photon_m(quantities["energy_eV"])
    frames = mapped.frames_of(found, asked, Path(node.path))
    return _of_frames(frames, _light(wavelength_m), _is_large(found, node))


def _is_large(found: Contents, node: Node) -> bool:
    """Whether a look at one frame would read the whole of a large array."""
    size = int(np.prod(node.shape or (0,))) * (node.dtype.itemsize if node.dtype is not None else 1)
    return not isinstance(found, HDF5) and size > _LARGE_BYTES


def _of_frames(frames: Frames, light: str, large: bool = False) -> Outline:
    lines = tuple(filter(None, (" × ".join(map(str, frames.shape)), light)))
    if large or frames.dtype.kind not in "uifb":
        return Outline(lines)
    count = frames.shape[0]
    some = np.stack([np.asarray(frames[int(n)]) for n in np.linspace(0, count - 1, min(count, 3)).astype(int)])
    pattern = np.nan_to_num(some.astype(np.float32), posinf=0, neginf=0).clip(0).mean(0)
    if detect.in_corner(pattern):
        pattern = np.fft.fftshift(pattern)
    step = max(1, max(pattern.shape) // SIDE_PX)
    return Outline(lines, pattern=pattern[::step, ::step])


def _light(wavelength_m: float | None) -> str:
    if not wavelength_m:
        return ""
    return format_quantity(float(f"{energy_of_eV(wavelength_m):.4g}"), "eV")
