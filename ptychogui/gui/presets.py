"""The menu of presets: jobs with some fields set for a purpose, those of the program and one's own."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QMenu, QWidget

from ptychogui.gui.edits import paragraphs
from ptychogui.presets import PRESETS, own


def presets_menu(parent: QWidget, chosen: Callable[[str], object], manage: Callable[[], object]) -> QMenu:
    """Every preset by its name, with its help as a tooltip; one's own are looked up whenever the menu opens."""
    menu = QMenu("Prese&ts", parent)
    menu.setObjectName("presets_menu")
    menu.setToolTipsVisible(True)

    def fill() -> None:
        menu.clear()
        for name, preset in PRESETS.items():
            add(name, preset.text)
        mine, _ = own()
        if mine:
            menu.addSeparator()
        for name, preset in mine.items():
            add(name, preset.text or "A preset of your own.")
        menu.addSeparator()
        last = menu.addAction("&Save, share, delete…")
        assert last is not None
        last.setObjectName("manage_presets")
        last.setToolTip("Keep these parameters as a preset, or exchange presets with others")
        last.triggered.connect(lambda _: manage())

    def add(name: str, text: str) -> None:
        action = menu.addAction(name.replace("&", "&&"))
        assert action is not None
        action.setObjectName(f"preset_{name}")
        action.setToolTip(paragraphs(text))
        action.triggered.connect(lambda _, name=name: chosen(name))

    menu.aboutToShow.connect(fill)
    fill()
    return menu
