"""The states that were kept of a run as a film strip, and a slider that goes through them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon, QPixmap, QResizeEvent
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui import thumbnails
from ptychogui.gui.views.base import View
from ptychogui.io.picture import scanned_area
from ptychogui.types import UNLIT, Complex, Result

ICON_PX = 72
HINT = "The states on the way of a run are kept here while it goes on: look back, and branch off from any of them."


class HistoryView(View):
    """Sends which state is wanted; the last place of the slider is the latest state."""

    place_chosen = pyqtSignal(object)
    """The number of a kept state, None for the latest."""
    branch_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._iterates: list[Result] = []
        self._place: int | None = None
        self._why_no_branch = ""
        self._latest = _blank()
        self.strip = QListWidget(self)
        self.strip.setObjectName("history_strip")
        self.strip.setToolTip("The kept states of the run: select one to see it in every view")
        self.strip.setViewMode(QListView.ViewMode.IconMode)
        self.strip.setFlow(QListView.Flow.LeftToRight)
        self.strip.setWrapping(False)
        self.strip.setMovement(QListView.Movement.Static)
        self.strip.setIconSize(QSize(ICON_PX, ICON_PX))
        self.strip.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.strip.setAccessibleName("States of the run")
        self.strip.currentRowChanged.connect(self._choose)
        self.hint = QLabel(HINT, self)
        self.hint.setProperty("role", "dim")
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("history_slider")
        self.slider.setAccessibleName("State of the run")
        self.slider.setToolTip("Go through the kept states of the run")
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(self._choose)
        self.said = QLabel(self)
        self.said.setObjectName("history_text")
        self.said.setProperty("role", "dim")
        self.branch = QPushButton("Continue from here", self)
        self.branch.setObjectName("history_branch")
        self.branch.clicked.connect(lambda _: self.branch_wanted.emit())
        row = QHBoxLayout()
        row.setContentsMargins(6, 2, 4, 2)
        row.setSpacing(10)
        row.addWidget(self.slider, 1)
        row.addWidget(self.said)
        row.addWidget(self.branch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.hint, 1)
        layout.addWidget(self.strip, 1)
        layout.addLayout(row)
        self.draw()

    def show_iterates(self, iterates: Sequence[Result], place: int | None, why_no_branch: str) -> None:
        """Show these states, of which the one at `place` is on show, or the latest."""
        self._iterates, self._place, self._why_no_branch = list(iterates), place, why_no_branch
        self.draw_if_seen()

    def _choose(self, place: int) -> None:
        self.place_chosen.emit(place if 0 <= place < len(self._iterates) else None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """What is on show stays in sight."""
        super().resizeEvent(event)
        self.strip.scrollToItem(self.strip.currentItem())

    def fit(self) -> None:
        """The strip fits itself."""

    def draw(self) -> None:
        """Show the strip and where in it the slider stands."""
        count = len(self._iterates)
        at = count if self._place is None else self._place
        for widget in (self.strip, self.slider):
            widget.blockSignals(True)
        self._fill_strip()
        self.strip.setCurrentRow(at)
        self.slider.setRange(0, count)
        self.slider.setValue(at)
        for widget in (self.strip, self.slider):
            widget.blockSignals(False)
        self.strip.setVisible(bool(count))
        self.strip.scrollToItem(self.strip.currentItem())
        self.slider.setEnabled(bool(count))
        self.hint.setVisible(not count)
        self.said.setText(_said(self._iterates[at]) if at < count else "latest state" if count else "")
        self.branch.setEnabled(not self._why_no_branch)
        self.branch.setToolTip(self._why_no_branch or "A new run of the job as it stands, from the state on show")

    def _fill_strip(self) -> None:
        """Items are added behind those that are there, unless they are of another run."""
        known = [self.strip.item(i) for i in range(self.strip.count() - 1)]
        shown = [item.data(Qt.ItemDataRole.UserRole) for item in known if item is not None]
        if shown != [id(kept) for kept in self._iterates[: len(shown)]]:
            self.strip.clear()
            shown = []
        self.strip.takeItem(self.strip.count() - 1)
        for kept in self._iterates[len(shown) :]:
            item = QListWidgetItem(_icon(kept), f"epoch {len(kept.loss)}" if len(kept.loss) else "start", self.strip)
            item.setData(Qt.ItemDataRole.UserRole, id(kept))
        if self._place is None:
            self._latest = _icon(self.result) if self.result is not None else _blank()
        QListWidgetItem(self._latest, "latest", self.strip)


def _blank() -> QIcon:
    """What stands for a run that is going on."""
    blank = QPixmap(ICON_PX, ICON_PX)
    blank.fill(Qt.GlobalColor.transparent)
    return QIcon(blank)


def _icon(kept: Result) -> QIcon:
    return thumbnails.phase(_small(kept))


def _small(kept: Result) -> Complex:
    """Every few pixels of the scanned area, faded where hardly any light fell."""
    rows, columns = scanned_area(kept.obj, kept.scan, (kept.probe.modes.shape[-2], kept.probe.modes.shape[-1]))
    step = max(1, max(rows.stop - rows.start, columns.stop - columns.start) // thumbnails.SIDE_PX)
    part = slice(rows.start, rows.stop, step), slice(columns.start, columns.stop, step)
    small = kept.obj.slices[:, *part].prod(0)
    if kept.illumination is None:
        return np.asarray(small, np.complex64)
    fade = np.square(np.clip(kept.illumination[part] / UNLIT, 0, 1))
    return np.asarray(1 + (small - 1) * fade, np.complex64)


def _said(kept: Result) -> str:
    epochs = len(kept.loss)
    return f"epoch {epochs}  ·  loss {kept.loss[-1]:.4g}" if epochs else "the start"
