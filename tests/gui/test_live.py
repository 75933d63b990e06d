"""A live source in the window: scans open themselves, are reconstructed while they come, and saved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QPushButton

from ptychogui import io
from ptychogui.engine.simulate import recipes, simulate
from ptychogui.gui.live_settings import Listening, last_listening
from ptychogui.gui.views.live import LiveView
from ptychogui.gui.window import Window
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.live.replay import Replay
from ptychogui.params import Params

Until = Callable[[Callable[[], object]], None]


def fill(window: Window, listening: Params) -> LiveView:
    """Fill in the form of the source, as a user would."""
    view: LiveView = window.workspace.views["live"]
    view.form.set_params(listening)
    view.take(view.listening)
    return view


def nothing_listens() -> bool:
    """Whether neither a source nor a saver has a thread any more."""
    return not {"source", "saver"} & {thread.name for thread in threading.enumerate()}


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of few epochs: the first scan begins with the defaults."""
    monkeypatch.setattr("ptychogui.gui.live_scans.Job", lambda: Job().with_value("solver.epochs", 3))


@pytest.fixture(scope="module")
def long_scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny frames, but so many that their scan is not over before a test has done what it does."""
    values = {"shape": (24, 32), "frames": 600, "probe_px": 8.0, "step_px": 2.0, "photons": 1e5}
    path = tmp_path_factory.mktemp("long") / "long.cxi"
    io.write(simulate(recipes()["siemens-far"].read(values)), path)
    return path


def listening(scan: Path, **source: object) -> Listening:
    return Listening(source=Replay(path=str(scan), **source), folder=str(scan.parent / "out"))


def test_scans_come_one_after_the_other_and_are_saved(window: Window, scan: Path, short: None, until: Until) -> None:
    view = fill(window, listening(scan, rate=300, times=2).model_copy(update={"save_frames": True}))
    assert last_listening() == view.listening
    window.actions_by_id["live_connect"].trigger()
    session, live = window.session, window.session.live
    until(lambda: len(session.opened) == 2 and all(one.runs and one.runs[0].saved for one in session.opened))
    until(lambda: session.running is None and session.tasks.waiting == 0 and not live.connected)
    given = io.read(Data(path=str(scan)))
    for opened in session.opened:
        (run,) = opened.runs
        assert run.result is not None
        assert run.state == "finished"
        assert len(run.result.scan) == 30
        assert not opened.growing
        assert Path(opened.path).exists()
        assert opened.dataset is not None
        assert opened.dataset.source == opened.path
        np.testing.assert_array_equal(opened.dataset.frames[:], given.frames[:])
        result = io.read_result(run.saved)
        assert Job.from_toml(result.job).data.path == opened.path
    first, second = (opened.runs[0] for opened in session.opened)
    assert not second.job.start.find_defocus
    assert second.loss[0] < first.loss[0], "it began with the probe of the first"
    assert view.state.state == "finished"
    wanted = {"Received": "30", "Used": "30", "Missing": "0", "Doubled": "0"}
    until(lambda: {name: view.figures[name].text() for name in wanted} == wanted)  # ten looks a second
    assert session.current is session.opened[1], "the next scan is shown"
    until(nothing_listens)


def test_a_scan_that_is_coming_can_be_left_at_any_time(
    window: Window, long_scan: Path, tmp_path: Path, until: Until
) -> None:
    fill(window, listening(long_scan, rate=30).model_copy(update={"folder": str(tmp_path / "out")}))
    window.actions_by_id["live_connect"].trigger()
    session = window.session
    until(lambda: session.running is not None and session.current_run is session.running)
    opened = session.current
    assert opened is not None
    assert opened.growing
    assert window.actions_by_id["live_disconnect"].isEnabled()
    assert not window.actions_by_id["live_connect"].isEnabled()
    before = opened.job
    session.edit_data(before.data.model_copy(update={"bin": 2}))
    assert opened.job == before
    assert "being measured" in window.notices.texts()[-1]
    assert not window.actions_by_id["prepare"].isEnabled()
    assert "measured" in window.actions_by_id["prepare"].toolTip()
    session.edit(opened.job.with_value("solver.epochs", 2))
    window.actions_by_id["live_disconnect"].trigger()
    until(lambda: session.running is None and not opened.growing)
    run = opened.runs[0]
    assert run.result is not None
    assert 16 <= len(run.result.scan) < 600
    assert opened.dataset is not None
    assert len(opened.dataset.scan) == len(run.result.scan)
    until(lambda: run.saved is not None)
    session.edit_data(opened.job.data.model_copy(update={"bin": 2}))
    until(lambda: not opened.reading)
    assert opened.dataset.frames.shape[1:] == (12, 16), "frames in memory can be prepared anew"
    window.actions_by_id["run"].trigger()
    until(lambda: session.running is None and not session.queue.waiting and len(opened.runs) == 2)
    assert opened.runs[1].result is not None


def test_closing_the_window_asks_and_leaves_no_thread(
    window: Window, long_scan: Path, tmp_path: Path, until: Until
) -> None:
    kept = {"save_frames": True, "folder": str(tmp_path / "out")}
    fill(window, listening(long_scan, rate=30).model_copy(update=kept))
    window.actions_by_id["live_connect"].trigger()
    session = window.session
    until(lambda: session.running is not None and session.running.snapshot is not None)
    window.close()
    assert window.isVisible()
    answer = next(
        button for button in window.findChildren(QPushButton) if button.text().replace("&", "") == "Save and stop"
    )
    answer.click()
    until(lambda: not window.isVisible())
    until(nothing_listens)
    (frames,) = (tmp_path / "out").glob("*.cxi")
    assert not frames.name.endswith(".part.cxi")
    assert 16 <= len(io.read(Data(path=str(frames))).scan) < 600
    assert list((tmp_path / "out").glob("*.h5"))


def test_what_goes_wrong_is_told(window: Window, scan: Path, until: Until) -> None:
    view = fill(window, Listening())
    assert "Path" in window.actions_by_id["live_connect"].toolTip()
    assert not view.buttons["live_connect"].isEnabled()
    fill(window, listening(scan.with_name("missing.cxi")))
    assert view.buttons["live_connect"].isEnabled()
    window.actions_by_id["live_connect"].trigger()
    until(lambda: view.state.state == "failed")
    assert "missing.cxi" in view.error.text()
    assert "missing.cxi" in window.notices.texts()[-1]
    assert window.actions_by_id["live_connect"].isEnabled(), "one may try again"


def test_the_control_room_follows_the_scan(window: Window, scan: Path, short: None, until: Until) -> None:
    fill(window, listening(scan, rate=100))
    window.actions_by_id["live_room"].trigger()
    room = window.live_windows.room
    assert room is not None
    window.actions_by_id["live_connect"].trigger()
    session = window.session
    until(lambda: session.opened and session.opened[0].runs and session.opened[0].runs[0].saved)
    until(lambda: room.quality.text().startswith("R "))
    assert room.views["object_phase"].result is session.opened[0].runs[0].result
    assert room.progress.value() == 30
    window.actions_by_id["live_room"].trigger()
    assert window.live_windows.room is None
    assert not any(name.endswith("room") for name in window.workspace.views)
