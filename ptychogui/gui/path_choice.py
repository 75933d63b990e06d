"""A list to choose a path from, of which the end is what counts."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QWidget


class PathChoice(QComboBox):
    """Shows the end of a path for which it is too narrow; the whole path stands in its tooltip, behind `tip`."""

    def __init__(self, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tip = tip
        self.setToolTip(tip)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.currentIndexChanged.connect(lambda _: self.tell())

    def tell(self) -> None:
        """Put the path into the tooltip."""
        path = self.currentText()
        self.setToolTip(f"{self._tip}\n{path}" if path.startswith("/") else self._tip)

    def initStyleOption(self, option: QStyleOptionComboBox | None) -> None:
        """Cut what is drawn at its beginning."""
        super().initStyleOption(option)
        style = self.style()
        if option is not None and style is not None:
            part = QStyle.SubControl.SC_ComboBoxEditField
            room = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width()
            cut = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideLeft, room)
            option.currentText = cut
