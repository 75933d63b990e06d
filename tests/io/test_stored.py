"""Frames that stay in a file until they are asked for."""

from __future__ import annotations

import bz2
import gc

import numpy as np
import pytest

from ptychogui import io
from ptychogui.io import npz
from ptychogui.io.data import Data
from ptychogui.io.stored import StoredFrames, stored_npy
from ptychogui.params import InputError


@pytest.fixture
def stack() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 900, (7, 9, 12)).astype(np.uint16)


@pytest.mark.parametrize(
    "index", [0, -1, 6, slice(None), slice(2, 5), slice(None, None, 3), slice(5, 2), [4, 1, 1], np.array([2, 3, 4])]
)
def test_an_index_gives_what_it_gives_of_an_array(tmp_path, stack, index):
    np.save(tmp_path / "a.npy", stack)
    frames = stored_npy(tmp_path / "a.npy")
    assert (frames.shape, frames.dtype, len(frames)) == (stack.shape, stack.dtype, 7)
    np.testing.assert_array_equal(frames[index], stack[index])


def test_a_raster_of_frames_is_one_stack(tmp_path, stack):
    np.save(tmp_path / "a.npy", stack[:6].reshape(2, 3, 9, 12))
    dataset = io.read(Data(path=str(tmp_path / "a.npy"), scan_step_m=1e-7, pixel_m=1e-8))
    assert isinstance(dataset.frames.source, StoredFrames)
    assert dataset.frames.shape == (6, 9, 12)
    np.testing.assert_array_equal(dataset.frames[5], stack[5])


def test_numbers_by_columns_are_read_as_well(tmp_path, stack):
    np.save(tmp_path / "a.npy", np.asfortranarray(stack))
    dataset = io.read(Data(path=str(tmp_path / "a.npy")), need_scan=False)
    np.testing.assert_array_equal(dataset.frames[:], stack)


def test_large_frames_of_a_compressed_archive_leave_the_rest_readable(tmp_path, stack, monkeypatch):
    monkeypatch.setattr(npz, "_LARGE_BYTES", 1000)
    np.savez(tmp_path / "a.npz", data=stack, scan=np.arange(14.0).reshape(7, 2))
    (tmp_path / "a.npz.bz2").write_bytes(bz2.compress((tmp_path / "a.npz").read_bytes()))
    dataset = io.read(Data(path=str(tmp_path / "a.npz.bz2")))
    np.testing.assert_array_equal(dataset.frames[:], stack)
    np.testing.assert_array_equal(dataset.scan.positions_m, np.arange(14).reshape(7, 2))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("ones", [0, 1])
def test_large_frames_of_an_archive_are_unpacked_to_disk(tmp_path, stack, monkeypatch, save, ones):
    monkeypatch.setattr(npz, "_LARGE_BYTES", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    save(tmp_path / "a.npz", data=stack[(None,) * ones], scan=np.arange(14.0).reshape(7, 2))
    dataset = io.read(Data(path=str(tmp_path / "a.npz")))
    assert isinstance(dataset.frames.source, StoredFrames)
    assert len(list((tmp_path / "t").iterdir())) == 1
    np.testing.assert_array_equal(dataset.frames[:], stack)
    np.testing.assert_array_equal(dataset.scan.positions_m, np.arange(14).reshape(7, 2))
    del dataset
    gc.collect()
    assert not list((tmp_path / "t").iterdir())


def test_large_frames_by_columns_are_read_into_memory(tmp_path, stack, monkeypatch):
    monkeypatch.setattr(npz, "_LARGE_BYTES", 1000)
    np.savez(tmp_path / "a.npz", data=np.asfortranarray(stack), scan=np.arange(14.0).reshape(7, 2))
    np.testing.assert_array_equal(io.read(Data(path=str(tmp_path / "a.npz"))).frames[:], stack)


def test_a_file_that_is_cut_short_while_it_is_open_is_told(tmp_path, stack):
    path = tmp_path / "a.npy"
    np.save(path, stack)
    dataset = io.read(Data(path=str(path)), need_scan=False)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="shorter than when it was opened"):
        dataset.frames[6]
