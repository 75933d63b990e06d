"""Closing the window without losing a run or a result."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from ptychogui.gui import dialogs
from ptychogui.gui.opened import Run
from ptychogui.gui.session import Session


class Leaving(QObject):
    """Asks what is to become of what would be lost; `leave` is called when nothing is in the way any more."""

    def __init__(self, session: Session, window: QWidget, leave: Callable[[], object]) -> None:
        super().__init__(window)
        self._session, self._window, self._leave = session, window, leave
        self._after_run = False
        self._saving = False
        session.ended.connect(self._run_ended)
        session.saved.connect(self._saved)
        session.message.connect(self._told)

    def ask(self) -> bool:
        """Whether the window may close now; if not, the user is being asked."""
        if self._session.running is not None:
            self._ask_about_run()
            return False
        if self._session.unsaved():
            self._ask_about_results()
            return False
        return True

    def _ask_about_run(self) -> None:
        waiting = len(self._session.queue.waiting)
        queued = f" In the queue {'waits 1 run' if waiting == 1 else f'wait {waiting} runs'}." if waiting else ""
        dialogs.ask(
            self._window,
            "A run is going on",
            "Keep running minimises the window, saves the results when all runs have ended, and closes. "
            f"Save and stop ends the run now. Results are saved beside their data.{queued}",
            {"Keep running": self._keep_running, "Save and stop": self._save_and_stop, "Cancel": lambda: None},
        )

    def _ask_about_results(self) -> None:
        names = ", ".join(f"{run.name} of {opened.title}" for opened, run in self._session.unsaved())
        dialogs.ask(
            self._window,
            "There are results that are not saved",
            f"{names}. Save writes them beside their data.",
            {"Save": self._save_all, "Discard": self._leave, "Cancel": lambda: None},
        )

    def _keep_running(self) -> None:
        self._after_run = True
        self._window.showMinimized()
        self._go_on_if_ended()

    def _save_and_stop(self) -> None:
        self._after_run = self._session.live.leaving = True
        self._session.queue.clear()
        self._session.stop()
        self._go_on_if_ended()

    def _go_on_if_ended(self) -> None:
        """The run may have ended while the question was on show."""
        if self._session.running is None and not self._session.queue.waiting:
            self._save_all()

    def _run_ended(self, run: Run) -> None:
        if self._after_run and run.state == "failed":
            self._after_run = self._session.live.leaving = False
            self._window.showNormal()
        elif self._after_run and not self._session.queue.waiting:
            self._save_all()

    def _save_all(self) -> None:
        self._after_run, self._saving = False, True
        self._session.live.leaving = True
        unsaved = self._session.unsaved()
        for opened, run in unsaved:
            self._session.save(run, opened.result_path(run))
        if not unsaved:
            self._leave()

    def _saved(self, run: Run) -> None:
        if self._saving and not self._session.unsaved():
            self._leave()

    def _told(self, level: str, sentence: str, details: str) -> None:
        """A result that cannot be saved keeps the window open, with the reason in it."""
        if level == "error" and self._saving:
            self._saving = self._session.live.leaving = False
            self._window.showNormal()
