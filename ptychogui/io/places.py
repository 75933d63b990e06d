"""Where the program keeps what belongs to a person and to no data file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

NAME = "ptychogui"


def config_folder() -> Path:
    """The folder for what a person has set, such as mappings of file layouts; it may not be there yet."""
    return _folder("XDG_CONFIG_HOME", "APPDATA", ".config")


def state_folder() -> Path:
    """The folder for what the program keeps from one start to the next, such as its autosaves; likewise."""
    return _folder("XDG_STATE_HOME", "LOCALAPPDATA", ".local/state")


def _folder(xdg: str, windows: str, usual: str) -> Path:
    named = os.environ.get(xdg) or (os.environ.get(windows) if sys.platform == "win32" else None)
    if named:
        return Path(named) / NAME
    return Path.home() / ("Library/Application Support" if sys.platform == "darwin" else usual) / NAME
