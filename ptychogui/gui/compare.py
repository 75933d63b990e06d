"""Two runs beside each other: their pictures on one grid, and the parameters in which they differ."""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ptychogui.comparison import Comparison, comparisons
from ptychogui.gui.compare_view import CompareView
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.run_words import value_text
from ptychogui.gui.session import Session
from ptychogui.gui.stream import Stream
from ptychogui.reproduce import differences
from ptychogui.types import Result

Page = Literal["pictures", "parameters"]
PAGES: tuple[Page, ...] = ("pictures", "parameters")


class CompareDialog(QDialog):
    """Which two runs, at the top; beneath, their pictures and their parameters as two pages."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compare_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.setWindowTitle("Compare runs")
        self._session = session
        self._runs: list[tuple[Opened, Run]] = []
        self._wanted: tuple[object, object] | None = None
        self._work: Stream[Comparison] = Stream(session.tasks)
        self._closed = False
        self.first, self.second = self._choice("compare_first", "First"), self._choice("compare_second", "Second")
        self.swap = QPushButton("Swap", self)
        self.swap.setObjectName("compare_swap")
        self.swap.setAutoDefault(False)
        self.swap.setToolTip("Let the first be the second, and the second the first")
        self.swap.clicked.connect(lambda _: self._swap())
        self.view = CompareView(self)
        self.said = QLabel(self)
        self.said.setObjectName("compare_figures")
        self.said.setWordWrap(True)
        self.table = self._make_table()
        self.pages = QTabWidget(self)
        self.pages.setObjectName("compare_pages")
        self._lay_out()
        self.resize(1080, 640)
        session.tree_changed.connect(self._list_runs)
        self._list_runs()
        self._choose_at_first()

    def _choice(self, name: str, text: str) -> QComboBox:
        choice = QComboBox(self)
        choice.setObjectName(name)
        choice.setAccessibleName(text)
        choice.setToolTip(f"The {text.lower()} of the two runs")
        choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        choice.currentIndexChanged.connect(lambda _: self._show())
        return choice

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 3, self)
        table.setObjectName("compare_table")
        table.setToolTip("Only the parameters in which the two runs differ")
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setWordWrap(True)
        header, side = table.horizontalHeader(), table.verticalHeader()
        assert header is not None
        assert side is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        side.hide()
        return table

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for text, choice in (("First", self.first), ("Second", self.second)):
            row.addWidget(QLabel(text, self))
            row.addWidget(choice, 1)
        row.addWidget(self.swap)
        pictures = QWidget(self)
        inside = QVBoxLayout(pictures)
        inside.setContentsMargins(8, 8, 8, 8)
        inside.addWidget(self.view, 1)
        inside.addWidget(self.said)
        self.pages.addTab(pictures, "Pictures")
        self.pages.addTab(self.table, "Parameters")
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.pages, 1)

    def show_page(self, page: Page) -> None:
        """Bring one of the pages to the front."""
        self.pages.setCurrentIndex(PAGES.index(page))

    def done(self, result: int) -> None:
        """Close; what is being compared ends at its next step, and nothing more is begun."""
        self._closed, self._wanted = True, None
        self._work.stop()
        super().done(result)

    # which runs

    def _list_runs(self) -> None:
        """All runs of all files; those that are chosen stay so."""
        if self._closed:
            return
        session = self._session
        runs = [(opened, run) for opened in session.opened for run in opened.runs]
        chosen = [self._run(choice) for choice in (self.first, self.second)]
        self._runs = runs
        several = len(session.opened) > 1
        names = [f"{run.title}  —  {opened.title}" if several else run.title for opened, run in runs]
        for choice, kept in zip((self.first, self.second), chosen):
            choice.blockSignals(True)
            choice.clear()
            choice.addItems(names)
            other = chosen[1] if choice is self.first else chosen[0]
            choice.setCurrentIndex(_place(runs, kept, other))
            choice.blockSignals(False)
        self._show()

    def _run(self, choice: QComboBox) -> Run | None:
        place = choice.currentIndex()
        return self._runs[place][1] if 0 <= place < len(self._runs) else None

    def _choose_at_first(self) -> None:
        """The selected run, and the one before it that has a result."""
        current = self._session.current_run
        second = next((i for i, (_, run) in enumerate(self._runs) if run is current), len(self._runs) - 1)
        others = [i for i, (_, run) in enumerate(self._runs) if run.result is not None and i != second]
        first = max((i for i in others if i < second), default=others[0] if others else second)
        self.first.setCurrentIndex(first)
        self.second.setCurrentIndex(second)

    def _swap(self) -> None:
        first, second = self.first.currentIndex(), self.second.currentIndex()
        self.first.setCurrentIndex(second)
        self.second.setCurrentIndex(first)

    # what is shown of them

    def _show(self) -> None:
        first, second = self._run(self.first), self._run(self.second)
        self._show_parameters(first, second)
        if first is None or second is None:
            self._refuse("Choose two runs.")
        elif first is second:
            self._refuse("Choose two runs: this is twice the same.")
        elif first.result is None or second.result is None:
            missing = first if first.result is None else second
            self._refuse(f"{missing.name} has no result yet.")
        elif self._wanted is None or self._wanted[0] is not first.result or self._wanted[1] is not second.result:
            self._compare(first, first.result, second, second.result)

    def _compare(self, first: Run, one: Result, second: Run, other: Result) -> None:
        """Begin to compare two results; what was being compared ends."""
        self._wanted = one, other
        self._work.stop()
        work: Stream[Comparison] = Stream(self._session.tasks)
        self._work = work
        work.changed.connect(partial(self._compared, work, first.title, second.title))
        work.ended.connect(partial(self._ended, work))
        self.said.setText("Bringing one over the other…")
        self.view.show_comparison(None, first.title, second.title)
        work.start(partial(comparisons, one, other))

    def _refuse(self, sentence: str) -> None:
        self._wanted = None
        self._work.stop()
        self.said.setText(sentence)
        self.view.show_comparison(None, "", "")

    def _ended(self, work: Stream[Comparison]) -> None:
        if work is self._work and not work.stopped and work.problem:
            self.said.setText(work.problem)

    def _compared(self, work: Stream[Comparison], first: str, second: str) -> None:
        found = work.item
        if work is not self._work or work.stopped or found is None:
            return
        self.view.show_comparison(found, first, second)
        if not math.isfinite(found.nrmse):
            self.said.setText("Measuring how far they agree…" if found.aligned else "Bringing one over the other…")
            return
        alike = {"amplitudes": found.ssim_amplitude, "phases": found.ssim_phase}
        parts = [f"SSIM of the {name} {value:.4f}" for name, value in alike.items() if math.isfinite(value)]
        figures = "  ·  ".join((f"NRMSE {found.nrmse:.4g}", *parts))
        self.said.setText(f"After scale, ramp and sub-pixel shift:  {figures}")

    def _show_parameters(self, first: Run | None, second: Run | None) -> None:
        """Only what differs."""
        found = differences(first.job, second.job) if first is not None and second is not None else []
        names = [run.title if run is not None else "" for run in (first, second)]
        self.table.setHorizontalHeaderLabels(["Parameter", *names])
        self.table.setRowCount(max(1, len(found)))
        for row, difference in enumerate(found):
            for column, text in enumerate(
                (difference.path, *(value_text(difference.path, v) for v in (difference.old, difference.new)))
            ):
                self.table.setItem(row, column, QTableWidgetItem(text))
        if not found:
            for column, text in enumerate(("These two runs have the same parameters.", "", "")):
                self.table.setItem(0, column, QTableWidgetItem(text))
        self.table.resizeRowsToContents()


def _place(runs: list[tuple[Opened, Run]], kept: Run | None, other: Run | None) -> int:
    """Where a run stands; of one that is gone, where the last result does that is not the other one's."""
    for place, (_, run) in enumerate(runs):
        if run is kept:
            return place
    results = [place for place, (_, run) in enumerate(runs) if run.result is not None and run is not other]
    return results[-1] if results else len(runs) - 1
