"""A stream of positions beside one of frames: JSON, one list of positions in each message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.live.events import Numbers
from ptychogui.live.packed import Misread
from ptychogui.live.series import Placed
from ptychogui.live.told import whole
from ptychogui.types import Positions

_WRONG = (
    "A message with positions is not understood: it should be JSON with lists y_m and x_m of equal length, and numbers "
    "or time_s beside them."
)


def placed(text: bytes) -> Placed:
    """Positions from `{"numbers": […], "y_m": […], "x_m": […]}`, or with `time_s` instead of `numbers`.

    A `series` may say to which scan they belong. Raises `Misread` where it is none of these.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Misread(_WRONG) from error
    if not isinstance(given, dict):
        raise Misread(_WRONG)
    y, x, times, numbers = (_column(given.get(name)) for name in ("y_m", "x_m", "time_s", "numbers"))
    key = times if numbers is None else numbers
    if y is None or x is None or key is None or not len(y) == len(x) == len(key):
        raise Misread(_WRONG)
    where = np.stack([y, x], 1)
    series = whole(given.get("series"))
    if numbers is None:
        return Placed(where, time_s=times, series=series)
    return Placed(where, numbers=numbers.astype(np.intp), series=series)


def _column(values: object) -> NDArray[np.float64] | None:
    """Finite numbers (n,); None for anything else."""
    if not isinstance(values, list):
        return None
    try:
        column = np.asarray(values, np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    return column if column.ndim == 1 and (np.abs(column) < 2.0**53).all() else None


def text(numbers: Numbers, positions_m: Positions, series: int) -> bytes:
    """The message that says where some frames of a series were taken."""
    said: dict[str, Any] = {"series": series, "numbers": [int(number) for number in numbers]}
    return json.dumps(said | {"y_m": positions_m[:, 0].tolist(), "x_m": positions_m[:, 1].tolist()}).encode()


def together(parts: Sequence[Placed]) -> list[Placed]:
    """As few lists of positions as possible, in the same order."""
    runs: list[list[Placed]] = []
    for one in parts:
        last = runs[-1][-1] if runs else None
        if last is None or last.series != one.series or (last.numbers is None) != (one.numbers is None):
            runs.append([])
        runs[-1].append(one)
    return [_joined(run) for run in runs]


def _joined(run: list[Placed]) -> Placed:
    return Placed(
        np.concatenate([one.positions_m for one in run]),
        None if run[0].numbers is None else np.concatenate([one.numbers for one in run if one.numbers is not None]),
        None if run[0].time_s is None else np.concatenate([one.time_s for one in run if one.time_s is not None]),
        run[0].series,
    )
