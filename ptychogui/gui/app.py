"""The program with a window: hooks first, then the window, then everything that takes time to import."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from ptychogui.gui import theme
from ptychogui.gui.tasks import told
from ptychogui.gui.window import Window

log = logging.getLogger(__name__)
SIGNALS_MS = 250
"""Python looks at Ctrl-C only between its own instructions, of which an idle window has none."""


def main(files: Sequence[str], screenshot: str | None = None) -> int:
    """Show the window with these files; with `screenshot`, save its pictures into that folder and end."""
    hooks = Hooks()
    app = application()
    app.setQuitOnLastWindowClosed(False)  # the loop ends when `_live` does
    window = Window()
    hooks.window = window
    window.show()
    from qasync import QEventLoop

    with QEventLoop(app) as loop:
        loop.set_exception_handler(hooks.loop_failed)
        return int(loop.run_until_complete(_live(window, files, screenshot)))


def application() -> QApplication:
    """The application, dressed in its theme."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["ptychogui"])
    app.setApplicationName("ptychogui")
    app.setApplicationDisplayName("ptychogui")
    app.setDesktopFileName("ptychogui")
    app.setStyle("Fusion")
    app.setWindowIcon(theme.sign())
    theme.dress()
    return app


async def _live(window: Window, files: Sequence[str], screenshot: str | None) -> int:
    """Until the window is closed, or all pictures are taken."""
    closed = asyncio.Event()
    window.closed.connect(closed.set)
    signal.signal(signal.SIGINT, lambda *_: window.close())
    beat = QTimer(window)
    beat.timeout.connect(lambda: None)
    beat.start(SIGNALS_MS)
    while window.workspace is None and not closed.is_set():
        await asyncio.sleep(0.02)
    if screenshot is not None:
        from ptychogui.gui.screenshot import take

        return await take(window, files, Path(screenshot))
    for path in files:
        window.open_path(path)
    await closed.wait()
    return 0


class Hooks:
    """Errors that nobody caught, from any thread: into the log, and before the user's eyes.

    Without `sys.excepthook` an exception in a slot would abort the program.
    """

    def __init__(self) -> None:
        self.window: Window | None = None
        sys.excepthook = lambda kind, error, trace: self.failed(error)
        threading.excepthook = lambda args: self.failed(args.exc_value)

    def loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The loop's own handler."""
        error = context.get("exception")
        self.failed(error if isinstance(error, BaseException) else RuntimeError(context.get("message")))

    def failed(self, error: BaseException | None) -> None:
        """Tell of an error."""
        if error is None or isinstance(error, KeyboardInterrupt):
            return
        if self.window is None or self.window.session.tasks.closing:
            sys.__excepthook__(type(error), error, error.__traceback__)
            return
        self.window.session.tasks.post(partial(self.window.session.tell, "error", *told(error)))
