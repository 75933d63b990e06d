"""The window of help: short pages, found by their words, and opened where the keyboard is."""

from __future__ import annotations

from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.edits import PARAMETER
from ptychogui.gui.forms import GROUPS, ParamsForm
from ptychogui.gui.help_pages import Page, page_of_form, pages
from ptychogui.gui.rows import FieldRow

MARGIN_PX = 12
TOPICS = {
    "start_page": "start",
    "first_steps": "start",
    "browser": "opening",
    "import_card": "opening",
    "import_card_content": "opening",
    "parameters": "parameters.solver",
    "presets": "presets",
    "timeline": "running",
    "stages": "running",
    "run_bar": "running",
    "preflight_strip": "preflight",
    "diffraction": "views",
    "preparation": "preparation",
    "scan": "scan",
    "history": "results",
    "log": "wrong",
    "preparation_dialog": "preparation",
    "simulate_dialog": "scan",
    "layout_editor": "scan",
    "check_dialog": "preflight",
    "preflight_dialog": "preflight",
    "steps_dialog": "steps",
    "train_dialog": "networks",
    "design_dialog": "design",
    "material_dialog": "views",
    "presets_dialog": "presets",
    "compare_dialog": "results",
    "export_dialog": "results",
    "notes_dialog": "results",
    "contents_dialog": "opening",
    "mapping_dialog": "opening",
    "file_dialog": "opening",
    "command_palette": "keys",
    "shortcuts_dialog": "keys",
    "about": "wrong",
    "large_view": "views",
    "torn_view": "views",
    "workspace": "views",
}
"""The page of help by the object name of a widget, or of one that it is in."""


def topic_of(widget: QWidget | None) -> str:
    """The page about a widget, with `#` and the parameter where it belongs to one."""
    while widget is not None:
        if widget.property(PARAMETER):
            return topic_of_parameter(str(widget.property(PARAMETER)))
        if isinstance(widget, FieldRow):
            return _topic_of_row(widget)
        if widget.objectName() in TOPICS:
            return TOPICS[widget.objectName()]
        widget = widget.parentWidget()
    return "start"


def _topic_of_row(row: FieldRow) -> str:
    """The page and the place of a row: of the job, of its data, or of what its dialog asks for."""
    form = row.parentWidget()
    while form is not None and not isinstance(form, ParamsForm):
        form = form.parentWidget()
    page = page_of_form(form.kind) if form is not None else ""
    name = row.choice.name
    return f"{page}#{plain_path(f'{page}.{name}'.removeprefix('parameters.'))}" if page else topic_of_parameter(name)


def topic_of_parameter(name: str) -> str:
    """The page and the place of a parameter, named by its dotted path; numbers of stages do not count."""
    path = plain_path(name)
    group = path.split(".")[0]
    return f"parameters.{group}#{path}" if group in GROUPS else "running"


def plain_path(name: str) -> str:
    """A dotted path without the numbers in it."""
    return ".".join(part for part in name.split(".") if not part.isdigit())


def show_help(parent: QWidget, topic: str) -> HelpWindow:
    """Show a page in the one window of help; while a dialog keeps all others from being used, it is the dialog's."""
    host = QApplication.activeModalWidget() or parent
    found = parent.findChild(HelpWindow, "help_window")
    window = found if found is not None and found.parentWidget() is host else HelpWindow(host)
    if found is not None and found is not window:
        window.setGeometry(found.geometry())
        found.close()
    window.show_topic(topic)
    window.show()
    window.raise_()
    window.activateWindow()
    return window


class HelpWindow(QDialog):
    """Pages at the left, the text at the right; it stays open beside the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("help_window")
        self.setWindowTitle("Help")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pages = {page.name: page for page in pages()}
        self._plain: dict[str, str] = {}
        self.search = QLineEdit(self)
        self.search.setObjectName("help_search")
        self.search.setPlaceholderText("Search the help")
        self.search.setToolTip("Show only pages that hold all of these words")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._find)
        self.list = QListWidget(self)
        self.list.setObjectName("help_pages")
        self.list.setAccessibleName("Pages")
        self.list.setToolTip("The pages of help")
        self.list.setFixedWidth(220)
        self.list.currentItemChanged.connect(lambda *_: self._show())
        self.text = QTextBrowser(self)
        self.text.setObjectName("help_text")
        self.text.setAccessibleName("Text of the page")
        self.text.setToolTip("")
        self.text.setOpenLinks(False)
        document = self.text.document()
        assert document is not None
        document.setDocumentMargin(MARGIN_PX)
        self.text.anchorClicked.connect(self._follow)
        self._items = {}
        for page in self._pages.values():
            self._items[page.name] = item = QListWidgetItem(page.title, self.list)
            item.setData(Qt.ItemDataRole.UserRole, page.name)
        left = QVBoxLayout()
        left.addWidget(self.search)
        left.addWidget(self.list, 1)
        row = QHBoxLayout(self)
        row.addLayout(left)
        row.addWidget(self.text, 1)
        self.resize(860, 620)

    def show_topic(self, topic: str) -> None:
        """Show a page, and the place in it that stands behind `#`."""
        name, _, anchor = topic.partition("#")
        self.search.clear()
        self.list.setCurrentItem(self._items.get(name, self._items["start"]))
        if anchor:
            self.text.scrollToAnchor(anchor)

    @property
    def page(self) -> str:
        """The name of the page on show."""
        item = self.list.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def _show(self) -> None:
        page = self._pages.get(self.page)
        if page is not None:
            _write(self.text, page)

    def _find(self, typed: str) -> None:
        words = typed.lower().split()
        for name, item in self._items.items():
            item.setHidden(not all(word in self._plain_text(name) for word in words))
        shown = [item for item in self._items.values() if not item.isHidden()]
        current = self.list.currentItem()
        if shown and (current is None or current.isHidden()):
            self.list.setCurrentItem(shown[0])
        if words and shown:
            self.text.find(words[0])

    def _plain_text(self, name: str) -> str:
        if name not in self._plain:
            page = self._pages[name]
            self._plain[name] = f"{page.title} {page.text()}".lower()
        return self._plain[name]

    def _follow(self, url: QUrl) -> None:
        if url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)
        else:
            self.show_topic(url.toString())


def _write(text: QTextBrowser, page: Page) -> None:
    if page.is_html:
        text.setHtml(page.text())
    else:
        text.setMarkdown(page.text())
