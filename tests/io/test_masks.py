"""Which pixels are used: shapes painted on the detector, thresholds, hot and dead pixels, each by hand."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest
import tomli_w
from small_scan import NX, NY

from ptychogui.cli import main
from ptychogui.io import read
from ptychogui.io.data import Data
from ptychogui.io.shapes import Disc, Polygon, Rectangle, Stroke, painted
from ptychogui.params import InputError

Y, X = np.indices((NY, NX))
FRAME = np.ones((NY, NX), bool)
SHAPES = (
    Disc(centre=(10.5, 7.25), radius_px=4.2),
    Rectangle(corner=(20.0, 30.0), opposite=(17.6, 22.5)),
    Rectangle(corner=(17.6, 22.5), opposite=(18.9, 24.0), use=True),
    Polygon(points=((2.0, 20.0), (9.5, 24.0), (3.0, 31.0))),
    Stroke(points=((22.0, 1.0), (15.0, 3.0), (15.0, 12.0)), width_px=3.0),
)


def opened(path, **said):
    return read(Data(path=str(path), hot_pixels=False, dead_pixels=False, **said))


def by_hand(pixels):
    """The shapes above, pixel by pixel."""
    pixels = pixels.copy()
    pixels[(Y - 10.5) ** 2 + (X - 7.25) ** 2 <= 4.2**2] = False
    pixels[18:21, 23:31] = False
    pixels[18:19, 23:25] = True
    (y0, x0), (y1, x1), (y2, x2) = (2.0, 20.0), (9.5, 24.0), (3.0, 31.0)
    sides = [
        (y1 - y0) * (X - x0) - (x1 - x0) * (Y - y0),
        (y2 - y1) * (X - x1) - (x2 - x1) * (Y - y1),
        (y0 - y2) * (X - x2) - (x0 - x2) * (Y - y2),
    ]
    pixels[(np.array(sides) > 0).all(0)] = False
    t = np.clip(((Y - 22.0) * -7.0 + (X - 1.0) * 2.0) / 53.0, 0, 1)
    pixels[(Y - 22.0 + 7.0 * t) ** 2 + (X - 1.0 - 2.0 * t) ** 2 <= 2.25] = False
    pixels[(Y - 15.0) ** 2 + (X - np.clip(X, 3, 12)) ** 2 <= 2.25] = False
    return pixels


def test_each_shape_marks_its_pixels():
    np.testing.assert_array_equal(painted(SHAPES, FRAME), by_hand(FRAME))
    assert 0.2 < (~by_hand(FRAME)).mean() < 0.5


def test_shapes_beyond_the_frame_do_no_harm():
    beyond = [
        Disc(centre=(-30, 90), radius_px=5),
        Rectangle(corner=(-9, -9), opposite=(-2, 50)),
        Polygon(points=((30, 40), (60, 40), (60, 80))),
        Stroke(points=((-5, -5),), width_px=2),
    ]
    assert painted(beyond, FRAME).all()
    assert not painted([Rectangle(corner=(-9, -9), opposite=(90, 90))], FRAME).any()


def test_a_polygon_that_crosses_itself_leaves_its_knot_outside():
    star = [(np.sin(a) * 9 + 12, np.cos(a) * 9 + 16) for a in np.arange(5) * 4 * np.pi / 5]
    pixels = painted([Polygon(points=tuple((float(y), float(x)) for y, x in star))], FRAME)
    assert pixels[12, 16]
    assert not pixels[12, 22]


@pytest.mark.parametrize("flip", ["none", "y", "tx"])
def test_painted_pixels_are_left_out_wherever_the_frame_is_turned(npz, frames, flip):
    dataset = opened(npz(), mask_shapes=SHAPES, flip=flip)
    expected = by_hand(FRAME)
    expected = expected.T if flip.startswith("t") else expected
    expected = expected[::-1] if "y" in flip else expected
    expected = expected[:, ::-1] if "x" in flip else expected
    np.testing.assert_array_equal(dataset.mask, expected)
    assert (dataset.frames[:][:, ~expected] == 0).all()
    assert next(v for v in dataset.values if v.name == "painted mask").text == "5 shapes"


def test_shapes_count_from_the_middle_where_the_file_has_it_in_the_corner(npz, frames):
    dataset = opened(npz(data=np.fft.ifftshift(frames, axes=(1, 2))), mask_shapes=SHAPES)
    np.testing.assert_array_equal(dataset.mask, by_hand(FRAME))


def test_a_shape_takes_back_what_another_rule_left_out_but_no_gap(npz, frames):
    holed = frames.astype(np.int32)
    holed[:, 4, :] = -1
    mask = FRAME.copy()
    mask[:10] = False
    all_of_it = Rectangle(corner=(0, 0), opposite=(8, NX), use=True)
    dataset = opened(npz(data=holed, mask=mask), mask_shapes=(all_of_it,))
    expected = FRAME.copy()
    expected[[4, 9]] = False
    np.testing.assert_array_equal(dataset.mask, expected)


def test_thresholds_on_the_mean_pattern(npz, frames):
    mean = frames.mean(0, dtype=np.float64)
    dataset = opened(npz(), mask_below=2.5, mask_above=100.0)
    np.testing.assert_array_equal(dataset.mask, (mean >= 2.5) & (mean <= 100))
    assert 0.1 < dataset.mask.mean() < 0.9


def test_dead_pixels_are_found_and_no_dark_corner(npz, frames):
    dead = frames * 10
    dead[:, 9, 13] = 0
    dead[:, 14, 20:22] = 1
    dead[:, :6, :6] = 0  # behind a beam stop
    dead[4, 15, 4] = 0  # once only
    dataset = read(Data(path=str(npz(data=dead))))
    np.testing.assert_array_equal(np.argwhere(~dataset.mask), [[9, 13], [14, 20], [14, 21]])
    assert next(v for v in dataset.values if v.name == "dead pixels").text == "3 left out"
    assert read(Data(path=str(npz(data=dead)), dead_pixels=False)).mask.all()


def test_the_factor_says_how_hot_a_pixel_is(npz, frames):
    warm = frames.copy()
    warm[:, 2, 28] = 10
    path = npz(data=warm)
    assert read(Data(path=str(path))).mask.all()
    np.testing.assert_array_equal(np.argwhere(~read(Data(path=str(path), defect_factor=2.5)).mask), [[2, 28]])


def test_a_mask_that_leaves_nothing_is_told(npz):
    with pytest.raises(InputError, match="leaves no pixel"):
        opened(npz(), mask_shapes=(Disc(centre=(0, 0), radius_px=99),))


def test_shapes_are_written_and_read_as_toml():
    data = Data(mask_shapes=SHAPES)
    assert Data.read(tomllib.loads(tomli_w.dumps(data.plain()))) == data


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{kind = "blob", centre = [1, 2]}]', "choose one of disc, rectangle, polygon, stroke"),
        ('[{kind = "disc", centre = [1, 2]}]', "radius_px"),
        ('[{kind = "disc", centre = [1, 2], radius_px = -1}]', "greater than 0"),
        ('[{kind = "polygon", points = [[1, 2], [3, 4]]}]', "at least 3"),
        ("7", "mask_shapes"),
    ],
)
def test_wrong_shapes_are_told_in_one_sentence(npz, capsys, text, told):
    assert main(["info", str(npz()), "--set", f"data.mask_shapes={text}"]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


def test_shapes_come_by_the_command_line(npz, capsys):
    setting = 'data.mask_shapes=[{kind = "disc", centre = [10, 12], radius_px = 3}]'
    assert main(["info", str(npz()), "--set", setting, "--set", "data.mask_below=1"]) == 0
    assert "painted mask" in capsys.readouterr().out
