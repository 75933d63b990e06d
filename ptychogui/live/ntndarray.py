"""NTNDArray and NTTable, the structures in which EPICS PVAccess carries arrays and tables."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.live.packed import LARGEST_BYTES, Misread, Packed, framed_lz4
from ptychogui.live.told import whole
from ptychogui.types import Positions

_TYPES: tuple[type[Any], ...] = (
    *(np.bool_, np.int8, np.int16, np.int32, np.int64),
    *(np.uint8, np.uint16, np.uint32, np.uint64, np.float32, np.float64),
)
"""The types of pixels by the numbers that EPICS gives them."""
_BITSHUFFLED_BYTES = 8192
"""areaDetector shuffles the bits of so many bytes at a time, the usual number of bitshuffle."""


@dataclass(frozen=True)
class Array:
    """One update of a channel with frames: `unique_id` is the detector's count, `time_s` its time stamp (Unix time)."""

    unique_id: int
    time_s: float | None
    packed: Packed
    attributes: Mapping[str, Any]

    @property
    def scan(self) -> int | None:
        """The number of the scan, where the attribute `scan` tells it."""
        return whole(self.attributes.get("scan"))


@dataclass(frozen=True)
class Table:
    """One update of a channel with positions (n, 2) as (y, x); the rest is (n,), None where there is no such column."""

    positions_m: Positions
    unique_id: NDArray[np.float64] | None = None
    time_s: NDArray[np.float64] | None = None
    scan: NDArray[np.float64] | None = None

    def further(self, before: Table) -> int:
        """How many rows `before` had, where this table is longer and begins with all of them; otherwise 0."""
        length = len(before.positions_m)
        pairs = [
            (getattr(self, name), getattr(before, name)) for name in ("positions_m", "unique_id", "time_s", "scan")
        ]
        longer = length < len(self.positions_m)
        same = all(old is None if new is None else np.array_equal(new[:length], old) for new, old in pairs)
        return length if longer and same else 0


def array_of(value: Any, channel: str) -> Array | None:
    """What an NTNDArray holds; None where it is empty, as channels are before their first frame.

    Raises `Misread` where it is no frame of counts.
    """
    if not value.getID().startswith("epics:nt/NTNDArray:"):
        raise Misread(
            f"Channel {channel} holds {value.getID()} instead of an NTNDArray; name that of areaDetector's plugin PVA."
        )
    try:
        pixels = value.value
        if pixels is None:
            return None
        attributes = {one.name: _plain(one.value) for one in value.attribute}
        shape = tuple(one.size for one in reversed(value.dimension))  # x comes first there
        time_s = _seconds(value, "dataTimeStamp") or _seconds(value, "timeStamp")
        unique_id, codec, kind = int(value.uniqueId), value["codec.name"], value["codec.parameters"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Misread(f"An array of channel {channel} lacks what an NTNDArray has; it is left out.") from error
    if attributes.get("ColorMode", 0) != 0 or len(shape) == 3:
        raise Misread(f"Channel {channel} sends colour; set the detector to monochrome.")
    if min(shape, default=0) < 1:
        raise Misread(f"An array of channel {channel} has no size; it is left out.")
    return Array(unique_id, time_s, _packed(pixels, shape, codec, kind, channel), attributes)


def _packed(pixels: NDArray[Any], shape: tuple[int, ...], codec: str, kind: object, channel: str) -> Packed:
    data = pixels.tobytes()
    if codec in ("", "none"):
        return Packed(shape, pixels.dtype, "none", data)
    if codec not in ("lz4", "bslz4"):
        raise Misread(
            f"Channel {channel} is compressed by '{codec}', which cannot be read: set the detector's codec plugin to "
            "none, lz4 or bslz4."
        )
    if not _can_unpack():
        raise Misread(
            f"Codec {codec} needs dectris-compression, which is not installed: pip install 'ptychogui[live,packed]'."
        )
    if not isinstance(kind, int) or not 0 <= kind < len(_TYPES):
        raise Misread(f"A compressed array of channel {channel} does not say its type; it is left out.")
    dtype = np.dtype(_TYPES[kind])
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size > LARGEST_BYTES:
        raise Misread(f"An array of channel {channel} claims {size:,} bytes, more than any frame has; it is left out.")
    if codec == "lz4":
        return Packed(shape, dtype, "lz4", framed_lz4(data, size))
    return Packed(shape, dtype, "bslz4", struct.pack(">QI", size, _BITSHUFFLED_BYTES) + data)


@cache
def _can_unpack() -> bool:
    return find_spec("dectris") is not None


def table_of(value: Any, channel: str, y: str, x: str) -> Table | None:
    """Positions from an NTTable with columns of these names, or from an NTNDArray of pairs (y, x); None where empty.

    Columns `uniqueId` or `time` (Unix time, in seconds) say which frames they are of, and `scan` of which scan. Raises
    `Misread` where it is neither.
    """
    if value.getID().startswith("epics:nt/NTNDArray:"):
        array = array_of(value, channel)
        if array is None:
            return None
        pairs = array.packed.unpacked()
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise Misread(f"Channel {channel} holds {pairs.shape} numbers instead of pairs (y, x) of positions.")
        return Table(np.asarray(pairs, np.float64))
    try:
        columns = {name: _column(value.value[name]) for name in value.value.keys()}  # noqa: SIM118 - no dict
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Misread(
            f"Channel {channel} holds no table of numbers: give an NTTable with columns {y} and {x}."
        ) from error
    if y not in columns or x not in columns:
        raise Misread(
            f"Channel {channel} has no columns {y} and {x}, but {', '.join(columns)}; name those with positions."
        )
    known = {name: columns[name] for name in (y, x, "uniqueId", "time", "scan") if len(columns.get(name, ()))}
    if not known:
        return None
    if len({len(column) for column in known.values()}) > 1 or not {y, x} <= known.keys():
        raise Misread(f"The columns of channel {channel} are of different lengths; its update is left out.")
    return Table(np.stack([known[y], known[x]], 1), known.get("uniqueId"), known.get("time"), known.get("scan"))


def _column(values: object) -> NDArray[np.float64]:
    """Numbers (n,); what is no number is nan, as a column of names."""
    array = np.asarray([] if values is None else values)
    if array.ndim != 1:
        raise ValueError
    return array.astype(np.float64) if array.dtype.kind in "iufb" else np.full(len(array), np.nan)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _seconds(value: Any, stamp: str) -> float:
    seconds: float = value[f"{stamp}.secondsPastEpoch"] + 1e-9 * value[f"{stamp}.nanoseconds"]
    return seconds
