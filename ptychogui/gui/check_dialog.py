"""The preflight in full: what is known at once, and on demand what short runs tell; every doubt with its fix."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QLabel, QWidget

from ptychogui.check import Doubt, Progress, check, fixed
from ptychogui.gui.doubts import NAMES, DoubtList, ordered
from ptychogui.gui.preflight import Preflight
from ptychogui.gui.session import Session
from ptychogui.gui.stream_dialog import StreamDialog
from ptychogui.job import Job
from ptychogui.types import Dataset


@dataclass(frozen=True)
class Findings:
    """What was found so far, and what is looked at now."""

    doubts: tuple[Doubt, ...]
    progress: Progress

    @property
    def ordered(self) -> list[Doubt]:
        """The gravest first."""
        return ordered(self.doubts)


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
    """The findings as a list that grows: first those of the quick look, then, once asked for, those of the whole."""

    help_wanted = pyqtSignal(str)
    """The user wants what helps, an action by its id."""

    def __init__(self, session: Session, preflight: Preflight, parent: QWidget | None = None) -> None:
        super().__init__(session.tasks, "check_dialog", "Check this scan", parent)
        assert session.current is not None  # the action is grey without a file
        self._session, self._opened, self._preflight = session, session.current, preflight
        self._mended: set[str] = set()
        self._shown: list[Doubt] = []
        self._whole = False
        self.summary = QLabel(self)
        self.summary.setObjectName("check_summary")
        self.summary.setProperty("role", "heading")
        self.list = DoubtList(self)
        self.list.help_wanted.connect(self._help)
        self.list.mend_wanted.connect(lambda doubt: self._mend([doubt]))
        self.content.addWidget(self.summary)
        self.content.addWidget(self.list, 1)
        self.start_button.setToolTip("Also find orientation, scale, overlap and time by short runs; takes a minute")
        self.stop_button.setToolTip("End the check; what was found stays")
        self.close_button.setToolTip("Close this dialog")
        self.all_button = self.button("mend_all", "Mend all", self._mend_all)
        self.all_button.setToolTip("Set everything that mends a doubt; can be undone")
        self.own_buttons.addWidget(self.all_button)
        self.resize(720, 560)
        preflight.changed.connect(self._follow)
        self._follow()
        self.dress()

    def begin(self) -> Callable[[], Generator[Findings, None, None]] | None:
        """The preflight of the file as it is read now."""
        job, dataset = self._opened.job, self._opened.dataset
        if dataset is None or self._opened.reading:
            self.problem.setText("The file is being read again: wait a moment, then check again.")
            return None
        self._mended.clear()
        self._whole = True
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
        stopped, looking = self._whole and self.stream.stopped, not self._whole and self._preflight.looking
        first = "Checking…" if running or looking else "Stopped:" if stopped else "Checked:"
        if not self._whole and not looking:
            first = "At first sight:"
        self.summary.setText(f"{first} {said}" if said else first if running or looking else "")
        self.start_button.setText("Check again" if self._whole else "Check everything")
        self.all_button.setEnabled(not running and bool(self._to_mend()))

    def _follow(self) -> None:
        """Until the whole check is asked for, show what the quick look knows."""
        if self._whole or self._session.current is not self._opened:
            return
        known = self._preflight.known
        self._mended.clear()
        self._show(ordered(known.doubts) if known is not None else [], known.not_known if known is not None else ())
        self.problem.setText(self._preflight.problem)
        self.dress()

    def _help(self, action: str) -> None:
        """Make room for what helps."""
        self.reject()
        self.help_wanted.emit(action)

    def _to_mend(self) -> list[Doubt]:
        return [doubt for doubt in self._shown if doubt.fix and doubt.name not in self._mended]

    def _show(self, doubts: list[Doubt], not_known: tuple[str, ...] = ()) -> None:
        self._shown = doubts
        self.list.show_doubts(doubts, self._mended, not_known)

    def _mend(self, doubts: list[Doubt]) -> None:
        """Give the file's job the settings that mend these; can be undone."""
        self._mended |= {doubt.name for doubt in doubts}
        self._session.edit(fixed(self._opened.job, doubts), of=self._opened, what="fix of the check")
        self._show(self._shown)
        self.dress()

    def _mend_all(self) -> None:
        self._mend(self._to_mend())
