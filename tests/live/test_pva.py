"""EPICS PVAccess, spoken for real on loopback: what areaDetector posts, and everything that may go wrong with it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from worlds import world

from ptychogui import io
from ptychogui.io.data import Data
from ptychogui.live import source_of
from ptychogui.live.buffer import Buffer
from ptychogui.live.packed import packed
from ptychogui.live.pva import Pva
from ptychogui.live.pva_server import array_value
from ptychogui.live.receiver import Receiver
from ptychogui.live.replayed import Replayed, disordered
from ptychogui.params import InputError

nt = pytest.importorskip("p4p.nt", reason="EPICS PVAccess needs p4p")
Server = pytest.importorskip("p4p.server").Server
SharedPV = pytest.importorskip("p4p.server.raw").SharedPV
Value = pytest.importorskip("p4p.wrapper").Value

DATASET = world(shape=(23, 30), modes=1).dataset
SCAN = Replayed(DATASET)
FRAMES = SCAN.counts(np.arange(len(SCAN)))
WHERE = DATASET.scan.positions_m
TABLE = nt.NTTable([("uniqueId", "i"), ("y", "d"), ("x", "d")])
TRACK = nt.NTTable([("time", "d"), ("y", "d"), ("x", "d")])


@pytest.fixture(autouse=True)
def own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers and clients of other tests are on other ports."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("EPICS_PVA_BROADCAST_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("EPICS_PVAS_SERVER_PORT", "0")


def until(asked: Callable[[], object], limit_s: float = 100.0) -> None:
    end = time.monotonic() + limit_s
    while not asked():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def listening(source: Pva) -> Iterator[Receiver]:
    receiver = Receiver(source)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


@contextmanager
def sending(source: Pva, scan: Replayed) -> Iterator[threading.Thread]:
    """The real sender, in a loop and a thread of its own."""
    thread = threading.Thread(target=lambda: asyncio.run(source.send(scan)))
    thread.start()
    try:
        yield thread
    finally:
        thread.join(100)
        assert not thread.is_alive()


class Found:
    """Tells when a channel has its first client."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def onFirstConnect(self, _: object) -> None:
        self._event.set()


class Detector:
    """Channels that a test posts to by hand; `channel` and `beside` are empty at first."""

    def __init__(self, first: Any = None, beside: Any = None) -> None:
        empty = Value(nt.NTNDArray.buildType(), {})
        self._found = [threading.Event(), threading.Event()]
        starts = (empty if first is None else first, Value(TABLE.type, {}) if beside is None else beside)
        self.channel, self.beside = (SharedPV(handler=Found(one), initial=it) for one, it in zip(self._found, starts))
        pvs = {"det": self.channel, "pos": self.beside}
        self.server = Server(providers=[pvs], conf={"EPICS_PVAS_INTF_ADDR_LIST": "127.0.0.1"})

    def subscribed(self, channels: int = 1) -> None:
        for one in self._found[:channels]:
            assert one.wait(30)
        time.sleep(0.3)  # then it has subscribed too; the server's report could tell, but may hang while p4p calls back

    def post(self, *numbers: int, first: int = 1, begun: float = 1e9, where: bool = True, **said: Any) -> None:
        for number in numbers:
            y, x = WHERE[number].tolist()
            attributes = said | ({"y": y, "x": x} if where else {})
            self.channel.post(array_value(FRAMES[number], first + number, begun + 0.1 * number, attributes))

    def wrong(self, frame: np.ndarray, **changes: Any) -> None:
        """Post an array of which some fields are changed."""
        value = array_value(frame, 3, 1e9 + 0.2, {"y": 0.0, "x": 0.0})
        for name, change in changes.items():
            value[name.replace("__", ".")] = change
        self.channel.post(value)

    def close(self) -> None:
        self.server.stop()


@pytest.fixture
def detector() -> Iterator[Detector]:
    detector = Detector()
    yield detector
    detector.close()


def said(receiver: Receiver, words: str) -> bool:
    return any(words in sentence for _, sentence, _ in receiver.said)


def check_frames(scan: Buffer) -> None:
    """What has come is what was sent, bit for bit."""
    arrived = scan.arrived
    np.testing.assert_array_equal(scan[arrived], FRAMES[arrived])
    np.testing.assert_allclose(scan.positions(arrived), WHERE[arrived], rtol=1e-12)


@pytest.mark.parametrize("address", ["pva:det", "pva:det?positions=pos", "pva:det?positions=pos&first=0"])
def test_scans_come_whole_one_after_the_other(address: str) -> None:
    source = source_of(address)
    assert isinstance(source, Pva)
    assert source.address == address
    with sending(source, replace(SCAN, rate=400, times=2)), listening(source) as receiver:
        until(lambda: len(receiver.scans) == 2 and receiver.state == "ended")
    for scan in receiver.scans:
        counters = scan.counters
        assert (counters.received, counters.ready, counters.expected, counters.missing) == (16, 16, 16, 0)
        assert (counters.late, counters.doubled, counters.refused, counters.lost) == (0, 0, 0, 0)
        assert scan.begin.dtype == FRAMES.dtype
        assert scan.begin.found == SCAN.found()
        assert scan.begin.positions_unit == "m"
        check_frames(scan)
    assert said(receiver, "Waiting for channel det")


def test_frames_are_dropped_doubled_and_shuffled() -> None:
    order = disordered(16, drop=0.2, double=0.25, shuffle=3, seed=2)
    source = Pva(name="det")
    with sending(source, replace(SCAN, rate=200, order=order, times=2)), listening(source) as receiver:
        until(lambda: len(receiver.scans) == 2 and receiver.state == "ended")
    for scan in receiver.scans:
        counters = scan.counters
        assert (counters.received, counters.ready, counters.missing, counters.doubled) == (13, 13, 3, 4)
        assert counters.late > 0
        assert set(scan.arrived) == set(order)
        check_frames(scan)
    assert said(receiver, "3 of the 16 frames of the scan did not come")


def test_a_sender_is_killed_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "scan.cxi"
    io.write(DATASET, path)
    command = [sys.executable, "-m", "ptychogui.cli", "replay", str(path), "--to", "pva:det", "--rate"]
    with listening(Pva(name="det")) as receiver:
        with subprocess.Popen([*command, "10"], stdout=subprocess.DEVNULL) as process:
            until(lambda: receiver.scans and receiver.scans[0].counters.received >= 4)
            process.kill()
        until(lambda: said(receiver, "Channel det is gone"))
        before = receiver.scans[0].counters.received
        with subprocess.Popen([*command, "100"], stdout=subprocess.DEVNULL) as process:
            until(lambda: len(receiver.scans) == 2 and receiver.state == "ended")
            assert process.wait(30) == 0
    first, second = receiver.scans
    assert first.ended
    assert 4 <= first.counters.received == before < 16
    assert second.counters.received == 16
    given = Replayed(io.read(Data(path=str(path))))
    for scan in (first, second):
        np.testing.assert_array_equal(scan[scan.arrived], given.counts(scan.arrived))


def test_what_the_channel_held_before_is_no_frame_of_the_next_scan() -> None:
    detector = Detector(first=array_value(FRAMES[15], 16, 5e8, {"y": 0.0, "x": 0.0}))
    try:
        with listening(Pva(name="det")) as receiver:
            detector.subscribed()
            detector.post(*range(16))
            until(lambda: receiver.scan is not None and receiver.scan.counters.received == 16)
            detector.post(*range(7), begun=2e9)  # the next scan, by the count alone
            until(lambda: len(receiver.scans) == 2 and receiver.scans[1].counters.received == 7)
    finally:
        detector.close()
    assert [scan.counters.received for scan in receiver.scans] == [16, 7]
    assert receiver.scans[0].ended
    for scan in receiver.scans:
        check_frames(scan)


def test_a_program_that_attaches_in_the_middle_keeps_what_the_channel_holds() -> None:
    detector = Detector(first=array_value(FRAMES[4], 5, 1e9, {"y": WHERE[4, 0], "x": WHERE[4, 1]}))
    try:
        with listening(Pva(name="det")) as receiver:
            detector.subscribed()
            detector.post(*range(5, 9))
            until(lambda: receiver.scan is not None and receiver.scan.counters.received == 5)
    finally:
        detector.close()
    assert receiver.scans[0].arrived.tolist() == [4, 5, 6, 7, 8]
    check_frames(receiver.scans[0])


def test_a_counter_that_is_never_reset(detector: Detector) -> None:
    with listening(Pva(name="det")) as receiver:
        detector.subscribed()
        detector.post(*range(16), first=7001, frames=16)
        until(lambda: receiver.state == "ended")
        detector.post(*range(16), first=7017, begun=2e9, frames=16)
        until(lambda: len(receiver.scans) == 2 and receiver.state == "ended")
    for scan in receiver.scans:
        assert (scan.counters.received, scan.counters.missing) == (16, 0)
        check_frames(scan)


def test_the_end_without_the_frame_before(detector: Detector) -> None:
    with listening(Pva(name="det")) as receiver:
        detector.subscribed()
        detector.post(0, 1, 2, 15, frames=16)
        until(lambda: receiver.state == "ended")
        detector.post(3, frames=16)  # late, but of the same scan
        until(lambda: receiver.scans[0].counters.received == 5)
    assert len(receiver.scans) == 1
    assert (receiver.scans[0].counters.late, receiver.scans[0].counters.missing) == (1, 11)


WRONG = {
    "of another shape": ({"frame": FRAMES[2][:, :-4]}, "23 × 26 pixels instead of 23 × 30"),
    "in colour": ({"frame": FRAMES[2], "attribute": [{"name": "ColorMode", "value": 2}]}, "det sends colour"),
    "of three colours": ({"frame": FRAMES[2], "dimension": [{"size": n} for n in (3, 10, 23)]}, "det sends colour"),
    "without a size": ({"frame": FRAMES[2], "dimension": [{"size": n} for n in (30, 0)]}, "has no size"),
    "negative": ({"frame": FRAMES[2], "dimension": [{"size": n} for n in (-30, -23)]}, "has no size"),
    "of 1 GB": ({"frame": FRAMES[2], "dimension": [{"size": n} for n in (2**15, 2**14)]}, "instead of 23 × 30"),
    "as JPEG": ({"frame": FRAMES[2], "codec__name": "jpeg"}, "det is compressed by 'jpeg'"),
    "of no type": ({"frame": FRAMES[2], "codec__name": "lz4"}, "does not say its type"),
    "of garbage": ({"frame": FRAMES[2], "codec__name": "bslz4", "codec__parameters": 6}, "is broken"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_array_that_is_no_frame_of_the_scan(detector: Detector, name: str) -> None:
    wrong, sentence = WRONG[name]
    with listening(Pva(name="det")) as receiver:
        detector.subscribed()
        detector.post(0, 1)
        detector.wrong(**wrong)
        detector.post(3, 4)
        until(lambda: receiver.scan is not None and receiver.scan.counters.received == 4)
        until(lambda: said(receiver, sentence))
    counters = receiver.scans[0].counters
    assert (len(receiver.scans), counters.missing, counters.lost) == (1, 1, 1)
    check_frames(receiver.scans[0])
    assert receiver.error == ""


@pytest.mark.parametrize(
    ("size", "codec", "sentence"),
    [
        (2**15, "", "claims 2,147,483,648 bytes"),
        (2**15, "bslz4", "claims 2,147,483,648 bytes"),
        (2**13, "lz4", "is broken"),
        (2**31 - 1, "", "claims a size"),
        (2**31 - 1, "lz4", "more than any frame has"),
    ],
)
def test_a_first_array_that_claims_to_be_huge(detector: Detector, size: int, codec: str, sentence: str) -> None:
    with listening(Pva(name="det")) as receiver:
        detector.subscribed()
        detector.wrong(FRAMES[2], codec__name=codec, codec__parameters=6, dimension=[{"size": size}] * 2)
        until(lambda: said(receiver, sentence))
        detector.post(0, 1, 3)
        until(lambda: receiver.scan is not None and receiver.scan.counters.received == 3)
    check_frames(receiver.scans[0])


@pytest.mark.parametrize("codec", ["lz4", "bslz4"])
def test_compressed_frames(detector: Detector, codec: Any) -> None:
    pytest.importorskip("hdf5plugin", reason="packing frames needs hdf5plugin")
    header = {"lz4": 16, "bslz4": 12}[codec]  # of the HDF5 filters, which areaDetector leaves out
    with listening(Pva(name="det")) as receiver:
        detector.subscribed()
        for number, data in enumerate(packed(FRAMES, codec)):
            value = array_value(FRAMES[number], 1 + number, 1e9 + number, {})
            value["value"] = ("ubyteValue", np.frombuffer(data[header:], np.uint8))
            value["codec.name"], value["codec.parameters"] = codec, 6
            detector.channel.post(value)
        until(lambda: receiver.scan is not None and receiver.scan.counters.received == 16)
    np.testing.assert_array_equal(receiver.scans[0][np.arange(16)], FRAMES)


def test_another_channel_than_one_of_frames() -> None:
    detector = Detector(first=nt.NTScalar("d").wrap(3.5), beside=nt.NTScalar("s").wrap("five"))
    try:
        with listening(Pva(name="det", positions="pos")) as receiver:
            until(lambda: said(receiver, "det holds epics:nt/NTScalar:1.0 instead of an NTNDArray"))
            until(lambda: said(receiver, "pos holds no table of numbers"))
            assert receiver.state == "waiting"
    finally:
        detector.close()


def rows(numbers: range, first: int = 1) -> dict[str, Any]:
    index = np.array(numbers)
    return {"uniqueId": (first + index).astype(np.int32), "y": WHERE[index, 0], "x": WHERE[index, 1]}


def test_positions_of_a_table_that_grows_and_of_a_new_one_for_the_next_scan(detector: Detector) -> None:
    with listening(Pva(name="det", positions="pos")) as receiver:
        detector.subscribed(2)
        detector.beside.post(Value(TABLE.type, {"value": rows(range(5))}))
        for end in (8, 16):
            detector.post(*range(end - 8, end), where=False)
            detector.beside.post(Value(TABLE.type, {"value": rows(range(end))}))
            until(lambda end=end: receiver.scan is not None and receiver.scan.counters.ready == end)
        detector.beside.post(Value(TABLE.type, {"value": rows(range(3, 9))}))
        time.sleep(0.3)
        detector.post(*range(3, 9), begun=2e9, where=False)
        until(lambda: len(receiver.scans) == 2 and receiver.scans[1].counters.ready == 6)
    for scan in receiver.scans:
        check_frames(scan)


def test_positions_by_time(detector: Detector) -> None:
    detector.close()
    detector = Detector(beside=Value(TRACK.type, {}))
    at = 1e9 + np.array([-0.1, 0.45, 1.6])
    track = {"time": at, "y": 3e-6 * (at - 1e9), "x": -1e-6 * (at - 1e9)}
    try:
        with listening(Pva(name="det", positions="pos")) as receiver:
            detector.subscribed(2)
            detector.post(*range(6), where=False)
            detector.beside.post(Value(TRACK.type, {"value": {name: one[:2] for name, one in track.items()}}))
            until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 5)
            detector.beside.post(Value(TRACK.type, {"value": track}))
            until(lambda: receiver.scan.counters.ready == 6)
    finally:
        detector.close()
    places = receiver.scans[0].positions(np.arange(6))
    np.testing.assert_allclose(places, np.arange(6)[:, None] * 0.1 * [3e-6, -1e-6], atol=1e-12)


def test_positions_as_an_array_of_pairs() -> None:
    pairs = nt.NTNDArray().wrap(WHERE)
    detector = Detector(beside=pairs)
    try:
        with listening(Pva(name="det", positions="pos")) as receiver:
            detector.subscribed(2)
            detector.post(*range(16), where=False)
            until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 16)
    finally:
        detector.close()
    check_frames(receiver.scans[0])


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (nt.NTTable([("y", "d"), ("b", "d")]).wrap([{"y": 1.0, "b": 2.0}]), "has no columns y and x, but y, b"),
        (Value(TABLE.type, {"value": {"y": [1.0, 2.0], "x": [3.0]}}), "are of different lengths"),
        (Value(TABLE.type, {"value": {"uniqueId": [1]}}), "are of different lengths"),
        (nt.NTNDArray().wrap(FRAMES[0]), "instead of pairs"),
    ],
)
def test_a_table_without_positions(table: Value, sentence: str) -> None:
    detector = Detector(beside=table)
    try:
        with listening(Pva(name="det", positions="pos")) as receiver:
            until(lambda: said(receiver, sentence))
            detector.subscribed(2)
            detector.post(0, 1)
            until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 2)
    finally:
        detector.close()


OPEN = Path("/proc/self/fd")


@pytest.mark.skipif(not OPEN.is_dir(), reason="only Linux lists what a process holds open")
def test_stopping_closes_everything() -> None:
    def held() -> tuple[int, int, int]:
        return threading.active_count(), psutil.Process().num_threads(), len(list(OPEN.iterdir()))

    def once() -> None:
        source = Pva(name="det", positions="pos")
        with sending(source, replace(SCAN, rate=400)), listening(source) as receiver:
            until(lambda: receiver.state == "ended")
        with listening(source) as receiver:
            until(lambda: said(receiver, "Waiting for channel det and pos"))
        assert receiver.state == "stopped"

    once()
    before = held()
    once()
    until(lambda: all(now <= then for now, then in zip(held(), before)), 5)


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "p4p", None)
    receiver = Receiver(Pva(name="det"))
    receiver.start()
    until(lambda: receiver.error)
    receiver.stop()
    assert receiver.error == "Source pva needs p4p, which is not installed: pip install 'ptychogui[live]'."


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("pva:", "names no channel"),
        ("pva:a b", "names no channel"),
        ("pva:det?queue=20", "queue is '20'"),
        ("pva:det?color=1", "There is no parameter 'color'"),
    ],
)
def test_an_address_that_is_none(address: str, sentence: str) -> None:
    with pytest.raises(InputError, match="^.*" + sentence.replace("?", r"\?")):
        source_of(address)
