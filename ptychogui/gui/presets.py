"""The menu of presets: jobs with some fields set for a purpose."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QMenu, QWidget

from ptychogui.gui.edits import paragraphs
from ptychogui.presets import PRESETS


def presets_menu(parent: QWidget, chosen: Callable[[str], object]) -> QMenu:
    """Every preset by its name, with its help as a tooltip."""
    menu = QMenu("Prese&ts", parent)
    menu.setObjectName("presets_menu")
    menu.setToolTipsVisible(True)
    for name, preset in PRESETS.items():
        action = menu.addAction(name)
        assert action is not None
        action.setObjectName(f"preset_{name}")
        action.setToolTip(paragraphs(preset.text))
        action.triggered.connect(lambda _, name=name: chosen(name))
    return menu
