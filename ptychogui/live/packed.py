"""Frames as detectors pack them for a stream: none, LZ4 or bitshuffle + LZ4, in the framing of the HDF5 filters."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Packing = Literal["none", "lz4", "bslz4"]

LARGEST_BYTES = 2**28
"""No frame, and no message, is larger."""


class Misread(Exception):  # noqa: N818 - it says what happened to a message, and nothing has failed
    """A message that is not understood, told in one sentence."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One array of `shape` and `dtype` in the bytes of a message, not unpacked yet."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    packing: Packing
    data: bytes

    def unpacked(self) -> NDArray[Any]:
        """The array, in the byte order of this machine.

        Raises `Misread` where the bytes do not hold it; what they claim is checked before room is made for it.
        """
        if not all(0 < n <= LARGEST_BYTES for n in self.shape) or self.dtype.kind not in "uif":
            raise Misread("A frame claims a size or a type that no frame has; it is left out.")
        expected = math.prod(self.shape) * self.dtype.itemsize
        claimed = len(self.data) if self.packing == "none" else int.from_bytes(self.data[:8], "big")
        if claimed != expected or expected > LARGEST_BYTES:
            raise Misread(f"A frame claims {expected:,} bytes, but its message holds other ones; it is left out.")
        plain = self.data if self.packing == "none" else _decompressed(self)
        if len(plain) != expected:
            raise Misread("A compressed frame is shorter than it claims; it is left out.")
        array: NDArray[Any] = np.frombuffer(plain, self.dtype).reshape(self.shape)
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _decompressed(packed: Packed) -> bytes:
    from dectris.compression import decompress

    try:
        plain: bytes = decompress(packed.data, packed.packing, elem_size=packed.dtype.itemsize)
    except (RuntimeError, ValueError, SystemError, MemoryError) as error:
        raise Misread("A compressed frame is broken; it is left out.") from error
    return plain


def framed_lz4(block: bytes, size: int) -> bytes:
    """A bare LZ4 block that holds `size` bytes, in the framing of the HDF5 filter: one block.

    Raises `Misread` where no frame holds so many.
    """
    if not 0 <= size <= LARGEST_BYTES:
        raise Misread(f"A frame claims {size:,} bytes, more than any frame has; it is left out.")
    return struct.pack(">QII", size, size, len(block)) + block


def packed(frames: NDArray[Any], packing: Packing) -> list[bytes]:
    """Frames (b, ny, nx) as the bytes of one message each."""
    if packing == "none":
        return [frame.tobytes() for frame in frames]
    import h5py
    import hdf5plugin

    chosen = hdf5plugin.LZ4() if packing == "lz4" else hdf5plugin.Bitshuffle(cname="lz4")
    with h5py.File("packed", "w", driver="core", backing_store=False) as file:
        stack = file.create_dataset("frames", frames.shape, frames.dtype, chunks=(1, *frames.shape[1:]), **chosen)
        stack[:] = frames
        return [bytes(stack.id.read_direct_chunk((number, 0, 0))[1]) for number in range(len(frames))]
