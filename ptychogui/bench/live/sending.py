"""What the process of a sender does: reads rates, a line each, and sends a scan at each of them."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui import io
from ptychogui.geometry import Geometry
from ptychogui.io.data import Data
from ptychogui.live import source_of
from ptychogui.live.events import Numbers
from ptychogui.live.packed import packed
from ptychogui.live.replayed import Replayed
from ptychogui.live.source import Source
from ptychogui.live.zmq_socket import Inlet, outlets, tcp
from ptychogui.live.zmq_source import ZmqSource
from ptychogui.params import InputError
from ptychogui.types import ChosenFrames, Dataset, Scan

_SIDE_PX, _KINDS = 128, 64
"""A flood has frames of so many pixels, and so many different ones."""
_COUNTS, _VARIANCE_PX2 = 2000.0, 150.0


class Flood(Replayed):
    """Frames that are whole counts already, so that sending them costs as little as it can."""

    def counts(self, numbers: Numbers) -> NDArray[Any]:
        """Frames (b, ny, nx)."""
        return self.dataset.frames[numbers]


def flood(count: int) -> Flood:
    """So many frames of 128² uint16 with a bright middle, at random positions."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:_SIDE_PX, :_SIDE_PX]
    mean = _COUNTS * np.exp(-((y - 60) ** 2 + (x - 70) ** 2) / (2 * _VARIANCE_PX2)) + 0.1
    frames = ChosenFrames(rng.poisson(mean, (_KINDS, *mean.shape)).astype(np.uint16), np.arange(count) % _KINDS)
    optics = Geometry(mean.shape, wavelength_m=1e-10, distance_m=1.0, detector_pixel_m=(75e-6, 75e-6))
    return Flood(Dataset(frames, np.ones(mean.shape, np.bool_), Scan(rng.uniform(-1e-6, 1e-6, (count, 2))), optics))


async def _send(source: Source, scan: Replayed) -> None:
    """Send a scan; a flood is packed before, as a detector packs in hardware what a processor takes long for."""
    if not isinstance(source, ZmqSource) or not isinstance(scan, Flood) or scan.rate:
        await source.send(scan)
        return
    series = time.time_ns() // 10**6
    every = packed(scan.counts(np.arange(_KINDS)), source.packing)
    messages = [source.image(series, number, every[number % _KINDS], scan) for number in range(len(scan))]
    async with outlets([Inlet(tcp(source.endpoint), source.pattern)], source.queue) as out:
        await out.subscribed()
        await out.send(0, [source.start(scan, series), *messages, source.end(series)])


def main(address: str, scan: str) -> int:
    """Send the scan of a file, or a flood of so many frames, at the rates that stand in the input."""
    try:
        source = source_of(address)
        once = flood(int(scan)) if scan.isdigit() else Replayed(io.read(Data(path=scan)))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for line in sys.stdin:
            asyncio.run(_send(source, replace(once, rate=float(line))))
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
