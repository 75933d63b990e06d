"""The tree of any HDF5, MATLAB or NPZ file beside a look at the chosen array."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.array_view import ArrayView, type_text
from ptychogui.gui.tasks import Tasks
from ptychogui.io.contents import MOST, Contents, Node, open_contents

NODE = Qt.ItemDataRole.UserRole
AT_ONCE = 250
"""So many entries are put into the tree before the window is looked after again."""
UNFOLDED = 60
"""A tree with no more entries is shown unfolded."""


class ContentsView(QSplitter):
    """Opens a file in a thread, and keeps it open as long as it is looked at."""

    ready = pyqtSignal()
    """The tree is there."""
    failed = pyqtSignal(str)
    """It cannot be read, in one sentence."""
    chosen = pyqtSignal(str)
    """The path of another entry."""

    def __init__(self, tasks: Tasks, path: str, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._tasks, self._closed = tasks, False
        self._by_path: dict[str, QTreeWidgetItem] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._fill)
        self.contents: Contents | None = None
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        self.search = QLineEdit(self)
        self.search.setObjectName("contents_search")
        self.search.setPlaceholderText("Search names and attributes")
        self.search.setToolTip("Show only what holds these words in its name or attributes")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.tree = QTreeWidget(self)
        self.tree.setObjectName("contents_tree")
        self.tree.setToolTip("What the file holds; select a dataset to see it")
        self.tree.setHeaderLabels(["Name", "Shape", "Type"])
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(14)
        header = self.tree.header()
        assert header is not None
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for section in (1, 2):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.currentItemChanged.connect(self._look)
        column.addWidget(self.search)
        column.addWidget(self.tree, 1)
        self.view = ArrayView(tasks, self)
        self.addWidget(left)
        self.addWidget(self.view)
        self.setSizes([460, 420])
        self.setChildrenCollapsible(False)
        tasks.run(partial(open_contents, Path(path)), self._take, self._not_read)

    def close_file(self) -> None:
        """Let the file go; whoever still reads it comes to an end first."""
        self._closed = True
        self.view.end()
        if self.contents is not None and not self._tasks.closing:
            self._tasks.run(self.contents.close, lambda _: None, lambda *_: None)

    def choose(self, path: str) -> None:
        """Select an entry by its path."""
        item = self._by_path.get(f"/{path.lstrip('/')}")
        if item is not None:
            self.tree.setCurrentItem(item)

    def _take(self, contents: Contents) -> None:
        self.contents = contents
        if self._closed:
            self.close_file()
            return
        if len(contents.nodes) >= MOST:
            self.search.setPlaceholderText(f"Search among the first {MOST} entries")
        self._fill()

    def _not_read(self, sentence: str, details: str) -> None:
        if not self._closed:
            self.failed.emit(sentence)

    def _fill(self) -> None:
        """Add the next entries, some at a time."""
        if self._closed or self.contents is None:
            return
        nodes, begin = self.contents.nodes, len(self._by_path)
        for node in nodes[begin : begin + AT_ONCE]:
            self._add(node)
        if begin + AT_ONCE < len(nodes):
            self._later.start()
            return
        if len(nodes) <= UNFOLDED:
            self.tree.expandAll()
        self._filter(self.search.text())
        self.ready.emit()

    def _add(self, node: Node) -> None:
        shape = " × ".join(map(str, node.shape)) if node.shape else ""
        item = QTreeWidgetItem([node.name, shape, "link" if node.kind == "link" else type_text(node)])
        item.setData(0, NODE, node)
        item.setToolTip(0, f"{node.path}\n{node.note}".strip())
        parent = self._by_path.get(node.path.rsplit("/", 1)[0])
        if parent is None:
            self.tree.addTopLevelItem(item)
        else:
            parent.addChild(item)
        self._by_path[node.path] = item

    def _filter(self, typed: str) -> None:
        """Show the entries that have every word, and the groups in which they lie."""
        words, nodes = typed.lower().split(), self.contents.nodes if self.contents is not None else ()
        shown: set[str] = set()
        for node in nodes:
            if all(word in told(node) for word in words):
                parts = node.path.split("/")
                shown.update("/".join(parts[:depth]) for depth in range(2, len(parts) + 1))
        for path, item in self._by_path.items():
            item.setHidden(path not in shown)
            if words and path in shown and item.childCount():
                item.setExpanded(True)

    def _look(self, item: QTreeWidgetItem | None) -> None:
        node = item.data(0, NODE) if item is not None else None
        self.view.show_node(self.contents, node)
        if node is not None:
            self.chosen.emit(node.path)


def told(node: Node) -> str:
    """The text in which is searched: path and attributes."""
    return " ".join([node.path, *(f"{name} {value}" for name, value in node.attributes)]).lower()


class ContentsDialog(QDialog):
    """What is in a file; a window of its own that may stay open."""

    def __init__(self, tasks: Tasks, path: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("contents_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Contents of {Path(path).name}")
        self.view = ContentsView(tasks, path, self)
        self.view.failed.connect(self.view.view.title.setText)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.view, 1)
        column.addWidget(buttons)
        self.resize(980, 620)

    def done(self, result: int) -> None:
        """Let the file go."""
        self.view.close_file()
        super().done(result)
