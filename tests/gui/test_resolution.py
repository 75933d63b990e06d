"""The resolution is measured beside the window, can be stopped, and comes into the result and its view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from ptychogui.gui.session import Session
from ptychogui.gui.views.resolution import ResolutionView, figures
from ptychogui.types import Correlation

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def finished(session: Session, scan: Path, until: Until) -> Session:
    session.open(str(scan))
    until(lambda: session.current is not None and session.current.preview is not None)
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", 5))
    assert session.resolution.why_not() == "Select a run that has a result"
    session.start()
    assert session.resolution.why_not() == "A run is going on"
    until(lambda: session.running is None)
    return session


def test_it_is_measured_and_kept_with_the_result(finished: Session, until: Until) -> None:
    told: list[str] = []
    finished.message.connect(lambda level, sentence, details: told.append(f"{level}: {sentence}{details}"))
    finished.resolution.start()
    assert finished.resolution.why_not()
    assert finished.reasons()[0].action == "show_resolution"
    assert finished.resolution.progress
    until(lambda: not finished.resolution.running)
    run = finished.current_run
    assert run is not None
    assert run.result is not None
    assert run.result.correlation is not None, told
    assert run.unsaved
    assert told == []
    assert finished.reasons() == ()


def test_it_can_be_stopped_and_the_result_stays(finished: Session, until: Until) -> None:
    run = finished.current_run
    assert run is not None
    run.job = run.job.with_value("solver.epochs", 100_000)
    before = run.result
    finished.resolution.start()
    until(lambda: "epoch" in finished.resolution.progress)
    finished.resolution.stop()
    until(lambda: not finished.resolution.running)
    assert run.result is before


def falling(pixel_m: float) -> Correlation:
    """A curve that falls from 1 to 0, over criteria of 1/2 and 1/7."""
    frequency = np.linspace(0, 0.5 / pixel_m, 51)
    return Correlation(frequency, np.linspace(1, 0, 51), np.full(51, 0.5), np.full(51, 1 / 7))


def test_the_resolution_is_told_in_figures() -> None:
    assert figures(falling(5e-9), 5e-9) == "resolution: half-bit 10 nm  ·  1/7 5.833 nm"
    assert figures(falling(1.0), 1.0) == "resolution: half-bit 2 px  ·  1/7 1.167 px"
    never = Correlation(np.linspace(0, 1e8, 9), np.ones(9), np.full(9, 0.5), np.full(9, 1 / 7))
    assert "5 nm (the pixel)" in figures(never, 5e-9)


def test_the_view_shows_the_curve_and_starts_and_stops(finished: Session, qtbot: QtBot, until: Until) -> None:
    view = ResolutionView()
    qtbot.addWidget(view, before_close_func=lambda _, kept=view: kept.hide())
    view.show()
    button, text = view.findChild(QPushButton, "measure_resolution"), view.findChild(QLabel, "resolution_text")
    assert button is not None
    assert text is not None
    assert not button.isEnabled()
    view.show_state(False, "", "")
    with qtbot.waitSignal(view.start_wanted):
        button.click()
    view.show_state(True, "first half", "The resolution is being measured")
    assert text.text() == "first half"
    with qtbot.waitSignal(view.stop_wanted):
        button.click()
    finished.resolution.start()
    until(lambda: not finished.resolution.running)
    assert finished.current_run is not None
    assert finished.current_run.result is not None
    view.show_state(False, "", "")
    view.show_result(finished.current_run.result)
    assert len(view.curves._lines) == 3
    assert text.text().startswith("resolution: half-bit")
    view.clear()
    assert not view.curves._lines
