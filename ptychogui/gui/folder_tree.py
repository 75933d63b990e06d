"""The folders of this machine as a tree of the files that can be opened, with a picture of each."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QFileSystemWatcher, QPoint, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QGuiApplication, QShowEvent
from PyQt6.QtWidgets import QAbstractItemView, QMenu, QStyle, QTreeWidget, QTreeWidgetItem, QWidget

from ptychogui.gui import theme, thumbnails
from ptychogui.gui.folders import Entry, found, listed, recent_folders, roots
from ptychogui.gui.lines_delegate import LinesDelegate
from ptychogui.gui.project_file import SUFFIX
from ptychogui.gui.session import Session
from ptychogui.io.contents import is_contents
from ptychogui.io.outline import Outline, outline
from ptychogui.params import InputError

ENTRY = Qt.ItemDataRole.UserRole
OUTLINED = Qt.ItemDataRole.UserRole + 1
TYPING_MS = 350


class FolderTree(QTreeWidget):
    """Lists a folder when it is unfolded, and looks into the files that are seen, one at a time."""

    open_wanted = pyqtSignal(str)
    """A file, or a folder that is a scan."""
    contents_wanted = pyqtSignal(str)
    """The tree of a file should be shown."""
    datasets_wanted = pyqtSignal(str)
    """The user wants to say which dataset of a file is what, whatever its format."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("folder_tree")
        self.setAccessibleName("Folders of this computer")
        self.setToolTip("Scans and results in the folders of this computer; Enter or a double click opens one")
        self._session = session
        self._looking = False
        self._stop = threading.Event()
        self._found: QTreeWidgetItem | None = None
        self._words: list[str] = []
        self.setHeaderHidden(True)
        self.setIconSize(QSize(36, 36))
        self.setIndentation(12)
        self.setItemDelegate(LinesDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self.itemExpanded.connect(self._unfold)
        self.itemActivated.connect(self._open)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self._changed)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self._find)
        bar = self.verticalScrollBar()
        assert bar is not None
        bar.valueChanged.connect(lambda _: self._look())

    # folders

    def showEvent(self, event: QShowEvent | None) -> None:
        """The places where looking begins; a folder that was opened from since is added."""
        super().showEvent(event)
        known = {item.data(0, ENTRY).path for item in _children(self.invisibleRootItem()) if item is not self._found}
        for number, path in enumerate(roots()):
            if path not in known:
                item = self._item(Entry(path, True))
                item.setText(0, f"{item.text(0)}  in {Path(path).parent}" if Path(path).name else path)
                self.insertTopLevelItem(number, item)
                if number == 0 and path != str(Path.home()):
                    item.setExpanded(True)

    def _item(self, entry: Entry) -> QTreeWidgetItem:
        item = QTreeWidgetItem([entry.name if entry.is_folder else f"{entry.name}\n{entry.line}"])
        item.setData(0, ENTRY, entry)
        item.setToolTip(0, entry.path)
        style = self.style()
        if entry.is_folder:
            item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
        if style is not None:
            kind = QStyle.StandardPixmap.SP_DirIcon if entry.is_folder else QStyle.StandardPixmap.SP_FileIcon
            item.setIcon(0, style.standardIcon(kind))
        return item

    def _unfold(self, item: QTreeWidgetItem) -> None:
        entry: Entry | None = item.data(0, ENTRY)
        if entry is not None and entry.is_folder:
            self._list(item, entry.path)
        self._look()

    def _list(self, item: QTreeWidgetItem, path: str) -> None:
        self._session.tasks.run(partial(listed, path), partial(self._fill, path), partial(self._not_listed, path))

    def _fill(self, path: str, entries: list[Entry]) -> None:
        """Show what is in a folder now; what was there stays as it is, folded out or not."""
        self._watcher.addPath(path)
        for item in self._items_of(path):
            held = {child.data(0, ENTRY): child for child in _children(item) if child.data(0, ENTRY) is not None}
            for child in _children(item):
                if child.data(0, ENTRY) not in entries:
                    item.removeChild(child)
            for number, entry in enumerate(entries):
                if entry not in held:
                    item.insertChild(number, self._item(entry))
            if not entries:
                item.addChild(_plain("nothing that can be opened"))
        self._filter()
        self._look()

    def _not_listed(self, path: str, sentence: str, details: str) -> None:
        for item in self._items_of(path):
            item.takeChildren()
            item.addChild(_plain(sentence))

    def _changed(self, path: str) -> None:
        for item in self._items_of(path):
            self._list(item, path)
            return

    def _items_of(self, path: str) -> list[QTreeWidgetItem]:
        return [
            item
            for item in _beneath(self.invisibleRootItem())
            if (e := item.data(0, ENTRY)) is not None and e.path == path
        ]

    # files

    def _look(self) -> None:
        """Look into the first file on show that was not looked into yet."""
        if self._looking or not self.isVisible() or self._session.tasks.closing:
            return
        for item in self._seen():
            entry: Entry | None = item.data(0, ENTRY)
            if entry is None or entry.is_folder or item.data(0, OUTLINED):
                continue
            item.setData(0, OUTLINED, True)
            if not entry.path.endswith(SUFFIX):
                self._looking = True
                done, failed = partial(self._outlined, entry), partial(self._not_outlined, entry)
                self._session.tasks.run(partial(outline, Path(entry.path)), done, failed)
                return

    def _seen(self) -> list[QTreeWidgetItem]:
        viewport, item, seen = self.viewport(), self.itemAt(QPoint(4, 4)), []
        bottom = viewport.height() if viewport is not None else 0
        while item is not None and self.visualItemRect(item).top() < bottom:
            seen.append(item)
            item = self.itemBelow(item)
        return seen

    def _outlined(self, entry: Entry, about: Outline) -> None:
        self._looking = False
        for item in self._items_of(entry.path):
            item.setText(0, "\n".join((entry.name, *about.lines, entry.line)))
            if about.pattern is not None:
                item.setIcon(0, thumbnails.pattern(about.pattern))
            if about.obj is not None:
                item.setIcon(0, thumbnails.phase(about.obj))
        self._filter()
        self._look()

    def _not_outlined(self, entry: Entry, sentence: str, details: str) -> None:
        self._looking = False
        for item in self._items_of(entry.path):
            item.setText(0, f"{entry.name}\ncannot be read\n{entry.line}")
            item.setToolTip(0, f"{entry.path}\n{sentence}")
            item.setForeground(0, QBrush(QColor(theme.colours().dim)))
        self._look()

    def _open(self, item: QTreeWidgetItem) -> None:
        entry: Entry | None = item.data(0, ENTRY)
        if entry is not None and not entry.is_folder:
            self.open_wanted.emit(entry.path)

    def _menu(self, where: QPoint) -> None:
        item, viewport = self.itemAt(where), self.viewport()
        entry: Entry | None = item.data(0, ENTRY) if item is not None else None
        if entry is None or viewport is None:
            return
        menu = QMenu(self)
        menu.setObjectName("folder_menu")
        menu.setToolTipsVisible(True)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("&Open as a scan" if entry.is_folder else "&Open", partial(self.open_wanted.emit, entry.path))
        if not entry.is_folder and _is_tree(entry.path):
            menu.addAction("Open, choosing the &datasets…", partial(self.datasets_wanted.emit, entry.path))
            menu.addAction("&Contents…", partial(self.contents_wanted.emit, entry.path))
        if (clipboard := QGuiApplication.clipboard()) is not None:
            menu.addAction("Copy the &path", partial(clipboard.setText, entry.path))
        menu.popup(viewport.mapToGlobal(where))

    # search

    def search(self, words: list[str]) -> None:
        """Show what is unfolded and has every word, and look for more beneath the folder that is selected."""
        self._words = words
        self._stop.set()
        self._forget_found()
        self._filter()
        if words:
            self._typing.start()
        else:
            self._typing.stop()

    def _forget_found(self) -> None:
        if self._found is not None:
            self.takeTopLevelItem(self.indexOfTopLevelItem(self._found))
            self._found = None

    def _find(self) -> None:
        folders = self._folders()
        where = Path(folders[0]).name or folders[0] if len(folders) == 1 else f"{len(folders)} folders"
        self._forget_found()
        self._found = _plain(f"Searching {where}…")
        self._found.setToolTip(0, "\n".join(folders))
        self.insertTopLevelItem(0, self._found)
        self._stop = stop = threading.Event()
        done = partial(self._show_found, self._found, where)
        self._session.tasks.run(partial(found, folders, self._words, stop), done, lambda *_: None)

    def _folders(self) -> list[str]:
        """The folder that is selected or holds what is selected; without one those of the files opened last."""
        item = self.currentItem()
        entry: Entry | None = item.data(0, ENTRY) if item is not None else None
        if entry is None:
            return recent_folders() or [str(Path.home())]
        return [entry.path if entry.is_folder else str(Path(entry.path).parent)]

    def _show_found(self, item: QTreeWidgetItem, where: str, entries: list[Entry]) -> None:
        if item is not self._found:
            return
        item.setText(0, f"{len(entries) or 'Nothing'} found in {where}")
        item.addChildren([self._item(entry) for entry in entries])
        item.setExpanded(True)
        self._look()

    def _filter(self) -> None:
        for item in _children(self.invisibleRootItem()):
            if item is not self._found:
                self._show_matches(item, item.parent() is None)

    def _show_matches(self, item: QTreeWidgetItem, root: bool) -> bool:
        inside = [self._show_matches(child, False) for child in _children(item)]
        told = item.text(0).lower()
        shown = root or any(inside) or all(word in told for word in self._words)
        item.setHidden(not shown)
        return shown


def _is_tree(path: str) -> bool:
    try:
        return is_contents(Path(path))
    except (InputError, OSError):
        return False


def _plain(text: str) -> QTreeWidgetItem:
    """A line that says something and can be neither opened nor unfolded."""
    item = QTreeWidgetItem([text])
    item.setToolTip(0, text)
    item.setForeground(0, QBrush(QColor(theme.colours().dim)))
    return item


def _children(item: QTreeWidgetItem | None) -> list[QTreeWidgetItem]:
    if item is None:
        return []
    return [child for i in range(item.childCount()) if (child := item.child(i)) is not None]


def _beneath(item: QTreeWidgetItem | None) -> list[QTreeWidgetItem]:
    return [each for child in _children(item) for each in (child, *_beneath(child))]
