"""Reading a file by a mapping: HDF5, MATLAB and NPZ of any layout."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import contents, mapping
from ptychogui.io.contents import Contents, Sliceable, numbers
from ptychogui.io.data import Data
from ptychogui.io.mapping import LENGTHS_M, Mapping
from ptychogui.io.raw import Listing, PositionUnit, Raw, checked_frames, without_leading_ones
from ptychogui.params import InputError

NAME = "mapped datasets"

_BLOCK = 32
"""So many dark frames are in memory at once."""
_JOULE_IN_EV = 1 / 1.602176634e-19
_QUANTITIES: dict[str, tuple[str, str, dict[str, float]]] = {
    "energy": ("energy_eV", "eV", {"eV": 1, "keV": 1e3, "J": _JOULE_IN_EV}),
    "wavelength": ("wavelength_m", "m", LENGTHS_M),
    "voltage": ("kV", "kV", {"kV": 1, "V": 1e-3}),
    "distance": ("distance_m", "m", LENGTHS_M),
    "detector_pixel": ("detector_pixel_m", "m", LENGTHS_M),
}
"""For each field of `Mapping` that is a quantity: the field of `Data`, the unit without which it is read, its units."""
_SPELLED = {
    "µm": "um",
    "μm": "um",
    "Å": "A",
    "angstrom": "A",
    "micron": "um",
    "microns": "um",
    "meter": "m",
    "metre": "m",
}


class UnmappedError(InputError):
    """A file of arrays whose layout no reader and no mapping knows: the user has to say what is what."""


def sniff(path: Path) -> bool:
    """Whether this is a file of arrays, of whatever layout."""
    return contents.is_contents(path)


def with_mapping(path: Path, data: Data) -> Data:
    """The data with the mapping that is said, or else remembered for the layout. Raises `UnmappedError` without one."""
    if data.mapping is not None and data.mapping.given:
        return data
    with contents.opened(path) as found:
        kept = mapping.remembered(found.nodes)
        if kept is None:
            raise UnmappedError(
                f"{path} holds {_counted(found)} of a layout that is not known; say which dataset is what with "
                f"data.mapping.frames{_largest(found)}, data.mapping.positions and so on."
            )
    return data.model_copy(update={"mapping": kept})


def _largest(found: Contents) -> str:
    """A hint at the largest stack of real numbers, which is likely to be the frames."""
    real = [node for node in found.nodes if node.readable and node.dtype is not None and node.dtype.kind in "uif"]
    stacks = [node for node in real if node.rank >= 3]
    return f" (perhaps {max(stacks, key=lambda node: math.prod(node.shape or ())).path})" if stacks else ""


def _counted(found: Contents) -> str:
    count = sum(node.kind == "array" for node in found.nodes)
    return f"{count} array{'' if count == 1 else 's'}" if count else "no arrays"


def read(path: Path, data: Data) -> Raw:
    """Open the frames, which stay on disk in HDF5, and read the rest. Raises `InputError` for what does not fit."""
    asked = with_mapping(path, data).mapping
    assert asked is not None
    found = contents.open_contents(path)
    try:
        return raw(found, asked, path)
    except InputError:
        found.close()
        raise
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        found.close()
        raise InputError(f"{path} cannot be read as its mapping says: {error}.") from error


def raw(found: Contents, asked: Mapping, path: Path) -> Raw:
    """What a mapping finds in an open file."""
    frames = frames_of(found, asked, path)
    count, ny, nx = frames.shape
    doubts: dict[str, str] = {}
    return Raw(
        frames,
        positions=_positions(found, asked, count),
        scan_shape=frames.raster,
        mask=mask_of(found, asked, (ny, nx), doubts),
        dark=_dark(found, asked, (ny, nx), path),
        dark_text=f"'{asked.dark}'" if asked.dark else "",
        probe=_probe(found, asked, (ny, nx)),
        found=quantities(found, asked),
        doubts=doubts,
    )


@dataclass(frozen=True)
class MappedFrames:
    """Frames (N, ny, nx) of an array whose axes are named by `axes`; read when they are indexed."""

    array: Sliceable
    axes: str
    path: Path
    holder: Contents
    """Kept so that the file stays open as long as its frames are in use."""

    @property
    def raster(self) -> tuple[int, int] | None:
        """Rows and columns, where the array has an axis for each."""
        size = self._size
        return (size["r"], size["c"]) if "r" in size else None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, ny, nx)"""
        size = self._size
        return size["n"] if "n" in size else size["r"] * size["c"], size["y"], size["x"]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type on disk."""
        dtype: np.dtype[Any] = self.array.dtype
        return dtype

    @property
    def _size(self) -> dict[str, int]:
        return dict(zip(self.axes, _without_ones(self.array.shape, len(self.axes))[1]))

    def __getitem__(self, index: Any) -> NDArray[Any]:
        chosen = np.arange(self.shape[0])[index]
        if np.ndim(chosen) == 0:
            frame: NDArray[Any] = self._run(int(chosen), 1)[0]
            return frame
        ends = np.flatnonzero((np.diff(chosen) != 1) | self._new_row(chosen[1:])) + 1
        runs = np.split(chosen, ends) if len(chosen) else []
        parts = [self._run(int(run[0]), len(run)) for run in runs]
        return np.concatenate(parts) if parts else np.empty((0, *self.shape[1:]), self.dtype)

    def _new_row(self, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
        columns = self.raster[1] if self.raster else self.shape[0]
        begins: NDArray[np.bool_] = chosen % columns == 0
        return begins

    def _run(self, first: int, count: int) -> NDArray[Any]:
        """Neighbours within one row of a raster, or in a stack."""
        part: dict[str, slice] = {"n": slice(first, first + count)}
        if self.raster:
            row, column = divmod(first, self.raster[1])
            part = {"r": slice(row, row + 1), "c": slice(column, column + count)}
        kept, _ = _without_ones(self.array.shape, len(self.axes))
        letters = iter(self.axes)
        whole = slice(None)
        where = tuple(part.get(next(letters), whole) if axis in kept else 0 for axis in range(len(self.array.shape)))
        try:
            block = np.asarray(self.array[where])
        except OSError as error:
            raise InputError(f"The frames in {self.path} cannot be read: {error}.") from error
        order = [self.axes.index(letter) for letter in ("rcyx" if self.raster else "nyx")]
        return block.transpose(order).reshape(count, *self.shape[1:])


def frames_of(found: Contents, asked: Mapping, path: Path) -> MappedFrames:
    """The frames where the mapping says they are. Raises `InputError` where they are none."""
    if not asked.frames:
        raise InputError("data.mapping does not say where the frames are; give data.mapping.frames.")
    array = found.array(asked.frames)
    rank = sum(n != 1 for n in array.shape)
    axes = asked.axes or ("rcyx" if rank == 4 else "nyx")
    if not rank <= len(axes) <= len(array.shape):
        raise InputError(
            f"'{asked.frames}' has the shape {' × '.join(map(str, array.shape)) or '()'}, "
            f"which does not fit data.mapping.axes '{axes}'."
        )
    frames = MappedFrames(array, axes, path, found)
    checked_frames(frames, path)
    return frames


def _without_ones(shape: tuple[int, ...], wanted: int) -> tuple[list[int], list[int]]:
    """The axes that count, and their lengths: axes of length 1 are left out until so many remain."""
    kept = list(range(len(shape)))
    for axis in range(len(shape)):
        if shape[axis] == 1 and len(kept) > wanted:
            kept.remove(axis)
    return kept, [shape[axis] for axis in kept]


def _positions(found: Contents, asked: Mapping, count: int) -> Listing | None:
    if asked.positions_y and asked.positions_x:
        values = _columns(found, asked.positions_y, asked.positions_x)
        name, text = asked.positions_y, f"'{asked.positions_y}' and '{asked.positions_x}'"
        columns: Literal["yx", "xy"] = "yx"
        doubt = ""
    elif asked.positions:
        values, name, text = _table(found, asked.positions, count), asked.positions, f"'{asked.positions}'"
        columns = asked.positions_columns or "yx"
        doubt = "" if asked.positions_columns else "the columns are taken as y, x"
    else:
        return None
    unit = asked.positions_unit or written_unit(found, name)
    known = next((spelled for spelled in get_args(PositionUnit) if spelled == unit), None)
    return Listing(values, known, text, columns, doubt)


def _columns(found: Contents, *names: str) -> NDArray[np.float64]:
    """Positions (N, 2) of which each coordinate has a dataset of its own."""
    y, x = (_real(found, name).ravel() for name in names)
    if len(y) != len(x):
        raise InputError(
            f"'{names[0]}' holds {len(y)} numbers and '{names[1]}' {len(x)}; choose the two that belong together."
        )
    return np.stack([y, x], axis=1)


def _table(found: Contents, name: str, count: int) -> NDArray[np.float64]:
    """Positions (N, 2): the longer axis is that of the frames, a third column is left out."""
    values = table(without_leading_ones(_real(found, name), 2))
    if values.ndim != 2 or values.shape[1] not in (2, 3):
        shape = " × ".join(map(str, values.shape))
        raise InputError(f"'{name}' of shape {shape} is no list of {count} positions (N, 2); choose another dataset.")
    return values[:, :2]


def table(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions as rows of two or three numbers, where they may be that; a grid of them becomes a list."""
    if values.ndim == 3 and 2 in (values.shape[0], values.shape[-1]):  # a grid (rows, columns, 2) or (2, rows, columns)
        values = values.reshape(-1, 2) if values.shape[-1] == 2 else values.reshape(2, -1)
    if values.ndim == 2 and values.shape[1] != 2 and (values.shape[0] in (2, 3) and values.shape[1] != 3):
        values = values.T
    return values


def _real(found: Contents, name: str) -> NDArray[np.float64]:
    array = found.array(name)
    if array.dtype.kind not in "uifb" or math.prod(array.shape) > 2**26:
        raise InputError(f"'{name}' of shape {array.shape} and type {array.dtype} is no list of numbers.")
    return numbers(array).astype(np.float64)


def written_unit(found: Contents, name: str) -> str | None:
    """The `units` attribute of an array."""
    node = next((node for node in found.nodes if node.path.lstrip("/") == name.lstrip("/")), None)
    given = next((node.attribute[key] for key in ("units", "unit") if key in node.attribute), "") if node else ""
    return _SPELLED.get(given.strip(), given.strip()) or None


def quantities(found: Contents, asked: Mapping) -> dict[str, Any]:
    """Energy, distance and the like in SI, by the names of the fields of `Data`."""
    return {
        target: values
        for field, (target, _, _) in _QUANTITIES.items()
        if (values := _quantity(found, asked, field)) is not None
    }


def _quantity(found: Contents, asked: Mapping, field: str) -> Any:
    name = getattr(asked, field)
    if not name:
        return None
    _, plain, factors = _QUANTITIES[field]
    unit = getattr(asked, f"{field}_unit") or written_unit(found, name) or plain
    if unit not in factors:
        raise InputError(
            f"The unit '{unit}' of '{name}' is not one of {', '.join(factors)}; give data.mapping.{field}_unit."
        )
    values = _real(found, name).ravel() * factors[unit]
    if not values.size or not np.isfinite(values).all():
        raise InputError(f"'{name}' holds no number for the {field.replace('_', ' ')}; choose another dataset.")
    return (float(values[0]), float(values[min(1, len(values) - 1)])) if field == "detector_pixel" else float(values[0])


def mask_of(
    found: Contents, asked: Mapping, shape: tuple[int, int], doubts: dict[str, str]
) -> NDArray[np.bool_] | None:
    """The mask (ny, nx), True where good; turned as the frames are."""
    if not asked.mask:
        return None
    flags = without_leading_ones(numbers(found.array(asked.mask)), 2) != 0
    flags = _turned(flags, asked, shape)
    if flags.ndim != 2:
        raise InputError(f"'{asked.mask}' has {flags.ndim} axes longer than 1, but a mask has two.")
    if asked.mask_good is None:
        doubts["mask"] = "good pixels are taken to be those of which there are more"
    good = asked.mask_good == "nonzero" or (asked.mask_good is None and flags.mean() > 0.5)
    mask: NDArray[np.bool_] = flags if good else ~flags
    return mask


def _turned(image: NDArray[Any], asked: Mapping, shape: tuple[int, int]) -> NDArray[Any]:
    """An image (…, y, x) of the file, transposed where the axes of its frames say so and the shape allows it."""
    axes = asked.axes or "yx"
    swapped = axes.index("x") < axes.index("y")
    return np.swapaxes(image, -1, -2) if swapped and image.shape[-2:] == shape[::-1] else image


def _dark(found: Contents, asked: Mapping, shape: tuple[int, int], path: Path) -> NDArray[np.float32] | None:
    """One dark frame, or the mean of a stack whose axes lie as those of the frames."""
    if not asked.dark:
        return None
    array = found.array(asked.dark)
    if sum(n != 1 for n in array.shape) > 2:
        stack = frames_of(found, asked.model_copy(update={"frames": asked.dark}), path)
        blocks = (stack[first : first + _BLOCK].sum(0, dtype=np.float64) for first in range(0, stack.shape[0], _BLOCK))
        mean: NDArray[np.float32] = (sum(blocks, np.zeros(shape)) / stack.shape[0]).astype(np.float32)
        return mean
    return _turned(without_leading_ones(numbers(array), 2), asked, shape).astype(np.float32)


def _probe(found: Contents, asked: Mapping, shape: tuple[int, int]) -> NDArray[np.complex64] | None:
    if not asked.probe:
        return None
    probe = _turned(numbers(found.array(asked.probe)), asked, shape)
    if probe.shape[-2:] != shape or probe.dtype.kind not in "fc":
        return None
    return probe.reshape(-1, *shape).astype(np.complex64)
