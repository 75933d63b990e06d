"""Both streams by ZeroMQ: what they share, by the real protocol on loopback."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest
from streams import (
    COUNT,
    MASK,
    OPTICS,
    SCAN,
    WHERE,
    Publisher,
    check,
    counted,
    free_port,
    images,
    listening,
    publishing,
    sentences,
    until,
)

from ptychogui.live import source_of
from ptychogui.live.dectris import Dectris
from ptychogui.live.receiver import Receiver
from ptychogui.live.replayed import Replayed, disordered
from ptychogui.live.stream1 import Stream1
from ptychogui.live.zmq_source import ZmqSource
from ptychogui.params import InputError

for library in ("zmq", "cbor2", "dectris", "hdf5plugin"):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install 'ptychogui[live,packed]'")

both = pytest.mark.parametrize("kind", [Dectris, Stream1])
Kind = type[ZmqSource]


def sent(source: ZmqSource, scan: Replayed) -> Receiver:
    """A receiver after a scan was sent, when the last one is over."""
    with listening(source) as receiver:
        asyncio.run(asyncio.wait_for(source.send(scan), 20))
        until(lambda: len(receiver.scans) == scan.times and receiver.scans[-1].ended)
    return receiver


@both
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"packing": "lz4"},
        {"packing": "none"},
        {"pattern": "pull"},
        {"positions": "there"},
        {"positions": "there", "pattern": "pull"},
    ],
    ids=["bslz4", "lz4", "unpacked", "pull", "two streams", "two streams, pull"],
)
def test_scans_arrive_whole(kind: Kind, more: dict[str, str]) -> None:
    more = {name: free_port() if value == "there" else value for name, value in more.items()}
    receiver = sent(kind(endpoint=free_port(), **more), replace(SCAN, times=2))
    for scan in receiver.scans:
        assert counted(scan) == {"received": COUNT, "ready": COUNT, "expected": COUNT}
        check(scan)
        assert scan.begin.dtype == np.uint16
        assert scan.begin.positions_unit == "m"
        assert scan.begin.mask is not None
        np.testing.assert_array_equal(scan.begin.mask, MASK)
        found = dict(scan.begin.found)
        for name in ("wavelength_m", "distance_m", "detector_pixel_m"):
            assert found[name] == getattr(OPTICS, name)
        assert (found["field"], found["centre"]) == ("far", (10, 14))
    assert not sentences(receiver)


@both
def test_frames_are_dropped_doubled_and_shuffled(kind: Kind) -> None:
    order = disordered(COUNT, drop=0.1, double=0.2, shuffle=5, seed=3)
    scan = sent(kind(endpoint=free_port(), positions=free_port()), replace(SCAN, order=order)).scans[0]
    here = np.unique(order)
    check(scan, here)
    # the order of first arrivals tells what came late
    first = order[np.sort(np.unique(order, return_index=True)[1])]
    late = int((first < np.maximum.accumulate(np.concatenate([[-1], first[:-1]]))).sum())
    counters = scan.counters
    assert (counters.received, counters.doubled, counters.late) == (len(here), len(order) - len(here), late)
    assert counters.missing == COUNT - len(here)


@both
def test_a_sender_that_dies_comes_back_with_a_new_scan(kind: Kind) -> None:
    source = kind(endpoint=free_port(), positions=free_port())
    slow = replace(SCAN, rate=100.0)

    async def die(receiver: Receiver) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(source.send(slow))
            while receiver.scan is None or receiver.scan.counters.received < 10:
                await asyncio.sleep(0.005)
            task.cancel()

    with listening(source) as receiver:
        asyncio.run(die(receiver))
        until(lambda: "was lost" in sentences(receiver, wrong=False))
        asyncio.run(asyncio.wait_for(source.send(SCAN), 20))
        until(lambda: len(receiver.scans) == 2 and receiver.scans[1].ended)
    first, second = receiver.scans
    assert 10 <= first.counters.received < COUNT
    assert first.ended
    check(first, np.arange(first.counters.received))
    check(second)


@both
def test_what_is_wrong_is_told_and_nothing_else_is_lost(kind: Kind) -> None:
    source = kind(endpoint=free_port())
    narrow = Replayed(replace(SCAN.dataset, frames=SCAN.dataset.frames[:, :, :-1]))
    good, flat = images(source, 1, *range(6)), images(source, 1, 9, scan=narrow)
    cut = [part[: len(part) // 2] if len(part) > 200 else part for part in images(source, 1, 7)[0]]
    claim = (20 * 28 * 2).to_bytes(8, "big"), (2**30).to_bytes(8, "big")
    huge = [part.replace(*claim) for part in images(source, 1, 8)[0]]
    with publishing(source) as (publisher, receiver):
        publisher.send([b"\x00\xff garbage"], source.start(SCAN, 1), *good[:3], [b""], flat[0], huge, cut)
        publisher.send([b"{" * 5000], [rng_bytes(3000)], *good[3:], source.end(1))
        until(lambda: receiver.scan is not None and receiver.scan.ended)
    assert receiver.scan is not None
    check(receiver.scan, np.arange(6))
    lost = receiver.scan.counters.lost
    assert lost == 2 + (kind is Stream1)  # CBOR that is cut is no message at all, so nobody knows what it was
    told = sentences(receiver)
    assert "A frame has 20 × 27 pixels instead of 20 × 28; it is left out." in told
    assert "A frame claims 1,120 bytes, but its message holds other ones; it is left out." in told
    assert ("no CBOR" if kind is Dectris else "stream of version 1") in told


def rng_bytes(count: int) -> bytes:
    return np.random.default_rng(5).integers(0, 256, count, np.uint8).tobytes()


@both
def test_a_bad_first_frame_is_counted_in_its_own_scan(kind: Kind) -> None:
    source = kind(endpoint=free_port(), packing="none")
    bad = [part.replace(b"uint16", b"uint32").replace(b"\x82\x82\x14\x18\x1c", b"\x82\x82\x14\x18\x1d")
           for part in images(source, 2, 0)[0]]  # fmt: skip
    with publishing(source) as (publisher, receiver):
        publisher.send(source.start(SCAN, 1), *images(source, 1, *range(COUNT)), source.end(1))
        publisher.send(source.start(SCAN, 2), bad)
        until(lambda: sentences(receiver))
        publisher.send(*images(source, 2, *range(1, 5)), source.end(2), source.end(3))
        until(lambda: "no start" in sentences(receiver))
    first, second = receiver.scans
    assert first.counters.lost == 0
    assert (second.counters.lost, second.counters.received) == (1, 4)


@both
def test_a_source_that_attaches_in_mid_scan_takes_what_comes(kind: Kind) -> None:
    source = kind(endpoint=free_port())
    with publishing(source) as (publisher, receiver):
        publisher.send(*images(source, 5, 20, 21), source.end(5))
        publisher.send(source.start(SCAN, 6), *images(source, 5, 22), *images(source, 6, 0, 1), source.end(6))
        until(lambda: len(receiver.scans) == 2 and receiver.scans[1].ended)
    first, second = receiver.scans
    check(first, np.array([20, 21]))
    check(second, np.array([0, 1]))
    assert "had begun before its start was seen" in sentences(receiver)
    assert "came late" in sentences(receiver)


@both
def test_positions_find_their_scan_whichever_stream_is_ahead(kind: Kind) -> None:
    def text(numbers: range, **more: object) -> list[bytes]:
        y, x = WHERE[numbers.start : numbers.stop].T.tolist()
        return [json.dumps({"numbers": list(numbers), "y_m": y, "x_m": x, **more}).encode()]

    source = kind(endpoint=free_port(), positions=free_port())
    places = Publisher(source.positions)
    try:
        with publishing(source) as (publisher, receiver):
            places.subscribed()
            places.send(text(range(0, 8)))
            time.sleep(0.1)
            publisher.send(source.start(SCAN, 1), *images(source, 1, *range(12)), source.end(1))
            until(lambda: receiver.scan is not None and receiver.scan.ended)
            assert receiver.scan is not None
            assert receiver.scan.counters.ready == 8
            places.send(text(range(8, 12)))  # late: still of the scan that is over
            places.send([b"\xff"], [b"[1]"], [b'{"numbers": [1, 2], "y_m": [3], "x_m": [4]}'])
            until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 12)
            places.send(text(range(0, 3)), text(range(3, 6), series=2))  # of the next, which has not begun
            until(lambda: "not understood" in sentences(receiver))
            time.sleep(0.1)
            publisher.send(source.start(SCAN, 2), *images(source, 2, *range(6)), source.end(2))
            until(lambda: len(receiver.scans) == 2 and receiver.scans[1].counters.ready == 6)
    finally:
        places.close()
    check(receiver.scans[0], np.arange(12))
    check(receiver.scans[1], np.arange(6))


@both
def test_a_stopped_source_leaves_nothing(kind: Kind) -> None:
    threads = set(threading.enumerate())
    source = kind(endpoint=free_port(), positions=free_port())
    with publishing(source) as (publisher, receiver):
        publisher.send(source.start(SCAN, 1), *images(source, 1, *range(9)))
        until(lambda: receiver.scan is not None and receiver.scan.counters.received == 9)
        port = int(source.endpoint.rpartition(":")[2])
        process = psutil.Process()
        assert any(one.raddr and one.raddr.port == port for one in process.net_connections("tcp"))
        receiver.stop()
        assert receiver.state == "stopped"
        assert receiver.scan is not None
        assert receiver.scan.counters.received == 9
        until(lambda: not any(o.raddr and o.raddr.port == port and o.status == "ESTABLISHED" for o in
                              process.net_connections("tcp")))  # fmt: skip
    assert set(threading.enumerate()) <= threads


@both
def test_the_wrong_pattern_is_told_and_mended(kind: Kind) -> None:
    source = kind(endpoint=free_port(), pattern="pull")
    with listening(source) as receiver:
        publisher = Publisher(source.endpoint)
        until(lambda: "try pattern=sub" in sentences(receiver))
        publisher.close()
        asyncio.run(asyncio.wait_for(source.send(SCAN), 20))
        until(lambda: receiver.scan is not None and receiver.scan.ended)
        assert receiver.scan is not None
        check(receiver.scan)


def test_too_large_a_message_is_not_let_in_and_the_next_ones_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptychogui.live.zmq_socket.LARGEST_BYTES", 2**13)
    source = Stream1(endpoint=free_port())
    with publishing(source) as (publisher, receiver):
        publisher.send(source.start(SCAN, 1), *images(source, 1, 0, 1, 2))
        until(lambda: receiver.scan is not None and receiver.scan.counters.received == 3)
        publisher.send([bytes(2**13 + 1)])
        until(lambda: "too large a message" in sentences(receiver))
        until(lambda: sentences(receiver, wrong=False).count("Connected") == 2)
        again = images(source, 1, 3)
        until(lambda: publisher.send(*again) or receiver.scan.counters.received == 4)  # until it has subscribed
        publisher.send(*images(source, 1, 4), source.end(1))
        until(lambda: receiver.scan is not None and receiver.scan.ended)
    assert receiver.scan is not None
    check(receiver.scan, np.arange(5))


def test_addresses_and_their_parameters() -> None:
    source = source_of("zmq+dectris://beamline-3:31001?positions=10.0.0.7:5556&pattern=pull")
    assert isinstance(source, Dectris)
    assert (source.endpoint, source.positions, source.pattern) == ("beamline-3:31001", "10.0.0.7:5556", "pull")
    assert source_of(source.address) == source
    assert source_of("zmq+json://127.0.0.1:9999").address == "zmq+json://127.0.0.1:9999"
    for wrong in ("zmq+json://host", "zmq+json://host:99999", "zmq+dectris://a b:1", "zmq+json:file:///x"):
        with pytest.raises(InputError, match="host and a port"):
            source_of(wrong)
    with pytest.raises(InputError, match="pattern"):
        source_of("zmq+json://127.0.0.1:9999?pattern=push")
    receiver = Receiver(Stream1(endpoint="*:9999"))
    asyncio.run(receiver.listen())
    assert "nothing to listen to" in receiver.error


@both
def test_a_missing_library_and_a_taken_port_are_one_sentence(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    source = kind(endpoint=free_port())
    with publishing(source), pytest.raises(InputError, match="choose another port"):
        asyncio.run(source.send(SCAN))
    monkeypatch.setitem(sys.modules, "zmq", None)
    receiver = Receiver(source)
    asyncio.run(receiver.listen())
    assert receiver.state == "failed"
    assert "not installed: pip install 'ptychogui[live,packed]'." in receiver.error
    with pytest.raises(InputError, match="needs pyzmq"):
        asyncio.run(source.send(SCAN))
