"""Asks for the refractive index with which phase and absorption become thickness."""

from __future__ import annotations

import json
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from ptychogui.gui.forms import ParamsForm
from ptychogui.gui.views.kept import keep, kept
from ptychogui.measure.material import Material
from ptychogui.params import InputError

WIDTH_PX = 340


def kept_material() -> Material:
    """The material that was given last, also before the program was started; gold at first."""
    try:
        found = Material.read(json.loads(kept("material", "{}")))
    except (InputError, ValueError):
        return Material()
    return found if isinstance(found, Material) else Material()


class MaterialDialog(QDialog):
    """δ and β; every valid value is shown in the picture at once."""

    material_changed = pyqtSignal(object)

    def __init__(self, material: Material, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("material_dialog")
        self.setWindowTitle("Material of the sample")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.form = ParamsForm(material, parent=self)
        self.form.changed.connect(self._take)
        self.form.setMinimumWidth(WIDTH_PX)
        about = QLabel(
            "n = 1 − δ + iβ at the energy of the scan. The thickness is counted from the thinnest part.", self
        )
        about.setProperty("role", "dim")
        about.setWordWrap(True)
        close = QPushButton("Close", self)
        close.setObjectName("close")
        close.setAutoDefault(False)  # Return takes a value up, and leaves the dialog open
        close.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(about)
        layout.addWidget(self.form)
        layout.addStretch(1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)

    def _take(self, *_: Any) -> None:
        material = self.form.params
        if isinstance(material, Material):
            keep("material", json.dumps(material.model_dump()))
            self.material_changed.emit(material)
