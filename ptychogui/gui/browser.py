"""The tree of open files and their runs, with thumbnails."""

from __future__ import annotations

import time

from PyQt6.QtCore import QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem, QWidget

from ptychogui.gui import thumbnails
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.run_words import told_of
from ptychogui.gui.session import Session

MARK = Qt.ItemDataRole.UserRole


class Browser(QTreeWidget):
    """Shows what is open; a click selects."""

    menu_wanted = pyqtSignal(QPoint)
    """The global position at which the menu of the selected item should open."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("browser_tree")
        self._session = session
        self._phase_shown = 0.0
        self.setHeaderHidden(True)
        self.setIconSize(QSize(40, 40))
        self.setIndentation(14)
        self.setWordWrap(True)
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

    def rebuild(self) -> None:
        """Show the files and runs as they are."""
        self.blockSignals(True)
        self.clear()
        for opened in self._session.opened:
            item = self._item(opened.title, opened.lines, _dataset_icon(opened), (opened, None))
            item.setToolTip(0, f"{opened.path}\n{opened.line}")
            self.addTopLevelItem(item)
            for run in opened.runs:
                child = self._item(run.title, _state(run), _run_icon(run), (opened, run))
                child.setToolTip(0, told_of(opened, run))
                item.addChild(child)
            item.setExpanded(True)
        self.blockSignals(False)
        self._mark_current()

    def _item(self, title: str, line: str, icon: QIcon, mark: tuple[Opened, Run | None]) -> QTreeWidgetItem:
        item = QTreeWidgetItem([f"{title}\n{line}"])
        item.setIcon(0, icon)
        item.setData(0, MARK, mark)
        return item

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
        for item in self._items():
            if item.data(0, MARK) == wanted:
                self.setCurrentItem(item)
        self.blockSignals(False)

    def _selected(self, item: QTreeWidgetItem | None) -> None:
        if item is not None:
            self._session.select(*item.data(0, MARK))

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
    return thumbnails.phase(run.result.lit.prod(0)) if run.result is not None else QIcon()


def _state(run: Run) -> str:
    epochs = len(run.result.loss) if run.result is not None else 0
    r_factor = run.result.metrics.get("r_factor") if run.result is not None else None
    first = (run.state, f"{epochs} epochs" if epochs else "")
    second = ("" if r_factor is None else f"R {r_factor:.3f}", "not saved" if run.unsaved else "")
    lines = (", ".join(part for part in line if part) for line in (first, second))
    return "\n".join(line for line in lines if line)
