"""The files that are open in the window: how they are read, in threads, and which of them is selected."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from functools import partial
from pathlib import Path
from typing import Literal

from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.gui import settings
from ptychogui.gui.opened import Opened, Run, read_data, read_file
from ptychogui.gui.presence import Presence
from ptychogui.gui.preview import Preview, previews
from ptychogui.gui.tasks import Tasks
from ptychogui.io.data import Data
from ptychogui.io.mapped import UnmappedError
from ptychogui.io.mapping import Mapping
from ptychogui.job import Job
from ptychogui.types import Dataset

log = logging.getLogger(__name__)

Level = Literal["info", "warning", "error"]
LEVELS: dict[Level, int] = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def _opened(path: str, mapping: Mapping | None) -> Opened | None:
    """The file, read as its mapping says where there is one; None where its layout has to be told first."""
    try:
        if mapping is None:
            return read_file(path)
        data, dataset = read_data(Data(path=path, mapping=mapping))
        return Opened(path, Job(data=data), dataset)
    except UnmappedError:
        return None


def warm_up() -> None:
    """Import torch in a thread while the user looks at the data: it takes longer than a second."""
    first = "torch" not in sys.modules
    importlib.import_module("ptychogui.engine.problem")
    if first:  # what was imported stays: to look through it for garbage holds the window up for 0.15 s each time
        gc.freeze()


class Files(QObject):
    """The open files and the selected one; every change is told by a signal in the window's thread."""

    tree_changed = pyqtSignal()
    """A file or a run came, went, or has another state."""
    file_opened = pyqtSignal()
    """A file was read, and is selected."""
    current_changed = pyqtSignal()
    """Another file or run is selected, or its data were read anew: everything shown changes."""
    preview_changed = pyqtSignal()
    grown = pyqtSignal()
    """The selected scan, which is being measured, has more frames."""
    job_changed = pyqtSignal()
    state_changed = pyqtSignal()
    """What can be done now has changed: running, paused, reading, reasons."""
    mapping_wanted = pyqtSignal(str)
    """The layout of a file is not known: the user has to say which of its datasets is what."""
    message = pyqtSignal(str, str, str)
    """Level (info, warning, error), a sentence, details."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tasks = Tasks(self)
        self.presence = Presence(self)
        self.opening: list[str] = []
        self.opened: list[Opened] = []
        self.current: Opened | None = None
        self.current_run: Run | None = None
        self.frame = 0
        """The frame that was chosen to be looked at."""
        self.pointed: int | None = None
        """The frame under the pointer, which is looked at meanwhile."""

    @property
    def seen_frame(self) -> int:
        """The frame that is looked at now."""
        return self.frame if self.pointed is None else self.pointed

    def open(self, path: str, mapping: Mapping | None = None) -> None:
        """Read a file in a thread, as `mapping` says, and show it; one that is open already is selected."""
        for opened in self.opened:
            if Path(opened.path).absolute() == Path(path).absolute():
                self.select(opened)
                return
        if path in self.opening:
            return
        log.info("Opening %s", path)
        self.opening.append(path)
        self.tasks.run(partial(_opened, path, mapping), partial(self._add, path), partial(self._not_opened, path))
        self.state_changed.emit()

    def _not_opened(self, path: str, sentence: str, details: str) -> None:
        self.opening.remove(path)
        settings.drop(path)
        self._fail(sentence, details)

    def _add(self, path: str, opened: Opened | None) -> None:
        self.opening.remove(path)
        if opened is None:
            self.state_changed.emit()
            self.mapping_wanted.emit(path)
            return
        self.opened.append(opened)
        settings.remember(opened.path, opened.line)
        self.tree_changed.emit()
        self.select(opened, opened.runs[-1] if opened.runs else None)
        self.file_opened.emit()
        self._look_at(opened)

    def replace(self, opened: list[Opened], selected_scan: int | None, selected_run: int | None, frame: int) -> None:
        """Let other files, which were read, take the place of those that are open."""
        for old in self.opened:
            old.dataset = None
        self.opened, self.frame, self.pointed = opened, frame, None
        scan = opened[selected_scan] if selected_scan is not None and selected_scan < len(opened) else None
        runs = scan.runs if scan is not None else []
        self.current = scan
        self.current_run = runs[selected_run] if selected_run is not None and selected_run < len(runs) else None
        self.tree_changed.emit()  # a tree without a current item would choose one when it gets the keyboard
        self.select(self.current, self.current_run)
        for each in opened:
            self._look_at(each)

    def _look_at(self, opened: Opened) -> None:
        """Tell what the reader found, and begin the preview."""
        if opened.dataset is None:
            self.tell("warning", opened.problem)
            return
        log.info("%s: %s", opened.title, opened.line)
        for warning in opened.dataset.warnings:  # before the user's eyes they are in the data card
            log.warning("%s: %s", opened.title, warning)
        self.tasks.run(partial(self._preview, opened, opened.dataset), lambda _: None, self._fail)

    def _preview(self, opened: Opened, dataset: Dataset) -> None:
        """In a thread: read the frames once, telling what is known a few times a second."""
        for preview in previews(dataset):
            if self.tasks.closing or opened.dataset is not dataset:
                return
            self.tasks.post(partial(self._previewed, opened, dataset, preview))

    def _previewed(self, opened: Opened, dataset: Dataset, preview: Preview) -> None:
        if opened.dataset is dataset:
            opened.preview = preview
            if opened is self.current:
                self.preview_changed.emit()
            if preview.complete:
                self.tree_changed.emit()
                self.tasks.run(warm_up, lambda _: None, self._fail)

    def select(self, opened: Opened | None, run: Run | None = None) -> None:
        """Show a file, or one of its runs."""
        self.current, self.current_run, self.pointed = opened, run, None
        self.frame = min(self.frame, opened.dataset.frames.shape[0] - 1) if opened and opened.dataset else 0
        self.current_changed.emit()
        self.job_changed.emit()
        self.state_changed.emit()

    def read_again(self, opened: Opened) -> None:
        """Read the data of an open file anew, in a thread, as its job says now."""
        data = opened.job.data
        opened.reading = True
        self.state_changed.emit()
        done, failed = partial(self._read, opened, data), partial(self._not_read, opened, data)
        self.tasks.run(opened.reader(data), done, failed)

    def _read(self, opened: Opened, data: Data, found: tuple[Data, Dataset]) -> None:
        if opened.job.data != data or opened not in self.opened:
            return
        whole, dataset = found
        opened.job = opened.job.model_copy(update={"data": whole})
        opened.dataset, opened.preview, opened.problem, opened.reading = dataset, None, "", False
        self._look_at(opened)
        self._read_ended(opened)

    def _not_read(self, opened: Opened, data: Data, sentence: str, details: str) -> None:
        if opened.job.data == data:
            opened.problem, opened.reading = sentence, False
            self._fail(sentence, details)
            self._read_ended(opened)

    def _read_ended(self, opened: Opened) -> None:
        if opened is self.current:
            self.select(opened, self.current_run)
        self.tree_changed.emit()

    def tell(self, level: Level, sentence: str, details: str = "") -> None:
        """Into the log and before the user's eyes."""
        log.log(LEVELS[level], "%s%s", sentence, f"\n{details}" if details else "")
        self.message.emit(level, sentence, details)

    def _fail(self, sentence: str, details: str) -> None:
        self.tell("error", sentence, details)
        self.state_changed.emit()
