"""Opening, editing, running, saving and continuing, without any widget."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptychogui import io
from ptychogui.gui.session import Session
from ptychogui.io.data import Data

Until = Callable[[Callable[[], object]], None]


class Told:
    """What the session said."""

    def __init__(self, session: Session) -> None:
        self.messages: list[tuple[str, str]] = []
        session.message.connect(lambda level, sentence, details: self.messages.append((level, sentence)))

    def errors(self) -> list[str]:
        return [sentence for level, sentence in self.messages if level == "error"]


@pytest.fixture
def told(session: Session) -> Told:
    return Told(session)


@pytest.fixture
def opened(session: Session, scan: Path, until: Until) -> Session:
    session.open(str(scan))
    until(lambda: session.current is not None and session.current.preview is not None)
    return session


def epochs(session: Session, number: int) -> None:
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", number))


def test_opening_reads_and_previews(opened: Session, until: Until) -> None:
    current = opened.current
    assert current is not None
    assert current.dataset is not None
    until(lambda: current.preview is not None and current.preview.complete)
    assert current.preview is not None
    frames = np.asarray(current.dataset.frames[:])
    np.testing.assert_allclose(current.preview.total_counts, frames.sum((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(current.preview.mean_pattern, frames.mean(0), rtol=1e-4)
    y = (frames.sum(2) @ (np.arange(40) - 20)) / frames.sum((1, 2))
    np.testing.assert_allclose(current.preview.centre_of_mass[:, 0], y, atol=1e-4)
    assert not opened.reasons()


def test_a_run_gives_a_result(opened: Session, until: Until) -> None:
    epochs(opened, 3)
    seen = []
    opened.snapshot_changed.connect(lambda: seen.append(opened.current_run))
    opened.start()
    until(lambda: opened.running is None)
    run = opened.current_run
    assert run is not None
    assert run.result is not None
    assert run.snapshot is not None
    assert run.state == "finished"
    assert len(run.result.loss) == 3
    assert run.unsaved
    assert seen


def test_stop_keeps_the_result(opened: Session, until: Until) -> None:
    epochs(opened, 100_000)
    opened.start()
    until(lambda: opened.current_run is not None and opened.current_run.snapshot is not None)
    opened.stop()
    until(lambda: opened.running is None)
    run = opened.current_run
    assert run is not None
    assert run.result is not None
    assert run.state == "stopped"


def test_pause_waits_and_a_change_during_the_run_counts(opened: Session, until: Until) -> None:
    epochs(opened, 100_000)
    opened.start()
    run = opened.current_run
    assert run is not None
    until(lambda: run.snapshot is not None and run.snapshot.epoch > 0)
    opened.pause()
    assert opened.paused
    time.sleep(0.3)
    until(lambda: True)
    assert run.snapshot is not None
    held = run.snapshot.epoch
    time.sleep(0.3)
    until(lambda: True)
    assert run.snapshot.epoch == held
    assert run.state == "paused"
    opened.pause()
    until(lambda: run.snapshot is not None and run.snapshot.epoch > held)
    epochs(opened, run.snapshot.epoch + 5)
    until(lambda: opened.running is None)
    assert run.state == "finished"
    assert run.result is not None
    assert "solver.epochs" in run.result.provenance["changes"]


def test_a_change_before_the_first_step_counts(opened: Session, until: Until) -> None:
    epochs(opened, 100_000)
    opened.start()
    epochs(opened, 3)
    until(lambda: opened.running is None)
    assert opened.current_run is not None
    assert opened.current_run.state == "finished"


def test_a_waiting_run_is_saved_and_stopped_at_once(opened: Session, until: Until, tmp_path: Path) -> None:
    epochs(opened, 100_000)
    opened.start()
    run = opened.current_run
    assert run is not None
    until(lambda: run.snapshot is not None)
    opened.pause()
    opened.save(run, tmp_path / "kept.h5")
    opened.stop()
    until(lambda: opened.running is None)
    until((tmp_path / "kept.h5").exists)
    assert run.state == "stopped"


def test_saved_in_the_middle_and_at_the_end(opened: Session, until: Until, tmp_path: Path) -> None:
    epochs(opened, 100_000)
    opened.start()
    run = opened.current_run
    assert run is not None
    until(lambda: run.snapshot is not None and run.snapshot.epoch > 1)
    opened.save(run, tmp_path / "middle.h5")
    until((tmp_path / "middle.h5").exists)
    assert opened.running is run
    opened.stop()
    until(lambda: opened.running is None)
    opened.save(run, tmp_path / "end.h5")
    until(lambda: not run.unsaved)
    assert len(io.read_result(tmp_path / "middle.h5").loss) <= len(io.read_result(tmp_path / "end.h5").loss)


def test_a_result_reopens_and_continues(opened: Session, until: Until, tmp_path: Path) -> None:
    epochs(opened, 4)
    opened.start()
    until(lambda: opened.running is None)
    first = opened.current_run
    assert first is not None
    assert first.result is not None
    opened.save(first, tmp_path / "first.h5")
    until(lambda: not first.unsaved)
    opened.open(str(tmp_path / "first.h5"))
    until(lambda: len(opened.opened) == 2)
    assert opened.current is not None
    assert opened.current_run is not None
    assert opened.continues
    np.testing.assert_array_equal(opened.current_run.result.obj.slices, first.result.obj.slices)  # type: ignore[union-attr]
    assert opened.current.dataset is not None
    opened.start()
    until(lambda: opened.running is None)
    again = opened.current_run
    assert again.result is not None
    assert again.result.loss[0] < first.result.loss[0]


def test_a_result_without_its_data_says_so_and_takes_them_from_elsewhere(
    opened: Session, told: Told, until: Until, tmp_path: Path, scan: Path
) -> None:
    epochs(opened, 1)
    opened.start()
    until(lambda: opened.running is None)
    run = opened.current_run
    assert run is not None
    opened.save(run, tmp_path / "result.h5")
    until(lambda: not run.unsaved)
    away = tmp_path / "away" / "moved.cxi"
    away.parent.mkdir()
    scan.rename(away)
    opened.open(str(tmp_path / "result.h5"))
    until(lambda: len(opened.opened) == 2)
    reason = opened.reasons()[0]
    assert reason.action == "find_data"
    assert "scan.cxi" in reason.text
    opened.find_data(str(away))
    until(lambda: not opened.reasons())
    assert opened.current is not None
    assert opened.current.dataset is not None


def test_edits_can_be_undone_and_geometry_is_read_again(opened: Session, until: Until) -> None:
    current = opened.current
    assert current is not None
    before = current.dataset
    opened.edit_data(current.job.data.model_copy(update={"bin": 2}))
    assert opened.reasons()[0].action == "show_data"
    until(lambda: current.dataset is not before)
    assert current.dataset is not None
    assert current.dataset.frames.shape[1:] == (20, 24)
    opened.undo.undo()
    until(lambda: current.dataset is not None and current.dataset.frames.shape[1:] == (40, 48))
    epochs(opened, 7)
    opened.undo.undo()
    opened.undo.redo()
    assert current.job.stages[0].epochs == 7


def test_a_setting_that_cannot_be_read_is_told_and_greys_run(
    opened: Session, told: Told, until: Until, tmp_path: Path
) -> None:
    assert opened.current is not None
    opened.edit_data(opened.current.job.data.model_copy(update={"dark": str(tmp_path / "none.npy")}))
    until(told.errors)
    assert "none.npy" in told.errors()[0]
    assert opened.reasons()[0].action == "show_data"
    opened.undo.undo()
    until(lambda: not opened.reasons())


def _nothing(path: Path) -> None:
    pass


def _text(path: Path) -> None:
    path.write_text("no data in here")


def _other_number(path: Path) -> None:
    np.savez(path.with_suffix(".npz"), data=np.ones((5, 16, 18)), scan=np.zeros((4, 2)))
    path.with_suffix(".npz").rename(path)


def _negative(path: Path) -> None:
    np.savez(path.with_suffix(".npz"), data=-np.ones((4, 16, 18)), scan=np.eye(4)[:, :2])
    path.with_suffix(".npz").rename(path)


@pytest.mark.parametrize("spoil", [_nothing, _text, _other_number, _negative])
def test_bad_files_are_told_in_one_sentence(
    session: Session, told: Told, until: Until, tmp_path: Path, spoil: Any
) -> None:
    path = tmp_path / "bad.cxi"
    spoil(path)
    session.open(str(path))
    until(told.errors)
    assert "\n" not in told.errors()[0]
    assert len(told.errors()) == 1
    assert session.current is None


def test_a_stack_without_positions_asks_for_them(session: Session, until: Until, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    np.save(tmp_path / "stack.npy", rng.poisson(30, (12, 24, 20)))
    session.open(str(tmp_path / "stack.npy"))
    until(lambda: session.current is not None and session.current.preview is not None)
    assert [reason.action for reason in session.reasons()] == ["show_data"]
    assert session.current is not None
    session.edit_data(session.current.job.data.model_copy(update={"scan_shape": (3, 4), "scan_step_m": 2.0}))
    until(lambda: not session.reasons())


def test_an_unwritable_place_is_told(opened: Session, told: Told, until: Until, tmp_path: Path) -> None:
    epochs(opened, 1)
    opened.start()
    until(lambda: opened.running is None)
    run = opened.current_run
    assert run is not None
    opened.save(run, tmp_path / "no" / "such" / "folder.h5")
    until(told.errors)
    assert run.unsaved


def test_an_error_in_the_run_is_told_and_the_run_ends(opened: Session, told: Told, until: Until) -> None:
    assert opened.current is not None
    opened.edit(opened.current.job.with_value("device", "cuda:7"))
    opened.start()
    until(lambda: opened.running is None)
    assert len(told.errors()) == 1
    assert opened.current_run is not None
    assert opened.current_run.state == "failed"


def test_parameters_are_kept_and_loaded(opened: Session, until: Until, tmp_path: Path) -> None:
    from ptychogui.job import Job

    assert opened.current is not None
    epochs(opened, 17)
    opened.save_parameters(opened.current.job, str(tmp_path / "job.toml"))
    until((tmp_path / "job.toml").exists)
    opened.use(Job())
    assert opened.current.job.stages[0].epochs != 17
    assert opened.current.job.data != Data()
    opened.use(Job.from_toml((tmp_path / "job.toml").read_text()))
    assert opened.current.job.stages[0].epochs == 17
