"""The dock at the left: what is open, or what lies in the folders, with one search over either."""

from __future__ import annotations

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QStyle, QToolButton, QVBoxLayout, QWidget

from ptychogui.gui.browser import Browser
from ptychogui.gui.folder_tree import FolderTree
from ptychogui.gui.session import Session

HINTS = ("Search files, runs", "Search folders")


class BrowserDock(QWidget):
    """A button changes between the two trees; what is typed is looked for in both."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("browser_content")
        self.tree, self.folders = Browser(session), FolderTree(session)
        self.search = QLineEdit(self)
        self.search.setObjectName("browser_search")
        self.search.setPlaceholderText(HINTS[0])
        self.search.setToolTip("Show only what holds these words")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._search)
        self.folder_button = QToolButton(self)
        self.folder_button.setObjectName("browser_folders")
        self.folder_button.setAccessibleName("Folders of this computer")
        self.folder_button.setToolTip("Show the folders of this computer, or what is open")
        self.folder_button.setCheckable(True)
        self.folder_button.setIconSize(QSize(16, 16))
        if (style := self.style()) is not None:
            self.folder_button.setIcon(style.standardIcon(QStyle.StandardPixmap.SP_DirIcon))
        self.folder_button.toggled.connect(self.show_folders)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.tree)
        self.pages.addWidget(self.folders)
        row = QHBoxLayout()
        row.setContentsMargins(4, 0, 4, 0)
        row.addWidget(self.search, 1)
        row.addWidget(self.folder_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(row)
        column.addWidget(self.pages, 1)
        self.setFocusProxy(self.tree)
        session.file_opened.connect(lambda: self.show_folders(False))

    def show_folders(self, shown: bool) -> None:
        """Show the folders, or what is open."""
        self.folder_button.setChecked(shown)
        self.pages.setCurrentWidget(self.folders if shown else self.tree)
        self.search.setPlaceholderText(HINTS[shown])
        self.setFocusProxy(self.pages.currentWidget())
        self._search(self.search.text())

    def _search(self, typed: str) -> None:
        words = typed.lower().split()
        self.tree.search(words)
        self.folders.search(words if self.folder_button.isChecked() else [])
