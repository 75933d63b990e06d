"""Positions: rasters, units, rotation and handedness, and what is said when they cannot be right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_scan import COLUMNS, NX, NY, ROWS

from ptychogui.io import read
from ptychogui.io.data import Data
from ptychogui.params import InputError


@pytest.fixture
def stack(tmp_path, frames):
    path = tmp_path / "scan.npy"
    np.save(path, frames)
    return str(path)


def test_the_raster_of_the_cryo_scan(stack):
    step, angle = 31.25e-10, math.radians(36)
    data = Data(
        path=stack,
        pixel_m=4.65e-10,
        scan_shape=(ROWS, COLUMNS),
        scan_step_m=step,
        scan_rotation_rad=angle,
        scan_flip="y",
    )
    positions = read(data).scan.positions_m.reshape(ROWS, COLUMNS, 2)
    for j in range(ROWS):
        for i in range(COLUMNS):
            x = (i * math.cos(angle) - j * math.sin(angle)) * step
            y = -(i * math.sin(angle) + j * math.cos(angle)) * step
            assert positions[j, i] == pytest.approx((y, x), abs=1e-20)


def test_a_raster_may_have_two_steps_and_be_transposed(stack):
    data = Data(path=stack, scan_shape=(ROWS, COLUMNS), scan_step_m=(2.0, 3.0), scan_flip="tx")
    positions = read(data).scan.positions_m.reshape(ROWS, COLUMNS, 2)
    assert tuple(positions[2, 1]) == (3.0, -4.0)


@pytest.mark.parametrize(("unit", "size"), [("m", 1.0), ("mm", 1e-3), ("um", 1e-6), ("nm", 1e-9)])
@pytest.mark.parametrize("said", [True, False])
def test_units_of_a_text_file(tmp_path, stack, scan_px, unit, size, said):
    pixel = 2e-7
    heading = f"y_{unit} x_{unit}" if said else "y x"
    np.savetxt(tmp_path / "p.txt", scan_px * pixel / size, header=heading)
    dataset = read(Data(path=stack, positions=str(tmp_path / "p.txt"), pixel_m=pixel))
    np.testing.assert_allclose(dataset.scan.positions_m, scan_px * pixel, rtol=1e-9)
    value = next(v for v in dataset.values if v.name == "positions")
    assert value.origin == ("user" if said else "guessed")
    assert bool(value.doubt) != said


def test_pixels_are_assumed_where_nothing_is_known(tmp_path, stack, scan_px):
    np.savetxt(tmp_path / "p.txt", scan_px)
    dataset = read(Data(path=stack, positions="p.txt", positions_columns="yx"))
    np.testing.assert_allclose(dataset.scan.positions_m, scan_px)
    assert "pixels are assumed" in next(v.doubt for v in dataset.values if v.name == "positions")


def test_the_order_of_the_columns_can_be_said(npz, scan_px):
    dataset = read(Data(path=str(npz()), positions_columns="xy"))
    np.testing.assert_allclose(dataset.scan.positions_m, scan_px[:, ::-1])


def test_excluded_frames_lose_their_positions_too(npz, frames, scan_px):
    dataset = read(Data(path=str(npz()), exclude=(0, 7)))
    kept = np.delete(np.arange(len(frames)), [0, 7])
    np.testing.assert_array_equal(dataset.frames[:], frames[kept])
    np.testing.assert_allclose(dataset.scan.positions_m, scan_px[kept])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "data.positions"),
        ({"scan_shape": (3, 5), "scan_step_m": 2}, "3 × 5 has 15 positions, but the file holds 20 frames"),
        ({"scan_shape": (4, 5), "scan_step_m": NY + NX}, "do not overlap"),
        ({"scan_shape": (4, 5), "scan_step_m": 1e-6}, "are in metres and the pixel"),
        ({"scan_shape": (4, 5), "scan_step_m": 0.0}, "lie within"),
        ({"positions": "none.txt"}, "does not exist"),
    ],
)
def test_scans_that_cannot_be(stack, said, message):
    with pytest.raises(InputError, match=message):
        read(Data(path=stack, **said))


def test_a_scan_that_cannot_be_is_a_doubt_in_the_window(stack):
    dataset = read(Data(path=stack, scan_shape=(4, 5), scan_step_m=1e3), need_scan=False)
    assert "do not overlap" in next(v.doubt for v in dataset.values if v.name == "positions")


@pytest.mark.parametrize("known", [{}, {"energy_eV": 8e3, "distance_m": 2.0, "detector_pixel_m": 5e-5}])
@pytest.mark.parametrize("preparation", [{"crop": 12}, {"bin": 2}, {"crop": 20, "bin": 2, "flip": "t"}])
@pytest.mark.parametrize("field", ["far", "near"])
def test_a_pixel_as_a_unit_is_that_of_the_whole_frames(npz, scan_px, known, preparation, field):
    path = str(npz())
    whole = read(Data(path=path, field=field, **known)).geometry.pixel_m
    prepared = read(Data(path=path, field=field, **known, **preparation))
    if known:
        expected = scan_px * (whole[::-1] if "flip" in preparation else whole)
    else:  # lengths are in pixels of the prepared frames
        (ny, nx), (fy, fx) = prepared.geometry.shape, (NX, NY) if "flip" in preparation else (NY, NX)
        bin = preparation.get("bin", 1)
        expected = scan_px / ((fy / (ny * bin), fx / (nx * bin)) if field == "far" else bin)
    np.testing.assert_allclose(prepared.scan.positions_m, expected, rtol=1e-12)


def test_a_raster_in_pixels_follows_the_crop(stack):
    said = Data(path=stack, scan_shape=(ROWS, COLUMNS), scan_step_m=(3.0, 4.0), crop=16)
    np.testing.assert_allclose(read(said).scan.positions_m[COLUMNS + 1], (3.0 * 16 / NY, 4.0 * 16 / NX))


def test_the_pixel_in_a_file_is_that_of_its_whole_frames(npz):
    path = str(npz(pixel_m=np.array([2e-9, 3e-9])))
    assert read(Data(path=path, crop=16)).geometry.pixel_m == pytest.approx((2e-9 * NY / 16, 3e-9 * NX / 16))
    assert read(Data(path=path, bin=2)).geometry.pixel_m == pytest.approx((2e-9, 3e-9))
    assert read(Data(path=path, flip="t")).geometry.pixel_m == pytest.approx((3e-9, 2e-9))
    assert read(Data(path=path, bin=2, field="near")).geometry.pixel_m == pytest.approx((4e-9, 6e-9))
    assert read(Data(path=path, crop=16, pixel_m=5e-9)).geometry.pixel_m == (5e-9, 5e-9)


@pytest.mark.parametrize("wrong", [np.nan, 1e9])
def test_a_frame_without_a_good_position_may_be_left_out(npz, scan_px, wrong):
    scan_px[7, 0] = wrong
    path = str(npz(scan=scan_px))
    with pytest.raises(InputError, match="frame 7" if np.isnan(wrong) else "spread"):
        read(Data(path=path))
    np.testing.assert_array_equal(read(Data(path=path, exclude=(7,))).scan.positions_m, np.delete(scan_px, 7, 0))
