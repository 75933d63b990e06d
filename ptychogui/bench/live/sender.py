"""Another process that sends scans when it is asked to, as a detector would."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from ptychogui.live.source import Source
from ptychogui.params import InputError


class Sender:
    """A process that sends to a source: the scan of a file, or a flood of so many frames.

    Raises `InputError` with what the process says where it cannot begin.
    """

    def __init__(self, source: Source, scan: Path | int) -> None:
        command = [sys.executable, "-m", "ptychogui.bench.live.sending", source.address, str(scan)]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, env=environment()
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            self._process.wait()
            raise InputError(self.failure)

    def send(self, rate: float) -> None:
        """Begin to send the scan once, with so many frames a second, or as fast as it goes; does not wait."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{rate}\n".encode())
        self._process.stdin.flush()

    @property
    def failure(self) -> str:
        """What the process said last, where it has ended."""
        if self._process.poll() is None:
            return ""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"The sender ended with {self._process.returncode}."

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()


def environment() -> dict[str, str]:
    """That of a process that does not take more than one processor from those beside it."""
    return {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"} | dict(os.environ)
