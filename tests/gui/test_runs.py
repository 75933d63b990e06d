"""The queue, the states on the way, branches, ratings and notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ptychogui import io
from ptychogui.gui.keeper import Keeper, epochs_worth_keeping, held_bytes
from ptychogui.gui.opened import Run
from ptychogui.gui.session import Session
from ptychogui.types import Notes

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def opened(session: Session, scan: Path, until: Until) -> Session:
    session.open(str(scan))
    until(lambda: session.current is not None and session.current.preview is not None)
    set_value(session, "solver", {"kind": "rpie", "epochs": 2})
    set_value(session, "stop.held_out", 0.0)
    return session


def set_value(session: Session, path: str, value: object) -> None:
    assert session.current is not None
    session.edit(session.current.job.with_value(path, value))


def idle(session: Session) -> bool:
    return session.running is None and not session.queue.waiting


def runs(session: Session) -> list[Run]:
    assert session.current is not None
    return session.current.runs


def test_queued_runs_follow_each_other_in_their_order(opened: Session, until: Until) -> None:
    began: list[str] = []
    opened.snapshot_changed.connect(lambda: began.append(opened.running.name) if opened.running else None)
    set_value(opened, "solver.epochs", 100_000)
    opened.start()
    for number in (3, 4, 5):
        opened.select(opened.current)  # parameters of the next run, not of the one that is going on
        set_value(opened, "solver.epochs", number)
        opened.start()
    first, second, third, fourth = runs(opened)
    assert [second.state, third.state, fourth.state] == ["queued, next", "queued, number 2", "queued, number 3"]
    opened.queue.move(fourth, -1)
    opened.queue.move(second, -1)
    opened.remove(opened.current, third)
    assert [run for _, run in opened.queue.waiting] == [second, fourth]
    assert runs(opened) == [first, second, fourth]
    opened.stop()
    until(lambda: idle(opened))
    assert first.state == "stopped"
    assert [len(run.loss) for run in (second, fourth)] == [3, 5]
    assert len({run.number for run in runs(opened)}) == 3


def test_what_is_done_with_the_queue_can_be_undone(opened: Session, until: Until) -> None:
    set_value(opened, "solver.epochs", 100_000)
    opened.start()
    first = opened.running
    opened.select(opened.current)
    set_value(opened, "solver.epochs", 2)
    jobs = opened.undo.count()
    opened.start()
    opened.start()
    opened.start()
    _, second, third, fourth = runs(opened)

    def waiting() -> list[Run]:
        return [run for _, run in opened.queue.waiting]

    opened.queue.move(fourth, -1)
    opened.remove(opened.current, second)
    assert waiting() == [fourth, third]
    assert fourth.state == "queued, next"
    opened.undo.undo()
    assert waiting() == [second, fourth, third]
    assert runs(opened) == [first, second, third, fourth]
    opened.undo.undo()
    assert waiting() == [second, third, fourth]
    opened.undo.undo()
    assert waiting() == [second, third]
    assert runs(opened) == [first, second, third]
    for _ in range(3):
        opened.undo.redo()
    assert waiting() == [fourth, third]
    opened.undo.undo()
    assert opened.undo.redoText() == f"removal of {second.name}"
    opened.stop()
    until(lambda: opened.running is second or second.result is not None)
    assert not opened.undo.canRedo()  # it has begun
    until(lambda: idle(opened))
    assert opened.undo.count() == jobs  # nothing of the queue is left that could be undone
    assert [run.state for run in runs(opened)] == ["stopped", "finished", "finished", "finished"]


def test_a_removed_run_comes_back_with_all_it_had(opened: Session, until: Until) -> None:
    for _ in range(2):
        opened.start()
        until(lambda: idle(opened))
    first, second = runs(opened)
    shown, held = first.snapshot, list(first.iterates)
    assert shown is not None
    assert held
    opened.select(opened.current, first)
    opened.remove(opened.current, first)
    assert runs(opened) == [second]
    assert opened.current_run is second
    opened.start()  # a number is given once
    until(lambda: idle(opened))
    assert [run.number for run in runs(opened)] == [2, 3]
    opened.undo.undo()
    assert [run.number for run in runs(opened)] == [1, 2, 3]
    assert opened.current_run is first
    assert (first.snapshot, first.iterates) == (shown, held)
    assert first.unsaved
    opened.undo.redo()
    assert first not in runs(opened)
    assert opened.undo.away == [first]


def test_the_queue_goes_on_after_a_failed_run(opened: Session, until: Until) -> None:
    told: list[str] = []
    opened.message.connect(lambda level, sentence, _: told.append(sentence) if level == "error" else None)
    set_value(opened, "solver.epochs", 100_000)
    opened.start()
    opened.select(opened.current)
    set_value(opened, "device", "cuda:7")
    opened.start()
    set_value(opened, "device", "cpu")
    set_value(opened, "solver.epochs", 2)
    opened.start()
    opened.stop()
    until(lambda: idle(opened))
    assert [run.state for run in runs(opened)] == ["stopped", "failed", "finished"]
    assert len(told) == 1


def test_a_queued_run_keeps_the_data_with_which_it_was_queued(opened: Session, until: Until) -> None:
    current = opened.current
    assert current is not None
    set_value(opened, "solver.epochs", 100_000)
    opened.start()
    opened.select(current)
    set_value(opened, "solver.epochs", 2)
    opened.start()
    opened.edit_data(current.job.data.model_copy(update={"bin": 2}))
    until(lambda: not current.reading)
    opened.stop()
    until(lambda: idle(opened))
    queued = runs(opened)[1]
    assert queued.result is not None
    assert queued.result.geometry.shape == (40, 48)


def test_closing_a_file_takes_its_runs_from_the_queue(opened: Session, scan: Path, until: Until) -> None:
    other = scan.with_name("other.cxi")
    other.write_bytes(scan.read_bytes())
    set_value(opened, "solver.epochs", 100_000)
    opened.start()
    opened.open(str(other))
    until(lambda: len(opened.opened) == 2)
    opened.start()
    assert len(opened.queue.waiting) == 1
    opened.close(opened.opened[1])
    assert not opened.queue.waiting


def test_states_on_the_way_are_kept_and_can_be_gone_on_from(opened: Session, until: Until) -> None:
    set_value(opened, "solver.epochs", 100_000)
    opened.start()
    run = opened.current_run
    assert run is not None
    until(lambda: len(run.iterates) > 2)
    opened.stop()
    until(lambda: idle(opened))
    epochs = [len(kept.loss) for kept in run.iterates]
    assert epochs == sorted(set(epochs))
    history = opened.history
    history.look(1)
    assert history.shown is run.iterates[1]
    set_value(opened, "solver.epochs", 1)
    history.branch()
    until(lambda: idle(opened))
    branch = opened.current_run
    assert branch is not None
    assert branch is not run
    assert branch.parent == f"{run.name}, epoch {epochs[1]}"
    assert branch.initial is run.iterates[1]
    assert history.shown is None  # another run is on show
    assert branch.result is not None
    assert branch.result.provenance["parent"] == branch.parent
    assert run.result is not None
    assert branch.result.loss[0] < run.result.loss[0]


def test_kept_states_are_spaced_as_a_logarithm_and_cost_little(opened: Session, until: Until) -> None:
    assert epochs_worth_keeping(50, 6) == [0, 1, 3, 7, 19, 49]
    assert len(epochs_worth_keeping(1000, 24)) <= 24
    opened.start()
    until(lambda: idle(opened))
    run = opened.current_run
    assert run is not None
    assert run.snapshot is not None
    assert run.result is not None
    from dataclasses import replace

    shown = replace(run.snapshot, ended="", epochs=50, epoch=0, seconds=0.0)
    start = replace(run.result, loss=np.zeros(0, np.float32))
    keeper = Keeper(3.5 * held_bytes(start))
    assert not keeper.wants(replace(shown, doing="Finding the defocus"))
    assert keeper.wants(shown)
    keeper.took(start, 0.1)
    assert not keeper.wants(replace(shown, epoch=2, seconds=3.0))  # too dear so far
    assert keeper.wants(replace(shown, epoch=2, seconds=4.0))
    keeper.took(replace(start, loss=np.zeros(2, np.float32)), 0.0)
    keeper.took(replace(start, loss=np.zeros(20, np.float32)), 0.0)
    assert not keeper.wants(replace(shown, epoch=49, seconds=100.0))  # there is room for three


def test_kept_states_of_old_runs_make_room_and_are_let_go(
    opened: Session, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        opened.select(opened.current)
        opened.start()
        until(lambda: idle(opened))
    first, second = runs(opened)
    of_first, of_second = (sum(map(held_bytes, run.iterates)) for run in (first, second))
    assert min(of_first, of_second) > 0
    opened.select(opened.current, first)
    told: list[int] = []
    opened.history.changed.connect(lambda: told.append(len(opened.history.iterates)))
    limit = 2 * of_second + 1
    monkeypatch.setattr("ptychogui.gui.history.MOST_BYTES", limit)
    assert opened.history.room_bytes() == limit - of_second
    assert not first.iterates
    assert second.iterates
    assert told == [0]


def test_notes_go_into_the_file_and_can_be_undone(opened: Session, until: Until, tmp_path: Path) -> None:
    opened.start()
    until(lambda: idle(opened))
    run, path = opened.current_run, tmp_path / "kept.h5"
    assert run is not None
    opened.annotate(run, Notes(4, "the first that is sharp"))
    opened.save(run, path)
    until(lambda: run.saved)
    assert io.read_result(path).notes == run.notes == Notes(4, "the first that is sharp")
    opened.annotate(run, Notes(2, "on a second look"))
    until(lambda: opened.tasks.waiting == 0)
    assert io.read_result(path).notes == Notes(2, "on a second look")
    opened.undo.undo()
    until(lambda: opened.tasks.waiting == 0)
    assert io.read_result(path).notes == Notes(4, "the first that is sharp")
    opened.open(str(path))
    until(lambda: len(opened.opened) == 2)
    assert opened.current_run is not None
    assert opened.current_run.notes == Notes(4, "the first that is sharp")
    assert opened.current_run.title.endswith("★★★★")
