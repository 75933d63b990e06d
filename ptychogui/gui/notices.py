"""Messages over the window that ask for nothing: they go by themselves, errors stay until they are closed.

One is seen at a time, the gravest and of these the newest; a button on it shows the others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QFontDatabase, QShowEvent
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

STAY_MS = {"info": 6_000, "warning": 20_000}
GRAVITY = {"info": 0, "warning": 1, "error": 2}
MOST = 6


class Notice(QFrame):
    """One message, with a button for the details where there are any."""

    closed = pyqtSignal()
    """The user has closed it, or its time is over."""

    def __init__(self, level: str, sentence: str, details: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setProperty("notice", level)
        self.sentence, self.details, self.level = sentence, details, level
        text = QLabel(sentence, self)
        text.setObjectName("notice_text")
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.addWidget(text, 1)
        self.others = self._button("notice_others", "", lambda: None)
        self.others.hide()
        row.addWidget(self.others)
        if details:
            row.addWidget(self._button("notice_details", "Details", self.show_details))
        row.addWidget(self._button("notice_close", "×", self.closed.emit))
        self._going = QTimer(self)
        self._going.setSingleShot(True)
        self._going.timeout.connect(self.closed)

    def showEvent(self, event: QShowEvent | None) -> None:
        """A message goes some time after it was first seen."""
        super().showEvent(event)
        if self.level in STAY_MS and not self._going.isActive():
            self._going.start(STAY_MS[self.level])

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
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        label = QLabel(self.sentence, dialog)
        label.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
        buttons.rejected.connect(dialog.reject)
        column = QVBoxLayout(dialog)
        column.addWidget(label)
        column.addWidget(text)
        column.addWidget(buttons)
        dialog.resize(760, 420)
        dialog.open()


class Notices(QWidget):
    """The messages above the middle of the lower edge, where no title, tab or button lies."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("notices")
        self._all = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        over.installEventFilter(self)
        self.hide()

    def add(self, level: str, sentence: str, details: str) -> None:
        """Show a message; one that is on show already is not repeated."""
        notices = self._notices()
        if any(sentence == notice.sentence for notice in notices):
            return
        if len(notices) >= MOST:
            self._remove(min(notices, key=lambda notice: GRAVITY[notice.level]))
        notice = Notice(level, sentence, details, self)
        notice.hide()
        notice.others.clicked.connect(self._turn)
        notice.closed.connect(partial(self._remove, notice))
        self._column.addWidget(notice)
        self._choose()

    def drop(self, sentence: str) -> None:
        """Take a message away that is no longer true."""
        for notice in self._notices():
            if notice.sentence == sentence:
                self._remove(notice)

    def texts(self) -> list[str]:
        """The sentences that are not closed, the oldest first."""
        return [notice.sentence for notice in self._notices()]

    def _notices(self) -> list[Notice]:
        found = [self._column.itemAt(i) for i in range(self._column.count())]
        return [widget for item in found if item is not None and isinstance(widget := item.widget(), Notice)]

    def _remove(self, notice: Notice) -> None:
        self._column.removeWidget(notice)
        notice.hide()
        notice.deleteLater()
        self._choose()

    def _turn(self) -> None:
        self._all = not self._all
        self._choose()

    def _choose(self) -> None:
        """Show the one that counts most, or all, and say on it how many others there are."""
        notices = self._notices()
        self._all = self._all and len(notices) > 1
        first = max(enumerate(notices), key=lambda pair: (GRAVITY[pair[1].level], pair[0]), default=(0, None))[1]
        for notice in notices:
            notice.setVisible(self._all or notice is first)
            notice.others.setVisible(notice is first and len(notices) > 1)
            notice.others.setText("Fewer" if self._all else f"{len(notices) - 1} more")
        self._place()

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
