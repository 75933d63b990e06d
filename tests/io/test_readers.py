"""Every format is recognised by its content and gives the same scan."""

from __future__ import annotations

import bz2
import gzip
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from small_scan import COLUMNS, NX, NY, ROWS

from ptychogui.io import read
from ptychogui.io.data import Data
from ptychogui.io.stored import StoredFrames
from ptychogui.io.tiff import write_folder


def opened(path, **said):
    return read(Data(path=str(path), hot_pixels=False, **said))


@pytest.mark.parametrize("wrap", [None, bz2, gzip])
def test_npz_by_content_with_leading_axes(npz, tmp_path, frames, scan_px, wrap):
    probe = (np.arange(2 * NY * NX) * (1 + 2j)).reshape(1, 1, 2, NY, NX).astype(np.complex64)
    path = npz(data=frames[None], scan=scan_px[None], probe=probe)
    if wrap:
        packed = tmp_path / "anything.dat"
        packed.write_bytes(wrap.compress(path.read_bytes()))
        path = packed
    dataset = opened(path)
    np.testing.assert_array_equal(dataset.frames[:], frames)
    np.testing.assert_allclose(dataset.scan.positions_m, scan_px)
    np.testing.assert_array_equal(dataset.probe, probe[0, 0])
    assert dataset.geometry.pixel_m == (1.0, 1.0)
    assert not dataset.geometry.calibrated
    assert {v.name: v.origin for v in dataset.values}["positions"] == "file"


def test_npz_with_geometry_is_in_metres(npz, frames, scan_px):
    dataset = opened(npz(wavelength_m=1e-10, distance_m=2.0, detector_pixel_m=np.array([50e-6, 75e-6])))
    pixel = (1e-10 * 2 / (NY * 50e-6), 1e-10 * 2 / (NX * 75e-6))
    assert dataset.geometry.pixel_m == pytest.approx(pixel)
    np.testing.assert_allclose(dataset.scan.positions_m, scan_px * pixel)


def test_npy_of_four_dimensions_gives_the_shape_of_the_scan(tmp_path, frames):
    path = tmp_path / "scan.bin"
    with path.open("wb") as file:
        np.save(file, frames.reshape(ROWS, COLUMNS, NY, NX))
    dataset = opened(path, scan_step_m=2.5)
    np.testing.assert_array_equal(dataset.frames[:], frames)
    np.testing.assert_allclose(dataset.scan.positions_m[COLUMNS + 1], [2.5, 2.5])
    assert dataset.positions_known


def write_cxi(path, frames, translation, basis=None, energy_J=None, mask=None):
    with h5py.File(path, "w") as file:
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["data"], detector["distance"] = frames, 1.5
        detector["x_pixel_size"], detector["y_pixel_size"] = 75e-6, 55e-6
        if basis is not None:
            detector["basis_vectors"] = basis
        if mask is not None:
            detector["mask"] = mask
        file["entry_1/instrument_1/source_1/energy"] = energy_J or 8000 * 1.602176634e-19
        file["entry_1/sample_1/geometry_1/translation"] = translation


@pytest.mark.parametrize(
    ("basis", "rows", "columns"),
    [
        (None, (0, 1), (1, 1)),
        (np.array([[0, -1e-5], [-1e-5, 0], [0, 0]]), (0, 1), (1, 1)),
        (np.array([[0, 1e-5], [1e-5, 0], [0, 0]]), (0, -1), (1, -1)),
        (np.array([[0, 1e-5, 0], [-1e-5, 0, 0]]), (0, -1), (1, 1)),
        (np.array([[-1e-5, 0], [0, -1e-5], [0, 0]]), (1, 1), (0, 1)),
    ],
)
def test_cxi_positions_follow_the_axes_of_the_detector(tmp_path, frames, scan_px, basis, rows, columns):
    yx = scan_px * 1e-7
    translation = np.column_stack([yx[:, 1], yx[:, 0], 0 * yx[:, 0]])
    write_cxi(tmp_path / "scan.cxi", frames, translation, basis)
    positions = opened(tmp_path / "scan.cxi").scan.positions_m
    np.testing.assert_allclose(positions[:, 0], rows[1] * yx[:, rows[0]], atol=1e-15)
    np.testing.assert_allclose(positions[:, 1], columns[1] * yx[:, columns[0]], atol=1e-15)


def test_cxi_energy_mask_and_pixels(tmp_path, frames, scan_px):
    mask = np.zeros((NY, NX), np.uint32)
    mask[3, 5:9] = 1
    mask[10, 10] = 0x10000  # "has signal" is no fault
    translation = np.column_stack([scan_px * 1e-7, scan_px[:, 0] * 0])
    write_cxi(tmp_path / "scan.h5", frames, translation, mask=mask)
    dataset = opened(tmp_path / "scan.h5")
    assert dataset.format == "CXI"
    assert dataset.geometry.wavelength_m == pytest.approx(1.2398e-6 / 8000, rel=1e-4)
    assert dataset.geometry.detector_pixel_m == (55e-6, 75e-6)
    assert dataset.geometry.distance_m == 1.5
    np.testing.assert_array_equal(~dataset.mask, mask == 1)
    assert (dataset.frames[2][~dataset.mask] == 0).all()


@pytest.mark.parametrize("wrap", [str, np.bytes_, lambda text: np.array([text], h5py.string_dtype())])
def test_units_of_cxi_in_any_form(tmp_path, frames, scan_px, wrap):
    write_cxi(tmp_path / "scan.cxi", frames, np.column_stack([scan_px * 1e-7, scan_px[:, 0] * 0]), energy_J=8.7)
    with h5py.File(tmp_path / "scan.cxi", "r+") as file:
        file["entry_1/instrument_1/source_1/energy"].attrs["units"] = wrap("keV")
        file["entry_1/instrument_1/detector_1/distance"][()] = 1500.0
        file["entry_1/instrument_1/detector_1/distance"].attrs["units"] = wrap("mm")
    geometry = opened(tmp_path / "scan.cxi").geometry
    assert geometry.wavelength_m == pytest.approx(1.2398e-6 / 8700, rel=1e-4)
    assert geometry.distance_m == pytest.approx(1.5)


def test_frames_of_hdf5_are_indexed_as_arrays_are(tmp_path, frames, scan_px):
    write_cxi(tmp_path / "scan.cxi", frames, np.column_stack([scan_px * 1e-7, scan_px[:, 0] * 0]))
    lazy = opened(tmp_path / "scan.cxi").frames
    for index in (7, slice(3, 11), slice(None, None, 4), np.array([9, 2, 2, 15]), [0]):
        np.testing.assert_array_equal(lazy[index], frames[index])


def test_tiff_folder_with_dark_and_positions(tmp_path, frames, scan_px, npz):
    scan = opened(npz(pixel_m=np.array([1e-7, 2e-7])))
    dark = np.random.default_rng(1).poisson(100, (6, NY, NX))
    folder = tmp_path / "folder"
    geometry = replace(scan.geometry, wavelength_m=1e-9, focus_to_sample_m=2e-3, distance_m=0.5, field="near")
    write_folder(replace(scan, geometry=geometry), dark, folder)
    dataset = opened(folder, pixel_m=1e-7)
    assert dataset.geometry.wavelength_m == 1e-9
    assert dataset.geometry.field == "near"
    assert dataset.format == "TIFF"
    assert np.abs(dataset.frames[:] - frames).max() <= 0.5
    np.testing.assert_allclose(dataset.scan.positions_m, scan.scan.positions_m, atol=1e-12)
    values = {v.name: v for v in dataset.values}
    assert values["dark"].text.startswith("dark.tif, 6 frames")
    assert "y_um" in values["positions"].text
    same = opened(folder / "frames.tif", pixel_m=1e-7)
    np.testing.assert_array_equal(same.frames[4], dataset.frames[4])


def test_tiff_files_are_taken_in_their_natural_order(tmp_path, frames):
    for n, frame in enumerate(frames):
        tifffile.imwrite(tmp_path / f"frame_{n}.tif", frame)
    dataset = opened(tmp_path, scan_shape=(ROWS, COLUMNS), scan_step_m=3)
    np.testing.assert_array_equal(dataset.frames[:], frames)


def test_reading_is_lazy(tmp_path, frames):
    path = tmp_path / "scan.npy"
    np.save(path, frames)
    dataset = opened(path, scan_shape=(ROWS, COLUMNS), scan_step_m=3)
    assert isinstance(dataset.frames.source, StoredFrames)
    assert dataset.frames.shape == frames.shape
    assert dataset.frames.dtype == np.float32


def test_without_positions_frames_can_still_be_looked_at(tmp_path, frames):
    path = tmp_path / "scan.npy"
    np.save(path, frames)
    dataset = read(Data(path=str(path)), need_scan=False)
    assert not dataset.positions_known
    assert len(dataset.scan) == len(frames)
    assert "data.positions" in {v.name: v for v in dataset.values}["positions"].doubt


def test_import_leaves_torch_and_qt_alone():
    import subprocess
    import sys

    code = "import sys, ptychogui.io; print({'torch', 'PyQt6'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.strip() == "set()"


def test_some_other_text_beside_tiff_frames_is_no_hindrance(tmp_path, frames):
    tifffile.imwrite(tmp_path / "frames.tif", frames)
    (tmp_path / "notes.txt").write_text("measured on a Friday\n")
    assert opened(tmp_path / "frames.tif", scan_shape=(ROWS, COLUMNS), scan_step_m=3).positions_known


def test_wavelengths_are_told_with_their_energy(npz):
    for said, text in (
        ({"kV": 300}, "1.96875 pm (electrons of 300 keV)"),
        ({"energy_eV": 8700}, "1.42511 Å (8.7 keV)"),
    ):
        values = opened(npz(), **said).values
        assert next(v.text for v in values if v.name == "wavelength") == text


def test_only_photons_are_asked_whether_the_field_is_near(npz):
    for said, asked in (({"energy_eV": 8700}, True), ({"kV": 300, "pixel_m": 4.65e-10}, False)):
        values = opened(npz(), **said).values
        assert bool(next(v.doubt for v in values if v.name == "field")) == asked
