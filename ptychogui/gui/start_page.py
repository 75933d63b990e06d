"""The first page: a zone to drop a file on, recent files, samples that reconstruct in seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QStandardPaths, Qt, pyqtSignal
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ptychogui.gui import settings, theme
from ptychogui.gui.tasks import Tasks

SIGN_PX, WIDEST_PX = 56, 1160


@dataclass(frozen=True)
class Sample:
    """A recipe of `engine.simulate`, in words."""

    recipe: str
    title: str
    line: str


SAMPLES = (
    Sample("siemens-far", "Siemens star", "X-ray, far field, focused beam"),
    Sample("siemens-near", "Siemens star, near field", "X-ray holograms in a cone beam"),
    Sample("two-modes", "Partly coherent beam", "X-ray, far field, two probe modes"),
    Sample("electron", "Electron scan (4D-STEM)", "Electrons, defocused convergent probe"),
)


def sample_file(recipe: str) -> str:
    """The sample's data file, which is simulated the first time; runs in a thread."""
    from ptychogui import io
    from ptychogui.engine.simulate import recipes, simulate

    folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.CacheLocation)) / "samples"
    path = folder / f"{recipe}.cxi"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        io.write(simulate(recipes()[recipe]()), path)
    return str(path)


class Card(QPushButton):
    """A button with a title and a line beneath it."""

    def __init__(self, name: str, title: str, line: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("card", True)
        self.setAccessibleName(title)
        self.setToolTip(f"{title}: {line}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(2)
        self.setMinimumHeight(54)
        for text, role in ((title, "heading"), (line, "dim")):
            label = QLabel(text, self)
            label.setProperty("role", role)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)
        self.line = label


def _gone(recent: Iterable[settings.Recent]) -> set[str]:
    """The files that are not where they were; looked for in a thread, as a lost disk lets one wait."""
    return {entry.path for entry in recent if not Path(entry.path).exists()}


class StartPage(QScrollArea):
    """What the window shows while nothing is open."""

    file_wanted = pyqtSignal(str)
    sample_wanted = pyqtSignal(str)
    dialog_wanted = pyqtSignal()
    live_wanted = pyqtSignal()

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.setObjectName("start_page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        page = QWidget(self)
        outer = QHBoxLayout(page)
        middle = QWidget(page)
        middle.setMaximumWidth(WIDEST_PX)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        outer.addStretch(1)
        outer.addWidget(middle, 6)
        outer.addStretch(1)
        column.addStretch(1)
        column.addLayout(self._heading(page))
        column.addSpacing(8)
        column.addWidget(self._drop_zone(page))
        column.addSpacing(8)
        lists = QHBoxLayout()
        lists.setSpacing(24)
        self._recent = self._list(lists, "Recent files", page)
        samples = self._list(lists, "Samples", page)
        for sample in SAMPLES:
            card = Card(f"sample_{sample.recipe}", sample.title, sample.line, page)
            card.clicked.connect(lambda _, recipe=sample.recipe: self.sample_wanted.emit(recipe))
            samples.addWidget(card)
        column.addLayout(lists)
        column.addStretch(2)
        self.setWidget(page)

    def _heading(self, page: QWidget) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        picture = QLabel(page)
        picture.setPixmap(theme.sign().pixmap(SIGN_PX))
        grid.addWidget(picture, 0, 0, 2, 1)
        grid.addWidget(_label("ptychogui", "title", page), 0, 1)
        grid.addWidget(_label("From a ptychographic scan to a picture.", "dim", page), 1, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _drop_zone(self, page: QWidget) -> QFrame:
        self._zone = zone = QFrame(page)
        zone.setObjectName("drop_zone")
        zone.setMinimumHeight(190)
        inside = QVBoxLayout(zone)
        inside.setSpacing(10)
        buttons = QHBoxLayout()
        for name, text, tip, wanted in (
            ("open_button", "Open…", "Choose a scan or a result", self.dialog_wanted),
            ("live_button", "Live source…", "Follow a scan while it is measured", self.live_wanted),
        ):
            button = QPushButton(text, zone)
            button.setObjectName(name)
            button.setToolTip(tip)
            button.setProperty("primary", name == "open_button")
            button.clicked.connect(wanted)
            buttons.addWidget(button)
        inside.addStretch(1)
        for text, role in (
            ("Drop a scan, a result or a project here", "heading"),
            ("CXI, NXcxi_ptycho, any other HDF5, MATLAB, NPZ, NPY, TIFF with positions", "dim"),
        ):
            inside.addWidget(_label(text, role, zone), 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addLayout(buttons)
        inside.setAlignment(buttons, Qt.AlignmentFlag.AlignHCenter)
        inside.addStretch(1)
        return zone

    def _list(self, lists: QHBoxLayout, title: str, page: QWidget) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(_label(title, "heading", page))
        cards = QVBoxLayout()
        cards.setSpacing(8)
        column.addLayout(cards)
        column.addStretch(1)
        lists.addLayout(column, 1)
        return cards

    def show_drag(self, over: bool) -> None:
        """Light the zone up while a file is held over the window."""
        self._zone.setProperty("over", over)
        style = self._zone.style()
        if style is not None:
            style.polish(self._zone)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Look up the recent files anew whenever the page appears."""
        recent = settings.recent()[:5]
        self.show_recent(recent)
        self._tasks.run(partial(_gone, recent), self._mark, lambda *_: None)
        super().showEvent(event)

    def _mark(self, gone: set[str]) -> None:
        """Say of which files nothing is left where they were."""
        for i in range(self._recent.count()):
            card = item.widget() if (item := self._recent.itemAt(i)) is not None else None
            if isinstance(card, Card) and card.toolTip() in gone:
                card.line.setText("moved or deleted")

    def show_recent(self, recent: Iterable[settings.Recent]) -> None:
        """Fill the list of recent files."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        page = self.widget()
        assert page is not None
        for entry in recent:
            card = Card("recent_file", Path(entry.path).name, entry.line, page)
            card.setToolTip(entry.path)
            card.clicked.connect(lambda _, path=entry.path: self.file_wanted.emit(path))
            self._recent.addWidget(card)
        if self._recent.count() == 0:
            self._recent.addWidget(_label("Nothing was opened yet. Try a sample.", "dim", page))


def _label(text: str, role: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("role", role)
    return label
