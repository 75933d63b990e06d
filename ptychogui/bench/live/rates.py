"""How many frames a second a source takes in from another process, and how long the window would wait meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ptychogui.bench.live.places import here, kind_of
from ptychogui.bench.live.sender import Sender
from ptychogui.live.receiver import Receiver
from ptychogui.live.source import Source
from ptychogui.params import InputError

_GOALS = {"swmr": 4000, "pva": 3000, "dectris": 15_000, "stream1": 15_000}
"""Frames a second."""
_TICK_S, _QUIET_S = 0.005, 20.0
_ATTEMPTS, _GENTLER = 4, 0.8
"""Where frames were lost, it is tried so often again, at this part of the rate that was taken in."""


def rows(sources: list[type[Source]], frames: int) -> Iterator[dict[str, Any]]:
    """A row for each source, as plain data."""
    for cls in sources:
        row, rate = _row(cls, frames, 0.0), 0.0
        for _ in range(_ATTEMPTS - 1):
            if row["why"] or not row["lost"]:
                break
            rate = _GENTLER * row["rate"]
            row = _row(cls, frames, rate)
        yield {"source": kind_of(cls), "goal": _GOALS.get(kind_of(cls)), **row}


def _row(cls: type[Source], frames: int, rate: float) -> dict[str, Any]:
    """A flood of frames of 128² at a rate, or as fast as it goes; `why` says why there was none."""
    with TemporaryDirectory() as folder:
        source = here(cls, Path(folder))
        receiver = Receiver(source)
        try:
            with Sender(source, frames) as sender:
                receiver.start()
                sender.send(rate)
                return _taken(receiver, sender, frames) | {"sent_at": rate or None}
        except InputError as error:
            return {"why": str(error)}
        finally:
            receiver.stop()


def _taken(receiver: Receiver, sender: Sender, frames: int) -> dict[str, Any]:
    """Tick as a window would until the scan is over, and look at the counters with every tick."""
    begun = last = tick = time.perf_counter()
    received, gap_s, busy_s = 0, 0.0, time.process_time()
    while received < frames and time.perf_counter() - last < _QUIET_S:
        time.sleep(_TICK_S)
        now, scan = time.perf_counter(), receiver.scan
        if why := receiver.error or (sender.failure if not received else ""):
            raise InputError(why)
        count = scan.counters.received if scan is not None else 0
        if not received:
            begun, busy_s = tick, time.process_time()  # the time before the first frame is not that of receiving
        elif count == received and scan is not None and scan.ended:
            break
        else:
            gap_s = max(gap_s, now - tick)
        if count > received:
            last = now
        received, tick = count, now
    seconds, cpu_s = max(last - begun, _TICK_S), max(time.process_time() - busy_s, _TICK_S)
    return {
        "why": "",
        "rate": round(received / seconds),
        "lost": frames - received,
        "gap_ms": round(1e3 * gap_s, 1),
        "per_cpu_s": round(received / cpu_s),
        "seconds": round(seconds, 2),
    }


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as text."""
    lines = [
        "128² uint16 from another process; the largest gap of a clock of 5 ms is to be below 50 ms; the last column is",
        "frames a second of the receiver's own processor time, which a busy machine changes less",
        f"{'source':<10}{'frames/s':>10}{'goal':>8}{'lost':>7}{'gap ms':>8}{'a CPU s':>9}",
    ]
    for row in rows:
        if row["why"]:
            lines.append(f"{row['source']:<10}{row['why']}")
            continue
        sent = f"   sent at {row['sent_at']:.0f} a second" if row["sent_at"] else ""
        lines.append(
            f"{row['source']:<10}{row['rate']:>10}{row['goal'] or '':>8}{row['lost']:>7}{row['gap_ms']:>8}"
            f"{row['per_cpu_s']:>9}{sent}"
        )
    return lines
