"""Whatever is wrong with a file is told in one sentence."""

from __future__ import annotations

import bz2

import h5py
import numpy as np
import pytest

from ptychogui.io import read
from ptychogui.io.data import Data
from ptychogui.params import InputError


def refused(path, match, **said):
    with pytest.raises(InputError, match=match) as caught:
        read(Data(path=str(path), **said))
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_no_and_missing_file(tmp_path):
    refused("", "No data file")
    refused(tmp_path / "nothing.cxi", "does not exist")


def test_a_text_file_named_cxi(tmp_path):
    (tmp_path / "a.cxi").write_text("this is no HDF5 file\n")
    refused(tmp_path / "a.cxi", "is a text file")


def test_empty_and_unknown_files(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"")
    refused(tmp_path / "a.npz", "an empty file")
    (tmp_path / "b.npy").write_bytes(bytes(range(255, 0, -1)))
    refused(tmp_path / "b.npy", "a binary file")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "a folder without TIFF")


def test_a_truncated_hdf5(tmp_path, frames):
    path = tmp_path / "scan.cxi"
    with h5py.File(path, "w") as file:
        file["entry_1/instrument_1/detector_1/data"] = frames
    path.write_bytes(path.read_bytes()[:20000])
    refused(path, "truncated")


def test_hdf5_without_frames(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["something"] = 1
    refused(tmp_path / "a.h5", "HDF5 file without frames")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["cxi_version"] = 160
    refused(tmp_path / "b.h5", "no stack of frames")


def test_truncated_numpy_and_compressed_files(tmp_path, frames, npz):
    np.save(tmp_path / "a.npy", frames)
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "a.npy", "damaged NumPy")
    whole = npz().read_bytes()
    (tmp_path / "b.npz").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "b.npz", "damaged NPZ")
    (tmp_path / "c.bz2").write_bytes(bz2.compress(whole)[:-500])
    refused(tmp_path / "c.bz2", "compressed and damaged")


def test_pickled_objects_are_never_read(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object))
    refused(tmp_path / "a.npy", "damaged NumPy|objects")


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("ptychogui.io.files.memory_limit_bytes", lambda: 1000)
    (tmp_path / "a.bz2").write_bytes(bz2.compress(b"\x93NUMPY" + bytes(10_000)))
    refused(tmp_path / "a.bz2", "unpacks to more than")


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"data": None}, "no array 'data'"),
        ({"scan": np.zeros((19, 2))}, "20 frames but 19 positions"),
        ({"scan": np.zeros((20, 3))}, "positions 'scan' of shape"),
        ({"scan": np.full((20, 2), np.nan)}, "not finite"),
        ({"scan": np.array([["a", "b"]] * 20)}, "not numbers"),
        ({"data": np.zeros((20, 2, 2))}, "too small"),
        ({"data": np.zeros((20, 24))}, "three dimensions"),
        ({"data": np.zeros((20, 24, 32), complex)}, "complex"),
        ({"data": -np.random.default_rng(0).poisson(9, (20, 24, 32)).astype(float)}, "mostly negative"),
        ({"data": -np.random.default_rng(0).poisson(9, (20, 24, 32))}, "mostly negative|valid pixel"),
        ({"data": -np.random.default_rng(0).poisson(0.1, (20, 24, 32)).astype(float)}, "mostly negative"),
        ({"data": np.full((20, 24, 32), np.nan)}, "valid pixel"),
        ({"mask": np.zeros((24, 32))}, "leaves no pixel"),
        ({"mask": np.ones((32, 24))}, "mask of 32 × 24 pixels does not fit"),
        ({"distance_m": -1.0}, "must be positive"),
        ({"distance_m": np.array(["far"])}, "not a single number"),
    ],
)
def test_bad_arrays(npz, arrays, match):
    assert "scan.npz" in refused(npz(**arrays), match)


def test_one_frame_without_a_finite_pixel(npz, frames):
    holed = frames.astype(np.float32)
    holed[11] = np.nan
    path = npz(data=holed)
    refused(path, "Frame 11 has not one valid pixel")
    assert len(read(Data(path=str(path), exclude=(11,))).scan) == 19


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"dark": "none.npy"}, "dark file .*none.npy does not exist"),
        ({"mask": "none.npy"}, "mask file .*none.npy does not exist"),
        ({"mask": "wrong.npy"}, "mask of 5 × 6 pixels"),
        ({"dark": "wrong.npy"}, "dark frames of 5 × 6 pixels"),
        ({"crop": 64}, "data.crop is 64"),
        ({"bin": 10}, "data.bin = 10 leaves"),
        ({"centre": (99, 3)}, "lies outside"),
        ({"exclude": (20,)}, "holds 20 frames"),
        ({"exclude": tuple(range(20))}, "leaves no frame"),
        ({"positions": "scan.npz"}, "is no text"),
    ],
)
def test_bad_settings(npz, tmp_path, said, match):
    np.save(tmp_path / "wrong.npy", np.ones((5, 6)))
    refused(npz(), match, **said)
