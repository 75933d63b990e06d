"""Positions in the text forms that instruments and people write."""

from __future__ import annotations

import numpy as np
import pytest

from ptychogui.io.text import read_positions
from ptychogui.params import InputError

Y, X = [0.5, 1.5, 2.5, 4.0], [10.0, -20.0, 35.0, 40.0]


def table(header, row, join="\n"):
    return join.join([*header, *(row.format(n=n, y=y, x=x) for n, (y, x) in enumerate(zip(Y, X)))])


FORMS = {
    "csv in µm": (table(["x_um,y_um"], "{x},{y}"), "xy named", "um"),
    "brackets and tabs": (table(["index\ty [mm]\tx [mm]"], "{n}\t{y}\t{x}"), "yx named", "mm"),
    "spaces and brackets": (table(["# scan 12", "# frame  x (nm)  y (nm)  dose"], "{n} {x} {y} 7.5"), "xy named", "nm"),
    "decimal commas": (table(["y;x"], "{y};{x}").replace(".", ","), "yx named", None),
    "greek": (table(["Pos X (µm), Pos Y (µm)"], "{x}, {y}"), "xy named", "um"),
    "comments below": (table(["y_px x_px"], "{y} {x}") + "\n# end", "yx named", "px"),
    "index without names": (table([], "{n} {x} {y}"), "xy", None),
    "two bare columns": (table(["# made by hand"], "{x} {y}"), "xy", None),
    "windows lines and mark": ("\ufeff" + table(["y_m,x_m"], "{y},{x}", "\r\n"), "yx named", "m"),
    "sample motors": (table(["sample_x\tsample_y"], "{x}\t{y}"), "xy named", None),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms(tmp_path, name):
    content, order, unit = FORMS[name]
    path = tmp_path / "positions.txt"
    path.write_text(content, encoding="utf-8")
    listing = read_positions(path)
    values = listing.values if listing.columns == "yx" else listing.values[:, ::-1]
    np.testing.assert_allclose(values, np.column_stack([Y, X]))
    assert listing.unit == unit
    assert bool(listing.columns_doubt) == ("named" not in order)


def test_the_fast_axis_of_a_raster_is_x(tmp_path):
    grid = np.stack(np.meshgrid(np.arange(8.0), np.arange(9.0), indexing="ij"), -1).reshape(-1, 2)
    path = tmp_path / "positions.txt"
    for values, columns in ((grid, "yx"), (grid[:, ::-1], "xy")):
        np.savetxt(path, values)
        assert read_positions(path).columns == columns


def test_frames_are_put_in_the_order_of_their_numbers(tmp_path):
    path = tmp_path / "positions.csv"
    path.write_text("frame,y,x\n2,2.5,35\n0,0.5,10\n1,1.5,-20\n")
    np.testing.assert_allclose(read_positions(path).values, np.column_stack([Y, X])[:3])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("y x\n1 2\n3 four\n", "line 3"),
        ("1 2\n3 4 5\n", "3 columns"),
        ("only words\n", "no rows of numbers"),
        ("1\n2\n", "one column"),
        ("", "no rows"),
    ],
)
def test_bad_positions(tmp_path, content, message):
    path = tmp_path / "positions.txt"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_positions(path)


def test_binary_positions(tmp_path):
    path = tmp_path / "positions.txt"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="no text"):
        read_positions(path)
    with pytest.raises(InputError, match="does not exist"):
        read_positions(tmp_path / "none.txt")
