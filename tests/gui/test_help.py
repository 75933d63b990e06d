"""What helps along: keys that can be changed, the palette, pages of help, the first steps, About, own presets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QDialog, QLineEdit, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from ptychogui import presets
from ptychogui.gui import settings
from ptychogui.gui.about import AboutDialog
from ptychogui.gui.actions import ACTIONS
from ptychogui.gui.choice import choices
from ptychogui.gui.first_steps import CARD, KEEP, OFFERED, OPEN, RUN
from ptychogui.gui.help_pages import pages
from ptychogui.gui.help_window import TOPICS, HelpWindow, topic_of, topic_of_parameter
from ptychogui.gui.presets_dialog import PresetsDialog
from ptychogui.gui.rows import FieldRow
from ptychogui.gui.shortcuts import BY_ID, ShortcutsDialog, key_of
from ptychogui.gui.window import Window
from ptychogui.io.data import Data
from ptychogui.job import Job

Until = Callable[[Callable[[], object]], None]


def dialog_of(window: Window, kind: type[QDialog]) -> QDialog:
    return next(dialog for dialog in window.findChildren(kind) if dialog.isVisible())


def test_a_key_is_changed_and_kept_conflicts_are_told_and_all_is_reset(
    window: Window, new_window: Callable[[], Window], qtbot: QtBot
) -> None:
    window.actions_by_id["shortcuts"].trigger()
    dialog = dialog_of(window, ShortcutsDialog)
    assert isinstance(dialog, ShortcutsDialog)
    dialog.list.setCurrentItem(dialog._items["full_screen"])
    qtbot.keyClick(dialog.key, Qt.Key.Key_F9)
    dialog.key.editingFinished.emit()
    assert window.actions_by_id["full_screen"].shortcut().toString() == "F9"
    assert key_of(BY_ID["full_screen"]) == "F9"
    assert "F9" in dialog._items["full_screen"].text(1)
    qtbot.keyClick(dialog.key, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    dialog.key.editingFinished.emit()
    assert dialog.problem.text() == "Ctrl+O is the key of “Open”."
    assert key_of(BY_ID["full_screen"]) == "F9"
    dialog.take.click()
    assert (key_of(BY_ID["full_screen"]), key_of(BY_ID["open"])) == ("Ctrl+O", "")
    dialog.list.setCurrentItem(dialog._items["open"])
    dialog.reset.click()
    assert "is the key of “Full screen” now" in dialog.problem.text()
    qtbot.keyClick(dialog.key, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    dialog.key.editingFinished.emit()
    assert dialog.problem.text() == "Ctrl+Z is the key of “Undo”."
    dialog.reset_all.click()
    assert all(key_of(action) == action.shortcut for action in ACTIONS)
    assert window.actions_by_id["open"].shortcut().toString() == "Ctrl+O"
    qtbot.keyClicks(dialog.search, "ctrl+r")
    assert not dialog._items["run"].isHidden()
    assert dialog._items["about"].isHidden()
    dialog.reject()
    settings.settings().setValue("shortcuts/run", "F5")
    other = new_window()  # as at the next start
    assert other.actions_by_id["run"].shortcut().toString() == "F5"


def test_the_palette_finds_parameters_files_and_runs(opened: Window, qtbot: QtBot, until: Until) -> None:
    opened.guidance.palette()
    dialog = opened.findChild(QDialog, "command_palette")
    assert dialog is not None
    typed, found = dialog.findChild(QLineEdit), dialog.findChild(QListWidget)
    assert typed is not None
    assert found is not None
    qtbot.keyClicks(typed, "raster pathology")
    texts = [found.item(i).text() for i in range(found.count())]  # type: ignore[union-attr]
    assert texts
    assert all("constraints.raster_pathology" in text for text in texts)
    assert opened.first_steps.isHidden()  # whoever opens a file needs no offer
    assert settings.settings().value(OFFERED, False, bool)
    typed.clear()
    qtbot.keyClicks(typed, "distance limit")
    assert "refine.distance.limit" in found.item(0).text()  # type: ignore[union-attr]
    typed.clear()
    qtbot.keyClicks(typed, "seed")
    qtbot.keyClick(typed, Qt.Key.Key_Return)
    until(lambda: isinstance(opened.focusWidget(), QLineEdit) and opened.focusWidget().objectName() == "seed")  # type: ignore[union-attr]
    opened.session.select(None)
    opened.guidance.palette()
    dialog = dialog_of(opened, QDialog)
    typed = dialog.findChild(QLineEdit)
    assert typed is not None
    qtbot.keyClicks(typed, "scan.cxi")
    qtbot.keyClick(typed, Qt.Key.Key_Return)
    assert opened.session.current is opened.session.opened[0]


def test_a_parameter_is_revealed_and_f1_opens_the_page_about_it(opened: Window, qtbot: QtBot) -> None:
    for name in ("solver.loss", "data.energy_eV", "device", "refine.affine.largest"):
        opened.guidance.show_parameter(name)
        focus = opened.focusWidget()
        assert focus is not None
        assert focus.objectName() in (name, name.rpartition(".")[0] + ".enabled")
    opened.guidance.show_parameter("solver.epochs")
    opened.actions_by_id["help"].trigger()
    dialog = dialog_of(opened, HelpWindow)
    assert isinstance(dialog, HelpWindow)
    assert dialog.page == "parameters.solver"
    qtbot.keyClicks(dialog.search, "raster pathology")
    shown = [item for item in dialog._items.values() if not item.isHidden()]
    assert 1 <= len(shown) < len(dialog._items)
    opened.actions_by_id["help"].trigger()
    assert len(opened.findChildren(HelpWindow)) == 1
    dialog.close()


def test_help_knows_every_parameter_and_every_dock(window: Window) -> None:
    known = {page.name: page for page in pages()}
    assert set(TOPICS.values()) <= set(known)
    for page in known.values():
        assert len(page.text()) > 200, page.name
    texts = {name: page.text() for name, page in known.items() if page.is_html}
    for choice in choices(Job()):
        if not choice.heading:
            page, _, place = topic_of_parameter(choice.name).partition("#")
            if choice.path[0] in ("device", "seed"):
                continue
            assert f'name="{place}"' in texts[page] or choice.union, choice.name
    assert window.workspace is not None
    for name, dock in window.workspace.docks.items():
        assert topic_of(dock.widget()) in known or "#" in topic_of(dock.widget()), name
    assert topic_of(None) == "start"


def test_the_first_steps_are_offered_once_and_lead_to_a_result(
    window: Window, new_window: Callable[[], Window], scan: Path, until: Until
) -> None:
    steps = window.first_steps
    assert steps.isVisible()
    steps.go.click()
    assert steps.at == OPEN
    window.open_path(str(scan))  # any way of opening will do
    until(lambda: steps.at == CARD)
    steps.go.click()
    assert steps.at == RUN
    assert window.session.current is not None
    window.session.edit(window.session.current.job.with_value("solver.epochs", 2))
    until(lambda: steps.go.isEnabled())
    steps.go.click()
    assert not steps.go.isEnabled()
    until(lambda: steps.at == KEEP)
    assert steps.more.isVisible()
    steps.skip.click()
    assert steps.isHidden()
    other = new_window()
    assert other.first_steps.isHidden()


def test_about_measures_the_devices_and_copies_what_a_report_needs(window: Window, until: Until) -> None:
    settings.settings().setValue("theme", "dark")
    window.actions_by_id["about"].trigger()
    dialog = dialog_of(window, AboutDialog)
    assert isinstance(dialog, AboutDialog)
    until(lambda: "cpu " in dialog.text.toPlainText())
    dialog.copy_button.click()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    for part in ("torch", "Qt", "memory", "transformed there and back", "theme = dark"):
        assert part in clipboard.text()
    assert "recent" not in clipboard.text()
    dialog.reject()


def test_presets_of_the_user_are_kept_used_shared_and_deleted(opened: Window, until: Until, tmp_path: Path) -> None:
    session = opened.session
    assert session.current is not None
    plain_job = session.current.job
    session.edit(plain_job.with_value("solver", {"kind": "epie", "epochs": 9}))
    opened.actions_by_id["presets"].trigger()
    dialog = dialog_of(opened, PresetsDialog)
    assert isinstance(dialog, PresetsDialog)
    dialog.name.setText("../x")
    dialog.keep.click()
    assert "cannot be the name" in dialog.problem.text()
    dialog.name.setText("Our beamline")
    dialog.instrument.setChecked(True)
    dialog.about.setText("For ours.")
    dialog.keep.click()
    assert dialog.selected == "Our beamline"
    assert 'kind = "epie"' in dialog.sets.toPlainText()
    assert "[data]" in dialog.sets.toPlainText()
    dialog.export_file(str(tmp_path / "shared.toml"))
    session.undo.undo()
    assert session.current.job == plain_job
    dialog.use.click()
    assert session.current.job.stages[0].kind == "epie"
    assert session.undo.undoText() == "preset 'Our beamline'"
    dialog.delete.click()
    assert dialog.selected == "x-ray"
    assert "Made for scans such as the open one" in dialog.text.text()
    assert not dialog.delete.isEnabled()
    dialog.import_file(str(tmp_path / "shared.toml"))
    assert dialog.selected == "shared"
    assert presets.preset("shared").text == "For ours."
    dialog.reject()
    assert opened.workspace is not None
    menu = opened.workspace.form._presets.menu()
    assert menu is not None
    menu.aboutToShow.emit()
    assert "shared" in {action.text() for action in menu.actions()}
    assert session.current.job.data == Data.read(plain_job.data.plain())


def test_a_row_of_the_form_leads_to_its_place_in_the_help(qtbot: QtBot) -> None:
    choice = next(c for c in choices(Job()) if c.name == "solver.epochs")
    over = QWidget()
    qtbot.addWidget(over)
    row = FieldRow(choice, over)
    assert topic_of(row.edit) == "parameters.solver#solver.epochs"
