"""What is in the files: their trees of arrays, and which array is what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QDialog

from ptychogui.gui import dialogs
from ptychogui.gui.opened import Opened
from ptychogui.io import mapping
from ptychogui.io.mapping import Mapping as Choice

if TYPE_CHECKING:
    from ptychogui.gui.mapping_dialog import Answer
    from ptychogui.gui.window import Window

DATA_NAMES = (
    "Scans, results, projects (*.cxi *.h5 *.hdf5 *.nxs *.npz *.npy *.mat *.bz2 *.gz *.tif *.tiff *.ptychoproj);;"
    "All files (*)"
)
TREES = ("CXI", "NPZ", "mapped datasets")
"""Formats whose files are trees of arrays."""


def why_no_tree(opened: Opened | None) -> str:
    """Why the selected file has no tree of arrays; '' where it has."""
    if opened is None:
        return "Open a data file first"
    if opened.dataset is None:
        return "The data are not there"
    return (
        "" if opened.dataset.format in TREES else f"A file of the format {opened.dataset.format} is no tree of arrays"
    )


def _there(places: Mapping[Opened, str]) -> dict[Opened, str]:
    """Those of the files that are where they are looked for."""
    return {opened: path for opened, path in places.items() if Path(path).exists()}


class Datasets(QObject):
    """Opens the dialogs that look into files; asks for the layout of a file that is not known."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._asking = False
        self._waiting: list[str] = []
        self._session.mapping_wanted.connect(self.ask)

    def contents(self) -> None:
        """Show the tree of the selected file."""
        opened = self._session.current
        if opened is not None:
            self.contents_of(opened.job.data.path)

    def contents_of(self, path: str) -> None:
        """Show the tree of a file."""
        from ptychogui.gui.contents_view import ContentsDialog

        ContentsDialog(self._session.tasks, path, self._window).show()

    def choose(self) -> None:
        """Change which dataset of the selected file is what; can be undone."""
        opened = self._session.current
        if opened is not None:
            data = opened.job.data
            self._ask(data.path, data.mapping, lambda asked: self._change(opened, asked))

    def _change(self, opened: Opened, asked: Choice) -> None:
        data = opened.job.data.model_copy(update={"mapping": asked})
        self._session.edit(opened.job.model_copy(update={"data": data}), of=opened, what="choice of datasets")

    def find(self) -> None:
        """Ask where the data of the selected file are now."""
        opened = self._session.current
        if opened is not None:
            name = Path(opened.job.data.path).name
            title = f"Where is {name} now?" if name else "Where are the data of this result?"
            dialogs.choose_file(self._window, title, DATA_NAMES, partial(self.found, opened))

    def found(self, opened: Opened, path: str) -> None:
        """Take the data from where they are now, and others that are missing where they moved along; can be undone."""
        old, new = Path(opened.job.data.path).absolute().parent, Path(path).absolute().parent
        self._move({opened: path})
        presence = self._session.presence
        places: dict[Opened, str] = {}
        for other in self._session.opened:
            missing = other.job.data.path
            if other is not opened and presence.is_gone(missing) and Path(missing).is_relative_to(old):
                places[other] = str(new / Path(missing).relative_to(old))
        if places:
            self._session.tasks.run(partial(_there, places), self._move, partial(self._session.tell, "error"))

    def _move(self, places: Mapping[Opened, str]) -> None:
        for opened, path in places.items():
            data = opened.job.data.model_copy(update={"path": path})
            job = opened.job.model_copy(update={"data": data})
            self._session.edit(job, of=opened, what=f"place of {Path(path).name}")

    def ask(self, path: str) -> None:
        """Ask which dataset of a file is what, then open it; other files wait, as they may be of the same layout."""
        if self._asking:
            self._waiting.append(path)
            return
        self._asking = True
        self._ask(path, None, partial(self._session.open, path)).rejected.connect(self._not_told)

    def _not_told(self) -> None:
        self._asking = False
        if self._waiting:
            count = len(self._waiting)
            self._waiting.clear()
            self._session.tell("info", f"{count} more of unknown layout {'was' if count == 1 else 'were'} not opened.")

    def _ask(self, path: str, asked: Choice | None, take: Callable[[Choice], object]) -> QDialog:
        from ptychogui.gui.mapping_dialog import MappingDialog

        dialog = MappingDialog(self._session.tasks, path, asked, partial(self._answered, take), self._window)
        dialog.open()
        return dialog

    def _answered(self, take: Callable[[Choice], object], answer: Answer) -> None:
        """Remember the answer first, so that it holds for those that wait."""

        def go_on(_: object) -> None:
            take(answer.mapping)
            waiting, self._waiting, self._asking = self._waiting, [], False
            for path in waiting:
                self._session.open(path)

        def failed(sentence: str, details: str) -> None:
            self._session.tell("warning", f"The choice is not remembered: {sentence}", details)
            go_on(None)

        keep = partial(mapping.remember, answer.nodes, answer.mapping) if answer.keep else lambda: None
        self._session.tasks.run(keep, go_on, failed)
