"""A table of positions with what pairs its rows with frames: numbers, or names of the frames' files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import text
from ptychogui.io.raw import Listing

Numbers = NDArray[np.intp]
NO_FRAME = -1
_LAST_NUMBER = re.compile(r"(\d+)(?!.*\d)")


@dataclass(frozen=True)
class PositionTable:
    """Positions as a file lists them, with the numbers (N,) and the names of their frames, where it has such columns.

    Rows whose numbers are 0…N−1 or 1…N are in the order of the frames already; then `numbers` is None.
    """

    listing: Listing
    numbers: Numbers | None = None
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.listing.values)


def read_table(path: Path | str) -> PositionTable:
    """A table of positions; one column may hold names instead of numbers. Raises `InputError`, as `read_positions`."""
    content = text.content_of(Path(path))
    bare, names = without_names(content)
    table = text.parsed(bare, Path(path))
    listing = text.listing_of(table, Path(path))
    order = text.index_column(table)
    if order is not None:
        by = np.argsort(table.numbers[:, order], kind="stable")
        return PositionTable(listing, names=tuple(names[i] for i in by) if names else ())
    return PositionTable(listing, _numbers(table), tuple(names))


def _numbers(table: text.Table) -> Numbers | None:
    """The column that is called a number of the frame and holds whole numbers that differ; None without one."""
    if len(table.headings) != table.numbers.shape[1]:
        return None
    for heading, values in zip(table.headings, table.numbers.T):
        whole = (values == np.rint(values)).all() and (values >= 0).all()
        if heading.lower() in text.INDEX_NAMES and whole and len(np.unique(values)) == len(values):
            numbers: Numbers = values.astype(np.intp)
            return numbers
    return None


def without_names(content: str) -> tuple[str, list[str]]:
    """The table without its column of names, and the names row by row; the whole of it where there is none."""
    lines = [line for line in content.splitlines() if line.strip() and not line.lstrip().startswith(("#", "%", "!"))]
    mark = next((m for m in (";", "\t", ",") if lines and m in lines[-1]), None)
    cells = [[cell.strip() for cell in (line.split(mark) if mark else line.split())] for line in lines]
    last = cells[-1] if cells else []
    columns = [i for i, cell in enumerate(last) if cell and not _is_number(cell, mark == ";")]
    if len(columns) != 1 or len(last) < 3:
        return content, []
    at = columns[0]
    rows = [row for row in cells if len(row) == len(last)]
    values = [row for row in rows if all(_is_number(c, mark == ";") for i, c in enumerate(row) if i != at)]
    joined = [(mark or " ").join(cell for i, cell in enumerate(row) if i != at) for row in rows]
    return "\n".join(joined), [row[at].strip("\"'") for row in values]


def _is_number(cell: str, decimal_comma: bool) -> bool:
    try:
        float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        return False
    return True


def paired_in_order(rows: int, frames: Numbers) -> Numbers:
    """The frame (N,) of each row: one after the other; −1 where there are no more."""
    found = np.full(rows, NO_FRAME, np.intp)
    both = min(rows, len(frames))
    found[:both] = frames[:both]
    return found


def paired_by_number(numbers: Numbers, frames: Numbers) -> Numbers:
    """The frame (N,) with the number of each row, −1 where there is none.

    Rows count from 1 where that leaves fewer of them without a frame.
    """
    found = [np.where(np.isin(numbers - first, frames), numbers - first, NO_FRAME) for first in (0, 1)]
    return max(found, key=lambda pairs: int((pairs != NO_FRAME).sum()))


def paired_by_name(names: Sequence[str], frames: Numbers, frame_names: Sequence[str]) -> Numbers:
    """The frame (N,) of each row whose file has its name, whatever its folder, suffix and case; −1 where none has.

    Where the frames have no names, or none fits, the last number in a name is the number of the frame.
    """
    by_name = {_stem(frame_names[frame]): int(frame) for frame in frames if frame < len(frame_names)}
    found = np.array([by_name.get(_stem(name), NO_FRAME) for name in names], np.intp)
    if (found != NO_FRAME).any():
        return found
    numbers = [match for name in names if (match := _LAST_NUMBER.search(Path(name).stem))]
    if len(numbers) < len(names):
        return found
    return paired_by_number(np.array([int(match[1]) for match in numbers], np.intp), frames)


def _stem(name: str) -> str:
    return Path(name.replace("\\", "/")).stem.lower()
