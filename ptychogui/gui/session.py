"""What is open in the window and what is done with it; no widgets, so that it can be tested without any."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.gui import settings
from ptychogui.gui.edit_job import EditJob
from ptychogui.gui.edit_notes import EditNotes
from ptychogui.gui.edit_runs import RemoveRun, UndoStack
from ptychogui.gui.files import Files
from ptychogui.gui.history import History
from ptychogui.gui.keeper import Keeper
from ptychogui.gui.live import Live
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.queue import Queue
from ptychogui.gui.reasons import Reason, reasons
from ptychogui.gui.resolution import Resolution
from ptychogui.gui.tasks import told
from ptychogui.gui.worker import Worker
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.params import InputError
from ptychogui.presets import preset
from ptychogui.types import Dataset, Notes, Result

log = logging.getLogger(__name__)


class Session(Files):
    """What is done with the open files: their parameters, the running job, the results."""

    snapshot_changed = pyqtSignal()
    frame_changed = pyqtSignal(int)
    ended = pyqtSignal(object)
    """A Run is over."""
    saved = pyqtSignal(object)
    """A Run was written to its file."""
    data_kept = pyqtSignal(object)
    """A Data was written into a file that stays, or given away."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo = UndoStack(self)
        self.resolution = Resolution(self)
        self.running: Run | None = None
        self.queue = Queue(self)
        self.history = History(self)
        self.live = Live(self)
        self.form_problem = ""
        self._runs_on: Opened | None = None
        self._worker: Worker | None = None
        self._save_to: Path | None = None
        self._watched = True
        """Whether a run that begins is selected: not where the user has gone elsewhere while one before it went on."""

    # files

    def close(self, opened: Opened) -> None:
        """Forget a file and its runs; the running one stays."""
        if opened is self._runs_on:
            self.tell("warning", f"'{opened.title}' is being reconstructed: stop the run first.")
            return
        self.queue.clear(opened)
        self.opened.remove(opened)
        self.undo.clear()
        opened.dataset = None
        self.select(self.opened[-1] if self.opened else None)
        self.tree_changed.emit()

    def watch(self, frame: int) -> None:
        """Choose another frame to look at, in the data and in the running job."""
        self._see(frame, None)

    def glance(self, frame: int | None) -> None:
        """Look at the frame under the pointer; None when this has left: at the chosen one again."""
        self._see(self.frame, frame)

    def _see(self, chosen: int, pointed: int | None) -> None:
        before = self.seen_frame
        self.frame, self.pointed = chosen, pointed
        if self.seen_frame == before:
            return
        if self._worker is not None and self.current is self._runs_on:
            self._worker.ask(frame=self.seen_frame)
        self.frame_changed.emit(self.seen_frame)

    def step_frame(self, step: int) -> None:
        """Look at a frame so many further on."""
        if self.current is not None and self.current.dataset is not None:
            self.watch((self.frame + step) % self.current.dataset.frames.shape[0])

    def remove(self, opened: Opened, run: Run) -> None:
        """Take a run away, out of the queue too; can be undone."""
        if run is not self.running and run in opened.runs:
            self.undo.push(RemoveRun(self, opened, run))

    def find_data(self, path: str) -> None:
        """Point to the data that a result was made of; can be undone."""
        if self.current is not None:
            self.edit_data(self.current.job.data.model_copy(update={"path": path}))

    # parameters

    def use(self, job: Job) -> None:
        """Take over the parameters of another job; the data stay. Can be undone."""
        if self.current is None:
            self.tell("warning", "Open a data file first: parameters belong to a file.")
        else:
            self.edit(job.model_copy(update={"data": self.current.job.data}))

    def use_preset(self, name: str) -> None:
        """Let a preset set solver and unknowns; the data stay. Can be undone."""
        if self.current is not None:
            try:
                job = preset(name).apply(self.current.job)
            except InputError as error:
                self.tell("error", str(error))
            else:
                self.edit(job, what=f"preset '{name}'")

    def save_parameters(self, job: Job, path: str) -> None:
        """Write a job as TOML, in a thread."""

        def write() -> None:
            temporary = Path(f"{path}.part")
            temporary.write_text(job.toml(), encoding="utf-8")
            temporary.replace(path)

        self.beside(write, f"The parameters were saved to {path}.")
        self.data_kept.emit(job.data)

    def edit(self, job: Job, *, of: Opened | None = None, what: str = "change of parameters") -> None:
        """Give a file, usually the current one, another job; can be undone, under the name `what`."""
        opened = of or self.current
        if opened is not None and opened.growing and job.data != opened.job.data:
            self.tell("warning", f"'{opened.title}' is being measured: what is said of its data can change at its end.")
            self.job_changed.emit()
        elif opened is not None and job != opened.job:
            self.undo.push(EditJob(self, opened, job, what))

    def edit_data(self, data: Data) -> None:
        """Give the current file other settings for its data, and read it again; can be undone."""
        if self.current is not None:
            self.edit(self.current.job.model_copy(update={"data": data}))

    def apply(self, opened: Opened, job: Job) -> None:
        """Make a job the one of an open file: into the form, into the running job, and into the reader."""
        old, opened.job = opened.job, job
        if Path(opened.path).absolute() == Path(old.data.path).absolute():
            opened.path = job.data.path  # the file that is open is the data, wherever they have moved
        if self.shows_running and opened is self._runs_on and self._worker is not None:
            self._worker.ask(job=job)
        if opened is self.current:
            self.job_changed.emit()
        if job.data != old.data:
            self.read_again(opened)

    def tell_problem(self, problem: str) -> None:
        """What the form finds wrong with a parameter; '' where all are valid."""
        if problem != self.form_problem:
            self.form_problem = problem
            self.state_changed.emit()

    # running

    @property
    def paused(self) -> bool:
        """Whether the running job waits."""
        return self._worker is not None and self._worker.paused

    @property
    def stopping(self) -> bool:
        """Whether the running job was told to end."""
        return self._worker is not None and self._worker.stopping

    @property
    def shows_running(self) -> bool:
        """Whether the run that is selected is the one that is going on: then a change of parameters goes into it."""
        return self.running is not None and self.running is self.current_run

    @property
    def continues(self) -> bool:
        """Whether Run goes on from the selected result, as it does for one that was opened from a file."""
        return self.current_run is not None and self.current_run.opened_from_file

    def reasons(self) -> tuple[Reason, ...]:
        """Why Run cannot be pressed; empty where it can."""
        return reasons(self)

    def start(self) -> None:
        """Run the current job on the current data, from the selected result where that was opened from a file.

        While another run is going on, it waits in the queue.
        """
        if self.continues:
            self.go_on()
        elif self.current is not None and not self.reasons():
            self.queue.add(self.current, self.current.job)

    def go_on(self, initial: Result | None = None, parent: str = "") -> None:
        """Run the current job from the selected result, or from another one that is named."""
        opened, run = self.current, self.current_run
        if opened is None or run is None or self.reasons():
            return
        self.queue.add(opened, opened.job, initial or run.result, parent or run.name)

    def begin(self, opened: Opened, run: Run, dataset: Dataset) -> None:
        """Begin a run now; for the queue."""
        self.running, self._runs_on = run, opened
        run.state = "running"
        keeper, feed = Keeper(self.history.room_bytes()), opened.feed if opened.growing else None
        self._worker = Worker(run.job, dataset, run.initial, self.seen_frame, keeper, feed)
        self._worker.mailbox.filled.connect(self._look_into_mailbox)
        self._worker.finished.connect(self._ended)
        log.info("%s of %s begins", run.name, opened.title)
        self._worker.start()
        self.tree_changed.emit()
        if self._watched and self.live.may_show(opened):
            self.select(opened, run)

    def pause(self) -> None:
        """Let the running job wait, or go on."""
        if self._worker is not None and self.running is not None:
            self._worker.pause(not self._worker.paused)
            self.running.state = "paused" if self._worker.paused else "running"
            self.tree_changed.emit()
            self.state_changed.emit()

    def show_running(self) -> None:
        """Select what is being reconstructed."""
        if self._runs_on is not None:
            self.select(self._runs_on, self.running)

    def stop(self) -> None:
        """End the running job; its result is kept."""
        if self._worker is not None:
            self._worker.stop()
            self.state_changed.emit()

    def _look_into_mailbox(self) -> None:
        news = self._worker.mailbox.take() if self._worker is not None else None
        run = self.running
        if news is None or run is None:
            return
        for text in news.messages:
            self.tell("warning", text)
        if news.doing and run.snapshot is None:
            run.doing = news.doing
            self.snapshot_changed.emit()
        if news.snapshot is not None:
            run.snapshot = news.snapshot
            if run is self.current_run:
                self.snapshot_changed.emit()
        run.iterates += news.kept
        if news.result is not None:
            named = {"parent": run.parent} if run.parent else {}
            run.result = replace(news.result, provenance={**news.result.provenance, **named})
            run.saved = None
            self._write_waiting(run)
        if news.error is not None:
            run.state = "failed"
            self.tell("error", *told(news.error))

    def _ended(self) -> None:
        """The thread is over, so nothing can come into its mailbox any more."""
        self._look_into_mailbox()
        run, worker, opened = self.running, self._worker, self._runs_on
        assert run is not None
        assert worker is not None
        assert opened is not None
        worker.wait()
        self.running = self._worker = self._runs_on = None
        if run.state != "failed":
            run.state = (run.snapshot.ended if run.snapshot else "") or "stopped"
        log.info("%s of %s: %s", run.name, opened.title, run.state)
        self.tree_changed.emit()
        watched = run is self.current_run
        if watched:
            self.select(opened, run)
        self.state_changed.emit()
        self._watched = watched
        self.ended.emit(run)
        self._watched = True

    # results

    def save(self, run: Run, path: str | Path) -> None:
        """Write a result in a thread; a running job is asked for the result that it has now."""
        if run is self.running and self._worker is not None:
            self._save_to = Path(path)
            self._worker.ask(result=True)
        elif run.result is not None:
            self._write(run, Path(path))

    def _write_waiting(self, run: Run) -> None:
        if self._save_to is not None and run.result is not None:
            path, self._save_to = self._save_to, None
            self._write(run, path)

    def _write(self, run: Run, path: Path, silent: bool = False) -> None:
        from ptychogui import io

        result, written = run.result, run.noted
        assert written is not None

        def write() -> None:
            io.check_writable(path)
            io.write_result(written, path)

        def done(_: None) -> None:
            if run.result is result:
                run.saved = path
            if not silent:
                settings.remember(str(path), f"Result of {run.name}")
                self.tell("info", f"The result was saved to {path}.")
            self.tree_changed.emit()
            self.state_changed.emit()
            self.saved.emit(run)
            self.data_kept.emit(run.job.data)
            if run.saved == path and run.notes != written.notes:
                self._write(run, path, silent=True)

        self.tasks.run(write, done, self._fail)

    def annotate(self, run: Run, notes: Notes) -> None:
        """Rate a run, or note something; goes into its file, if it is saved. Can be undone."""
        if notes != run.notes:
            self.undo.push(EditNotes(self, run, notes))

    def apply_notes(self, run: Run, notes: Notes) -> None:
        """Make notes those of a run."""
        run.notes = notes
        self.tree_changed.emit()
        if run.saved is not None and run.result is not None:
            self._write(run, run.saved, silent=True)

    def beside(self, function: Callable[[], object], told_after: str) -> None:
        """Do something in a thread that shows nothing but a sentence at its end."""
        self.tasks.run(function, lambda _: self.tell("info", told_after), self._fail)

    def unsaved(self) -> list[tuple[Opened, Run]]:
        """The results that closing would lose."""
        return [(opened, run) for opened in self.opened for run in opened.runs if run.unsaved]
