"""A part of an array that is small enough to be looked at, whatever the size of the array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.contents import Contents, Node, numbers, short_text

_LONGEST = 1024
_MOST_VALUES = 2**20
_MOST_POINTS = 2000
_MOST_LINES = 200
_FEW = 16
_LINES = 4
"""A table of so few columns is shown as curves."""


@dataclass(frozen=True)
class Part:
    """What is shown of an array: a picture (Y, X), or curves (K, N) over their index, or a text."""

    picture: NDArray[Any] | None = None
    curves: NDArray[Any] | None = None
    text: str = ""
    step: tuple[int, int] = (1, 1)
    """Every so many pixels (y, x) or points (first of the two) are shown."""


def pairs(shape: Sequence[int]) -> list[tuple[int, int]]:
    """The pairs of axes that a picture may have, the last two first; none where there are not two longer than a few."""
    long = [axis for axis, count in enumerate(shape) if count > 1]
    return sorted(combinations(long, 2), key=lambda pair: (-pair[1], -pair[0])) if len(shape) > 1 else []


def count_of(shape: Sequence[int], shown: tuple[int, int]) -> int:
    """How many pictures an array has along the axes that a picture does not show."""
    return math.prod(count for axis, count in enumerate(shape) if axis not in shown)


def part_of(found: Contents, node: Node, shown: tuple[int, int] | None = None, index: int = 0) -> Part:
    """Read a part: of two or more axes the picture number `index` over the axes `shown`, of one axis its values.

    Raises `InputError` where the array cannot be read.
    """
    array, shape = found.array(node.path), node.shape or ()
    if node.dtype is None or math.prod(shape) == 0:
        return Part(text="It is empty.")
    if node.dtype.kind not in "uifcb" and node.dtype.names != ("real", "imag"):
        return Part(text=_text(np.asarray(array[tuple(slice(0, _MOST_LINES) for _ in shape)])))
    if math.prod(shape) <= _FEW:
        return Part(text=_text(numbers(array)))
    if shown is None or node.rank < 2:
        return _curve(found, node)
    if node.rank == 2 and min(shape[axis] for axis in shown) <= _LINES:
        return _curves(numbers(array, tuple(slice(0, _MOST_VALUES) for _ in shape)), shape)
    return _picture(found, node, shown, index)


def _text(values: NDArray[Any]) -> str:
    if values.ndim == 2:
        return "\n".join("   ".join(short_text(value) for value in row) for row in values)
    lines = [short_text(value) for value in values.ravel()[:_MOST_LINES]]
    return "\n".join([*lines, "…"] if values.size > _MOST_LINES else lines)


def _curve(found: Contents, node: Node) -> Part:
    """The values along the only axis that is longer than 1, at most the first million of them."""
    shape = node.shape or ()
    values = numbers(found.array(node.path), tuple(slice(0, _MOST_VALUES) for _ in shape)).ravel()
    step = math.ceil(len(values) / _MOST_POINTS)
    return Part(curves=values[None, ::step], step=(step, 1))


def _curves(table: NDArray[Any], shape: Sequence[int]) -> Part:
    """The columns (or rows) of a narrow table."""
    narrow = table.reshape([n for n in shape if n != 1] if table.size == math.prod(shape) else table.shape)
    across = narrow if narrow.shape[0] <= _LINES else narrow.T
    step = math.ceil(across.shape[1] / _MOST_POINTS)
    return Part(curves=across[:, ::step], step=(step, 1))


def _picture(found: Contents, node: Node, shown: tuple[int, int], index: int) -> Part:
    shape = node.shape or ()
    rest = [axis for axis in range(len(shape)) if axis not in shown]
    at = np.unravel_index(index, [shape[axis] for axis in rest]) if rest else ()
    where: list[Any] = [slice(None)] * len(shape)
    for axis, place in zip(rest, at):
        where[axis] = int(place)
    steps = [math.ceil(shape[axis] / _LONGEST) for axis in shown]
    for axis, step in zip(shown, steps):
        where[axis] = slice(None, None, step)
    return Part(picture=numbers(found.array(node.path), tuple(where)), step=(steps[0], steps[1]))
