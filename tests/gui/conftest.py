"""A small scan on disk, settings of its own for every test, and sessions that are ended properly."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytestqt.qtbot import QtBot

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QWidget

    from ptychogui.gui.session import Session
    from ptychogui.gui.window import Window

if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

WAIT_MS = 120_000


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTYCHOGUI_SETTINGS", str(tmp_path / "settings.ini"))
    for name in ("cache", "config", "state"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    monkeypatch.delenv("PTYCHOGUI_THEME", raising=False)


@pytest.fixture(scope="session")
def scan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated scan, not square, with its truth."""
    from ptychogui import io
    from ptychogui.engine.simulate import recipes, simulate

    values = {"shape": (40, 48), "frames": 30, "probe_px": 12.0, "step_px": 3.0, "photons": 1e5}
    path = tmp_path_factory.mktemp("scan") / "scan.cxi"
    io.write(simulate(recipes()["siemens-far"].read(values)), path)
    return path


@pytest.fixture
def scan(scan_file: Path, tmp_path: Path) -> Path:
    """The scan in a folder of this test's own."""
    path = tmp_path / "scan.cxi"
    path.write_bytes(scan_file.read_bytes())
    return path


Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def until(qtbot: QtBot) -> Until:
    """Wait, with the loop of Qt going round, until something is true."""

    def wait(done: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(done()), timeout=WAIT_MS)

    return wait


@pytest.fixture
def session(qtbot: QtBot, until: Until) -> Iterator[Session]:
    from ptychogui.gui.session import Session

    session = Session()
    yield session
    if session.running is not None:
        session.stop()
        until(lambda: session.running is None)
    until(lambda: session.tasks.waiting == 0)
    session.tasks.close()


@pytest.fixture
def new_window(qtbot: QtBot, until: Until) -> Iterator[Callable[[], Window]]:
    """Makes windows, which are ended after the test."""
    from ptychogui.gui.app import application
    from ptychogui.gui.window import Window

    application()
    made: list[Window] = []

    def make() -> Window:
        window = Window()
        window.show()
        made.append(window)
        until(lambda: window.workspace is not None)
        return window

    yield make
    for window in made:
        session = window.session
        session.queue.clear()
        if session.running is not None:
            session.stop()
        until(lambda session=session: session.running is None and (session.tasks.waiting == 0 or session.tasks.closing))
        window.leave()
        window.deleteLater()


@pytest.fixture
def window(new_window: Callable[[], Window]) -> Window:
    """A window in which nothing is open."""
    return new_window()


@pytest.fixture
def opened(window: Window, scan: Path, until: Until) -> Window:
    """A window in which the scan is open and has been looked at to its end."""
    window.open_path(str(scan))
    session = window.session
    until(lambda: session.current is not None and session.current.preview is not None)
    until(lambda: session.current.preview.complete and session.tasks.waiting == 0)
    return window


@pytest.fixture
def over(qtbot: QtBot) -> Iterator[QWidget]:
    """A window for dialogs, with which they go: one that is closed deletes itself."""
    from PyQt6.QtWidgets import QWidget

    window = QWidget()
    window.show()
    yield window
    window.hide()
    window.deleteLater()
