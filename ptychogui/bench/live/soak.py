"""`ptychogui live` for a long time: small scans one after the other, each sent when the one before is a result."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from ptychogui.bench.live.places import here, kind_of
from ptychogui.bench.live.sender import Sender, environment
from ptychogui.live.source import Source
from ptychogui.params import InputError

_RATE = 200.0
_STUCK_S = 120.0
"""A scan that has become nothing for so long never will."""
_WARM = 3
"""From so many scans on, memory and handles are to stay as they are."""
_JOB = ("--epochs", "6", "--device", "cpu", "--set", "start.find_defocus=false")
_SCAN = {"frames": 60, "shape": (48, 64), "probe_px": 16.0}
_HELD = ("rss_MB", "threads", "files", "sockets")
"""What is looked at, after so many scans and at the end."""


def rows(sources: list[type[Source]], minutes: float) -> Iterator[dict[str, Any]]:
    """A row for each source, as plain data; they share the time."""
    from ptychogui import io
    from ptychogui.engine.simulate import recipes, simulate

    with TemporaryDirectory() as folder:
        scan = Path(folder) / "scan.cxi"
        io.write(simulate(recipes()["siemens-far"].read(_SCAN)), scan)
        for cls in sources:
            yield {"source": kind_of(cls), **_soaked(cls, scan, 60 * minutes / len(sources))}


def _soaked(cls: type[Source], scan: Path, seconds: float) -> dict[str, Any]:
    """Scans until the time is over; `why` says why there were none, or no more."""
    with TemporaryDirectory() as folder:
        source = here(cls, Path(folder))
        output = Path(folder) / "result.h5"
        command = [sys.executable, "-m", "ptychogui.cli", "live", source.address, "-o", str(output), "--scans", "0"]
        live = subprocess.Popen(
            [*command, "--json", *_JOB], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
        )
        try:
            with Sender(source, scan) as sender:
                return _repeated(sender, live, seconds)
        except InputError as error:
            return {"why": str(error)}
        finally:
            live.kill()
            live.communicate()


def _repeated(sender: Sender, live: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
    results, process = _lines_of(live), psutil.Process(live.pid)
    found: dict[str, Any] = {"scans": 0, "received": 0, "not_clean": 0, "why": ""}
    end = time.monotonic() + seconds
    while found["scans"] <= _WARM or time.monotonic() < end:
        sender.send(_RATE)
        try:
            said = json.loads(results.get(timeout=_STUCK_S))
        except queue.Empty:
            found["why"] = sender.failure or f"Scan {found['scans'] + 1} has become no result in {_STUCK_S:g} s."
            break
        Path(said["output"]).unlink()
        found["scans"] += 1
        found["received"] += said["received"]
        found["not_clean"] += any(said[name] for name in ("missing", "doubled", "refused", "lost"))
        if found["scans"] >= _WARM:
            found["last"] = _held(process)
            found.setdefault("first", found["last"])
    return found


def _lines_of(live: subprocess.Popen[bytes]) -> queue.Queue[bytes]:
    """What the process writes, line by line, put there by a thread that ends with it."""
    lines: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        for line in live.stdout or ():
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _held(process: psutil.Process) -> dict[str, float]:
    """What a process holds: memory, threads, files and connections."""
    with process.oneshot():
        return {
            "rss_MB": round(process.memory_info().rss / 2**20, 1),
            "threads": process.num_threads(),
            "files": process.num_fds() if hasattr(process, "num_fds") else len(process.open_files()),
            "sockets": len(process.net_connections()),
        }


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as text."""
    lines = [f"{'source':<10}{'scans':>7}{'frames':>8}{'not clean':>11}" + "".join(f"{name:>16}" for name in _HELD)]
    for row in rows:
        counted = (
            f"{row.get(name, ''):>{width}}" for name, width in (("scans", 7), ("received", 8), ("not_clean", 11))
        )
        held = (f"{row['first'][name]:g} → {row['last'][name]:g}" for name in _HELD) if "last" in row else ()
        lines.append(f"{row['source']:<10}{''.join(counted)}{''.join(f'{text:>16}' for text in held)}  {row['why']}")
    return lines
