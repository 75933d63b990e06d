"""Every source, by its real protocol on loopback: what is sent comes whole, and becomes the picture of the file."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ptychogui import io
from ptychogui.bench.live.places import here, kind_of, targets
from ptychogui.cli import main
from ptychogui.io.data import Data
from ptychogui.job import Job, run, snapshots
from ptychogui.live import AnySource, source_of
from ptychogui.live.buffer import Buffer
from ptychogui.live.feed import LiveFeed
from ptychogui.live.receiver import Receiver
from ptychogui.live.replayed import Replayed, disordered
from ptychogui.live.source import Source
from ptychogui.params import entries, members
from ptychogui.types import Dataset, Result

COUNT, SHAPE = 60, (28, 40)
JOB = Job().with_value("solver.epochs", 20).with_value("start.find_defocus", False).with_value("device", "cpu")

every = pytest.mark.parametrize("cls", [cls for cls in members(AnySource).values() if issubclass(cls, Source)])
sent_to = pytest.mark.parametrize("cls", targets(), ids=kind_of)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("given") / "scan.cxi"
    small = (f"frames={COUNT}", f"shape={list(SHAPE)}", "probe_px=10")
    assert main(["simulate", "siemens-far", "-o", str(path), *(word for one in small for word in ("--set", one))]) == 0
    return path


@pytest.fixture(scope="module")
def given(path: Path) -> Dataset:
    return io.read(Data(path=str(path)))


@pytest.fixture(scope="module")
def offline(given: Dataset) -> Callable[[int], float]:
    """The R-factor of the file after so many epochs."""
    return cache(lambda epochs: run(JOB.with_value("solver.epochs", epochs), given).metrics["r_factor"])


def received(source: Source, scan: Replayed) -> Buffer:
    """What comes of a scan that is sent, when it is over; skips where a library is not installed."""
    if "quiet_s" in type(source).model_fields:  # nothing but silence says that it is over, where frames are missing
        source = source.with_value("quiet_s", 2.0)
    receiver = Receiver(source)
    receiver.start()
    try:
        time.sleep(0.1)
        if "pip install" in receiver.error:
            pytest.skip(receiver.error)
        asyncio.run(source.send(scan))
        end = time.monotonic() + 30
        while not (receiver.scans and receiver.scans[0].ended):
            assert time.monotonic() < end, (receiver.error, receiver.sentences(0))
            time.sleep(0.01)
    finally:
        receiver.stop()
    assert not receiver.error
    assert not [one for one in threading.enumerate() if one.name == "source"]
    (buffer,) = receiver.scans
    return buffer


@sent_to
def test_a_scan_that_was_received_becomes_the_picture_of_the_file(
    cls: type[Source], given: Dataset, offline: Callable[[int], float], tmp_path: Path
) -> None:
    source = here(cls, tmp_path)
    buffer = received(source, Replayed(given))
    counters = buffer.counters
    assert (counters.received, counters.ready) == (COUNT, COUNT)
    assert counters.expected in (COUNT, None)  # a folder does not say
    assert not any((counters.missing, counters.late, counters.doubled, counters.refused, counters.lost))
    np.testing.assert_array_equal(buffer[np.arange(COUNT)], np.rint(given.frames[:]))
    np.testing.assert_allclose(buffer.positions(np.arange(COUNT)), given.scan.positions_m, atol=1e-12)
    feed = LiveFeed(buffer, JOB.data, source.address)
    *_, result = snapshots(JOB, feed.first(), feed=feed)
    assert isinstance(result, Result)
    assert result.geometry.pixel_m == pytest.approx(given.geometry.pixel_m)
    assert result.metrics["r_factor"] == pytest.approx(offline(len(result.loss)), rel=0.02)


@sent_to
def test_frames_that_are_dropped_doubled_and_shuffled_are_counted(
    cls: type[Source], given: Dataset, tmp_path: Path
) -> None:
    order = disordered(COUNT, drop=0.1, double=0.1, shuffle=4, seed=2)
    here_too = np.unique(order)
    buffer = received(here(cls, tmp_path), Replayed(given, order=order))
    counters = buffer.counters
    assert (counters.received, counters.ready) == (len(here_too), len(here_too))
    assert counters.missing == COUNT - len(here_too)
    assert counters.doubled in (len(order) - len(here_too), 0)  # a file that is written again stands there once
    assert (counters.refused, counters.lost) == (0, 0)
    np.testing.assert_array_equal(np.sort(buffer.arrived), here_too)
    np.testing.assert_array_equal(buffer[here_too], np.rint(given.frames[:])[here_too])


@every
def test_an_address_says_everything_and_what_to_know_is_told(cls: type[Source], tmp_path: Path) -> None:
    source = source_of(cls.example)
    assert type(source) is cls
    assert source_of(source.address) == source
    assert source.address == cls.example
    assert (cls.__doc__ or "").splitlines()[0].endswith((".", ","))
    assert all(entry.help.endswith(".") for entry in entries(cls))
    assert not cls.caution or cls.caution.endswith(".")
    if cls in targets():
        own = here(cls, tmp_path)
        assert own != source
        assert source_of(own.address) == own
