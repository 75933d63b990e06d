"""Whatever is wrong with a file is told in one sentence."""

from __future__ import annotations

import bz2
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ptychogui.io import read
from ptychogui.io.data import Data
from ptychogui.params import InputError


def refusal(path: Path | str, **said: Any) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(InputError) as caught:
        read(Data(path=str(path), **said))
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_no_and_missing_file(tmp_path):
    assert "No data file" in refusal("")
    assert "does not exist" in refusal(tmp_path / "nothing.cxi")


def test_a_text_file_named_cxi(tmp_path):
    (tmp_path / "a.cxi").write_text("this is no HDF5 file\n")
    assert "is a text file" in refusal(tmp_path / "a.cxi")


def test_empty_and_unknown_files(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"")
    assert "an empty file" in refusal(tmp_path / "a.npz")
    (tmp_path / "b.npy").write_bytes(bytes(range(255, 0, -1)))
    assert "a binary file" in refusal(tmp_path / "b.npy")
    (tmp_path / "folder").mkdir()
    assert "a folder without TIFF" in refusal(tmp_path / "folder")


def test_a_truncated_hdf5(tmp_path, frames):
    path = tmp_path / "scan.cxi"
    with h5py.File(path, "w") as file:
        file["entry_1/instrument_1/detector_1/data"] = frames
    path.write_bytes(path.read_bytes()[:20000])
    assert "truncated" in refusal(path)


def test_hdf5_without_frames(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["something"] = 1
    assert "of a layout that is not known" in refusal(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["cxi_version"] = 160
    assert "no stack of frames" in refusal(tmp_path / "b.h5")


def test_truncated_numpy_and_compressed_files(tmp_path, frames, npz):
    np.save(tmp_path / "a.npy", frames)
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[: len(content) // 2])
    assert "damaged NumPy" in refusal(tmp_path / "a.npy")
    whole = npz().read_bytes()
    (tmp_path / "b.npz").write_bytes(whole[: len(whole) // 2])
    assert "damaged NPZ" in refusal(tmp_path / "b.npz")
    (tmp_path / "c.bz2").write_bytes(bz2.compress(whole)[:-500])
    assert "compressed and damaged" in refusal(tmp_path / "c.bz2")


def test_pickled_objects_are_never_read(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object))
    assert "it holds objects, which are not read" in refusal(tmp_path / "a.npy")


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("ptychogui.io.files.memory_limit_bytes", lambda: 1000)
    (tmp_path / "a.bz2").write_bytes(bz2.compress(b"\x93NUMPY" + bytes(10_000)))
    assert "unpacks to more than" in refusal(tmp_path / "a.bz2")


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"data": None}, "of a layout that is not known"),
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
    text = refusal(npz(**arrays))
    assert "scan.npz" in text
    assert re.search(match, text)


def test_one_frame_without_a_finite_pixel(npz, frames):
    holed = frames.astype(np.float32)
    holed[11] = np.nan
    path = npz(data=holed)
    assert "Frame 11 has not one valid pixel" in refusal(path)
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
    assert re.search(match, refusal(npz(), **said))
