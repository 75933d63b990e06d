"""The small buttons over and under pictures."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QToolButton, QWidget

WIDTH_PX, HEIGHT_PX = 22, 18


def tool_button(parent: QWidget, name: str, sign: str, tip: str, slot: Callable[[], object]) -> QToolButton:
    """A flat button with a sign of one or two letters."""
    button = QToolButton(parent)
    button.setObjectName(name)
    button.setText(sign)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setAutoRaise(True)
    button.setFixedSize(WIDTH_PX, HEIGHT_PX)
    button.clicked.connect(lambda _: slot())
    return button
