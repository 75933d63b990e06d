"""The stages of a run: a timeline in which they are added, doubled, moved and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ptychogui.gui.edits import paragraphs
from ptychogui.gui.timeline import Timeline, progress_of
from ptychogui.params import Params, members

if TYPE_CHECKING:
    from ptychogui.engine.solvers import AnySolver
    from ptychogui.job import Job
    from ptychogui.types import Snapshot

    Stages = tuple[AnySolver, ...]

Change = Literal["double", "remove", "up", "down"]
ADD_TIP = "Let another solver go on from where this stage ends"
BUTTONS: tuple[tuple[Change, str, str], ...] = (
    ("double", "Copy", "Double this stage"),
    ("up", "←", "Let this stage run earlier"),
    ("down", "→", "Let this stage run later"),
    ("remove", "−", "Take this stage away"),
)


def solvers(job: Job) -> Mapping[str, type[Params]]:
    """The solvers that a stage may have, by their kind."""
    return members(type(job).model_fields["solver"].annotation)


def with_stages(job: Job, stages: Stages) -> Job:
    """The same job with other stages; a single one is no list, so that its parameters keep their short names."""
    return job.model_copy(update={"solver": stages[0] if len(stages) == 1 else stages})


def added(stages: Stages, at: int, stage: AnySolver) -> tuple[Stages, int]:
    """The stages with one more after the one at `at`, and the place of the new one."""
    return (*stages[: at + 1], stage, *stages[at + 1 :]), at + 1


def changed(stages: Stages, at: int, change: Change) -> tuple[Stages, int]:
    """The stages after a change of the one at `at`, and the place where it, or its neighbour, then is."""
    if change == "double":
        return added(stages, at, stages[at])
    if change == "remove":
        return (*stages[:at], *stages[at + 1 :]), max(0, at - 1)
    return moved(stages, at, at - 1 if change == "up" else at + 1)


def moved(stages: Stages, at: int, to: int) -> tuple[Stages, int]:
    """The stages with the one at `at` at another place, and that place."""
    order = list(stages)
    order.insert(to, order.pop(at))
    return tuple(order), to


def possible(stages: Stages, at: int, change: Change) -> bool:
    """Whether a change can be made of the stage at `at`."""
    return {"double": True, "remove": len(stages) > 1, "up": at > 0, "down": at < len(stages) - 1}[change]


class StageList(QWidget):
    """The timeline of the stages with the buttons that change it; one stage is always selected."""

    changed = pyqtSignal(object)
    """The user changed the list: the new Job."""
    selected = pyqtSignal(int)
    """Another stage is selected."""

    def __init__(self, job: Job, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stages")
        self._job = job
        self._able = True
        self.timeline = Timeline(job.stages, self)
        self.timeline.selected.connect(self._select)
        self.timeline.moved.connect(lambda at, to: self._take(*moved(self._job.stages, at, to)))
        self.timeline.removed.connect(lambda _: self._change("remove"))
        self._buttons = {change: self._button(change, sign, tip) for change, sign, tip in BUTTONS}
        for change, button in self._buttons.items():
            button.clicked.connect(partial(self._change, change))
        self._add = self._button("add", "+ Stage", ADD_TIP)
        self._add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._add.setMenu(self._solver_menu())
        title = QLabel("Stages", self)
        title.setProperty("role", "dim")
        row = QHBoxLayout()
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(2)
        row.addWidget(title, 1)
        for button in (*self._buttons.values(), self._add):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.timeline)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.show_job(job)

    def _button(self, name: str, sign: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"stage_{name}")
        button.setText(sign)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # what is being typed elsewhere is taken up first
        return button

    def _solver_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setObjectName("stage_menu")
        menu.setToolTipsVisible(True)
        for kind, solver in solvers(self._job).items():
            action = menu.addAction(kind)
            assert action is not None
            action.setToolTip(paragraphs(solver.__doc__ or ""))
            action.triggered.connect(partial(self._append, kind))
        return menu

    @property
    def at(self) -> int:
        """The number of the selected stage, counted from 0."""
        return self.timeline.at

    def show_job(self, job: Job, at: int | None = None) -> None:
        """Show the stages of a job and select the one at `at`, or the same as before."""
        at = min(self.at if at is None else at, len(job.stages) - 1)
        self._job = job
        self.timeline.show_stages(job.stages, at)
        self._dress()

    def set_running(self, running: bool) -> None:
        """While a job runs, its stages stay what they are."""
        self._able = self.timeline.able = not running
        if not running:
            self.timeline.show_progress(None)
        self._dress()

    def show_progress(self, snapshot: Snapshot) -> None:
        """Mark the stage that is at work, and how far it is."""
        self.timeline.show_progress(progress_of(self._job.stages, snapshot.stage, snapshot.epoch))

    def _dress(self) -> None:
        several = len(self._job.stages) > 1
        for change, button in self._buttons.items():
            button.setVisible(several)
            button.setEnabled(self._able and possible(self._job.stages, self.at, change))
        self._add.setEnabled(self._able)
        self._add.setToolTip(ADD_TIP if self._able else "A run is going on: its stages stay what they are")

    def _select(self, at: int) -> None:
        self._dress()
        self.selected.emit(at)

    def _append(self, kind: str) -> None:
        self._take(*added(self._job.stages, self.at, solvers(self._job)[kind]()))  # type: ignore[arg-type]

    def _change(self, change: Change) -> None:
        self._take(*changed(self._job.stages, self.at, change))

    def _take(self, stages: Stages, at: int) -> None:
        self.show_job(with_stages(self._job, stages), at)
        self.changed.emit(self._job)
