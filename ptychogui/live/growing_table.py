"""Positions in a text file that grows line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import position_table, text
from ptychogui.io.raw import PositionUnit
from ptychogui.live.events import Numbers
from ptychogui.params import InputError
from ptychogui.types import Positions

_LAST_NUMBER = re.compile(r"(\d+)(?!.*\d)")
_TO_JUDGE = 4
"""The order of columns without names is guessed from so many lines, and kept."""
_LARGEST_BYTES = 2**28
_SUFFIXES = (".txt", ".csv", ".dat", ".tsv")


@dataclass(frozen=True)
class Lines:
    """Positions (n, 2) of new lines, y first, and the numbers (n,) of their frames.

    These stand in the file where `numbered`; else the first line is 0.
    """

    numbers: Numbers
    positions: Positions
    numbered: bool


class GrowingTable:
    """A table and the lines that were told already; `unit` is as the file says it, `bad` counts lines of no use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begin()

    def _begin(self) -> None:
        self.unit: PositionUnit | None = None
        self.bad = 0
        self._offset = self._told = 0
        self._head = self._columns = ""
        self._headings: tuple[str, ...] = ()
        self._rows: Positions | None = None
        self._names: list[str] = []

    def more(self, *, at_the_end: bool = False) -> Lines | None:
        """What is new; None for nothing. A last line without an end is not read before `at_the_end`.

        Raises `OSError` where the file cannot be read.
        """
        new = self._new_text(at_the_end)
        if new:
            self._take(new)
        if self._rows is None or len(self._rows) == self._told:
            self.unit = self.unit or text.unit_in_heading(self._head)
            return None
        table = text.Table(self._rows, self._headings)
        listing = text.listing_of(table, self.path)
        if not self._columns and listing.columns_doubt and len(self._rows) < _TO_JUDGE and not at_the_end:
            return None
        self.unit, self._columns = listing.unit, self._columns or listing.columns
        order, frames = _frames(table, self._names)
        places = np.empty_like(listing.values)
        places[order] = listing.values if self._columns == "yx" else listing.values[:, ::-1]
        first, self._told = self._told, len(places)
        numbers = np.arange(len(places)) if frames is None else frames
        return Lines(numbers[first:], places[first:], frames is not None)

    def state(self) -> tuple[int, int, int] | None:
        """What changes when it is written; None where it is gone."""
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _new_text(self, at_the_end: bool) -> str:
        size = self.path.stat().st_size
        if size < self._offset:
            self._begin()  # it was written anew
        if size > _LARGEST_BYTES:
            return ""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        if not at_the_end:
            new = new[: new.rfind(b"\n") + 1]
        self._offset += len(new)
        return new.decode("utf-8", "replace").removeprefix("\ufeff")

    def _take(self, new: str) -> None:
        """Take lines, all at once where all of them are rows; what stands before the first row is its heading."""
        if self._add(new):
            return
        for line in new.splitlines(keepends=True):
            if self._add(line):
                continue
            if self._rows is None:
                self._head += line
            else:
                self.bad += bool(line.strip())

    def _add(self, lines: str) -> bool:
        content = lines if self._rows is not None else self._head + lines
        try:
            bare, names = position_table.without_names(content)
            table = text.parsed(bare, self.path)
        except InputError:
            return False
        if self._rows is None:
            self._rows, self._headings = table.numbers, table.headings
        elif table.numbers.shape[1] == self._rows.shape[1]:
            self._rows = np.concatenate([self._rows, table.numbers])
        else:
            return False
        self._names += names
        return True


def _frames(table: text.Table, names: Sequence[str]) -> tuple[NDArray[np.intp], Numbers | None]:
    """The lines in the order in which a listing has them, and the number of the frame of each line, if it is told."""
    lines, column = np.arange(len(table.numbers)), text.index_column(table)
    if column is not None:
        values = table.numbers[:, column]
        return np.argsort(values, kind="stable"), values.astype(np.intp)
    if len(table.headings) == table.numbers.shape[1]:
        for heading, values in zip(table.headings, table.numbers.T):
            if heading.lower() in text.INDEX_NAMES:
                whole = (values == np.rint(values)) & (np.abs(values) < 2**53)
                return lines, np.where(whole, values, -1).astype(np.intp)
    found = [_LAST_NUMBER.search(Path(name.replace("\\", "/")).stem) for name in names]
    if len(found) == len(lines) and None not in found:
        return lines, np.array([int(one[1]) for one in found if one], np.intp)
    return lines, None


def table_beside(folder: Path, prefix: str) -> Path | None:
    """The text file with the positions of the frames whose names begin with `prefix`; None where there is none.

    It begins with it and is called positions, or it is called positions only, or it is the only text.
    """
    texts = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and not p.name.startswith("."))
    own = [p for p in texts if prefix and p.name.startswith(prefix) and "pos" in p.name.lower()]
    named = [p for p in texts if p.stem.lower().startswith("position")]
    found = own or named or texts
    return found[0] if len(found) == 1 else None
