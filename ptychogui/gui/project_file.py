"""A session as files: one TOML, and the results beside it."""

from __future__ import annotations

import os
import threading
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import tomli_w
from pydantic import Field

from ptychogui import io
from ptychogui.gui.opened import Opened, Run, read_data
from ptychogui.io import files
from ptychogui.job import Job
from ptychogui.params import Count, Index, InputError, Params, entries
from ptychogui.types import Dataset, Notes, Result

SUFFIX = ".ptychoproj"
_FOLDER = "_runs"
P = TypeVar("P", bound=Params)
Written = dict[int, tuple[Result, Notes, Path]]
"""Results by their identity, with the notes and the file in which each was written."""
Held = Iterable[tuple[Result, Path]]


class RunEntry(Params):
    """A run: files are relative to the project where they lie beside it."""

    name: str
    number: Count = 1
    state: str = ""
    parent: str = ""
    opened_from_file: bool = False
    stars: Index = 0
    note: str = ""
    job: Job
    result: str = ""
    initial: str = ""
    iterates: tuple[str, ...] = ()


class ScanEntry(Params):
    """An open file with the job that its form shows, and its runs."""

    path: str
    job: Job
    runs: tuple[RunEntry, ...] = ()


class ViewPlace(Params):
    """A view in a window of its own."""

    view: str
    geometry: str = ""
    """Where the window stands, as Qt writes it."""


class Project(Params):
    """Everything that is open in the window."""

    version: Literal[1] = 1
    scans: tuple[ScanEntry, ...] = Field(default=())
    selected_scan: Index | None = None
    selected_run: Index | None = None
    frame: Index = 0
    layout: str = ""
    """Where the docks stand, as Qt writes it."""
    windows: tuple[ViewPlace, ...] = ()


@dataclass(frozen=True)
class KeptRun:
    """A run as it stands, with the results that are in memory; `saved` is where its own one lies already."""

    run: Run
    entry: RunEntry
    result: Result | None
    saved: Path | None
    initial: Result | None
    iterates: tuple[Result, ...]


@dataclass(frozen=True)
class Kept:
    """A session at one moment, to be written in a thread; the runs stand beside the scans of `project`."""

    project: Project
    runs: tuple[tuple[KeptRun, ...], ...]


def kept_run(run: Run) -> KeptRun:
    """A run as it stands; of one that goes on the last state that was kept is its result."""
    going = run.state in ("running", "paused")
    state = "interrupted" if going else "not begun" if run.state.startswith("queued") else run.state
    entry = RunEntry(
        name=run.name,
        number=run.number,
        state=state,
        parent=run.parent,
        opened_from_file=run.opened_from_file,
        stars=run.notes.stars,
        note=run.notes.text,
        job=run.job,
    )
    result = run.iterates[-1] if going and run.result is None and run.iterates else run.result
    return KeptRun(run, entry, result, run.saved, run.initial, tuple(run.iterates))


@dataclass(frozen=True)
class Places:
    """Where the result of each run lies, and the files that were deleted since no run has them any more."""

    runs: tuple[tuple[Run, Path], ...]
    deleted: tuple[Path, ...]


class Writer:
    """Writes one session again and again to one place; what was written, or read with `held`, is not written twice.

    Results that the user has saved elsewhere are only pointed to, unless they lie `apart`, in the folder of another
    project, which may delete them.
    """

    def __init__(self, path: Path, held: Held = (), apart: bool = True) -> None:
        self.path = path
        self._apart = apart
        self._written: Written = {id(result): (result, result.notes, place) for result, place in held}
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return self.path.with_name(f"{self.path.stem}{_FOLDER}")

    def write(self, kept: Kept, iterates: bool = True) -> Places:
        """Write the session; then delete, in the folder of this project alone, what the last one had beyond this one.

        Raises `InputError` where that is not possible; the last project stays until the new one is whole.
        """
        with self._lock:  # whoever saves twice in a row waits in a thread
            return self._write(kept, iterates)

    def _write(self, kept: Kept, iterates: bool) -> Places:
        files.check_folder(self.path.parent)
        places: list[tuple[Run, Path]] = []
        before, self._written = self._written, {}
        last = self._named() | {place for _, _, place in before.values()}
        scans = []
        for scan, runs in zip(kept.project.scans, kept.runs):
            stem = Path(scan.path).name.split(".")[0]
            listed = [self._run(run, f"{stem}_run{run.entry.number}", iterates, before, places) for run in runs]
            changed = {"path": self._name(scan.path), "job": with_files(scan.job, self._name), "runs": tuple(listed)}
            scans.append(scan.model_copy(update=changed))
        project = kept.project.model_copy(update={"scans": tuple(scans)})
        with files.replacing(self.path) as temporary:
            temporary.write_text(tomli_w.dumps(project.plain()), encoding="utf-8")
        return Places(tuple(places), self._delete(last - {place for _, _, place in self._written.values()}))

    def _named(self) -> set[Path]:
        """The files of results that the project, as it was saved last, names."""
        try:
            runs = [run for scan in read_project(self.path).scans for run in scan.runs]
        except InputError:
            return set()
        names = {name for run in runs for name in (run.result, run.initial, *run.iterates) if name}
        return {self.path.parent / name for name in names}

    def _delete(self, places: set[Path]) -> tuple[Path, ...]:
        """Delete those of these files that lie in the folder of this project; tells which."""
        gone = sorted(place for place in places if place.parent == self.folder and place.exists())
        for place in gone:
            place.unlink(missing_ok=True)
        if gone and not any(self.folder.iterdir()):
            self.folder.rmdir()
        return tuple(gone)

    def _run(
        self, kept: KeptRun, name: str, iterates: bool, before: Written, places: list[tuple[Run, Path]]
    ) -> RunEntry:
        notes = Notes(kept.entry.stars, kept.entry.note)
        values: dict[str, Any] = {"job": with_files(kept.entry.job, self._name)}
        if kept.result is not None:
            if kept.saved is not None and kept.saved.exists() and not self._lies_apart(kept.saved):
                self._written[id(kept.result)] = (kept.result, notes, kept.saved)
            path = self._file(kept.result, name, notes, before)
            places.append((kept.run, path))
            values["result"] = self._name(str(path))
        if kept.initial is not None:
            values["initial"] = self._name(str(self._file(kept.initial, f"{name}_start", None, before)))
        if iterates:
            named = ((f"{name}_epoch{len(state.loss)}", state) for state in kept.iterates)
            values["iterates"] = tuple(
                self._name(str(self._file(state, title, None, before))) for title, state in named
            )
        return kept.entry.model_copy(update=values)

    def _file(self, result: Result, name: str, notes: Notes | None, before: Written) -> Path:
        """Where a result lies; it is written unless it was before, with the same notes."""
        held = self._written.get(id(result)) or before.get(id(result))
        if held is None or not held[2].exists() or notes not in (None, held[1]):
            path = held[2] if held is not None and held[2].parent == self.folder else self._free(name)
            files.check_folder(self.folder)
            held = result, notes or result.notes, path
            io.write_result(replace(result, notes=held[1]), path)
        self._written[id(result)] = held
        return held[2]

    def _lies_apart(self, path: Path) -> bool:
        """Whether a file lies in the folder of another project."""
        folder = path.parent
        of = folder.with_name(f"{folder.name.removesuffix(_FOLDER)}{SUFFIX}")
        return self._apart and folder != self.folder and folder.name.endswith(_FOLDER) and of.exists()

    def _free(self, name: str) -> Path:
        """A name that replaces no file."""
        path, number = self.folder / f"{name}.h5", 2
        while path.exists():
            path, number = self.folder / f"{name}_{number}.h5", number + 1
        return path

    def _name(self, path: str) -> str:
        whole, folder = Path(path).expanduser().absolute(), self.path.absolute().parent
        return whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else str(whole)


def with_files(params: P, change: Callable[[str], str]) -> P:
    """The same parameters with every file that they name under another name."""
    changed: dict[str, Any] = {}
    for entry in entries(type(params)):
        value = getattr(params, entry.name)
        named = "weights" in entry.marks and not str(value).endswith(".safetensors")  # it comes with the program
        if isinstance(value, str) and value and "file" in entry.marks and not named:
            changed[entry.name] = change(value)
        elif isinstance(value, Params):
            changed[entry.name] = with_files(value, change)
        elif isinstance(value, tuple) and value and all(isinstance(part, Params) for part in value):
            changed[entry.name] = tuple(with_files(part, change) for part in value)
    return params.model_copy(update=changed)


@dataclass(frozen=True)
class Loaded:
    """A project that was read: its files and runs, and what was not to be found, in sentences."""

    project: Project
    opened: tuple[Opened, ...]
    problems: tuple[str, ...]
    held: tuple[tuple[Result, Path], ...] = ()
    """The results that were read, with their files."""


def read(path: Path) -> Loaded:
    """Read a project, its results and the data of its scans.

    Raises `InputError` where it is no project; what it names and is not there is told in `problems`.
    """
    project = read_project(path)
    problems: list[str] = []
    held: dict[Path, Result] = {}

    def found(name: str) -> Path:
        place = path.absolute().parent / name
        beside = path.absolute().parent / Path(name).name
        return beside if not place.exists() and beside.exists() else place

    def result_of(name: str, what: str) -> Result | None:
        place = found(name)
        if place not in held:
            try:
                held[place] = io.read_result(place)
            except InputError as error:
                problems.append(f"{what}: {error}")
                return None
        return held[place]

    opened = []
    for scan in project.scans:
        job = with_files(scan.job, lambda name: str(found(name)))
        entry = Opened(str(found(scan.path)), job)
        entry.dataset, entry.problem = _dataset(job)
        for run in scan.runs:
            named = with_files(run.job, lambda name: str(found(name)))
            entry.runs.append(_run(run, named, found, result_of))
        opened.append(entry)
    files_of = tuple((result, place) for place, result in held.items())
    return Loaded(project, tuple(opened), tuple(problems), files_of)


def read_project(path: Path) -> Project:
    """The project file alone. Raises `InputError` where it is missing or none."""
    try:
        return Project.read(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {os.strerror(error.errno or 0)}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no project of this program: {error}.") from error
    except InputError as error:
        raise InputError(f"In {path}: {error}") from error


def _run(
    entry: RunEntry, job: Job, found: Callable[[str], Path], result_of: Callable[[str, str], Result | None]
) -> Run:
    run = Run(entry.name, job, entry.state, entry.number, parent=entry.parent, opened_from_file=entry.opened_from_file)
    run.notes = Notes(entry.stars, entry.note)
    run.result = result_of(entry.result, entry.name) if entry.result else None
    run.saved = found(entry.result) if run.result is not None else None
    run.initial = result_of(entry.initial, entry.name) if entry.initial else None
    states = (result_of(name, entry.name) for name in entry.iterates)
    run.iterates = [state for state in states if state is not None]
    return run


def _dataset(job: Job) -> tuple[Dataset | None, str]:
    if not job.data.path:
        return None, "The data of this result are not known: choose the file."
    try:
        return read_data(job.data, beside=False)[1], ""
    except InputError as error:
        return None, str(error)


def line_of(project: Project) -> str:
    """What is in a project, in one line."""
    runs = sum(len(scan.runs) for scan in project.scans)
    scans = len(project.scans)
    return f"Project of {scans} scan{'' if scans == 1 else 's'} and {runs} run{'' if runs == 1 else 's'}"
