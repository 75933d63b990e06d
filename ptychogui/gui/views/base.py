"""What every view is: a widget that takes a dataset, snapshots and results, and draws only when it is seen."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from PyQt6.QtCore import QEvent
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QWidget

from ptychogui.gui.preview import Preview
from ptychogui.gui.views.turns import Turns
from ptychogui.types import Dataset, Result, Snapshot


class View(QWidget):
    """Keeps the last of what it was told; `draw` shows it, at once or when it is its turn among many views.

    A hidden view draws when it is shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.dataset: Dataset | None = None
        self.preview: Preview | None = None
        self.snapshot: Snapshot | None = None
        self.result: Result | None = None
        self.turns: Turns | None = None
        self._waiting = False

    def show_dataset(self, dataset: Dataset | None, preview: Preview | None = None) -> None:
        """Show a dataset before any run; its preview may arrive later, and grow."""
        if dataset is not self.dataset:
            self.snapshot = self.result = None
            self.fit()
        self.dataset, self.preview = dataset, preview
        self._draw_in_turn()

    def extend(self, dataset: Dataset | None, preview: Preview | None) -> None:
        """Show a dataset that has grown; what is shown of the run stays, and the range too."""
        self.dataset, self.preview = dataset, preview
        self._draw_in_turn()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the state of a running job."""
        self.snapshot, self.result = snapshot, None
        self._draw_in_turn()

    def show_result(self, result: Result) -> None:
        """Show a finished job; the last snapshot of the same run stays known, as it holds what a result does not."""
        if self.snapshot is not None and not np.array_equal(self.snapshot.loss, result.loss, equal_nan=True):
            self.snapshot = None
        self.result = result
        self._draw_in_turn()

    def clear(self) -> None:
        """Show nothing."""
        self.dataset = self.preview = self.snapshot = self.result = None
        self._draw_in_turn()

    @abstractmethod
    def draw(self) -> None:
        """Show what the view was told last."""

    @abstractmethod
    def fit(self) -> None:
        """Show the whole again, and range it anew."""

    def wear(self) -> None:
        """Take the colours of the palette; for views that draw more than panels."""

    def _draw_in_turn(self) -> None:
        if self.turns is None:
            self.draw_if_seen()
        else:
            self.turns.ask(self)

    def draw_if_seen(self) -> None:
        """Draw now what the view was told last, or when it is shown."""
        if self.turns is not None:
            self.turns.forget(self)
        self._waiting = not self.isVisible()
        if not self._waiting:
            self.draw()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Draw what came while the view was hidden."""
        super().showEvent(event)
        if self._waiting:
            self._waiting = False
            self.draw()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self.wear()
