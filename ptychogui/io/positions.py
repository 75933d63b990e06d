"""Positions as a table of their own: written beside the data, or for another program."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ptychogui.io.files import replacing
from ptychogui.io.raw import Listing
from ptychogui.io.scan import METRES
from ptychogui.params import InputError
from ptychogui.types import Positions


def write_positions(path: Path | str, positions: Positions, unit: str, frames: Sequence[int] | None = None) -> None:
    """Write positions (N, 2) in `unit` (m, um, nm, px) as a CSV with the columns frame, y and x.

    `frames` are the numbers of their frames; without them there is no such column. An older file stays until the new
    one is whole. Raises `InputError` where it cannot be written.
    """
    lines = [f"y_{unit},x_{unit}", *(f"{y!r},{x!r}" for y, x in positions.tolist())]
    if frames is not None:
        lines = [f"{number},{line}" for number, line in zip(("frame", *frames), lines)]
    with replacing(Path(path)) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def free_name(data: Path, ending: str = "_positions.csv") -> Path:
    """A name beside a data file (at home, where nobody may write there) that no file has."""
    folder = data.absolute().parent
    folder = folder if os.access(folder, os.W_OK) else Path.home()
    stem, tail = data.name.split(".")[0], Path(ending)
    names = (
        folder / f"{stem}{tail.stem}{number}{tail.suffix}" for number in ("", *(f"_{n}" for n in range(2, 100_000)))
    )
    return next(name for name in names if not name.exists())


def centred_m(listing: Listing) -> Positions:
    """The positions (N, 2) of a listing in metres around the middle of their field.

    Raises `InputError` where their unit is no length, or where one of them is not finite.
    """
    if listing.unit not in METRES:
        raise InputError(
            f"{listing.text} does not say a unit of length: name the columns y_m and x_m, or y_um and x_um."
        )
    values = listing.values if listing.columns == "yx" else listing.values[:, ::-1]
    if not np.isfinite(values).all():
        raise InputError(f"{listing.text} holds positions that are not finite: remove them.")
    middle: Positions = (values.min(0) + values.max(0)) / 2
    return (values - middle) * METRES[listing.unit]
