"""Views take turns at drawing, so that the window stays awake however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6 import sip
from PyQt6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from ptychogui.gui.views.base import View


class Turns(QObject):
    """Lets one view draw in each round of Qt's loop: what the user does, and what is painted, comes between two."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[View, None] = {}
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.timeout.connect(self._draw_one)

    @property
    def waiting(self) -> bool:
        """Whether a view has still to draw."""
        return bool(self._waiting)

    def ask(self, view: View) -> None:
        """Let a view draw when it is its turn; one that waits already keeps its place."""
        self._waiting.setdefault(view)
        if not self._next.isActive():
            self._next.start()

    def forget(self, view: View) -> None:
        """A view has drawn, or need not."""
        self._waiting.pop(view, None)

    def _draw_one(self) -> None:
        if not self._waiting:
            return
        view = next(iter(self._waiting))
        self.forget(view)
        if self._waiting:
            self._next.start()
        if not sip.isdeleted(view):
            view.draw_if_seen()
