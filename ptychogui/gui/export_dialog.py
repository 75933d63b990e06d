"""Exporting: tick what is wanted, see the names of the files, choose the folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui import dialogs
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.session import Session
from ptychogui.gui.settings import settings
from ptychogui.gui.views.colours import HUES, Pixels, hue_and_brightness, mapped
from ptychogui.gui.views.legend import end_texts
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.io.export import FORMATS, USUAL, export, planned
from ptychogui.io.figure import Colours, Figure
from ptychogui.reproduce import Recipe

if TYPE_CHECKING:
    from ptychogui.gui.workspace import Workspace

_FIRST = ("object_phase", "object_amplitude", "probe")
"""The views whose pictures are ticked at first."""


class ExportDialog(QDialog):
    """What is written of a result: formats, pictures as they are on the screen, folder."""

    def __init__(
        self, session: Session, opened: Opened, run: Run, workspace: Workspace, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session, self._opened, self._run = session, opened, run
        past = session.history.shown
        self._result = past or run.noted
        self.title = run.name if past is None else f"{run.name}, epoch {len(past.loss)}"
        """The state on show is what is written, as its pictures are."""
        self.setWindowTitle(f"Export {self.title}")
        self._figures = figures_on_show(workspace)
        self._folder: Path | None = None
        kept = str(settings().value("export_formats", ",".join((*USUAL, "report")))).split(",")
        self.formats = {name: self._tick(f"format_{name}", text, name in kept) for name, text in FORMATS.items()}
        self.pictures = {
            figure.name: self._tick(f"picture_{figure.name}", figure.title, figure.name.startswith(_FIRST))
            for figure in self._figures
        }
        self.folder = QLineEdit(str(self._proposed()), self)
        self.folder.setObjectName("export_folder")
        self.folder.setAccessibleName("Folder")
        self.folder.setToolTip("The folder for the files; it is made where it is missing")
        self.names = QListWidget(self)
        self.names.setObjectName("export_names")
        self.names.setAccessibleName("Files")
        self.names.setToolTip("The files that Export writes")
        self.count = QLabel(self)
        self.count.setProperty("role", "dim")
        self.export_button = QPushButton("Export", self)
        self.export_button.setProperty("primary", True)
        self.export_button.setToolTip("Write the files")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.export_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._lay_out(buttons)
        for tick in (*self.formats.values(), *self.pictures.values()):
            tick.toggled.connect(self._show_names)
        self.folder.textChanged.connect(self._show_names)
        self._show_names()
        self.resize(860, 560)

    def _tick(self, name: str, text: str, on: bool) -> QCheckBox:
        tick = QCheckBox(text, self)
        tick.setObjectName(name)
        tick.setToolTip(text)
        tick.setChecked(on)
        return tick

    def _lay_out(self, buttons: QDialogButtonBox) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        for title, ticks, inside in (
            ("What", self.formats, left),
            ("Pictures for PNG, SVG and report, as they are on the screen now", self.pictures, left),
        ):
            box = QGroupBox(title, self)
            column = QVBoxLayout(box)
            for tick in ticks.values():
                column.addWidget(tick)
            inside.addWidget(box)
        left.addStretch(1)
        right.addWidget(QLabel("Files", self))
        right.addWidget(self.names, 1)
        right.addWidget(self.count)
        row = QHBoxLayout()
        row.addLayout(left, 3)
        row.addLayout(right, 2)
        choose = QPushButton("Choose…", self)
        choose.setObjectName("choose_export_folder")
        choose.setToolTip("Choose the folder")
        choose.setAutoDefault(False)
        choose.clicked.connect(lambda _: dialogs.choose_folder(self, "Export into a folder", self.folder.setText))
        where = QGridLayout()
        where.addWidget(QLabel("Folder", self), 0, 0)
        where.addWidget(self.folder, 0, 1)
        where.addWidget(choose, 0, 2)
        column = QVBoxLayout(self)
        column.addLayout(row, 1)
        column.addLayout(where)
        column.addWidget(buttons)

    def _proposed(self) -> Path:
        """A folder beside the data that is named as the result would be."""
        beside = self._opened.result_path(self._run)
        return beside.with_name(f"{Path(self._opened.path).name.split('.')[0]}_run{self._run.number}")

    def chosen_formats(self) -> list[str]:
        """The formats that are ticked."""
        return [name for name, tick in self.formats.items() if tick.isChecked()]

    def chosen_figures(self) -> list[Figure]:
        """The pictures that are ticked."""
        return [figure for figure in self._figures if self.pictures[figure.name].isChecked()]

    def _show_names(self) -> None:
        """The files that Export would write; which of them are there already is looked up in a thread."""
        result, folder = self._result, Path(self.folder.text()).expanduser()
        files = planned(result, self.chosen_formats(), self.chosen_figures()) if result is not None else []
        names = [file.name for file in files]
        self._folder = folder
        self._mark(folder, names, set())
        self._session.tasks.run(partial(_held, folder), partial(self._mark, folder, names), lambda *_: None)
        self.export_button.setEnabled(bool(files) and bool(self.folder.text().strip()))

    def _mark(self, folder: Path, names: list[str], held: set[str]) -> None:
        """List the files, and say which of them would be replaced."""
        if folder is not self._folder:
            return
        replaced = held.intersection(names)
        self.names.clear()
        self.names.addItems([f"{name}  (replaced)" if name in replaced else name for name in names])
        self.count.setText(f"{len(names)} files" + (f", {len(replaced)} of them replaced" if replaced else ""))

    def done(self, result: int) -> None:
        """Close; what is being looked up is not waited for."""
        self._folder = None
        super().done(result)

    def accept(self) -> None:
        """Write the files, in a thread."""
        result, folder = self._result, Path(self.folder.text()).expanduser()
        formats, figures = self.chosen_formats(), self.chosen_figures()
        settings().setValue("export_formats", ",".join(formats))
        command = "" if self._run.parent else Recipe(self._run.job, "result.h5").command_line()
        if result is not None:
            write = partial(export, result, folder, formats, figures, command)
            self._session.beside(write, f"{self.title} was exported into {folder}.")
        super().accept()


def _held(folder: Path) -> set[str]:
    """The names in a folder; none where there is no such folder."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def figures_on_show(workspace: Workspace) -> list[Figure]:
    """The pictures of all views as they are on the screen: values, range, colour map."""
    found: list[Figure] = []
    for key, view in workspace.views.items():
        panels = [panel for panel in view.findChildren(ImagePanel) if panel.picture is not None]
        torn_off, name = key not in workspace.docks, key.replace(" ", "_")
        title = (view.window() if torn_off else workspace.docks[key]).windowTitle()
        for number, panel in enumerate(panels):
            which = panel.objectName() or str(number + 1)
            named = (f"{name}_{which}", f"{title}, {which}") if len(panels) > 1 else (name, title)
            found += _figure(panel, *named)
    return found


def _figure(panel: ImagePanel, name: str, title: str) -> Sequence[Figure]:
    picture, seen = panel.picture, panel.seen()
    if picture is None or seen is None:
        return ()
    pixels, (low, high), colour_map = seen
    if colour_map in HUES and np.iscomplexobj(picture.values):
        phase = np.exp(1j * np.linspace(-np.pi, np.pi, 128)).astype(np.complex64)
        bar, ends = hue_and_brightness(phase[:, None], 1.0, colour_map), ("−π", "π rad")
    else:
        bar = mapped(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 0, 1, colour_map)
        ends = end_texts(low, high, picture.unit)
    known = picture.lengths.symbol != "px"
    return (Figure(name, title, _rgb(pixels), picture.pixel, known, _rgb(bar)[:, 0], ends),)


def _rgb(pixels: Pixels) -> Colours:
    """Colours (Y, X, 3) of pixels; what is transparent is white, as paper."""
    colours = np.stack([pixels >> shift & 255 for shift in (16, 8, 0)], -1).astype(np.uint8)
    colours[pixels >> 24 == 0] = 255
    return colours
