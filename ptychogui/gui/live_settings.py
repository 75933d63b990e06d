"""What is listened to, and what becomes of the frames: the form of the live dock, kept from one start to the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from PyQt6.QtCore import QStandardPaths

from ptychogui.gui.choice import label_of
from ptychogui.gui.settings import settings
from ptychogui.live import AnySource
from ptychogui.live.replay import Replay
from ptychogui.live.source import Source
from ptychogui.params import ESSENTIAL, FOLDER, LIVE, InputError, Params, Positive, entries

_KEY = "live"


class Listening(Params):
    """A source, and what becomes of its frames."""

    source: AnySource = Replay()
    """Where the frames come from."""
    save_frames: Annotated[bool, LIVE, ESSENTIAL] = False
    """Save the frames of every scan to a CXI file while they come. One that is being written is finished in any case;
    without a file the frames are gone when the program ends."""
    folder: Annotated[str, FOLDER, ESSENTIAL] = ""
    """Where frames and results are saved; empty: in 'ptychogui live' among your documents."""
    largest_count: Annotated[Positive | None, LIVE] = None
    """The count at which a pixel of the detector is saturated; empty: the largest that its numbers can hold."""

    @property
    def place(self) -> Path:
        """The folder for frames and results."""
        if self.folder:
            return Path(self.folder).expanduser().absolute()
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        return Path(documents or Path.home()) / "ptychogui live"


def why_unready(source: Source) -> str:
    """Why nobody can listen to a source as it is filled in; '' where one can try."""
    for entry in entries(type(source)):
        if "essential" in entry.marks and getattr(source, entry.name) == "":
            return f"Fill in the field {label_of(entry.name)} of the source first"
    return ""


def last_listening() -> Listening:
    """What was listened to last; the defaults where this is not known, or not understood any more."""
    try:
        return Listening.read(json.loads(str(settings().value(_KEY, "{}"))))
    except (ValueError, TypeError, InputError):
        return Listening()


def keep_listening(listening: Listening) -> None:
    """Remember it for the next start."""
    settings().setValue(_KEY, json.dumps(listening.plain()))
