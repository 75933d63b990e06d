"""Frames are on disk while they come, whatever happens to the program; an alarm says what goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ptychogui import io
from ptychogui.io.data import Data
from ptychogui.live import saver as saver_module
from ptychogui.live.buffer import Buffer
from ptychogui.live.events import Begin, Block, Places
from ptychogui.live.saver import Saver

SHAPE = (10, 14)
FOUND = {"energy_eV": 8000.0, "distance_m": 1.5, "detector_pixel_m": (75e-6, 50e-6), "field": "near"}


def until(asked: Callable[[], object], limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not asked():
        assert time.monotonic() < end
        time.sleep(0.01)


def begun(**more: object) -> Buffer:
    mask = np.ones(SHAPE, np.bool_)
    mask[2, 3:5] = False
    probe = np.arange(np.prod(SHAPE), dtype=np.complex64).reshape(1, *SHAPE) + 1j
    return Buffer(Begin(SHAPE, np.dtype(np.uint16), found=FOUND, mask=mask, probe=probe, **more))


def block(numbers: list[int], places: bool = True) -> Block:
    rng = np.random.default_rng(numbers[0])
    at = np.array(numbers, np.float64)
    where = np.stack([1e-4 * at**1.1, -2e-4 * at], axis=1) if places else None
    return Block(np.array(numbers), rng.integers(0, 900, (len(numbers), *SHAPE)).astype(np.uint16), where)


def test_a_saved_scan_is_read_as_it_came(tmp_path: Path) -> None:
    buffer = begun(name="scan 7")
    saver = Saver(buffer, tmp_path / "out" / "scan.cxi")
    saver.start()
    for numbers in ([3, 1, 2], [0, 7], [7, 6]):
        buffer.put(block(numbers))
    until(lambda: saver.written == 6)
    assert saver.part.exists()
    assert not saver.path.exists()
    buffer.put(block([5, 9], places=False))
    buffer.place(Places(np.array([[1e-4, 3e-4]]), numbers=np.array([5])))
    buffer.end()
    saver.stop()
    assert not saver.error
    assert not saver.part.exists()
    dataset = io.read(Data(path=str(saver.path)))
    arrived = buffer.arrived
    assert len(arrived) == 7
    np.testing.assert_array_equal(
        np.where(dataset.mask, dataset.frames[:], 0), np.where(dataset.mask, buffer[arrived], 0)
    )
    np.testing.assert_allclose(dataset.scan.positions_m, buffer.positions(arrived))
    np.testing.assert_array_equal(dataset.mask, buffer.begin.mask)
    np.testing.assert_array_equal(dataset.probe, buffer.begin.probe)
    optics = dataset.geometry
    assert (optics.field, optics.distance_m, optics.detector_pixel_m) == ("near", 1.5, (75e-6, 50e-6))
    assert optics.wavelength_m == pytest.approx(1.5498e-10, rel=1e-4)
    with h5py.File(saver.path) as file:
        np.testing.assert_array_equal(file["ptychogui/frame_number"], arrived)
        apart = file["ptychogui/without_position"]
        assert list(apart["frame_number"]) == [9], "a frame that never got a position is kept too"
        np.testing.assert_array_equal(apart["data"], buffer[np.array([9])])


def test_no_file_gives_way_and_what_came_before_is_saved_too(tmp_path: Path) -> None:
    buffer = begun()
    buffer.put(block([0, 1, 2]))
    savers = []
    for _ in range(3):
        saver = Saver(buffer, tmp_path / "scan.cxi")
        saver.start()
        until(saver.part.exists)
        savers.append(saver)
    for saver in savers:
        saver.stop()
        assert len(io.read(Data(path=str(saver.path))).scan) == 3
    assert [saver.path.name for saver in savers] == ["scan.cxi", "scan_2.cxi", "scan_3.cxi"]


def test_a_scan_without_positions_is_saved_as_it_is(tmp_path: Path) -> None:
    buffer = begun()
    buffer.put(block([2, 0, 1], places=False))
    saver = Saver(buffer, tmp_path / "scan.cxi")
    saver.start()
    saver.stop()
    dataset = io.read(Data(path=str(saver.path)), need_scan=False)
    assert not dataset.positions_known
    assert dataset.frames.shape == (3, *SHAPE)


def test_frames_that_wait_long_for_a_position_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver_module, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(saver_module, "_EVERY_S", 0.02)
    buffer = begun()
    buffer.put(block([0, 1]))
    buffer.put(block([4, 5], places=False))
    saver = Saver(buffer, tmp_path / "scan.cxi")
    saver.start()
    until(lambda: saver._apart == {4, 5})
    saver.stop()
    with h5py.File(saver.path) as file:
        assert list(file["ptychogui/without_position/frame_number"]) == [4, 5]
        assert len(file["entry_1/instrument_1/detector_1/data"]) == 2


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    buffer = begun()
    saver = Saver(buffer, tmp_path / "file" / "scan.cxi")
    saver.start()
    until(lambda: not saver.running)
    assert "not saved" in saver.error
    assert "check the folder" in saver.error


KILLED = """
import sys, time
sys.path.insert(0, {folder!r})
from test_saver import *
buffer = begun()
saver = Saver(buffer, Path({path!r}))
saver.start()
for first in range(0, 4000, 4):
    buffer.put(block(list(range(first, first + 4))))
    print(saver.written, flush=True)
    time.sleep(0.005)
"""


def test_what_was_written_outlives_the_program(tmp_path: Path) -> None:
    path = tmp_path / "scan.cxi"
    code = KILLED.format(folder=str(Path(__file__).parent), path=str(path))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        written = 0
        for line in process.stdout:
            written = int(line)
            if written > 60:
                break
        process.send_signal(signal.SIGKILL)
    dataset = io.read(Data(path=str(path.with_name("scan.part.cxi"))))
    assert len(dataset.scan) >= written
    np.testing.assert_array_equal(np.nan_to_num(dataset.frames[4:8])[:, 3:], block([4, 5, 6, 7]).frames[:, 3:])
