"""What a result says of one frame, worked out beside the window; only the last wish counts."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.gui.views.latest import Latest
from ptychogui.job import is_of, pattern_of
from ptychogui.types import Dataset, Pattern, Result

OTHER_DATA = "The data are not those that this result was made of, so it has no model of them."


class ResultPattern(QObject):
    """Asks a result for its pattern of a frame; `ready` tells that it came, or a reason why there is none."""

    ready = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._latest = Latest(self)
        self._of: tuple[Result, Dataset, int] | None = None
        self._pattern: Pattern | None = None
        self._refusal = ""
        self._checked: tuple[Dataset, str | None, bool] | None = None
        """The data that were compared with a result, by its fingerprint of them, and whether they are the same."""

    def ask(self, result: Result, dataset: Dataset, frame: int) -> None:
        """Wish for a pattern; a wish that was not begun is forgotten."""
        known, fingerprint = self._checked, result.provenance.get("data_hash")
        fits = known[2] if known is not None and known[0] is dataset and known[1] == fingerprint else None
        of = result, dataset, frame
        self._latest.run(partial(_made, *of, fits), partial(self._take, of), partial(self._refuse, of))

    def pattern(self, result: Result | None, dataset: Dataset | None, frame: int) -> Pattern | None:
        """The pattern that was asked for last, where it is this one."""
        return self._pattern if self._is_of(result, dataset, frame) else None

    def refusal(self, result: Result | None, dataset: Dataset | None, frame: int) -> str:
        """Why there is no such pattern; '' where there is one, or where that is not known yet."""
        return self._refusal if self._is_of(result, dataset, frame) else ""

    def forget(self) -> None:
        """Let go of what was asked."""
        self._latest.forget()
        self._of = self._pattern = self._checked = None

    def _is_of(self, result: Result | None, dataset: Dataset | None, frame: int) -> bool:
        of = self._of
        return of is not None and of[0] is result and of[1] is dataset and of[2] == frame

    def _take(self, of: tuple[Result, Dataset, int], made: tuple[bool, Pattern | None]) -> None:
        fits, pattern = made
        self._checked = of[1], of[0].provenance.get("data_hash"), fits
        self._of, self._pattern, self._refusal = of, pattern, "" if fits else OTHER_DATA
        self.ready.emit()

    def _refuse(self, of: tuple[Result, Dataset, int], sentence: str, _: str) -> None:
        self._of, self._pattern, self._refusal = of, None, sentence
        self.ready.emit()


def _made(result: Result, dataset: Dataset, frame: int, fits: bool | None) -> tuple[bool, Pattern | None]:
    """Whether the data are those of the result, unless that is known, and then its pattern."""
    fits = is_of(result, dataset) if fits is None else fits
    return fits, pattern_of(result, dataset, frame) if fits else None
