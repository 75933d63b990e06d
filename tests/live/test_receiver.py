"""A source is listened to in a thread; frames, positions and what goes wrong are kept and counted."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from ptychogui import io
from ptychogui.cli import main
from ptychogui.io.data import Data
from ptychogui.live import source_of
from ptychogui.live.receiver import Receiver
from ptychogui.live.replay import Replay


def until(asked: object, limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    while not asked():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_replayed_file_comes_whole(tmp_path: Path) -> None:
    path = tmp_path / "scan.cxi"
    small = ["--set", "shape=[40, 56]", "--set", "scan_shape=[5, 4]", "--set", "sigma_px=5", "--set", "step_px=7"]
    assert main(["simulate", "ptychonet-grid", "-o", str(path), *small]) == 0
    receiver = Receiver(Replay(path=str(path), rate=0, times=2))
    receiver.start()
    until(lambda: len(receiver.scans) == 2 and receiver.state == "ended")
    receiver.stop()
    given = io.read(Data(path=str(path)))
    for scan in receiver.scans:
        counters = scan.counters
        assert (counters.received, counters.ready, counters.missing, counters.doubled) == (20, 20, 0, 0)
        np.testing.assert_array_equal(scan[scan.arrived], np.asarray(given.frames[:]).astype(scan.dtype))
        np.testing.assert_allclose(scan.positions(scan.arrived), given.scan.positions_m)
    assert source_of(f"replay:{path}").address == f"replay:{path}"
