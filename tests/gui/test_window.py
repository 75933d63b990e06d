"""The window as a user meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QCloseEvent, QDropEvent
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPushButton,
)
from pytestqt.qtbot import QtBot

from ptychogui import io
from ptychogui.engine.simulate import recipes
from ptychogui.gui import settings, theme
from ptychogui.gui.actions import ACTIONS
from ptychogui.gui.check_dialog import CheckDialog
from ptychogui.gui.import_card import in_words
from ptychogui.gui.notices import Notice
from ptychogui.gui.rows import Section
from ptychogui.gui.session import Session
from ptychogui.gui.start_page import SAMPLES
from ptychogui.gui.window import Window
from ptychogui.io.data import Data

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def finished(opened: Window, until: Until) -> Window:
    run(opened, 2)
    until(lambda: opened.session.running is None)
    return opened


def preview_complete(session: Session) -> bool:
    return session.current is not None and session.current.preview is not None and session.current.preview.complete


def run(window: Window, epochs: int) -> None:
    assert window.session.current is not None
    window.session.edit(window.session.current.job.with_value("solver.epochs", epochs))
    window.actions_by_id["run"].trigger()


def dialogs(window: Window) -> list[QDialog]:
    return [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]


def answer(window: Window, text: str) -> None:
    box = next(dialog for dialog in dialogs(window) if isinstance(dialog, QMessageBox))
    next(button for button in box.buttons() if button.text() == text).click()


def test_the_start_page_comes_first(window: Window) -> None:
    assert window.stack.currentWidget() is window.start_page
    assert not window.run_bar.isVisible()
    assert {sample.recipe for sample in SAMPLES} <= set(recipes())


def test_opening_shows_the_workspace_and_is_remembered(opened: Window, scan: Path) -> None:
    assert opened.stack.currentWidget() is opened.workspace
    assert opened.windowTitle().startswith("scan.cxi")
    assert settings.recent()[0].path == str(scan)
    assert "30 frames of 40 × 48" in settings.recent()[0].line
    assert opened.workspace is not None
    assert opened.workspace.browser.topLevelItemCount() == 1
    assert opened.actions_by_id["run"].isEnabled()
    opened.close_file()
    opened.show_start()
    cards = [card for card in opened.start_page.findChildren(QPushButton) if card.objectName() == "recent_file"]
    assert cards
    cards[0].click()


def test_dropped_files_open(window: Window, scan: Path, until: Until) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(scan))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, buttons, keys))
    until(lambda: preview_complete(window.session))
    assert window.session.current is not None
    assert window.session.current.path == str(scan)


DURING_A_RUN = ("pause", "show_running", "stop")
IN_A_QUEUE = ("queue_earlier", "queue_later")
OF_A_NETWORK = ("fine_tune",)  # see test_train_dialog.py
OF_A_SOURCE = ("live_connect", "live_disconnect", "live_save", "live_room")  # see test_live.py
AT_THE_END = ("close_file", "quit")


def trigger(window: Window, name: str, until: Until) -> None:
    """Do one action, let it end, and take its dialogs away; it must be enabled and bring no error."""
    entry = window.actions_by_id[name]
    assert entry.isEnabled(), f"{name}: {entry.toolTip()}"
    entry.trigger()
    until(lambda: window.session.tasks.waiting == 0)
    for dialog in dialogs(window):
        dialog.reject()


def test_every_action_works_where_it_is_enabled(finished: Window, until: Until) -> None:
    session, errors = finished.session, []
    session.message.connect(lambda level, sentence, _: errors.append(sentence) if level == "error" else None)
    for action in ACTIONS:
        if action.id not in DURING_A_RUN + IN_A_QUEUE + OF_A_NETWORK + OF_A_SOURCE + AT_THE_END:
            trigger(finished, action.id, until)
            until(lambda: session.running is None)
            assert not errors, action.id
    run(finished, 100_000)
    session.start()
    session.start()
    session.select(session.current, session.queue.waiting[1][1])
    for name in IN_A_QUEUE:
        trigger(finished, name, until)
    session.queue.clear()
    session.show_running()
    for name in DURING_A_RUN + AT_THE_END:
        trigger(finished, name, until)
        if name == "stop":
            until(lambda: session.running is None)
        assert not errors, name


def test_every_action_has_its_own_id_key_and_slot(window: Window) -> None:
    keys = [action.shortcut for action in ACTIONS if action.shortcut]
    assert len(set(keys)) == len(keys)
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for action in ACTIONS:
        entry = window.actions_by_id[action.id]
        assert entry.isEnabled() or entry.toolTip() == action.why(window.session)


def test_the_whole_way_through_the_window(opened: Window, until: Until, tmp_path: Path) -> None:
    run(opened, 2)
    assert not opened.actions_by_id["continue"].isEnabled()
    until(lambda: opened.session.running is None)
    opened.actions_by_id["save"].trigger()
    dialog = opened.findChild(QFileDialog)
    assert dialog is not None
    dialog.selectFile(str(tmp_path / "kept.h5"))
    dialog.accept()
    until((tmp_path / "kept.h5").exists)
    until(lambda: not opened.session.unsaved())
    opened.open_path(str(tmp_path / "kept.h5"))
    until(lambda: len(opened.session.opened) == 2)
    assert opened.actions_by_id["run"].iconText() == "Continue"
    opened.actions_by_id["run"].trigger()
    until(lambda: opened.session.running is None)
    assert opened.session.current_run is not None
    assert opened.session.current_run.result is not None


def test_an_edit_in_the_form_reaches_the_job_and_can_be_undone(opened: Window, qtbot: QtBot) -> None:
    assert opened.workspace is not None
    assert opened.session.current is not None
    before = opened.session.current.job
    changed = before.with_value("solver.epochs", 321)
    opened.workspace.form.job_changed.emit(changed, before)
    assert opened.session.current.job == changed
    opened.session.undo.undo()
    assert opened.session.current.job == before
    assert opened.workspace.form.job == before


def test_a_grey_run_says_why_and_the_reason_leads_to_the_cure(
    window: Window, qtbot: QtBot, until: Until, tmp_path: Path
) -> None:
    np.save(tmp_path / "stack.npy", np.random.default_rng(1).poisson(30, (12, 24, 20)))
    window.open_path(str(tmp_path / "stack.npy"))
    until(lambda: preview_complete(window.session))
    assert not window.actions_by_id["run"].isEnabled()
    assert "show_data" in window.run_bar.reason.text()
    assert window.workspace is not None
    window.workspace.docks["parameters"].raise_()
    window.run_bar.reason.linkActivated.emit("show_data")
    card = window.workspace.card
    for name, text in (("scan_shape", "3, 4"), ("scan_step_m", "2")):
        field = card.findChild(QLineEdit, name)
        assert field is not None
        qtbot.keyClicks(field, text)
    card.apply_button.click()
    until(lambda: window.actions_by_id["run"].isEnabled())
    card.keep_button.click()
    until((tmp_path / "stack.toml").exists)
    assert io.read(Data(path=str(tmp_path / "stack.npy"))).positions_known


def test_closing_asks_for_results_that_are_not_saved(finished: Window, until: Until, scan: Path) -> None:
    event = QCloseEvent()
    finished.closeEvent(event)
    assert not event.isAccepted()
    answer(finished, "Cancel")
    assert finished.isVisible()
    finished.close()
    answer(finished, "Save")
    until(lambda: not finished.isVisible())
    assert list(scan.parent.glob("scan_run1_*.h5"))


@pytest.mark.parametrize("choice", ["Keep running", "Save and stop", "Cancel"])
def test_closing_during_a_run_asks(choice: str, opened: Window, until: Until, scan: Path) -> None:
    run(opened, 100_000)
    until(lambda: opened.session.current_run and opened.session.current_run.snapshot)
    opened.close()
    assert opened.isVisible()
    answer(opened, choice)
    if choice == "Cancel":
        assert opened.session.running is not None
        return
    if choice == "Keep running":
        assert opened.isMinimized()
        assert opened.session.running is not None
        opened.session.stop()
    until(lambda: not opened.isVisible())
    saved = next(scan.parent.glob("scan_run1_*.h5"))
    assert io.is_result(saved)


def test_the_layout_and_the_theme_are_kept(
    opened: Window, new_window: Callable[[], Window], scan: Path, until: Until
) -> None:
    assert opened.workspace is not None
    opened.workspace.docks["loss"].hide()
    opened.choose_theme("dark")
    assert theme.is_dark()
    opened.leave()
    other = new_window()
    other.open_path(str(scan))
    until(lambda: preview_complete(other.session))
    until(lambda: other.workspace and other.workspace.arranged)
    assert other.workspace is not None
    assert other.workspace.docks["loss"].isHidden()
    other.reset_layout()
    assert not other.workspace.docks["loss"].isHidden()
    assert theme.chosen() == "dark"


def test_the_command_palette_finds_and_does(opened: Window, qtbot: QtBot) -> None:
    opened.guidance.palette()
    dialog = opened.findChild(QDialog, "command_palette")
    assert dialog is not None
    typed = dialog.findChild(QLineEdit)
    found = dialog.findChild(QListWidget)
    assert typed is not None
    assert found is not None
    typed.setText("start pa")
    assert found.item(0).text() == "Start page    Ctrl+Home"  # type: ignore[union-attr]
    typed.returnPressed.emit()
    assert opened.stack.currentWidget() is opened.start_page


def test_messages_show_details_and_do_not_repeat(window: Window) -> None:
    window.session.tell("error", "It broke.", "line 1\nline 2")
    window.session.tell("error", "It broke.", "line 1\nline 2")
    assert window.notices.texts() == ["It broke."]
    button = next(b for b in window.notices.findChildren(QPushButton) if b.objectName() == "notice_details")
    button.click()
    assert [dialog.objectName() for dialog in dialogs(window)] == ["details"]
    dialogs(window)[0].reject()


def test_the_gravest_message_is_seen_and_the_others_on_demand(window: Window) -> None:
    for level, text in (("info", "One."), ("error", "Two."), ("warning", "Three."), ("info", "Four.")):
        window.session.tell(level, text)  # type: ignore[arg-type]
    shown = lambda: [n.sentence for n in window.notices.findChildren(Notice) if not n.isHidden()]  # noqa: E731
    assert shown() == ["Two."]
    more = next(b for b in window.notices.findChildren(QPushButton, "notice_others") if not b.isHidden())
    assert more.text() == "3 more"
    more.click()
    assert shown() == window.notices.texts() == ["One.", "Two.", "Three.", "Four."]
    assert more.text() == "Fewer"
    more.click()
    close = next(b for b in window.notices.findChildren(QPushButton, "notice_close") if not b.parent().isHidden())  # type: ignore[union-attr]
    close.click()
    assert shown() == ["Three."]


def test_the_log_shows_what_happened(opened: Window) -> None:
    assert opened.workspace is not None
    assert "scan.cxi" in opened.workspace.log.toPlainText()


def test_the_tree_leads_from_run_to_data(finished: Window) -> None:
    assert finished.workspace is not None
    tree = finished.workspace.browser
    top = tree.topLevelItem(0)
    assert top is not None
    assert top.childCount() == 1
    tree.setCurrentItem(top)
    assert finished.session.current_run is None
    tree.setCurrentItem(top.child(0))
    assert finished.session.current_run is not None


def test_frames_step_by_key(opened: Window) -> None:
    opened.actions_by_id["previous_frame"].trigger()
    assert opened.session.frame == 29
    opened.actions_by_id["next_frame"].trigger()
    assert opened.session.frame == 0


def test_the_data_card_shows_every_value(opened: Window) -> None:
    assert opened.workspace is not None
    assert opened.session.current is not None
    assert opened.session.current.dataset is not None
    shown = {label.text() for label in opened.workspace.card.findChildren(QLabel)}
    for value in opened.session.current.dataset.values:
        assert {value.name, value.text, in_words(value.doubt) or value.name} <= shown


def test_the_data_card_leads_to_the_check(opened: Window, until: Until) -> None:
    button = opened.findChild(QPushButton, "check_scan")
    assert button is not None
    button.click()
    dialog = next(dialog for dialog in dialogs(opened) if isinstance(dialog, CheckDialog))
    until(lambda: dialog.stream.item)
    dialog.reject()
    until(lambda: opened.session.tasks.waiting == 0)
    run(opened, 100_000)
    assert not button.isEnabled()


def test_a_sample_is_made_and_opened(window: Window, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    QApplication.setApplicationName("ptychogui-test")
    window.open_sample("siemens-near")
    until(lambda: preview_complete(window.session))
    assert window.session.current is not None
    assert window.session.current.dataset is not None
    assert window.session.current.dataset.geometry.field == "near"


def test_another_file_can_be_looked_at_during_a_run(opened: Window, scan: Path, until: Until) -> None:
    other = scan.with_name("other.cxi")
    other.write_bytes(scan.read_bytes())
    run(opened, 100_000)
    going = opened.session.running
    assert going is not None
    until(lambda: going.snapshot)
    opened.open_path(str(other))
    until(lambda: len(opened.session.opened) == 2 and preview_complete(opened.session))
    assert opened.session.current_run is None
    assert "show_running" in opened.run_bar.reason.text()
    opened.close_file()
    assert len(opened.session.opened) == 1
    opened.run_bar.reason.linkActivated.emit("show_running")
    assert opened.session.current_run is going
    opened.close_file()
    assert opened.session.opened
    assert any("stop the run first" in text for text in opened.notices.texts())


def test_the_card_takes_the_data_of_a_result_from_elsewhere(
    finished: Window, scan: Path, tmp_path: Path, qtbot: QtBot, until: Until
) -> None:
    session = finished.session
    assert session.current_run is not None
    session.save(session.current_run, tmp_path / "result.h5")
    until(lambda: not session.unsaved())
    (tmp_path / "away").mkdir()
    scan.rename(tmp_path / "away" / "moved.cxi")
    finished.open_path(str(tmp_path / "result.h5"))
    until(lambda: len(session.opened) == 2)
    assert finished.workspace is not None
    assert "find_data" in finished.run_bar.reason.text()
    field = finished.workspace.card.findChild(QLineEdit, "path")
    assert field is not None
    field.clear()
    qtbot.keyClicks(field, str(tmp_path / "away" / "moved.cxi"))
    finished.workspace.card.apply_button.click()
    until(lambda: finished.actions_by_id["run"].isEnabled())


def test_closing_while_a_file_is_read_is_quiet(window: Window, scan: Path) -> None:
    window.open_path(str(scan))
    window.close()
    assert not window.isVisible()


def test_the_data_card_is_in_front_whatever_was_last_time(
    opened: Window, new_window: Callable[[], Window], scan: Path, until: Until
) -> None:
    opened.show_parameters()
    opened.leave()
    other = new_window()
    other.open_path(str(scan))
    until(lambda: preview_complete(other.session))
    assert other.workspace is not None
    card = other.workspace.card
    until(lambda: not card.visibleRegion().isEmpty())


def test_a_dock_among_tabs_has_no_second_title(opened: Window, until: Until) -> None:
    assert opened.workspace is not None
    docks = opened.workspace.docks
    until(lambda: docks["loss"].titleBarWidget() is not None)
    assert docks["object_phase"].titleBarWidget() is None
    for dock in opened.workspace.tabifiedDockWidgets(docks["loss"]):
        dock.hide()
    until(lambda: docks["loss"].titleBarWidget() is None)


def test_a_slow_reading_is_told_until_it_ends(window: Window, scan: Path, until: Until) -> None:
    window.open_path(str(scan))
    window._tell_slow(str(scan))
    assert window.notices.texts() == ["scan.cxi is being read…"]
    until(lambda: preview_complete(window.session))
    until(lambda: not window.notices.texts())


def test_empty_fields_show_what_is_in_force(window: Window, scan: Path, until: Until) -> None:
    scan.with_suffix(".toml").write_text('[data]\nsaturation = 1e6\nscan_rotation_rad = "36 deg"\n', encoding="utf-8")
    window.open_path(str(scan))
    until(lambda: preview_complete(window.session))
    assert window.workspace is not None
    assert window.session.current is not None
    window.workspace.form.findChild(Section, "section.data").set_expanded(True)  # type: ignore[union-attr]
    shown = {row.choice.name: row.edit for row in window.workspace.form.rows()}
    energy, voltage = shown["data.energy_eV"], shown["data.kV"]
    assert isinstance(energy, QLineEdit)
    assert energy.placeholderText().endswith("keV")
    assert isinstance(voltage, QLineEdit)
    assert voltage.placeholderText() == "photons"
    assert window.session.current.job.data.saturation == 1e6
    rotation = window.workspace.card.findChild(QLineEdit, "scan_rotation_rad")
    assert rotation is not None
    assert rotation.text() == "36 deg"


def test_curves_of_several_runs_carry_their_names(finished: Window, until: Until) -> None:
    run(finished, 3)
    until(lambda: finished.session.running is None)
    assert finished.workspace is not None
    legend = finished.workspace.views["loss"].plot.legend
    assert [label.text for _, label in legend.items] == ["Run 1 · adam", "Run 2 · adam"]


def test_the_search_for_a_start_is_told_and_may_be_stopped(
    window: Window, until: Until, scan: Path, tmp_path: Path
) -> None:
    known = io.read(Data(path=str(scan)))
    positions_px = known.scan.positions_m / known.geometry.pixel_m
    np.savez(tmp_path / "bare.npz", data=known.frames[:], scan=positions_px)
    window.open_path(str(tmp_path / "bare.npz"))
    until(lambda: preview_complete(window.session))
    window.actions_by_id["run"].trigger()
    until(lambda: "Finding the defocus by short runs" in window.run_bar.figures.text())
    window.actions_by_id["stop"].trigger()
    assert window.run_bar.figures.text().startswith("Stopping…")
    until(lambda: window.session.running is None)
    assert window.workspace is not None
    assert "Short runs found the defocus" not in window.workspace.log.toPlainText()


def test_positions_that_do_not_overlap_are_no_run(window: Window, until: Until, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    np.savez(tmp_path / "far.npz", data=random.poisson(30, (9, 24, 20)), scan=random.random((9, 2)) * 1e4)
    window.open_path(str(tmp_path / "far.npz"))
    until(lambda: preview_complete(window.session))
    assert "do not overlap" in window.run_bar.reason.text()
    assert not window.actions_by_id["run"].isEnabled()
