"""What lies in the folders of this machine, of the kinds that can be opened; read in threads."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PyQt6.QtCore import QDir

from ptychogui.gui import settings
from ptychogui.gui.project_file import SUFFIX
from ptychogui.io.outline import is_candidate
from ptychogui.params import InputError

MOST = 2000
"""Entries of one folder that are listed."""
MOST_FOUND = 200
_MOST_LOOKED_AT = 50_000
_RECENT_FOLDERS = 4


@dataclass(frozen=True)
class Entry:
    """A folder, or a file that may be one to open."""

    path: str
    is_folder: bool
    size_bytes: int = 0
    written_s: float = 0.0

    @property
    def name(self) -> str:
        """The last part of the path; the whole of it for a drive."""
        return Path(self.path).name or self.path

    @property
    def line(self) -> str:
        """Date and size."""
        day = time.strftime("%d %b %Y", time.localtime(self.written_s)).lstrip("0")
        return f"{day}, {size_text(self.size_bytes)}"


def size_text(size_bytes: float) -> str:
    """A size as people write it."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"


def roots() -> list[str]:
    """Where looking begins: the folders of the files opened last, home, and the whole machine."""
    drives = [drive.absoluteFilePath() for drive in QDir.drives()]
    return list(dict.fromkeys([*recent_folders(), str(Path.home()), *drives]))


def listed(folder: str) -> list[Entry]:
    """The folders, then the files that may be opened, in the order of people. Raises `InputError` without access."""
    try:
        with os.scandir(folder) as entries:
            found = [made for entry in entries if (made := _entry(entry)) is not None]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.") from error
    return sorted(found, key=lambda entry: (not entry.is_folder, natural(entry.name)))[:MOST]


def _entry(entry: os.DirEntry[str]) -> Entry | None:
    """An entry of a folder; None for what is hidden, of another kind, or gone by now."""
    if entry.name.startswith("."):
        return None
    try:
        if entry.is_dir():
            return Entry(entry.path, True)
        if not is_candidate(entry.name) and not entry.name.endswith(SUFFIX):
            return None
        about = entry.stat()
    except OSError:
        return None
    return Entry(entry.path, False, about.st_size, about.st_mtime)


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that puts scan_9 before scan_10."""
    return [(1, int(part), "") if part.isdigit() else (0, 0, part.lower()) for part in re.split(r"(\d+)", name)]


def recent_folders() -> list[str]:
    """The folders of the files that were opened last."""
    return list(dict.fromkeys(str(Path(entry.path).parent) for entry in settings.recent()))[:_RECENT_FOLDERS]


def found(folders: list[str], words: list[str], stop: threading.Event) -> list[Entry]:
    """The files in and beneath folders whose names have every word, the nearest first, at most so many.

    Ends early when told to.
    """
    fitting = (entry for entry in _beneath(folders, stop) if all(word in entry.name.lower() for word in words))
    return list(dict.fromkeys(islice(fitting, MOST_FOUND)))


def _beneath(folders: list[str], stop: threading.Event) -> Iterator[Entry]:
    waiting, looked_at = list(folders), 0
    for place in waiting:
        if stop.is_set() or looked_at > _MOST_LOOKED_AT:
            return
        try:
            entries = listed(place)
        except InputError:
            continue
        looked_at += len(entries)
        waiting += [entry.path for entry in entries if entry.is_folder and not Path(entry.path).is_symlink()]
        yield from (entry for entry in entries if not entry.is_folder)
