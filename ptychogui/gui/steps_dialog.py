"""Finding step sizes: the map of short runs grows, and the best steps are taken over."""

from __future__ import annotations

from collections.abc import Callable, Generator

from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ptychogui.gui.forms import ParamsForm
from ptychogui.gui.session import Session
from ptychogui.gui.stages import with_stages
from ptychogui.gui.stream_dialog import StreamDialog
from ptychogui.gui.views.step_map import StepMapView
from ptychogui.job import Job
from ptychogui.steps import StepMap, StepSearch

ABOUT = (
    "Short runs on a few neighbouring frames, with steps that grow by factors of two. Pixels that they do not see "
    "judge them, so that noise is not fitted."
)


class StepsDialog(StreamDialog):
    """How the search goes about it at the left, its map at the right, what it found beneath."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session.tasks, "steps_dialog", "Find step sizes", parent)
        assert session.current is not None  # the action is grey without a file
        self._session = session
        self._opened, self._job = session.current, session.current.job
        self._initial = session.current_run.result if session.continues and session.current_run else None
        self.form = ParamsForm(StepSearch(), parent=self)
        self.form.problem_changed.connect(lambda _: self.dress())
        self.stage = QComboBox(self)
        self.stage.setObjectName("steps_stage")
        self.stage.setToolTip("The stage whose steps are looked for")
        self.stage.addItems([f"stage {i + 1}, {stage.kind}" for i, stage in enumerate(self._job.stages)])
        self.map = StepMapView(self)
        self.found = QLabel(self)
        self.found.setObjectName("steps_found")
        self.found.setWordWrap(True)
        self.apply_button = self.button("apply_steps", "Use these steps", self.apply)
        self.apply_button.setToolTip("Give the stage the steps that were best; can be undone")
        self.own_buttons.addWidget(self.apply_button)
        self._lay_out()
        self.resize(860, 560)
        self.dress()

    def _lay_out(self) -> None:
        about = QLabel(ABOUT, self)
        about.setProperty("role", "dim")
        about.setWordWrap(True)
        about.setFixedWidth(280)
        self.form.setFixedWidth(280)
        left = QVBoxLayout()
        for widget in (about, self.stage, self.form):
            left.addWidget(widget)
        left.addStretch(1)
        row = QHBoxLayout()
        row.addLayout(left)
        row.addWidget(self.map, 1)
        self.content.addLayout(row, 1)
        self.content.addWidget(self.found)

    def dress(self) -> None:
        """Start wants parameters that fit, and steps that were found can be used."""
        super().dress()
        running, found = self.stream.running, self.stream.item
        self.start_button.setEnabled(not running and not self.form.problem)
        self.apply_button.setEnabled(not running and found is not None and bool(found.settings))
        self.form.setEnabled(not running)
        self.stage.setEnabled(not running)
        self.stage.setVisible(len(self._job.stages) > 1)

    def begin(self) -> Callable[[], Generator[StepMap, None, None]] | None:
        """The search for the chosen stage."""
        job, dataset, initial = self._job, self._opened.dataset, self._initial
        how, stage = self.form.params, self.stage.currentIndex()
        if dataset is None or self.form.problem or not isinstance(how, StepSearch):
            return None
        self.found.setText("The first short run…")

        def make() -> Generator[StepMap, None, None]:
            from ptychogui.steps import search_steps

            return search_steps(job, dataset, initial, how, stage)

        return make

    def show_item(self, item: StepMap) -> None:
        """Show the map so far and the best of it."""
        self.map.show_map(item)
        self.found.setText(told(item))

    def apply(self) -> None:
        """Give the stage the steps that were found; can be undone."""
        found: StepMap | None = self.stream.item
        if found is not None:
            job = with_steps(self._job, self.stage.currentIndex(), found)
            self._session.edit(job, of=self._opened, what="found step sizes")
        self.accept()


def with_steps(job: Job, at: int, found: StepMap) -> Job:
    """The job with the found steps and batch in its stage at `at`."""
    stages = list(job.stages)
    stages[at] = type(stages[at]).read({**stages[at].plain(), **found.settings})
    return with_stages(job, tuple(stages))


def told(found: StepMap) -> str:
    """What was found so far, in words."""
    best, own = found.best, found.trials[0]
    text = (
        f"Best of {len(found.trials)} short runs: object step {best.object_step:.3g}, "
        f"probe step {best.probe_step:.3g}, batch {best.batch}; "
        f"loss {best.loss:.4g} against {own.loss:.4g} with the steps of now."
    )
    if best.object_nrmse is not None and own.object_nrmse is not None:
        text += f" Error of the object {best.object_nrmse:.3g} against {own.object_nrmse:.3g}."
    if found.ended and not found.settings:
        text += " The steps of now are as good as any."
    return f"{text} The search took {100 * found.share:.0f} % of the work of a whole run."
