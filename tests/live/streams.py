"""A scan that is sent by ZeroMQ, whole or message by message, and what comes of it."""

from __future__ import annotations

import dataclasses
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from ptychogui.geometry import Geometry
from ptychogui.live.buffer import Buffer
from ptychogui.live.packed import packed
from ptychogui.live.receiver import Receiver
from ptychogui.live.replayed import Replayed
from ptychogui.live.zmq_source import ZmqSource
from ptychogui.types import Dataset, Scan

SHAPE, COUNT = (20, 28), 40
rng = np.random.default_rng(11)
_Y, _X = np.mgrid[: SHAPE[0], : SHAPE[1]]
FRAMES = rng.poisson(300 * np.exp(-((_Y - 8) ** 2 + (_X - 17) ** 2) / 30), (COUNT, *SHAPE)).astype(np.float32)
WHERE = np.cumsum(rng.normal(0.3, 0.8, (COUNT, 2)), axis=0) * 1e-6
MASK = np.ones(SHAPE, np.bool_)
MASK[3, 5:9] = False
OPTICS = Geometry(SHAPE, wavelength_m=1.234e-10, distance_m=1.71, detector_pixel_m=(75e-6, 75e-6))
DATASET = Dataset(FRAMES, MASK, Scan(WHERE), OPTICS)
SCAN = Replayed(DATASET)


def free_port() -> str:
    """An address on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


def until(asked: Callable[[], object], limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    while not asked():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def listening(source: ZmqSource) -> Iterator[Receiver]:
    """A receiver of the source, connected or about to be."""
    receiver = Receiver(source)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()
    assert not receiver.error


class Publisher:
    """Messages made by hand, to one who has subscribed."""

    def __init__(self, address: str) -> None:
        import zmq

        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.XPUB)
        self._socket.bind(f"tcp://{address}")

    def subscribed(self) -> None:
        assert self._socket.poll(10_000)
        self._socket.recv()

    def send(self, *messages: list[bytes]) -> None:
        for parts in messages:
            self._socket.send_multipart(parts)

    def close(self) -> None:
        self._context.destroy(linger=2000)


@contextmanager
def publishing(source: ZmqSource) -> Iterator[tuple[Publisher, Receiver]]:
    """A publisher at the source's address, and a receiver that has subscribed to it."""
    publisher = Publisher(source.endpoint)
    try:
        with listening(source) as receiver:
            publisher.subscribed()
            yield publisher, receiver
    finally:
        publisher.close()


def images(source: ZmqSource, series: int, *numbers: int, scan: Replayed = SCAN) -> list[list[bytes]]:
    """The messages of some frames."""
    some = np.array(numbers)
    chunks = packed(scan.counts(some), source.packing)
    return [source.image(series, number, data, scan) for number, data in zip(numbers, chunks)]


def counted(scan: Buffer) -> dict[str, int]:
    """All counters that are not 0."""
    said = dataclasses.asdict(dataclasses.replace(scan.counters, rate=0.0, age_s=0.0))
    return {name: value for name, value in said.items() if value}


def sentences(receiver: Receiver, *, wrong: bool = True) -> str:
    """All that was said to be wrong, or not wrong."""
    return "\n".join(sentence for _, sentence, is_wrong in receiver.said if is_wrong == wrong)


def check(scan: Buffer, numbers: np.ndarray | None = None) -> None:
    """The frames and positions of a scan, bit for bit."""
    wanted = np.arange(COUNT) if numbers is None else numbers
    np.testing.assert_array_equal(np.sort(scan.arrived), np.sort(wanted))
    np.testing.assert_array_equal(scan[scan.arrived], FRAMES[scan.arrived])
    np.testing.assert_array_equal(scan.positions(scan.arrived), WHERE[scan.arrived])
