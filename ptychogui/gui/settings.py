"""What the program remembers from one start to the next: recent files, layout, theme."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QSettings

RECENT = 12


@dataclass(frozen=True)
class Recent:
    """A file that was opened before, and the line that tells what is in it."""

    path: str
    line: str


def settings() -> QSettings:
    """The user's settings; in the file that the environment variable PTYCHOGUI_SETTINGS names, if it is set."""
    named = os.environ.get("PTYCHOGUI_SETTINGS")
    return QSettings(named, QSettings.Format.IniFormat) if named else QSettings("ptychogui", "ptychogui")


def recent() -> list[Recent]:
    """The files opened last, the newest first; whether they are still there is not asked: a lost disk would wait."""
    try:
        return [Recent(str(path), str(line)) for path, line in json.loads(str(settings().value("recent", "[]")))]
    except (ValueError, TypeError):
        return []


def remember(path: str, line: str) -> None:
    """Put a file at the top of the recent ones."""
    path = str(Path(path).absolute())
    _keep([Recent(path, line), *(entry for entry in recent() if entry.path != path)][:RECENT])


def drop(path: str) -> None:
    """Take a file that could not be opened off the list."""
    _keep([entry for entry in recent() if entry.path != str(Path(path).absolute())])


def _keep(entries: list[Recent]) -> None:
    settings().setValue("recent", json.dumps([(entry.path, entry.line) for entry in entries]))


def forget() -> None:
    """Empty the list of recent files."""
    settings().remove("recent")
