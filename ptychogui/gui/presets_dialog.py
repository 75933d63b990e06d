"""Presets in a list: use one, keep the parameters as one of your own, hand one on as a TOML file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tomli_w
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontDatabase
from PyQt6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ptychogui import presets
from ptychogui.gui import dialogs
from ptychogui.gui.session import Session
from ptychogui.params import InputError
from ptychogui.presets import PRESETS, Preset

NAMES = "Preset (*.toml)"


class PresetsDialog(QDialog):
    """The presets of the program and one's own, what each sets, and what can be done with it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("presets_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Presets")
        self._session = session
        self._presets: dict[str, Preset] = {}
        self.list = QListWidget(self)
        self.list.setObjectName("presets_list")
        self.list.setAccessibleName("Presets")
        self.list.setToolTip("Select a preset to see what it sets; Enter uses it")
        self.list.setFixedWidth(190)
        self.list.currentItemChanged.connect(lambda *_: self._show())
        self.list.itemActivated.connect(lambda _: self._use())
        self.text = QLabel(self)
        self.text.setObjectName("preset_text")
        self.text.setWordWrap(True)
        self.sets = QPlainTextEdit(self)
        self.sets.setObjectName("preset_sets")
        self.sets.setAccessibleName("What the preset sets")
        self.sets.setToolTip("What the preset sets, as its file holds it; all else of these groups is the default")
        self.sets.setReadOnly(True)
        self.sets.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.sets.setTabChangesFocus(True)
        self.name, self.about = self._line("preset_name", "cryo, 300 kV"), self._line("preset_about", "What it is for")
        self.name.setToolTip("The name under which these parameters are kept, and --preset finds them")
        self.about.setToolTip("A sentence that says what the preset is for")
        self.instrument = QCheckBox("with the values of the &instrument", self)
        self.instrument.setObjectName("preset_instrument")
        self.instrument.setToolTip(
            "Also keep what is the same for every scan of this instrument: energy or voltage, distance, pixels, "
            "convergence, defocus, step, rotation and flips. The preset then fills them in."
        )
        self.problem = QLabel(self)
        self.problem.setObjectName("problem")
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.use = self._button("use_preset", "Use", "Give the open file the parameters of this preset", self._use)
        self.share = self._button("export_preset", "Export…", "Write this preset into a TOML file", self._ask_export)
        self.delete = self._button("delete_preset", "Delete", "Delete this preset of yours", self._delete)
        self.get = self._button("import_preset", "Import…", "Take a preset from a TOML file", self._ask_import)
        self.keep = self._button(
            "save_preset", "Save", "Keep the parameters of the open file under this name", self._keep
        )
        self._lay_out()
        self.resize(720, 480)
        self._fill(self._fitting)

    def _line(self, name: str, hint: str) -> QLineEdit:
        line = QLineEdit(self)
        line.setObjectName(name)
        line.setPlaceholderText(hint)
        return line

    def _button(self, name: str, text: str, tip: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _: slot())
        return button

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.addWidget(self.text)
        right.addWidget(self.sets, 1)
        row = QHBoxLayout()
        for button in (self.use, self.share, self.delete):
            row.addWidget(button)
        row.addStretch(1)
        right.addLayout(row)
        top = QHBoxLayout()
        top.addWidget(self.list)
        top.addLayout(right, 1)
        heading = QLabel("Keep the parameters of the open file", self)
        heading.setProperty("role", "heading")
        form = QFormLayout()
        form.addRow("&Name", self.name)
        form.addRow("&Purpose", self.about)
        form.addRow("", self.instrument)
        last = QHBoxLayout()
        last.addWidget(self.keep)
        last.addWidget(self.get)
        last.addStretch(1)
        last.addWidget(self._button("close", "Close", "Close this dialog", self.reject))
        column = QVBoxLayout(self)
        column.addLayout(top, 1)
        column.addWidget(heading)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addLayout(last)

    def _fill(self, selected: str) -> None:
        mine, problems = presets.own()
        self._presets = {**PRESETS, **mine}
        self.list.clear()
        for name in self._presets:
            item = QListWidgetItem(name, self.list)
            font = item.font()
            font.setItalic(name in mine)
            item.setFont(font)
            if name == selected:
                self.list.setCurrentItem(item)
        self.problem.setText(" ".join(problems))
        self._show()

    @property
    def _fitting(self) -> str:
        """The preset that is made for scans such as the open one."""
        opened = self._session.current
        dataset = opened.dataset if opened is not None else None
        return presets.fitting(dataset.geometry) if dataset is not None else "default"

    @property
    def selected(self) -> str:
        """The name of the selected preset; '' where none is."""
        item = self.list.currentItem()
        return item.text() if item is not None else ""

    def _show(self) -> None:
        name = self.selected
        known, opened = self._presets.get(name), self._session.current
        fits = "  Made for scans such as the open one." if name == self._fitting != "default" else ""
        self.text.setText(known.text + fits if known is not None else "")
        sets = tomli_w.dumps(dict(known.settings)) if known is not None else ""
        self.sets.setPlainText(sets or "Every parameter as the program is delivered.")
        busy = self._session.running is not None and self._session.shows_running
        self.use.setEnabled(known is not None and opened is not None and not busy)
        self.share.setEnabled(known is not None)
        self.delete.setEnabled(known is not None and name not in PRESETS)
        self.keep.setEnabled(opened is not None)

    def _try(self, call: Callable[[], object], selected: str) -> None:
        """Do something with the presets' files, and show the list anew; what goes wrong is told beneath it."""
        try:
            call()
        except InputError as error:
            self.problem.setText(str(error))
        except OSError as error:
            self.problem.setText(f"{error.strerror} '{error.filename}': check the folder and the free space there.")
        else:
            self._fill(selected)

    def _use(self) -> None:
        if self.use.isEnabled():
            self._session.use_preset(self.selected)

    def _keep(self) -> None:
        name, opened = self.name.text().strip(), self._session.current
        if opened is not None:
            kept = presets.of_job(opened.job, self.about.text().strip(), self.instrument.isChecked())
            self._try(lambda: presets.keep(name, kept), name)

    def _delete(self) -> None:
        name = self.selected
        self._try(lambda: presets.forget(name), self._fitting)

    def _ask_import(self) -> None:
        dialogs.choose_file(self, "Import a preset", NAMES, self.import_file)

    def import_file(self, path: str) -> None:
        """Take a preset of somebody else, under the name of its file."""
        name = Path(path).stem
        self._try(lambda: presets.keep(name, presets.read(Path(path))), name)

    def _ask_export(self) -> None:
        proposed = Path.home() / f"{self.selected}.toml"
        dialogs.choose_name(self, "Export a preset", NAMES, proposed, self.export_file)

    def export_file(self, path: str) -> None:
        """Write the selected preset where somebody else can fetch it."""
        known = self._presets[self.selected]
        self._try(lambda: presets.write(known, Path(path)), self.selected)
