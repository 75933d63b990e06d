"""The preflight: every doubt about a scan with a light, a sentence, and a button that mends it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ptychogui.check import Doubt, Progress, check, fixed, settings
from ptychogui.gui.import_card import in_words
from ptychogui.gui.session import Session
from ptychogui.gui.stream_dialog import StreamDialog
from ptychogui.job import Job
from ptychogui.types import Dataset

LEVELS = {"wrong": "problem", "doubt": "doubt", "ok": "good"}
"""The role of the light, which is its colour, in the order in which the doubts are shown."""
NAMES = {"wrong": "Wrong", "doubt": "Doubtful", "ok": "Good"}


@dataclass(frozen=True)
class Findings:
    """What was found so far, and what is looked at now."""

    doubts: tuple[Doubt, ...]
    progress: Progress

    @property
    def ordered(self) -> list[Doubt]:
        """The gravest first."""
        return sorted(self.doubts, key=lambda doubt: list(LEVELS).index(doubt.level))


def findings(job: Job, dataset: Dataset) -> Generator[Findings, None, None]:
    """The preflight, with everything that was found before."""
    found: tuple[Doubt, ...] = ()
    progress = Progress(0.0, "looking at the scan")
    items = check(job, dataset)
    with closing(items):
        for item in items:
            if isinstance(item, Doubt):
                found = (*found, item)
            else:
                progress = item
            yield Findings(found, progress)


class CheckDialog(StreamDialog):
    """The findings as a list that grows."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session.tasks, "check_dialog", "Check this scan", parent)
        assert session.current is not None  # the action is grey without a file
        self._session, self._opened = session, session.current
        self._mended: set[str] = set()
        self._shown: list[Doubt] = []
        self.summary = QLabel(self)
        self.summary.setObjectName("check_summary")
        self.summary.setProperty("role", "heading")
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.content.addWidget(self.summary)
        self.content.addWidget(self.area, 1)
        self.start_button.setText("Check again")
        self.all_button = self.button("mend_all", "Mend all", self._mend_all)
        self.own_buttons.addWidget(self.all_button)
        self.resize(720, 560)
        self.dress()

    def begin(self) -> Callable[[], Generator[Findings, None, None]] | None:
        """The preflight of the file as it is read now."""
        job, dataset = self._opened.job, self._opened.dataset
        if dataset is None or self._opened.reading:
            self.problem.setText("The file is being read again: wait a moment, then check again.")
            return None
        self._mended.clear()
        self._show([])
        return lambda: findings(job, dataset)

    def show_item(self, item: Findings) -> None:
        """Show what was found, and how far the check is."""
        self.show_progress(item.progress.done, item.progress.doing)
        if item.ordered != self._shown:
            self._show(item.ordered)

    def dress(self) -> None:
        """Say in one line how it stands, and whether there is something to mend."""
        super().dress()
        running, shown = self.stream.running, self._shown
        counts = [(name, sum(doubt.level == level for doubt in shown)) for level, name in NAMES.items()]
        said = ", ".join(f"{count} {name.lower()}" for name, count in counts if count)
        first = "Checking…" if running else "Stopped:" if self.stream.stopped else "Checked:"
        self.summary.setText(f"{first} {said}" if said else first if running else "")
        self.all_button.setEnabled(not running and bool(self._to_mend()))

    def _to_mend(self) -> list[Doubt]:
        return [doubt for doubt in self._shown if doubt.fix and doubt.name not in self._mended]

    def _show(self, doubts: list[Doubt]) -> None:
        self._shown = doubts
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(10)
        for doubt in doubts:
            column.addWidget(self._row(doubt))
        column.addStretch(1)
        self.area.setWidget(inside)

    def _row(self, doubt: Doubt) -> QFrame:
        frame = QFrame(self)
        frame.setObjectName(f"doubt.{doubt.name}")
        grid = QGridLayout(frame)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        light = QLabel("●", frame)
        light.setObjectName("light")
        light.setProperty("role", LEVELS[doubt.level])
        light.setAccessibleName(NAMES[doubt.level])
        light.setToolTip(NAMES[doubt.level])
        text = QLabel(in_words(doubt.sentence), frame)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setToolTip("\n".join(f"{name}: {_figure(value)}" for name, value in doubt.figures.items()))
        grid.addWidget(light, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(text, 0, 1)
        if doubt.fix:
            grid.addWidget(self._mend_button(doubt, frame), 0, 2, Qt.AlignmentFlag.AlignTop)
            change = QLabel(", ".join(settings(doubt)), frame)
            change.setProperty("role", "dim")
            grid.addWidget(change, 1, 1)
        return frame

    def _mend_button(self, doubt: Doubt, parent: QWidget) -> QPushButton:
        done = doubt.name in self._mended
        button = QPushButton("Mended" if done else "Mend", parent)
        button.setObjectName(f"mend.{doubt.name}")
        button.setAutoDefault(False)
        button.setEnabled(not done)
        button.clicked.connect(partial(self._mend, [doubt]))
        return button

    def _mend(self, doubts: list[Doubt], _: object = None) -> None:
        """Give the file's job the settings that mend these; can be undone."""
        self._mended |= {doubt.name for doubt in doubts}
        self._session.edit(fixed(self._opened.job, doubts), of=self._opened, what="fix of the check")
        self._show(self._shown)
        self.dress()

    def _mend_all(self) -> None:
        self._mend(self._to_mend())


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
