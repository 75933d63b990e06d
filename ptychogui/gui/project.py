"""Projects: everything that is open in the window, saved and opened again."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt6.QtCore import QByteArray, QObject

from ptychogui.gui import dialogs, settings
from ptychogui.gui.autosave import Autosave
from ptychogui.gui.opened import Run
from ptychogui.gui.project_file import (
    SUFFIX,
    Kept,
    Loaded,
    Places,
    Project,
    ScanEntry,
    Writer,
    kept_run,
    line_of,
    read,
    with_files,
)
from ptychogui.types import Result

if TYPE_CHECKING:
    from ptychogui.gui.session import Session
    from ptychogui.gui.window import Window

NAMES = f"Projects (*{SUFFIX})"


def state_of(session: Session) -> dict[str, Any]:
    """What a project keeps of a session as plain data, results by a fingerprint; equal after saving and opening."""
    selected_scan, selected_run = _selected(session)
    return {
        "scans": [
            {
                "path": _absolute(opened.path),
                "job": with_files(opened.job, _absolute).plain(),
                "runs": [_run_state(run) for run in opened.runs],
            }
            for opened in session.opened
        ],
        "selected_scan": selected_scan,
        "selected_run": selected_run,
        "frame": session.frame,
    }


def _run_state(run: Run) -> dict[str, Any]:
    kept = kept_run(run)
    results = {"result": kept.result, "initial": kept.initial}
    told = {name: "" if result is None else _fingerprint(result) for name, result in results.items()}
    job = with_files(run.job, _absolute).plain()
    return {**kept.entry.plain(), **told, "job": job, "iterates": [_fingerprint(state) for state in kept.iterates]}


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def _fingerprint(result: Result) -> str:
    digest = hashlib.sha256(result.job.encode())
    for array in (result.obj.slices, result.probe.modes, result.scan.positions_m, result.loss):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _selected(session: Session) -> tuple[int | None, int | None]:
    opened, run = session.current, session.current_run
    if opened is None:
        return None, None
    return session.opened.index(opened), opened.runs.index(run) if run in opened.runs else None


class Projects(QObject):
    """Saves the session, opens another one, and has it saved by itself."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self.path: Path | None = None
        """The project that is open."""
        self._writer: Writer | None = None
        self.autosave = Autosave(window.session, self.kept, self)
        window.ready.connect(self._begin_autosave)
        window.closed.connect(self.autosave.end)

    # saving

    def save(self) -> None:
        """Save the project under its name, or ask for one."""
        if self.path is None:
            self.save_as()
        else:
            self.write(self.path)

    def save_as(self) -> None:
        """Ask where the project should be kept."""
        opened = self._session.current
        folder = Path(opened.path).absolute().parent if opened is not None else Path.home()
        stem = opened.title.split(".")[0] if opened is not None else "project"
        proposed = self.path or folder / f"{stem}{SUFFIX}"
        dialogs.choose_name(self._window, "Save the project", NAMES, proposed, self.write)

    def write(self, path: Path | str) -> None:
        """Save the session as a project, in a thread."""
        path = Path(path).absolute()
        writer = self._writer if self._writer is not None and self._writer.path == path else Writer(path)
        self._writer, kept = writer, self.kept()
        done = partial(self._written, path, kept)
        self._session.tasks.run(partial(writer.write, kept), done, partial(self._session.tell, "error"))

    def _written(self, path: Path, kept: Kept, places: Places) -> None:
        written = {id(run.run): run.result for runs in kept.runs for run in runs}
        for run, place in places.runs:
            if run.result is not None and run.result is written[id(run)]:
                run.saved = place
        listed = [run for opened in self._session.opened for run in opened.runs]
        for run in (*self._session.undo.away, *listed):
            run.saved = None if run.saved in places.deleted else run.saved
        self.path = path
        self._window.layouts.tables.project_saved(path, kept.project)
        settings.remember(str(path), line_of(kept.project))
        self._session.tell("info", f"The project was saved to {path}.{_told_deleted(len(places.deleted))}")
        self._session.tree_changed.emit()
        self._session.state_changed.emit()

    def kept(self) -> Kept:
        """The session as it stands, to be written."""
        session = self._session
        runs = tuple(tuple(kept_run(run) for run in opened.runs) for opened in session.opened)
        selected_scan, selected_run = _selected(session)
        workspace = self._window.workspace
        layout = workspace.layout_state().data() if workspace is not None and workspace.arranged else b""
        project = Project(
            scans=tuple(
                ScanEntry(path=opened.path, job=opened.job, runs=tuple(run.entry for run in kept))
                for opened, kept in zip(session.opened, runs)
            ),
            selected_scan=selected_scan,
            selected_run=selected_run,
            frame=session.frame,
            layout=base64.b64encode(layout).decode("ascii"),
            windows=self._window.view_windows.places,
        )
        return Kept(project, runs)

    def holds(self, run: Run) -> bool:
        """Whether the result of a run lies in the folder of the project, which deletes it when the run is gone."""
        return self._writer is not None and run.saved is not None and run.saved.parent == self._writer.folder

    # opening

    def open_dialog(self) -> None:
        """Ask which project to open."""
        dialogs.choose_file(self._window, "Open a project", NAMES, self.open)

    def open(self, path: Path | str) -> None:
        """Open a project in the place of what is open; asks where that would lose a result."""
        go_on = partial(self._read, Path(path).absolute())
        if self._session.running is not None or self._session.queue.waiting:
            self._session.tell("warning", "A run is going on: stop it, then open the project.")
        elif self._session.unsaved():
            title, text = "Open the project?", "There are results that are not saved; the project takes their place."
            answers: dict[str, Callable[[], object]] = {"Open without saving": go_on, "Cancel": lambda: None}
            dialogs.ask(self._window, title, text, answers)
        else:
            go_on()

    def _read(self, path: Path) -> None:
        done, failed = partial(self._opened, path), partial(self._not_opened, path)
        self._session.tasks.run(partial(read, path), done, failed)

    def _not_opened(self, path: Path, sentence: str, details: str) -> None:
        settings.drop(str(path))
        self._session.tell("error", sentence, details)

    def _opened(self, path: Path, loaded: Loaded) -> None:
        if self._session.running is not None:
            self._session.tell("warning", "A run has begun meanwhile, so the project was not opened.")
            return
        self.path, self._writer = path, Writer(path, loaded.held)
        self.show(loaded)
        settings.remember(str(path), line_of(loaded.project))

    def show(self, loaded: Loaded) -> None:
        """Let a project that was read take the place of what is open."""
        project = loaded.project
        self._session.undo.clear()
        self._window.view_windows.restore(project.windows)
        self._session.replace(list(loaded.opened), project.selected_scan, project.selected_run, project.frame)
        self._lay_out(project.layout)
        for problem in loaded.problems:
            self._session.tell("warning", problem)

    def _lay_out(self, layout: str) -> None:
        workspace = self._window.workspace
        try:
            state = base64.b64decode(layout, validate=True)
        except (binascii.Error, ValueError):
            state = b""
        if workspace is not None and state:
            workspace.arranged = True
            workspace.restoreState(QByteArray(state), workspace.version)

    # recovery

    def _begin_autosave(self) -> None:
        self.autosave.begin()
        lost = self.autosave.lost()
        if not lost:
            return
        text = "; ".join(each.line for each in lost)
        answers: dict[str, Callable[[], object]] = {
            "Recover": partial(self._recover, [each.path for each in lost]),
            "Discard": partial(self.autosave.discard, [each.path for each in lost]),
            "Later": lambda: None,
        }
        dialogs.ask(self._window, "The program ended without saving", f"What can be recovered: {text}.", answers)

    def _recover(self, paths: list[Path]) -> None:
        """Open what was saved last before a crash; its results count as not saved."""

        def together() -> list[Loaded]:
            return [read(path) for path in paths]

        def done(found: list[Loaded]) -> None:
            opened = [scan for loaded in found for scan in loaded.opened]
            for run in (run for scan in opened for run in scan.runs):
                run.saved = run.saved if run.saved is not None and run.saved.parent.parent not in folders else None
            whole = Loaded(found[0].project, tuple(opened), tuple(text for each in found for text in each.problems))
            self.show(whole)
            self.autosave.write(then=partial(self.autosave.discard, paths))

        folders = {path.parent for path in paths}
        self._session.tasks.run(together, done, partial(self._session.tell, "error"))


def _told_deleted(count: int) -> str:
    """What became of the files of runs that are in the project no more."""
    if not count:
        return ""
    files = "1 file was" if count == 1 else f"{count} files were"
    return f" {files} deleted from its folder, of runs that are no longer in it."
