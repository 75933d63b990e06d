"""After a run, and for a result that is opened again, the model of any frame stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QApplication

from ptychogui.gui.views.diffraction import MODEL, DiffractionView
from ptychogui.gui.views.objects import ObjectView
from ptychogui.gui.views.result_pattern import OTHER_DATA
from ptychogui.gui.window import Window
from ptychogui.job import pattern_of
from ptychogui.types import Result

Until = Callable[[Callable[[], object]], None]


def run(window: Window, until: Until) -> Result:
    """Three epochs of the selected file."""
    session = window.session
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", 3).with_value("start.find_defocus", False))
    session.start()
    until(lambda: session.current_run is not None and session.current_run.result and session.running is None)
    assert session.current_run is not None
    assert session.current_run.result is not None
    return session.current_run.result


def diffraction(window: Window) -> DiffractionView:
    assert window.workspace is not None
    view = window.workspace.views["diffraction"]
    assert isinstance(view, DiffractionView)
    return view


def is_shown(window: Window, result: Result, frame: int) -> bool:
    """Whether both panels show a frame as the engine gives it."""
    view, current = diffraction(window), window.session.current
    assert current is not None
    assert current.dataset is not None
    pattern = pattern_of(result, current.dataset, frame)
    pairs = (view.measured.picture, pattern.measured), (view.model.picture, pattern.model)
    return all(
        picture is not None and np.allclose(picture.values, counts, rtol=1e-3, atol=1e-3 * np.nanmax(counts))
        for picture, counts in pairs
    )


def test_a_finished_run_has_a_model_of_every_frame(opened: Window, until: Until) -> None:
    result, session = run(opened, until), opened.session
    for frame in (0, 11, 4):
        session.watch(frame)
        until(lambda frame=frame: is_shown(opened, result, frame))
    assert "R " in diffraction(opened).model._note


def test_the_frame_under_the_pointer_is_shown_until_it_leaves(opened: Window, until: Until) -> None:
    result, session = run(opened, until), opened.session
    session.watch(4)
    assert opened.workspace is not None
    view = opened.workspace.views["object_phase"]
    assert isinstance(view, ObjectView)
    until(lambda: view.panel.picture is not None and is_shown(opened, result, 4))
    assert view.panel.picture is not None
    y, x = result.scan.positions_m[17] / view.panel.picture.lengths.unit_si
    viewport = view.panel.plot.viewport()
    assert viewport is not None
    where = QPointF(view.panel.plot.mapFromScene(view.panel.box.mapViewToScene(QPointF(x, y))))
    none = Qt.MouseButton.NoButton
    place = QPointF(viewport.mapToGlobal(where))
    move = QMouseEvent(QEvent.Type.MouseMove, where, place, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(viewport, move)
    until(lambda: is_shown(opened, result, 17))
    assert (session.frame, session.seen_frame) == (4, 17)
    QApplication.sendEvent(view.panel, QEvent(QEvent.Type.Leave))
    until(lambda: is_shown(opened, result, 4))


def test_a_state_on_the_way_has_a_model_of_its_own(opened: Window, until: Until) -> None:
    result, session = run(opened, until), opened.session
    first = session.history.iterates[0]
    session.history.look(0)
    until(lambda: is_shown(opened, first, session.frame))
    assert not is_shown(opened, result, session.frame)


def test_a_result_that_is_opened_again_has_models_until_its_data_are_changed(
    opened: Window, until: Until, tmp_path: Path, new_window: Callable[[], Window]
) -> None:
    result, path = run(opened, until), tmp_path / "result.h5"
    assert opened.session.current_run is not None
    opened.session.save(opened.session.current_run, path)
    until(path.exists)
    window = new_window()
    window.open_path(str(path))
    session = window.session
    until(lambda: session.current is not None and session.current.dataset is not None)
    session.watch(9)  # before the view has drawn anything
    until(lambda: is_shown(window, result, 9))
    assert session.current is not None
    session.edit(session.current.job.with_value("data.flip", "y"))
    view = diffraction(window)
    until(lambda: view.model._hint.text() == OTHER_DATA)
    until(lambda: view.measured.picture is not None)
    assert view.model.picture is None
    session.undo.undo()
    until(lambda: is_shown(window, result, 9))
    assert view.model._hint.text() == MODEL
