"""ptychogui: from a ptychographic scan to a picture. Importing it imports neither Qt nor torch.

`data = read("scan.cxi"); result = run(Job(), data)`, or `for iterate in iterate(job, data): …`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Spinning OpenMP waits cost a factor of 25 beside a busy neighbour; read once, when torch loads its runtime.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from ptychogui.io import export, read_result, write, write_result
    from ptychogui.job import Job, iterate, run, snapshots
    from ptychogui.types import Dataset

__all__ = ["Job", "export", "iterate", "read", "read_result", "run", "snapshots", "write", "write_result"]


def read(path: str | Path, **values: Any) -> Dataset:
    """Read and prepare a scan; `values` are fields of `ptychogui.io.data.Data`, as `energy_eV=8700`.

    Raises `ptychogui.params.InputError` with one sentence where the file or a value is wrong.
    """
    from ptychogui import io
    from ptychogui.io.data import Data

    return io.read(Data.read({"path": str(path), **values}))


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'ptychogui' has no attribute '{name}'")
    from ptychogui import io, job

    return getattr(job, name, None) or getattr(io, name)
