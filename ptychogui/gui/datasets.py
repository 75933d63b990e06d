"""What is in the files: their trees of arrays, and which array is what."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ptychogui.gui.opened import Opened
from ptychogui.io.mapping import Mapping

if TYPE_CHECKING:
    from ptychogui.gui.window import Window

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


class Datasets(QObject):
    """Opens the dialogs that look into files; asks for the layout of a file that is not known."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
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

    def _change(self, opened: Opened, asked: Mapping) -> None:
        data = opened.job.data.model_copy(update={"mapping": asked})
        self._session.edit(opened.job.model_copy(update={"data": data}), of=opened, what="choice of datasets")

    def ask(self, path: str) -> None:
        """Ask which dataset of a file is what, then open it."""
        self._ask(path, None, partial(self._session.open, path))

    def _ask(self, path: str, asked: Mapping | None, take: Callable[[Mapping], object]) -> None:
        from ptychogui.gui.mapping_dialog import MappingDialog

        MappingDialog(self._session.tasks, path, asked, take, self._window).open()
