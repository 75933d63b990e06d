"""What is written is read back as the same scan, whatever the format."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_scan import COUNT, NX, NY, far_field_frames

from ptychogui.geometry import Geometry
from ptychogui.io import read, write
from ptychogui.io.data import Data
from ptychogui.io.writing import WRITERS
from ptychogui.params import InputError
from ptychogui.types import Dataset, Object, Scan, Truth

GEOMETRIES = {
    "far": Geometry((NY, NX), 1.2e-10, 1.9, (50e-6, 75e-6)),
    "cone": Geometry((NY, NX), 1.2e-10, 1.1, (50e-6, 75e-6), focus_to_sample_m=4e-3, field="near"),
    "parallel": Geometry((NY, NX), 1.2e-10, 0.1, (1e-6, 2e-6), field="near"),
    "electrons": Geometry((NY, NX), 2e-12, given_pixel_m=(3e-11, 4e-11), convergence_rad=2e-2, defocus_m=-3e-8),
    "pixels": Geometry((NY, NX)),
}


def dataset(geometry: Geometry, scan_px: np.ndarray, frames: np.ndarray) -> Dataset:
    rng = np.random.default_rng(0)
    mask = rng.random((NY, NX)) > 0.1
    positions = scan_px * np.asarray(geometry.pixel_m)
    probe = (rng.normal(size=(2, NY, NX)) + 1j * rng.normal(size=(2, NY, NX))).astype(np.complex64)
    slices = (rng.normal(size=(1, 50, 60)) + 1j * rng.normal(size=(1, 50, 60))).astype(np.complex64)
    obj = Object(slices, geometry.pixel_m, (-1e-6, 2e-6))
    truth = Truth(obj, probe, positions + 0.1, rng.random((50, 60)) > 0.5, 1.87)
    return Dataset(
        np.where(mask, frames, 0).astype(np.float32), mask, Scan(positions), geometry, probe=probe, truth=truth
    )


@pytest.mark.parametrize("kind", GEOMETRIES)
@pytest.mark.parametrize("suffix", WRITERS)
def test_round_trip(tmp_path, scan_px, frames, suffix, kind):
    before = dataset(GEOMETRIES[kind], scan_px, frames)
    path = tmp_path / f"scan{suffix}"
    write(before, path)
    after = read(Data(path=str(path)))
    np.testing.assert_array_equal(after.frames[:], before.frames)
    np.testing.assert_array_equal(after.mask, before.mask)
    np.testing.assert_allclose(after.scan.positions_m, before.scan.positions_m, rtol=1e-12, atol=1e-20)
    assert after.geometry == pytest.approx(before.geometry)
    np.testing.assert_array_equal(after.probe, before.probe)
    write(after, tmp_path / f"again{suffix}")
    again = read(Data(path=str(tmp_path / f"again{suffix}")))
    assert again.geometry == after.geometry
    np.testing.assert_array_equal(again.frames[:], after.frames[:])


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_mask_that_leaves_little_is_kept(tmp_path, scan_px, frames, suffix):
    before = dataset(GEOMETRIES["far"], scan_px, frames)
    mask = np.zeros((NY, NX), bool)
    mask[3:15, 10:] = True
    write(replace(before, mask=mask), tmp_path / f"scan{suffix}")
    np.testing.assert_array_equal(
        read(Data(path=str(tmp_path / f"scan{suffix}"), hot_pixels=False, dead_pixels=False)).mask, mask
    )


def test_the_truth_is_kept_in_cxi(tmp_path, scan_px, frames):
    before = dataset(GEOMETRIES["far"], scan_px, frames)
    write(before, tmp_path / "scan.cxi")
    after = read(Data(path=str(tmp_path / "scan.cxi"), exclude=(3,)))
    assert before.truth is not None
    assert after.truth is not None
    np.testing.assert_array_equal(after.truth.obj.slices, before.truth.obj.slices)
    assert after.truth.obj.origin_m == before.truth.obj.origin_m
    assert after.truth.obj.pixel_m == before.truth.obj.pixel_m
    np.testing.assert_array_equal(after.truth.probe, before.truth.probe)
    np.testing.assert_array_equal(after.truth.support, before.truth.support)
    np.testing.assert_array_equal(after.truth.positions_m, np.delete(before.truth.positions_m, 3, 0))
    assert after.truth.distance_m == 1.87
    assert read(Data(path=str(tmp_path / "scan.cxi"), bin=2)).truth is None


@pytest.mark.parametrize("suffix", WRITERS)
def test_our_files_are_never_recentred(tmp_path, scan_px, suffix):
    off_centre = np.roll(far_field_frames(), (5, -6), (1, 2))
    write(dataset(GEOMETRIES["far"], scan_px, off_centre), tmp_path / f"scan{suffix}")
    after = read(Data(path=str(tmp_path / f"scan{suffix}")))
    np.testing.assert_array_equal(after.frames[:], np.where(after.mask, off_centre, 0))


def test_nan_and_fractions_are_kept(tmp_path, scan_px, frames):
    values = frames.astype(np.float32) + 0.25
    values[4, 5, 6] = np.nan
    before = replace(dataset(GEOMETRIES["far"], scan_px, frames), frames=values, mask=np.ones((NY, NX), bool))
    for suffix in WRITERS:
        write(before, tmp_path / f"scan{suffix}")
        np.testing.assert_array_equal(read(Data(path=str(tmp_path / f"scan{suffix}"))).frames[:], values)


def test_made_up_positions_are_not_written(tmp_path, scan_px, frames):
    before = replace(dataset(GEOMETRIES["far"], scan_px, frames), positions_known=False)
    for suffix in WRITERS:
        write(before, tmp_path / f"scan{suffix}")
        assert not read(Data(path=str(tmp_path / f"scan{suffix}")), need_scan=False).positions_known


def test_whole_counts_stay_small(tmp_path, scan_px, frames):
    import h5py

    write(dataset(GEOMETRIES["far"], scan_px, frames), tmp_path / "scan.cxi")
    with h5py.File(tmp_path / "scan.cxi") as file:
        assert file["entry_1/instrument_1/detector_1/data"].dtype == np.uint16
        assert file["entry_1/data_1/data"].shape == (COUNT, NY, NX)


def test_unknown_suffix(tmp_path, scan_px, frames):
    with pytest.raises(InputError, match=r"'\.xyz' is none of the formats \.cxi, \.npz"):
        write(dataset(GEOMETRIES["far"], scan_px, frames), tmp_path / "scan.xyz")
