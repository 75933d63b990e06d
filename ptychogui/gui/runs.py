"""What the menu Run does besides pausing and stopping: the queue, notes, comparing, copying and exporting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QGuiApplication

from ptychogui.gui import dialogs
from ptychogui.gui.opened import Opened, Run
from ptychogui.reproduce import Recipe
from ptychogui.types import Result

if TYPE_CHECKING:
    from ptychogui.gui.history_view import HistoryView
    from ptychogui.gui.window import Window


class Runs(QObject):
    """The runs of a window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._removed: dict[str, tuple[Opened, Run]] = {}
        window.ready.connect(self._connect_history)
        window.session.tree_changed.connect(self._forget_removed)

    # beginning

    def start(self) -> None:
        """Run; a result that was opened from a file goes on. While a run is going on, ask what to do with this one."""
        self._ask_to_queue(self._session.start)

    def go_on(self) -> None:
        """Go on from the selected result."""
        self._ask_to_queue(self._session.go_on)

    def branch(self) -> None:
        """Go on from the iterate on show."""
        self._ask_to_queue(self._session.history.branch)

    def run_again(self) -> None:
        """Run the selected run's job once more, from where it began; its parameters come into the form."""
        opened, run = self._session.current, self._session.current_run
        if opened is not None and run is not None:
            self._ask_to_queue(partial(self._again, opened, run))

    def _again(self, opened: Opened, run: Run) -> None:
        if not self._session.shows_running:  # there, they would go into the run that is going on
            self._session.edit(run.job, of=opened, what=f"parameters of {run.name}")
        self._session.queue.add(opened, run.job, run.initial, run.parent)

    def add_to_queue(self) -> None:
        """Let the current job wait for the one that is going on; it begins at once where there is none."""
        self._session.start()

    def _ask_to_queue(self, begin: Callable[[], object]) -> None:
        running = self._session.running
        if running is None:
            begin()
            return
        waiting = len(self._session.queue.waiting)
        after = f"after the {waiting} that wait already" if waiting else "as soon as it ends"
        text = f"{running.name} is still at work. In the queue, the new run begins {after}."
        answers: dict[str, Callable[[], object]] = {"Add to the queue": begin, "Cancel": lambda: None}
        dialogs.ask(self._window, "A run is going on", text, answers)

    # the queue

    def move_earlier(self) -> None:
        """Let the selected run begin one place earlier."""
        self._move(-1)

    def move_later(self) -> None:
        """Let the selected run begin one place later."""
        self._move(1)

    def _move(self, by: int) -> None:
        if self._session.current_run is not None:
            self._session.queue.move(self._session.current_run, by)

    def remove(self) -> None:
        """Take the selected run away; undo brings it back."""
        opened, run = self._session.current, self._session.current_run
        if opened is None or run is None:
            return
        gone = "taken out of the queue" if self._session.queue.place(run) is not None else "removed"
        self._session.remove(opened, run)
        until = " until the file or the window is closed" if run.unsaved else ""
        file = " Its file is deleted when the project is saved." if self._window.projects.holds(run) else ""
        told = f"{run.name} was {gone}: undo brings it back{until}.{file}"
        self._session.tell("info", told)
        self._removed[told] = opened, run

    def _forget_removed(self) -> None:
        """Take back what was told of runs that are there again."""
        for told, (opened, run) in list(self._removed.items()):
            if run in opened.runs:
                self._window.notices.drop(told)
                del self._removed[told]

    # looking and noting

    def annotate(self) -> None:
        """Rate the selected run and note something."""
        from ptychogui.gui.notes_dialog import NotesDialog

        run = self._session.current_run
        if run is not None:
            NotesDialog(self._session, run, self._window).open()

    def compare(self) -> None:
        """Compare the pictures of two results."""
        self._compare("pictures")

    def compare_jobs(self) -> None:
        """Compare the parameters of two runs."""
        self._compare("parameters")

    def _compare(self, page: Literal["pictures", "parameters"]) -> None:
        from ptychogui.gui.compare import CompareDialog

        dialog = CompareDialog(self._session, self._window)
        dialog.show_page(page)
        dialog.show()

    def show_history(self) -> None:
        """The states that were kept of the selected run."""
        if self._window.workspace is not None:
            self._window.workspace.reveal("history")

    def _connect_history(self) -> None:
        workspace, history = self._window.workspace, self._session.history
        if workspace is None:
            return
        view: HistoryView = workspace.views["history"]
        action = self._window.actions_by_id["branch"]
        view.place_chosen.connect(history.look)
        view.branch_wanted.connect(action.trigger)

        def show() -> None:
            view.show_iterates(history.iterates, history.place, history.why_no_branch())
            action.setEnabled(not history.why_no_branch())

        history.changed.connect(show)
        self._session.state_changed.connect(show)

    # keeping

    def export(self) -> None:
        """Choose what is written of the selected result, and where."""
        from ptychogui.gui.export_dialog import ExportDialog

        opened, run = self._session.current, self._session.current_run
        if opened is not None and run is not None and run.result is not None and self._window.workspace is not None:
            ExportDialog(self._session, opened, run, self._window.workspace, self._window).open()

    def copy_command(self) -> None:
        """Put the command line that makes the selected run on the clipboard."""
        self._copy("command line", Recipe.command_line)

    def copy_python(self) -> None:
        """Put the Python script that makes the selected run on the clipboard."""
        self._copy("Python script", Recipe.python)

    def _copy(self, what: str, words: Callable[[Recipe], str]) -> None:
        opened, run = self._session.current, self._session.current_run
        if opened is None or run is None:
            return
        output, initial = opened.result_path(run), run.initial
        held = self._file_of(initial)
        start = held or (output.with_name(f"{output.stem}_start.h5") if initial is not None else None)
        modes = len(initial.probe.modes) if initial is not None else 1
        text = words(Recipe(run.job, str(output), str(start or ""), modes))
        written = start if held is None else None

        def copied(_: object) -> None:
            clipboard = QGuiApplication.clipboard()
            if clipboard is not None:
                clipboard.setText(text)
                self._session.data_kept.emit(run.job.data)
            self._session.tell("info", f"The {what} of {run.name} is on the clipboard.{_remarks(run, written)}")

        self._session.tasks.run(partial(_keep_start, run, written), copied, partial(self._session.tell, "error"))

    def _file_of(self, initial: Result | None) -> Path | None:
        """The file in which a result lies already."""
        runs = [run for opened in self._session.opened for run in opened.runs]
        return next((run.saved for run in runs if run.saved is not None and run.result is initial), None)


def _keep_start(run: Run, path: Path | None) -> None:
    """In a thread: write what a run goes on from, since a command needs it as a file."""
    from ptychogui import io

    if run.initial is not None and path is not None:
        io.write_result(run.initial, path)


def _remarks(run: Run, start: Path | None) -> str:
    """What keeps the words from giving the very same result, and what was written for them."""
    lost = run.parent if run.initial is None else ""
    changes = run.result.provenance.get("changes", "") if run.result is not None else ""
    return "".join(
        (
            f" The state that it goes on from was written to {start}." if start is not None else "",
            f" It went on from {lost}, which its file does not hold; this begins from the data." if lost else "",
            " It was stopped early; this runs to its end." if run.state == "stopped" else "",
            " Its parameters were changed on the way; this begins with the first ones." if changes else "",
        )
    )
