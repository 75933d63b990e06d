"""Positions from a text file in any common form: delimiter, header, units, index column and order are detected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ptychogui.io import files
from ptychogui.io.raw import Listing, PositionUnit
from ptychogui.params import InputError
from ptychogui.types import Positions

_LARGEST_BYTES = 2**28
_COMMENT = re.compile(r"^\s*(#|%|!|;|//)\s*")
_HEADING = re.compile(r"[A-Za-z_#µμ][\w#µμ]*\s*(?:[\[(][^\])]*[\])])?")
_UNITS: dict[str, PositionUnit] = {
    "m": "m", "metre": "m", "metres": "m", "meter": "m", "meters": "m",
    "mm": "mm", "millimetre": "mm", "millimeter": "mm",
    "um": "um", "µm": "um", "μm": "um", "micron": "um", "microns": "um", "micrometre": "um", "micrometer": "um",
    "nm": "nm", "nanometre": "nm", "nanometer": "nm",
    "px": "px", "pixel": "px", "pixels": "px", "pix": "px",
}  # fmt: skip
INDEX_NAMES = ("index", "frame", "number", "point", "id", "i", "n", "no", "#", "idx", "nr")


@dataclass(frozen=True)
class Table:
    """Rows of numbers (N, columns), and the headings over them, if there are any."""

    numbers: Positions
    headings: tuple[str, ...]


def read_positions(path: Path) -> Listing:
    """The positions in a text file, (N, 2) in the order and unit that it says or that is detected.

    Raises `InputError` where the file is missing, is no text, or a line is not numbers.
    """
    return listing_of(parsed(content_of(path), path), path)


def content_of(path: Path) -> str:
    """The text of a file. Raises `InputError` where it is missing, too large, or no text."""
    if not path.is_file():
        raise InputError(f"The positions file {path} does not exist; check data.positions.")
    if path.stat().st_size > _LARGEST_BYTES:
        raise InputError(f"{path} is too large for a text file of positions.")
    try:
        return files.head(path, _LARGEST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text file, so it holds no positions that can be read.") from error


def listing_of(table: Table, path: Path) -> Listing:
    """The positions in a table, in the order of the frames where a column counts them."""
    named = _named_columns(table)
    if named is not None:
        y, x, unit = named
        ignored = table.numbers.shape[1] - 2 - (index_column(table) is not None)
        text = f"{path.name}, columns '{table.headings[y]}' and '{table.headings[x]}'"
        return Listing(_in_order(table)[:, [y, x]], unit, text + (f", {ignored} others ignored" if ignored else ""))
    return _unnamed(table, path)


def parsed(content: str, path: Path) -> Table:
    """The rows of numbers in a text. Raises `InputError` where a line is not one, or where there are none."""
    rows: list[list[float]] = []
    headings: tuple[str, ...] = ()
    semicolons = ";" in content
    for number, line in enumerate(content.splitlines(), 1):
        bare = _COMMENT.sub("", line).strip()
        if not bare:
            continue
        cells = _cells(bare, semicolons)
        values = None if _COMMENT.match(line) else _numbers(cells, semicolons)
        if values is None:
            if rows and not _COMMENT.match(line):
                raise InputError(f"{path}, line {number}: '{bare[:40]}' is not a row of numbers.")
            if not rows:
                headings = _headings(bare, semicolons)
            continue
        if rows and len(values) != len(rows[0]):
            raise InputError(
                f"{path}, line {number}: {len(values)} columns, where the lines before have {len(rows[0])}."
            )
        rows.append(values)
    if not rows:
        raise InputError(f"{path} holds no rows of numbers, so there are no positions in it.")
    if len(rows[0]) < 2:
        raise InputError(f"{path} has one column of numbers, but positions have two.")
    return Table(np.array(rows), headings)


def _cells(line: str, semicolons: bool) -> list[str]:
    pattern = r"[;\t]+" if semicolons else r"[,\s]+"
    return [cell.strip() for cell in re.split(pattern, line) if cell.strip()]


def _numbers(cells: list[str], semicolons: bool) -> list[float] | None:
    try:
        return [float(cell.replace(",", ".") if semicolons else cell) for cell in cells]
    except ValueError:
        return None


def _headings(line: str, semicolons: bool) -> tuple[str, ...]:
    if semicolons or "," in line or "\t" in line:
        return tuple(cell.strip().strip("\"'") for cell in re.split(r"[;,\t]", line))
    return tuple(match.strip() for match in _HEADING.findall(line))


def _unit(heading: str) -> PositionUnit | None:
    bracket = re.search(r"[\[(]\s*([^\])\s]+)\s*[\])]", heading)
    tail = re.split(r"[_\s]", heading.strip())[-1]
    return _UNITS.get((bracket[1] if bracket else tail).lower())


def unit_in_heading(content: str) -> PositionUnit | None:
    """The unit that a table names over its columns, before it has any row; None where it does not."""
    lines = [bare for line in content.splitlines() if (bare := _COMMENT.sub("", line).strip())]
    headings = _headings(lines[-1], ";" in content) if lines else ()
    return next((unit for heading in headings if (unit := _unit(heading))), None)


def _axis(heading: str) -> str:
    """`y` or `x`, where the heading names one of them; else empty."""
    words = re.split(r"[_\s\[(]+", heading.strip().lower())
    for word in words:
        if re.fullmatch(r"(pos|position|sample|stage|motor|s|p)?[yx](pos|position|motor|stage)?", word):
            return "y" if "y" in word else "x"
        if word in ("row", "vertical", "column", "col", "horizontal"):
            return "y" if word in ("row", "vertical") else "x"
    return ""


def _named_columns(table: Table) -> tuple[int, int, PositionUnit | None] | None:
    """The columns of y and x and their unit, where the headings fit the columns and name both."""
    if len(table.headings) != table.numbers.shape[1]:
        return None
    axes = [_axis(heading) for heading in table.headings]
    if "y" not in axes or "x" not in axes:
        return None
    y, x = axes.index("y"), axes.index("x")
    return y, x, _unit(table.headings[y]) or _unit(table.headings[x])


def index_column(table: Table) -> int | None:
    """The column that counts the frames: a permutation of 0…N−1 or 1…N, in front or named so."""
    count = len(table.numbers)
    named = len(table.headings) == table.numbers.shape[1]
    for column in range(table.numbers.shape[1] if named else 1):
        values = np.sort(table.numbers[:, column])
        counts = any(np.array_equal(values, np.arange(count) + first) for first in (0, 1))
        called = named and table.headings[column].lower() in INDEX_NAMES
        if counts and (called or (not named and table.numbers.shape[1] > 2)):
            return column
    return None


def _in_order(table: Table) -> Positions:
    index = index_column(table)
    return table.numbers if index is None else table.numbers[np.argsort(table.numbers[:, index], kind="stable")]


def _unnamed(table: Table, path: Path) -> Listing:
    """The first two columns beside a counting one; in a raster the fast axis is x, otherwise (x, y) is assumed."""
    index = index_column(table)
    columns = [c for c in range(table.numbers.shape[1]) if c != index][:2]
    if len(columns) < 2:
        raise InputError(f"{path} has a column that counts and one other, but positions have two.")
    values = _in_order(table)[:, columns]
    unit = next((found for heading in table.headings if (found := _unit(heading))), None)
    order, doubt = _order(values)
    if table.numbers.shape[1] > 2 + (index is not None):
        doubt += "; only the first two of its columns are used"
    return Listing(values, unit, path.name, order, doubt)


def _order(values: Positions) -> tuple[Literal["yx", "xy"], str]:
    if len(values) > 3:
        spread = np.ptp(values, axis=0)
        pace = np.abs(np.diff(values, axis=0)).mean(0) / np.where(spread > 0, spread, 1)
        if pace[0] > 3 * pace[1]:
            return "xy", "the order of the columns is guessed from the raster, whose fast axis is taken as x"
        if pace[1] > 3 * pace[0]:
            return "yx", "the order of the columns is guessed from the raster, whose fast axis is taken as x"
    return "xy", "the file does not name its columns; x first is assumed"
