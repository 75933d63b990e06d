"""One line of text under a picture, which ends with '…' where there is no room for all of it."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QLabel, QWidget

SHORTEST_PX = 10


class Readout(QLabel):
    """Never wider than its place; its tooltip has the whole text where that is cut."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setProperty("role", "dim")
        self.setMinimumWidth(SHORTEST_PX)

    def text(self) -> str:
        """The whole text."""
        return self._whole

    def setText(self, text: str | None) -> None:
        """Show another text."""
        self._whole = text or ""
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Show more of the text, or less."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        seen = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.contentsRect().width())
        if seen != super().text():
            super().setText(seen)
        self.setToolTip("" if seen == self._whole else self._whole)
