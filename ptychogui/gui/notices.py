"""Messages over the window that ask for nothing: they go by themselves, errors stay until they are closed."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer
from PyQt6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

STAY_MS = {"info": 6_000, "warning": 20_000}
MOST = 4


class Notice(QFrame):
    """One message, with a button for the details where there are any."""

    def __init__(self, level: str, sentence: str, details: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setProperty("notice", level)
        self.sentence, self.details = sentence, details
        text = QLabel(sentence, self)
        text.setObjectName("notice_text")
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.addWidget(text, 1)
        if details:
            row.addWidget(self._button("notice_details", "Details", self.show_details))
        row.addWidget(self._button("notice_close", "×", self.deleteLater))
        if level in STAY_MS:
            QTimer.singleShot(STAY_MS[level], self.deleteLater)

    def _button(self, name: str, text: str, slot: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        if name == "notice_close":
            button.setAccessibleName("Close this message")
        button.clicked.connect(slot)
        return button

    def show_details(self) -> None:
        """Open the text that helps whoever mends the program."""
        dialog = QDialog(self.window())
        dialog.setObjectName("details")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Details")
        text = QPlainTextEdit(self.details, dialog)
        text.setReadOnly(True)
        column = QVBoxLayout(dialog)
        label = QLabel(self.sentence, dialog)
        label.setWordWrap(True)
        column.addWidget(label)
        column.addWidget(text)
        dialog.resize(760, 420)
        dialog.open()


class Notices(QWidget):
    """The messages on show, stacked above the middle of the lower edge, where no title, tab or button lies."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("notices")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        over.installEventFilter(self)
        self.hide()

    def add(self, level: str, sentence: str, details: str) -> None:
        """Show a message; one that is on show already is not repeated."""
        shown = self.texts()
        if sentence in shown:
            return
        if len(shown) >= MOST and (oldest := self._column.itemAt(0)) and (widget := oldest.widget()):
            widget.deleteLater()
        notice = Notice(level, sentence, details, self)
        self._column.addWidget(notice)
        self._place()

    def drop(self, sentence: str) -> None:
        """Take a message away that is no longer true."""
        for notice in self.findChildren(Notice):
            if notice.sentence == sentence:
                self._column.removeWidget(notice)
                notice.hide()
                notice.deleteLater()

    def texts(self) -> list[str]:
        """The sentences on show."""
        return [notice.sentence for notice in self.findChildren(Notice)]

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Stay in the corner when the widget beneath changes its size."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def event(self, event: QEvent | None) -> bool:
        """Take the room that the messages need, as soon as the layout knows it."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._place()
        return super().event(event)

    def _place(self) -> None:
        over = self.parentWidget()
        if over is None:
            return
        self.setVisible(self._column.count() > 0)
        self._column.activate()
        width = min(460, over.width() - 32)
        self.setFixedWidth(width)
        self.resize(width, self._column.totalHeightForWidth(width) if self._column.count() else 0)
        self.move((over.width() - width) // 2, over.height() - self.height() - 16)
        self.raise_()
