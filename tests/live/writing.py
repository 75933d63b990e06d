"""Another process that writes what it is told, as an instrument would; and waiting until something is so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_LOOP = """
import asyncio, json, sys, time
import h5py
import numpy as np
from pathlib import Path
from ptychogui import io
from ptychogui.io.data import Data

from ptychogui.live.replayed import Replayed
from ptychogui.live.swmr import Swmr
scan = io.read(Data(path=sys.argv[1]))
def send(source, **more):
    asyncio.run(source.send(Replayed(scan, **more)))
print('"ready"', flush=True)
for line in sys.stdin:
    exec(json.loads(line))
    print('"done"', flush=True)
"""


class Writer:
    """A process that has read a scan and runs lines of Python; `send(source, **replayed)` replays the scan."""

    def __init__(self, scan: Path) -> None:
        quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LOOP, str(scan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=quiet,
        )
        self._answer()

    def run(self, code: str) -> None:
        """Run some lines, to their end."""
        self.begin(code)
        self._answer()

    def begin(self, code: str) -> None:
        """Run some lines, and go on here meanwhile."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the process has ended"


def until(asked: Callable[[], object], limit_s: float = 30.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + limit_s
    while not asked():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
