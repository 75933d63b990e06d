"""Training a network: its parameters at the left; an example, the curves and the figures while it learns."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ptychogui.engine.learn.unrolled import Unrolled
from ptychogui.engine.start import AnyStart
from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.guessed import Guessed
from ptychogui.gui import dialogs
from ptychogui.gui.course import SUFFIX, Course, Taught, folder
from ptychogui.gui.forms import ParamsForm
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.preparation_rows import label
from ptychogui.gui.session import Session
from ptychogui.gui.stream_dialog import StreamDialog
from ptychogui.gui.training_view import TrainingView, span
from ptychogui.io.data import Data
from ptychogui.params import Params
from ptychogui.train import TrainJob
from ptychogui.types import Dataset, Result

NAMES = f"Networks (*{SUFFIX})"
USUAL_PX, LEAST_PX = 64, 16
"""The side of the patterns that a network takes, unless the scan's are smaller."""
LEFT_PX = 340
TICK_MS = 500
FIELDS = ("begin", "network", "training", "device")
"""What of a training job the form shows; experiment and probe are those of what is open."""
HINTS = {"begin": "from nothing", "training.images": "made by formula", "training.counts": "the experiment's"}
"""What holds where a field is left empty."""
ABOUT = (
    "A network learns to see the sample in the patterns of this experiment: its probe, its positions, its counts. "
    "Then it is a start for its scans."
)


class TrainDialog(StreamDialog):
    """Trains while the window is used for other things; what was learned is kept on the way."""

    kept = pyqtSignal()
    """A network was written into its folder."""

    def __init__(self, session: Session, opened: Opened, run: Run | None, parent: QWidget | None = None) -> None:
        super().__init__(session.tasks, "train_dialog", "Train a network", parent)
        self._session, self.opened, self._run = session, opened, run
        found = [source.text for source in sources(opened, run)]
        self._course: Course | None = None
        self._gone = False
        self._shown: Taught | None = None
        self._begin = self._unread = ""
        self.form = ParamsForm(first_job(opened), FIELDS, parent=self)
        self.source = QComboBox(self)
        self.begin_line = label("", "dim", self, "begin_line")
        self.all = QCheckBox("All parameters", self)
        self.view = TrainingView(self)
        self.kept_line = label("", "dim", self, "kept_line")
        self.kept_line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._set_up()
        self.source.addItems(found)
        self.source.setCurrentIndex(len(found) - 1)
        self._lay_out()
        self._narrow()
        self.resize(1080, 680)
        self.dress()

    def _set_up(self) -> None:
        self.form.set_hints(HINTS)
        self.source.setObjectName("experiment")
        self.source.setAccessibleName("Experiment")
        self.source.setToolTip("The experiment that the network is trained for: its probe, positions and counts")
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.all.setObjectName("all_parameters")
        self.all.setToolTip("Show also what is seldom changed")
        self.all.toggled.connect(lambda _: self._narrow())
        self.form.changed.connect(lambda *_: self._read_begin())
        self.form.problem_changed.connect(lambda _: self.dress())
        self.save_button = self.button("save_network", "Save as…", self._ask_where)
        self.save_button.setToolTip("Write the best weights so far into a file of your own")
        self.use_button = self.button("use_network", "Use as start", self.use)
        self.use_button.setToolTip("Let runs of this scan begin with what the network sees; can be undone")
        self.go_on_button = self.button("go_on", "Go on", self.go_on)
        self.go_on_button.setToolTip("Take the training that was stopped up again")
        self.own_buttons.addWidget(self.go_on_button)
        self.own_buttons.addWidget(self.save_button)
        self.own_buttons.addWidget(self.use_button)
        self.stop_button.setToolTip("End at the next step; what was learned stays")
        self.close_button.setToolTip("Close this dialog; a training that is going on ends")
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._show_time)

    def _lay_out(self) -> None:
        inside = QWidget(self)
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, 6, 0)
        for widget in (label(ABOUT, "dim", self), self.source, self.begin_line, self.form, self.all):
            rows.addWidget(widget)
        rows.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.setFixedWidth(LEFT_PX)
        row = QHBoxLayout()
        row.addWidget(area)
        row.addWidget(self.view, 1)
        self.content.addLayout(row, 1)
        self.content.addWidget(self.kept_line)

    @property
    def job(self) -> TrainJob:
        """The training job as the form shows it."""
        job = self.form.params
        assert isinstance(job, TrainJob)
        return job

    # what it begins with

    def begin_with(self, weights: str) -> None:
        """Fine-tune these weights."""
        self.form.set_params(self.job.model_copy(update={"begin": weights}))
        self._read_begin()

    def _read_begin(self) -> None:
        """Read, in a thread, the card of the weights to begin with, whose architecture is that of the training."""
        begin = self.job.begin
        if begin == self._begin:
            self.dress()
            return
        self._begin, self._unread = begin, ""
        self.begin_line.setText("")
        if begin:
            self._unread = "The weights to begin with are being read."
            self._session.tasks.run(partial(_card, begin), partial(self._take, begin), partial(self._refuse, begin))
        self._narrow()
        self.dress()

    def _take(self, begin: str, found: tuple[Params, str]) -> None:
        if begin != self._begin or self._gone:
            return
        self._unread = ""
        self.begin_line.setText(found[1])
        self.form.set_params(self.job.model_copy(update={"network": found[0]}))
        self.problem.setText("")
        self.dress()

    def _refuse(self, begin: str, sentence: str, _: str) -> None:
        if begin == self._begin and not self._gone:
            self._unread = sentence
            self.problem.setText(sentence)
            self.dress()

    def _narrow(self) -> None:
        names = tuple(name for name in FIELDS if name != "network" or not self._begin)
        self.form.narrow(names, essential=not self.all.isChecked())

    # training

    def begin(self) -> Callable[[], Generator[Taught, None, None]] | None:
        """A training of the job that the form shows, for the chosen experiment."""
        job = self.job
        if self.form.problem or self._unread:
            return None
        kind, pixels = job.network.kind, job.network.pixels
        name = f"{self.opened.title.split('.')[0]}-{kind}-{pixels}"
        chosen = self.source.currentText()
        source = next((one for one in sources(self.opened, self._run) if one.text == chosen), None)
        if source is None:
            self.problem.setText("The data of this scan are not there any more: open it again.")
            return None
        experiment = {"data": source.data, "start": begun(self.opened.job.start)}
        self._course = Course(job.model_copy(update=experiment), source.known, name)
        self._shown = None
        self.view.clear()
        self.kept_line.setText("")
        self._tick.start()
        return self._course.run

    def go_on(self) -> None:
        """Take the training that was stopped up again, as if it had not been."""
        if self._course is not None:
            self.problem.setText("")
            self.progress.setRange(0, 0)
            self._tick.start()
            steps = self._course.go_on()
            self.stream.start(lambda: steps)
            self.dress()

    def stop(self) -> None:
        """End after the step at work; what was learned stays."""
        if self._course is not None:
            self._course.stop()
        super().stop()

    def show_item(self, item: Taught) -> None:
        """Show the latest report."""
        assert self._course is not None
        self.view.show_taught(item, self._course)
        if item.kept is not None:
            self.kept_line.setText(f"The best weights so far are kept as {item.kept}.")
        if item.kept is not None and (self._shown is None or self._shown.kept != item.kept):
            self.kept.emit()
        self._shown = item
        self._show_time()

    def _show_time(self) -> None:
        """How much of the training is over, and how long it will still take."""
        if not self.stream.running or self._course is None:
            self._tick.stop()
            return
        left_s = self._course.left_s
        if left_s is not None:
            said = "ending…" if self.stream.stopping else f"{span(left_s)} left"
            self.show_progress(self._course.share, said)

    def dress(self) -> None:
        """Start wants parameters that fit, and what was learned can be saved and used."""
        super().dress()
        running, learned = self.stream.running, self._learned
        self.start_button.setEnabled(not running and not self.form.problem and not self._unread)
        self.start_button.setText("Train" if self._shown is None else "Train anew")
        for widget in (self.form, self.source):
            widget.setEnabled(not running)
        last = self._shown.progress if self._shown is not None else None
        self.go_on_button.setVisible(not running and last is not None and last.ended == "stopped")
        self.save_button.setEnabled(learned and not running)
        self.use_button.setEnabled(learned and not running)
        self.begin_line.setVisible(bool(self.begin_line.text()))
        self.kept_line.setVisible(bool(self.kept_line.text()))
        self.setWindowTitle("Fine-tune a network" if self._begin else "Train a network")

    def _ended(self) -> None:
        super()._ended()
        if self._learned and self._shown is not None and self._shown.kept is None:
            self.kept_line.setText("It is no better than the mean of all samples, so it was not kept: train longer.")
            self.dress()

    @property
    def _learned(self) -> bool:
        return self._shown is not None and self._shown.progress is not None

    # what was learned

    def _ask_where(self) -> None:
        kept = self._shown.kept if self._shown is not None else None
        proposed = kept or folder() / f"network{SUFFIX}"
        dialogs.choose_name(self, "Save the network", NAMES, proposed, self.save)

    def save(self, path: str) -> None:
        """Write the best weights into a file, in a thread."""
        if self._course is not None:
            self._session.tasks.run(partial(self._course.keep, Path(path)), self._saved, self._failed)

    def _saved(self, path: Path) -> None:
        self.kept.emit()
        if not self._gone:
            self.kept_line.setText(f"The network was saved to {path}.")
            self.dress()

    def use(self) -> None:
        """Let runs of the scan begin with the network, which is kept where it is not yet; can be undone."""
        kept = self._shown.kept if self._shown is not None else None
        if kept is not None:
            self._use(kept)
        elif self._course is not None:
            self._session.tasks.run(self._course.keep, self._use, self._failed)

    def _use(self, path: Path) -> None:
        job = self.opened.job.with_value("start.kind", "ptychonet").with_value("start.weights", str(path))
        if self.opened in self._session.opened:
            self._session.edit(job, of=self.opened, what="network as start")
        self.kept.emit()
        if not self._gone:
            self.accept()

    def _failed(self, sentence: str, details: str) -> None:
        if self._gone:
            self._session.tell("error", sentence, details)
        else:
            self.problem.setText(sentence)
            self.dress()

    # closing

    def reject(self) -> None:
        """Close; asks while it trains."""
        if not self.stream.running:
            super().reject()
            return
        kept = self._shown is not None and self._shown.kept is not None
        text = "The best weights so far are kept." if kept else "It has learned nothing yet that would be kept."
        answers: dict[str, Callable[[], object]] = {
            "Stop and close": partial(self.done, 0),
            "Go on training": lambda: None,
        }
        dialogs.ask(self, "A network is being trained", text, answers)

    def done(self, result: int) -> None:
        """Close; a training that is going on ends after the step at work."""
        self._gone = True
        self._tick.stop()
        if self._course is not None:
            self._course.stop()
        super().done(result)


@dataclass(frozen=True)
class Source:
    """What a network can be trained for, how it is told, and where it is read from."""

    text: str
    known: Dataset | Result
    data: Data


def sources(opened: Opened, run: Run | None) -> list[Source]:
    """The scan with the probe that it begins with, and the selected result with the one that it found."""
    found = []
    if opened.dataset is not None:
        found.append(Source(f"Probe as {opened.title} tells it", opened.dataset, opened.job.data))
    if run is not None and run.result is not None:
        data = opened.job.data if run.saved is None else Data(path=str(run.saved))
        found.append(Source(f"Probe that {run.name} found", run.result, data))
    return found


def first_job(opened: Opened) -> TrainJob:
    """A training for the patterns of a scan, which begins with the probe as its runs do."""
    least = min(opened.dataset.geometry.shape) if opened.dataset is not None else USUAL_PX
    pixels = max(LEAST_PX, min(USUAL_PX, 2 ** int(math.log2(max(least, 1)))))
    return TrainJob(data=opened.job.data, start=begun(opened.job.start), network=Unrolled(pixels=pixels))


def begun(start: AnyStart) -> FromData:
    """A start that finds the probe as another one does, without its picture."""
    if not isinstance(start, Guessed):
        return FromData()
    return FromData(modes=start.modes, file_probe=start.file_probe, find_defocus=start.find_defocus)


def _card(weights: str) -> tuple[Params, str]:
    """The architecture of weights, and a line about them. Raises `InputError` where they are none."""
    from ptychogui.engine.learn.shipped import path_of
    from ptychogui.engine.learn.weights import card_of

    card = card_of(path_of(weights))
    network = card.network
    line = f"{network.kind}, {network.pixels} × {network.pixels} pixels, error {card.error:.3g}"
    return network, f"{line}, trained for {card.source}" if card.source else line
