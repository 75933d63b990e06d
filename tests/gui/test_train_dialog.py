"""A network is trained, kept, used and fine-tuned in the window, on real widgets with a network of a few weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QLabel, QLineEdit, QMenu, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from ptychogui import io
from ptychogui.engine.learn.training import Training
from ptychogui.engine.learn.unrolled import Unrolled
from ptychogui.engine.learn.weights import card_of
from ptychogui.engine.simulate import recipes, simulate
from ptychogui.engine.start.ptychonet import FromNetwork
from ptychogui.gui.course import folder
from ptychogui.gui.help_pages import pages
from ptychogui.gui.help_window import topic_of
from ptychogui.gui.networks import known_networks
from ptychogui.gui.session import Session
from ptychogui.gui.train_dialog import TrainDialog
from ptychogui.gui.window import Window
from ptychogui.train import TrainJob

Until = Callable[[Callable[[], object]], None]
TINY = Unrolled(pixels=16, channels=4, looks=2)
SHORT = Training(steps=3, made=8, frames=4, batch=2)
LONG = SHORT.model_copy(update={"steps": None, "seconds": 1000.0})


def press(widget: QWidget, name: str) -> None:
    button = widget.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isEnabled(), name
    button.click()


def text_of(widget: QWidget, name: str) -> str:
    found = widget.findChild(QLabel, name)
    assert found is not None, name
    return found.text()


def answer(widget: QWidget, text: str) -> None:
    box = widget.findChild(QMessageBox, "question")
    assert box is not None
    next(button for button in box.buttons() if button.text() == text).click()


def told(session: Session) -> list[str]:
    errors: list[str] = []
    session.message.connect(lambda level, text, _: errors.append(text) if level != "info" else None)
    return errors


@pytest.fixture
def dialog(session: Session, scan: Path, over: QWidget, until: Until) -> Iterator[TrainDialog]:
    session.open(str(scan))
    until(lambda: session.current is not None and session.current.dataset is not None)
    assert session.current is not None
    session.edit(session.current.job.with_value("start.find_defocus", False))  # it takes seconds
    made = TrainDialog(session, session.current, None, over)
    set_up(made, SHORT)
    made.show()
    stream = made.stream
    yield made
    if stream.running:
        made.done(0)
        until(lambda: not stream.running)


def set_up(dialog: TrainDialog, training: Training) -> None:
    dialog.form.set_params(dialog.job.model_copy(update={"network": TINY, "training": training}))


def trained(dialog: TrainDialog, until: Until) -> None:
    press(dialog, "start")
    until(lambda: not dialog.stream.running)
    assert dialog.problem.text() == ""


def test_what_is_proposed_fits_the_scan(session: Session, scan: Path, over: QWidget, until: Until) -> None:
    session.open(str(scan))
    until(lambda: session.current is not None and session.current.dataset is not None)
    assert session.current is not None
    session.edit(session.current.job.with_value("start.modes", 3))
    dialog = TrainDialog(session, session.current, None, over)
    assert dialog.job.network == Unrolled(pixels=32)
    assert dialog.job.start.kind == "data"
    assert dialog.job.start.modes == 3
    names = {row.choice.name for row in dialog.form.rows()}
    assert {"begin", "network.kind", "network.pixels", "training.images", "training.seconds", "device"} <= names
    assert "training.momentum" not in names
    assert not any(name.startswith(("data", "start")) for name in names)
    dialog.all.setChecked(True)
    assert "training.momentum" in {row.choice.name for row in dialog.form.rows()}
    dialog.close()


def test_a_network_is_trained_watched_saved_and_used(
    dialog: TrainDialog, session: Session, until: Until, tmp_path: Path
) -> None:
    assert not dialog.save_button.isEnabled()
    assert not dialog.use_button.isEnabled()
    trained(dialog, until)
    taught = dialog.stream.item
    assert taught.steps == (1, 2, 3)
    assert taught.progress.ended == "steps"
    assert all(panel.picture is not None for panel in dialog.view.panels.values())
    truth, found = (dialog.view.panels[f"{whose}_phase"].picture for whose in ("truth", "found"))
    assert truth is not None
    assert found is not None
    assert truth.values.shape == found.values.shape
    assert truth.levels == found.levels
    turn = np.vdot(taught.progress.example.found, taught.progress.example.truth)
    assert abs(np.angle(turn)) < 1e-3
    assert len(dialog.view.curve._lines) == 3
    assert "3 steps" in text_of(dialog, "training_figures")
    dialog.save(str(tmp_path / "mine.safetensors"))
    until(lambda: "was saved" in text_of(dialog, "kept_line"))
    card = card_of(tmp_path / "mine.safetensors")
    assert (card.network, card.training, card.source) == (TINY, SHORT, "scan.cxi")
    assert "--set network.pixels=16" in card.command
    assert not list(tmp_path.glob("*.part*"))
    press(dialog, "use_network")
    assert session.current is not None
    current = session.current
    until(lambda: current.job.start.kind == "ptychonet")
    assert isinstance(current.job.start, FromNetwork)
    assert Path(current.job.start.weights).parent == folder()
    assert card_of(Path(current.job.start.weights)).network == TINY
    assert session.undo.undoText() == "network as start"
    session.undo.undo()
    assert current.job.start.kind == "data"


def test_what_is_better_than_the_mean_picture_is_kept_on_the_way_under_a_name_of_its_own(
    dialog: TrainDialog, until: Until
) -> None:
    set_up(dialog, SHORT.model_copy(update={"steps": 1000, "learning_rate": 0.01, "counts": 0.0}))
    names = []
    for _ in range(2):
        press(dialog, "start")
        until(lambda: dialog.stream.item is not None and dialog.stream.item.kept is not None)
        assert dialog.stream.item.errors[-1] < dialog.stream.item.progress.mean_error
        press(dialog, "stop_stream")
        until(lambda: not dialog.stream.running)
        assert dialog.problem.text() == ""
        assert str(dialog.stream.item.kept) in text_of(dialog, "kept_line")
        names.append(dialog.stream.item.kept.name)
    assert names == ["scan-unrolled-16.safetensors", "scan-unrolled-16-2.safetensors"]
    assert [value for value, _ in known_networks()[-2:]] == sorted(str(folder() / name) for name in names)


def test_a_training_can_be_stopped_at_once_and_later(dialog: TrainDialog, until: Until) -> None:
    set_up(dialog, LONG)
    press(dialog, "start")
    press(dialog, "stop_stream")
    until(lambda: not dialog.stream.running)
    assert dialog.problem.text() == ""
    assert not dialog.save_button.isEnabled()
    press(dialog, "start")
    until(lambda: dialog._course is not None and dialog._course.share > 0)
    until(lambda: "left" in dialog.progress.text())
    press(dialog, "stop_stream")
    until(lambda: not dialog.stream.running)
    stopped = dialog.stream.item
    assert stopped.progress.ended == "stopped"
    assert dialog.save_button.isEnabled()
    press(dialog, "go_on")
    assert not dialog.go_on_button.isVisible()
    press(dialog, "stop_stream")
    until(lambda: not dialog.stream.running)
    assert dialog.problem.text() == ""
    assert dialog.stream.item.steps[: len(stopped.steps)] == stopped.steps
    assert dialog.stream.item.progress.step > stopped.progress.step


def test_closing_during_a_training_asks_and_ends_it(dialog: TrainDialog, until: Until) -> None:
    set_up(dialog, LONG)
    stream = dialog.stream
    press(dialog, "start")
    until(lambda: dialog._course is not None and dialog._course.share > 0)
    press(dialog, "close")
    assert dialog.isVisible()
    answer(dialog, "Go on training")
    assert stream.running
    assert not stream.stopping
    dialog.close()
    assert dialog.isVisible()
    answer(dialog, "Stop and close")
    assert dialog.isHidden()
    until(lambda: not stream.running)


def test_what_cannot_be_trained_has_one_sentence(dialog: TrainDialog, until: Until, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / "one" / "picture.png")
    for name, images in (("empty", "empty"), ("one", "one"), ("none", "none")):
        set_up(dialog, SHORT.model_copy(update={"images": str(tmp_path / images)}))
        press(dialog, "start")
        until(lambda: not dialog.stream.running)
        assert "give" in dialog.problem.text(), name
        assert str(tmp_path / images) in dialog.problem.text()
    set_up(dialog, SHORT.model_copy(update={"learning_rate": 1e38}))
    press(dialog, "start")
    until(lambda: not dialog.stream.running)
    assert dialog.problem.text().startswith("The training ran away")
    set_up(dialog, SHORT)
    dialog.form.set_params(dialog.job.with_value("network.pixels", 64))
    press(dialog, "start")
    until(lambda: not dialog.stream.running)
    assert "40 × 48" in dialog.problem.text()
    assert "Error" not in text_of(dialog, "training_figures")


def test_weights_that_are_none_are_refused_and_good_ones_are_fine_tuned(
    dialog: TrainDialog, session: Session, until: Until, tmp_path: Path
) -> None:
    trained(dialog, until)
    dialog.save(str(tmp_path / "good.safetensors"))
    until(lambda: (tmp_path / "good.safetensors").exists() and session.tasks.waiting == 0)
    (tmp_path / "bad.safetensors").write_bytes(b"\x80\x04K\x01.")
    dialog.begin_with(str(tmp_path / "bad.safetensors"))
    until(lambda: dialog.problem.text())
    assert "no whole file of weights" in dialog.problem.text()
    assert not dialog.start_button.isEnabled()
    dialog.form.set_params(dialog.job.with_value("network.channels", 7))
    dialog.begin_with(str(tmp_path / "good.safetensors"))
    until(lambda: "16 × 16" in text_of(dialog, "begin_line"))
    assert dialog.windowTitle() == "Fine-tune a network"
    assert dialog.job.network == TINY
    assert "network.pixels" not in {row.choice.name for row in dialog.form.rows()}
    before = dialog.stream.item.errors
    trained(dialog, until)
    assert dialog.stream.item.errors[0] != before[0]
    assert "begin=" in dialog._course.lesson.weights().card.command  # type: ignore[union-attr]


def test_a_result_with_its_probe_is_an_experiment_too(
    session: Session, scan: Path, over: QWidget, until: Until
) -> None:
    session.open(str(scan))
    until(lambda: session.current is not None and session.current.dataset is not None)
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", 1).with_value("start.find_defocus", False))
    session.start()
    until(lambda: session.running is None and session.current_run is not None)
    dialog = TrainDialog(session, session.current, session.current_run, over)
    chosen = dialog.findChild(QComboBox, "experiment")
    assert chosen is not None
    assert [chosen.itemText(i) for i in range(chosen.count())] == [
        "Probe as scan.cxi tells it",
        "Probe that Run 1 · adam found",
    ]
    assert chosen.currentIndex() == 1
    set_up(dialog, SHORT)
    trained(dialog, until)
    assert dialog.stream.item.progress.step == 3
    dialog.close()


def weights_row(window: Window) -> QWidget:
    assert window.workspace is not None
    return next(row for row in window.workspace.form.rows() if row.choice.name == "start.weights")


def note_of(window: Window) -> str:
    notes = weights_row(window).findChildren(QLabel, "note_text")
    return notes[-1].text() if notes else ""


def test_the_panel_says_how_the_network_fits_and_offers_what_helps(
    opened: Window, until: Until, tmp_path: Path
) -> None:
    session, errors = opened.session, told(opened.session)
    assert session.current is not None
    dataset = session.current.dataset
    assert dataset is not None
    assert not opened.actions_by_id["fine_tune"].isEnabled()
    session.edit(session.current.job.with_value("start.find_defocus", False).with_value("start.kind", "ptychonet"))
    until(lambda: "No network is chosen" in note_of(opened))
    assert "No network is chosen" in session.reasons()[0].text
    assert not opened.actions_by_id["run"].isEnabled()
    press(weights_row(opened), "note.train")
    dialog = opened.findChild(TrainDialog, "train_dialog")
    assert dialog is not None
    assert not dialog.isModal()
    set_up(dialog, SHORT)
    trained(dialog, until)
    press(dialog, "use_network")
    until(lambda: "was trained" in note_of(opened) or "suits" in note_of(opened) or "not known" in note_of(opened))
    until(lambda: opened.tools.preflight.known is not None and opened.tools.preflight.known.complete)
    kinds = {doubt.name: doubt.level for doubt in opened.tools.preflight.known.doubts}  # type: ignore[union-attr]
    assert kinds["network"] in ("ok", "doubt")
    until(lambda: session.tasks.waiting == 0)
    edit = weights_row(opened).findChild(QWidget, "start.weights")
    assert edit is not None
    edit._choose()  # type: ignore[attr-defined]
    menu = edit.findChild(QMenu, "known_values")
    assert menu is not None
    assert any("scan-unrolled-16" in action.text() for action in menu.actions())
    menu.close()
    assert opened.actions_by_id["run"].isEnabled()
    opened.actions_by_id["fine_tune"].trigger()
    again = opened.findChildren(TrainDialog, "train_dialog")[-1]
    until(lambda: again.job.network == TINY)
    again.close()
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    session.edit(session.current.job.with_value("start.weights", str(tmp_path / "bad.safetensors")))
    until(lambda: "no whole file of weights" in note_of(opened))
    opened.tools.open_preflight()
    press(opened, "mend.network")
    assert session.current.job.start.kind == "data"
    assert not errors


def test_help_is_there_for_the_dialog_and_its_fields(dialog: TrainDialog) -> None:
    assert topic_of(dialog.save_button) == "networks"
    row = next(row for row in dialog.form.rows() if row.choice.name == "training.images")
    assert topic_of(row.edit) == "train#train.training.images"
    page = next(page for page in pages() if page.name == "train").text()
    assert 'name="train.training.images"' in page
    assert 'name="train.network.looks"' in page
    assert "energy" not in page.lower()


def test_a_near_field_scan_says_why_it_trains_no_network(window: Window, until: Until, tmp_path: Path) -> None:
    io.write(
        simulate(recipes()["siemens-near"].read({"scan_shape": (4, 4), "shape": (48, 40), "step_px": 5.0})),
        tmp_path / "near.cxi",
    )
    assert window.actions_by_id["train"].toolTip() == "Open a scan or a result first"
    window.open_path(str(tmp_path / "near.cxi"))
    until(lambda: window.session.current is not None and window.session.tasks.waiting == 0)
    entry = window.actions_by_id["train"]
    assert not entry.isEnabled()
    assert entry.toolTip() == "A network sees far-field patterns only"


def test_the_palette_finds_the_training(opened: Window, qtbot: QtBot) -> None:
    opened.guidance.palette()
    typed = opened.findChild(QLineEdit, "palette_search")
    assert typed is not None
    qtbot.keyClicks(typed, "train network")
    qtbot.keyClick(typed, Qt.Key.Key_Return)
    dialog = opened.findChild(TrainDialog, "train_dialog")
    assert dialog is not None
    assert dialog.isVisible()
    dialog.close()
    assert dialog.isHidden()


def test_a_window_that_goes_ends_the_training(opened: Window, until: Until) -> None:
    opened.actions_by_id["train"].trigger()
    dialog = opened.findChild(TrainDialog, "train_dialog")
    assert dialog is not None
    set_up(dialog, LONG)
    press(dialog, "start")
    course = dialog._course
    until(lambda: course is not None and course.share > 0)
    opened.leave()
    assert course is not None
    assert course.lesson is not None
    assert course.lesson.trainer.stopping


def test_the_job_of_the_dialog_is_that_of_the_command_line() -> None:
    from ptychogui.reproduce import training_command

    job = TrainJob(network=TINY, training=SHORT).with_value("data.path", "a b.cxi")
    words = training_command(job, "w.safetensors")
    assert words.startswith("ptychogui train 'a b.cxi' -o w.safetensors --set ")
    for setting in ("network.pixels=16", "network.looks=2", "training.steps=3"):
        assert setting in words
    assert "network.kind" not in words
