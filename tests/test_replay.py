"""`ptychogui replay`: a file sent by the real protocols, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from worlds import world

from ptychogui import io
from ptychogui.cli import main
from ptychogui.io.data import Data
from ptychogui.live import source_of
from ptychogui.live.receiver import Receiver
from ptychogui.live.replayed import Replayed, disordered

EVERY_WAY = {
    "pva": ("pva:replayed", "p4p"),
    "dectris": ("zmq+dectris://127.0.0.1:{port}?packing=none", "cbor2"),
    "stream1": ("zmq+json://127.0.0.1:{port}?packing=none", "zmq"),
    "swmr": ("swmr:{folder}/live.h5", "h5py"),
    "folder": ("folder:{folder}/live", "tifffile"),
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.cxi"
    io.write(world(shape=(23, 30), modes=1).dataset, path)
    return path


def program(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "ptychogui.cli", "replay", *map(str, arguments)]


def until(asked: Callable[[], object], limit_s: float = 100.0) -> None:
    end = time.monotonic() + limit_s
    while not asked():
        assert time.monotonic() < end
        time.sleep(0.01)


def free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_file_is_sent_in_disorder_and_arrives(
    tmp_path: Path, small: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, library = EVERY_WAY[way]
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    monkeypatch.setenv("EPICS_PVA_BROADCAST_PORT", str(free_port()))
    address = form.format(port=free_port(), folder=tmp_path)
    receiver = Receiver(source_of(address))
    receiver.start()
    bad = ["--drop", "0.125", "--double", "0.1875", "--shuffle", "2", "--seed", "4"]
    try:
        done = subprocess.run(program(small, "--to", address, "--rate", "100", *bad), capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"small.cxi: 16 frames of 23 × 30, 100 a second, to {address}; Ctrl-C ends it.\n"
        order = disordered(16, 0.125, 0.1875, 2, 4)
        until(lambda: receiver.scan is not None and receiver.scan.counters.ready == len(set(order)))
    finally:
        receiver.stop()
    (scan,) = receiver.scans
    sent = Replayed(io.read(Data(path=str(small))))
    assert set(scan.arrived) == set(order)
    np.testing.assert_array_equal(scan[scan.arrived], sent.counts(scan.arrived))
    np.testing.assert_allclose(scan.positions(scan.arrived), sent.positions_m[scan.arrived], atol=1e-12)


def test_disorder_is_what_was_asked_for() -> None:
    order = disordered(400, drop=0.1, double=0.05, shuffle=7, seed=1)
    numbers, copies = np.unique(order, return_counts=True)
    assert (len(numbers), (copies == 2).sum(), copies.max()) == (360, 20, 2)
    overtaken = [int((order[at:] < number).sum()) for at, number in enumerate(order)]
    assert 0 < max(overtaken) <= 7
    np.testing.assert_array_equal(disordered(9), np.arange(9))
    np.testing.assert_array_equal(order, disordered(400, drop=0.1, double=0.05, shuffle=7, seed=1))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_ends_it(small: Path) -> None:
    pytest.importorskip("p4p", reason="EPICS PVAccess needs p4p")
    command = program(small, "--to", "pva:nobody-comes", "--rate", "0", "--times", "3")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "16 frames of 23 × 30, as fast as it goes, 3 times, to pva:nobody-comes" in process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (130, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminal")
def test_a_progress_bar_where_stderr_is_a_terminal(tmp_path: Path, small: Path) -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = program(small, "--to", f"swmr:{tmp_path / 'live.h5'}", "--rate", "0")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True)
    shown = os.read(ours, 10_000).decode()
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0
    assert "16/16" in shown
    assert "frame/s" in shown


def test_all_addresses_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--list"]) == 0
    out = capsys.readouterr().out
    for start in ("pva:", "swmr:", "folder:", "zmq+dectris:", "zmq+json:"):
        assert any(line.startswith(start) for line in out.splitlines())
    assert "takes frames away from the file writer" in out
    assert "replay:" not in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name a file and an address"),
        (["--to", "pva:x"], "Name a file and an address"),
        (["{file}", "--to", "smoke:x"], "'smoke:x' is no source"),
        (["{file}", "--to", "pva:"], "names no channel"),
        (["{file}", "--to", "replay:{file}"], "is a source only: replay to one of"),
        (["none.cxi", "--to", "pva:x"], "none.cxi does not exist"),
        (["{file}", "--to", "pva:x", "--rate", "-1"], "--rate is -1"),
        (["{file}", "--to", "pva:x", "--rate", "nan"], "--rate is nan"),
        (["{file}", "--to", "pva:x", "--rate", "fast"], "invalid float value: 'fast'"),
        (["{file}", "--to", "pva:x", "--times", "0"], "--times is 0"),
        (["{file}", "--to", "pva:x", "--drop", "1"], "--drop is 1"),
        (["{file}", "--to", "pva:x", "--double", "-0.5"], "--double is -0.5"),
        (["{file}", "--to", "pva:x", "--shuffle", "-2"], "--shuffle and --seed are whole numbers"),
        (["{file}", "--to", "pva:x", "--set", "data.bin=0"], "data.bin is 0"),
    ],
)
def test_what_is_refused(refused: Callable[..., str], small: Path, arguments: list[str], sentence: str) -> None:
    assert sentence in refused("replay", *(one.format(file=small) for one in arguments))
