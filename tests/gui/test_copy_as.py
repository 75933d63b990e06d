"""What is copied makes the very same result."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtGui import QGuiApplication

from ptychogui import io
from ptychogui.cli import main
from ptychogui.gui.session import Session
from ptychogui.job import Job
from ptychogui.reproduce import Recipe, differences

Until = Callable[[Callable[[], object]], None]


def finished_run(session: Session, scan: Path, until: Until) -> None:
    session.open(str(scan))
    until(lambda: session.current is not None and session.current.preview is not None)
    assert session.current is not None
    job = session.current.job
    stages = ({"kind": "rpie", "epochs": 3, "alpha": 0.3}, {"kind": "adam", "epochs": 2})
    for path, value in (
        ("solver", list(stages)),
        ("start.modes", 2),
        ("seed", 5),
        ("refine.positions.enabled", False),
        ("data.bin", 2),
        ("stop.held_out", 0.0),
    ):
        job = job.with_value(path, value)
    session.edit(job)
    until(lambda: not session.reasons())
    session.start()
    until(lambda: session.running is None)


def copied(window: object, session: Session, action: str, until: Until) -> str:
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    clipboard.clear()
    window.actions_by_id[action].trigger()
    until(clipboard.text)
    return clipboard.text()


def made_by(command: str, tmp_path: Path) -> np.ndarray:
    words = shlex.split(command)
    assert words.pop(0) == "ptychogui"
    words[words.index("-o") + 1] = str(tmp_path / "again.h5")
    assert main(words) == 0
    return io.read_result(tmp_path / "again.h5").loss


def test_command_line_and_python_of_a_run_and_of_one_that_goes_on(
    window: object, scan: Path, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session: Session = window.session
    finished_run(session, scan, until)
    first = session.current_run
    assert first is not None
    assert first.result is not None
    command = copied(window, session, "copy_command", until)
    np.testing.assert_array_equal(made_by(command, tmp_path), first.result.loss)
    session.go_on()
    until(lambda: session.running is None)
    second = session.current_run
    assert second is not None
    assert second.result is not None
    command = copied(window, session, "copy_command", until)
    assert "start.path" in command
    np.testing.assert_array_equal(made_by(command, tmp_path), second.result.loss)
    script = copied(window, session, "copy_python", until)
    names: dict[str, object] = {}
    exec(script, names)
    np.testing.assert_array_equal(names["result"].loss, second.result.loss)


def test_defaults_are_not_said() -> None:
    job = Job().with_value("data.path", "a scan's data.cxi").with_value("solver.epochs", 7)
    words = shlex.split(Recipe(job, "out.h5").command_line())
    assert words == ["ptychogui", "run", "a scan's data.cxi", "-o", "out.h5", "--set", "solver.epochs=7"]
    assert "seed" not in Recipe(job, "out.h5").python()


def test_modes_of_the_start_are_kept_where_it_has_more() -> None:
    job = Job().with_value("start.modes", 2)
    assert Recipe(job, "out.h5", "in.h5", 3).whole.start.modes == 3
    assert Recipe(job, "out.h5", "in.h5", 1).whole.start.modes == 2


def test_every_text_survives_python(tmp_path: Path) -> None:
    odd = 'back\\slash "quoted" \'\'\' """ µ.cxi'
    job = Job().with_value("data.path", odd)
    script = Recipe(job, "out.h5").python().split("result =")[0]
    names: dict[str, object] = {}
    exec(script, names)
    assert names["job"].data.path == odd


def test_differences_name_what_differs_and_nothing_else() -> None:
    job = Job()
    other = job.with_value("solver.kind", "rpie").with_value("seed", 3).with_value("data.energy_eV", 8700.0)
    found = {difference.path: (difference.old, difference.new) for difference in differences(job, other)}
    assert found["seed"] == (0, 3)
    assert found["data.energy_eV"] == (None, 8700.0)
    assert found["solver.kind"] == ("adam", "rpie")
    assert "device" not in found
    assert not differences(job, job)
    stages = job.with_value("solver", [{"kind": "adam", "epochs": 3}, {"kind": "rpie"}])
    assert "solver.2.kind" in {difference.path for difference in differences(job, stages)}
