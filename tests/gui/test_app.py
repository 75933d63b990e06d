"""The program from its start: hooks, light imports, pictures taken by itself, a window that stays awake."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QImage

from ptychogui.gui.app import Hooks
from ptychogui.gui.window import Window

Until = Callable[[Callable[[], object]], None]
START = "import sys; from ptychogui.gui.app import main; sys.exit(main([sys.argv[1]], sys.argv[2]))"
SIEMENS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "siemens.npz.bz2"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
def test_pictures_of_every_dock_are_taken(scan: Path, tmp_path: Path) -> None:
    done = python("-c", START, str(scan), str(tmp_path / "pictures"))
    assert done.returncode == 0, done.stderr
    names = {path.stem for path in (tmp_path / "pictures").glob("*.png")}
    docks = {"object_phase", "object_amplitude", "probe", "diffraction", "scan", "loss"}
    assert docks | {"window", "start_page", "import_card", "parameters", "log", "browser"} <= names
    assert QImage(str(tmp_path / "pictures" / "window.png")).width() >= 1200


def test_a_picture_of_nothing_is_told_in_one_sentence(tmp_path: Path) -> None:
    done = python("-c", START, str(tmp_path / "missing.cxi"), str(tmp_path / "pictures"))
    assert done.returncode == 2
    assert "missing.cxi" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_window_needs_neither_torch_nor_pyqtgraph() -> None:
    code = "import sys, ptychogui.gui.app; print([m for m in ('torch', 'pyqtgraph') if m in sys.modules])"
    assert python("-c", code).stdout.strip() == "[]"


def test_errors_that_nobody_caught_are_shown(window: Window, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    hooks = Hooks()
    hooks.window = window
    sys.excepthook(ValueError, ValueError("in a slot"), None)
    until(lambda: any("in a slot" in text for text in window.notices.texts()))

    def fail() -> None:
        raise KeyError("in a thread")

    threading.Thread(target=fail).start()
    until(lambda: any("in a thread" in text for text in window.notices.texts()))


@pytest.mark.slow
@pytest.mark.skipif(not SIEMENS.exists(), reason="the real scan ../shared/data/siemens.npz.bz2 is not there")
def test_the_window_stays_awake_during_a_run(window: Window, until: Until) -> None:
    session = window.session
    window.open_path(str(SIEMENS))
    until(lambda: session.current and session.current.preview and session.current.preview.complete)
    until(lambda: session.tasks.waiting == 0)
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", 8))
    ticks: list[float] = []
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    session.start()
    timer.start(10)
    until(lambda: session.running is None)
    timer.stop()
    lag_s = np.diff(ticks) - 0.010
    assert np.percentile(lag_s, 99) < 0.050
