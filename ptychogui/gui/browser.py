"""The tree of open files and their runs, with thumbnails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from PyQt6.QtCore import QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QIcon
from PyQt6.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem, QWidget

from ptychogui.geometry import Geometry
from ptychogui.gui import theme, thumbnails
from ptychogui.gui.lines_delegate import LinesDelegate
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.run_words import counted, told_of
from ptychogui.gui.session import Session
from ptychogui.io.geometry import energy_of_eV
from ptychogui.params import format_quantity

T = TypeVar("T")
MARK = Qt.ItemDataRole.UserRole


class Browser(QTreeWidget):
    """Shows what is open; a click selects."""

    menu_wanted = pyqtSignal(QPoint)
    """The global position at which the menu of the selected item should open."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("browser_tree")
        self.setToolTip("Open files, and their runs beneath them; a right click says what can be done")
        self._session = session
        self._phase_shown = 0.0
        self._words: list[str] = []
        self._icons: dict[int, tuple[object, QIcon]] = {}
        self._marked: tuple[Opened | None, Run | None] = None, None
        self.setHeaderHidden(True)
        self.setIconSize(QSize(40, 40))
        self.setIndentation(14)
        self.setItemDelegate(LinesDelegate(self))
        self.setUniformRowHeights(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self.currentItemChanged.connect(self._selected)
        session.tree_changed.connect(self.rebuild)
        session.current_changed.connect(self._mark_current)
        session.snapshot_changed.connect(self._show_progress)
        session.grown.connect(self._show_growth)
        session.presence.changed.connect(self.rebuild)

    def rebuild(self) -> None:
        """Show the files and runs as they are; what was closed stays so, and the place on show, too."""
        kept, self._icons = self._icons, {}
        folded = {id(item.data(0, MARK)[0]) for item in self._items() if item.childCount() and not item.isExpanded()}
        bar = self.verticalScrollBar()
        place = bar.value() if bar is not None else 0
        self.blockSignals(True)
        self.clear()
        for opened in self._session.opened:
            item = self._item(opened.title, self._lines(opened), (opened, None))
            item.setIcon(0, self._icon(opened, opened.preview, _dataset_icon, kept))
            item.setToolTip(0, f"{opened.path}\n{opened.line}\n{self._missing(opened)}".strip())
            if self._missing(opened):
                item.setForeground(0, QBrush(QColor(theme.colours().warning)))
            self.addTopLevelItem(item)
            for run in opened.runs:
                child = self._item(run.title, self._state(run), (opened, run))
                child.setIcon(0, self._icon(run, run.snapshot or run.result, _run_icon, kept))
                child.setToolTip(0, told_of(opened, run))
                item.addChild(child)
            item.setExpanded(id(opened) not in folded)
        self.blockSignals(False)
        self._filter()
        self.executeDelayedItemsLayout()
        if bar is not None:
            bar.setValue(place)
        self._mark_current()

    def search(self, words: list[str]) -> None:
        """Show only the files and runs of which every word is told; a file that has them shows all its runs."""
        self._words = words
        self._filter()

    def _filter(self) -> None:
        for i in range(self.topLevelItemCount()):
            item = self.topLevelItem(i)
            if item is None:
                continue
            whole = self._matches(item)
            runs = [child for k in range(item.childCount()) if (child := item.child(k)) is not None]
            for run in runs:
                run.setHidden(not whole and not self._matches(run))
            item.setHidden(not whole and all(run.isHidden() for run in runs))

    def _matches(self, item: QTreeWidgetItem) -> bool:
        told = f"{item.text(0)} {item.toolTip(0)}".lower()
        return all(word in told for word in self._words)

    def _item(self, title: str, line: str, mark: tuple[Opened, Run | None]) -> QTreeWidgetItem:
        item = QTreeWidgetItem([f"{title}\n{line}"])
        item.setData(0, MARK, mark)
        return item

    def _icon(self, of: T, shown: object, make: Callable[[T], QIcon], kept: dict[int, tuple[object, QIcon]]) -> QIcon:
        """The picture of a file or run, which is made once for each of its states."""
        held = kept.get(id(of))
        if held is None or held[0] is not shown:
            held = shown, make(of)
        self._icons[id(of)] = held
        return held[1]

    def _lines(self, opened: Opened) -> str:
        """Shape, light and pixel, and the date; or what is wrong."""
        missing = self._missing(opened)
        if opened.dataset is None:
            return missing or opened.waits or "data not found"
        seen = self._session.presence.of(opened.path)
        shape = " × ".join(map(str, opened.dataset.frames.shape))
        return "\n".join(
            filter(None, (shape, light_line(opened.dataset.geometry), missing or (seen.date if seen else "")))
        )

    def _missing(self, opened: Opened) -> str:
        """What is not there any more."""
        presence = self._session.presence
        if presence.is_gone(opened.job.data.path):
            return "moved or deleted"
        return "result moved or deleted" if presence.is_gone(opened.path) else ""

    def _state(self, run: Run) -> str:
        gone = run.saved is not None and self._session.presence.is_gone(str(run.saved))
        return _state(run) + ("\nits file is gone" if gone else "")

    def _items(self) -> list[QTreeWidgetItem]:
        found = []
        for i in range(self.topLevelItemCount()):
            item = self.topLevelItem(i)
            if item is not None:
                found += [item, *(child for k in range(item.childCount()) if (child := item.child(k)))]
        return found

    def _mark_current(self) -> None:
        wanted = (self._session.current, self._session.current_run)
        self.blockSignals(True)
        self.setAutoScroll(wanted != self._marked)  # only what is newly selected is brought into sight
        for item in self._items():
            if item.data(0, MARK) == wanted:
                self.setCurrentItem(item)
        self.setAutoScroll(True)
        self.blockSignals(False)
        self._marked = wanted

    def _selected(self, item: QTreeWidgetItem | None) -> None:
        if item is not None:
            self._session.select(*item.data(0, MARK))

    def _show_growth(self) -> None:
        """Say how many frames the selected scan has by now."""
        opened = self._session.current
        item = next((item for item in self._items() if item.data(0, MARK) == (opened, None)), None)
        if opened is not None and item is not None:
            item.setText(0, f"{opened.title}\n{self._lines(opened)}")

    def _show_progress(self) -> None:
        """Renew the thumbnail of the run on show, at most once a second."""
        run, item = self._session.current_run, self.currentItem()
        if run is not None and item is not None and time.monotonic() - self._phase_shown > 1:
            self._phase_shown = time.monotonic()
            item.setIcon(0, _run_icon(run))

    def _menu(self, where: QPoint) -> None:
        viewport = self.viewport()
        if self.itemAt(where) is not None and viewport is not None:
            self.menu_wanted.emit(viewport.mapToGlobal(where))


def _dataset_icon(opened: Opened) -> QIcon:
    if opened.dataset is None or opened.preview is None:
        return QIcon()
    return thumbnails.counts_map(opened.dataset.scan.positions_m, opened.preview)


def _run_icon(run: Run) -> QIcon:
    if run.snapshot is not None:
        return thumbnails.phase(run.snapshot.preview)
    return thumbnails.result(run.result) if run.result is not None else QIcon()


def light_line(geometry: Geometry) -> str:
    """Energy or voltage, and the pixel at the sample."""
    pixel = f"{format_quantity(float(f'{geometry.pixel_m[1]:.3g}'), 'm')}/px" if geometry.calibrated else "in pixels"
    if geometry.wavelength_m is None:
        return f"{geometry.field} field, {pixel}"
    energy_eV = energy_of_eV(geometry.wavelength_m)
    light = f"{energy_eV / 1e3:.4g} kV" if geometry.of_electrons else format_quantity(float(f"{energy_eV:.4g}"), "eV")
    return f"{light}, {pixel}"


def _state(run: Run) -> str:
    epochs = len(run.result.loss) if run.result is not None else 0
    r_factor = run.result.metrics.get("r_factor") if run.result is not None else None
    first = (run.state, counted(epochs) if epochs else "")
    second = ("" if r_factor is None else f"R {r_factor:.3f}", "not saved" if run.unsaved else "")
    lines = (", ".join(part for part in line if part) for line in (first, second))
    return "\n".join(line for line in lines if line)
