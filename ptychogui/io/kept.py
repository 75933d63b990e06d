"""Files that are read already: another preparation of the same frames does not unpack them again."""

from __future__ import annotations

import os
from pathlib import Path
from weakref import WeakValueDictionary

from ptychogui.io.data import Data
from ptychogui.io.raw import Raw, Reader

_READ = ("mapping", "positions", "positions_unit", "positions_columns", "scan_shape", "scan_step_m")
"""The fields that a reader may look at; the others say what the frames mean, not where they lie."""
_KEPT: WeakValueDictionary[str, Raw] = WeakValueDictionary()
"""What was read, for as long as a dataset made of it is in use."""


def raw_of(reader: Reader, path: Path, data: Data) -> Raw:
    """What the reader finds in a file; known as long as it is in use and the file on disk is the same."""
    said = {name: value for name, value in data.plain().items() if name in _READ}
    key = f"{path.absolute()} {_stamp(path)} {said}"
    raw = _KEPT.get(key)
    if raw is None:
        _KEPT[key] = raw = reader.read(path, data)
    return raw


def _stamp(path: Path) -> str:
    """Size and time of a file, or of everything in a folder."""
    with_entries = list(os.scandir(path)) if path.is_dir() else []
    states = [path.stat(), *(entry.stat() for entry in with_entries)]
    return f"{len(states)} {max(s.st_mtime_ns for s in states)} {sum(s.st_size for s in states)}"
