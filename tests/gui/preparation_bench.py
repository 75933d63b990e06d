"""The dialog of the preparation on an open scan, and the hands of a user."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from PyQt6 import sip
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from ptychogui.gui.preparation_dialog import PreparationDialog
from ptychogui.gui.session import Session
from ptychogui.io.data import Data
from ptychogui.types import Dataset

Until = Callable[[Callable[[], object]], None]
LEFT = Qt.MouseButton.LeftButton
W = TypeVar("W", bound=QWidget)


class Bench:
    """The dialog on an open scan, and the hands of a user."""

    def __init__(self, session: Session, dialog: PreparationDialog, until: Until) -> None:
        self.session, self.dialog, self.until = session, dialog, until
        self.original = self.data

    @property
    def data(self) -> Data:
        assert self.session.current is not None
        return self.session.current.job.data

    @property
    def dataset(self) -> Dataset:
        assert self.session.current is not None
        assert self.session.current.dataset is not None
        return self.session.current.dataset

    def settle(self) -> None:
        """Wait until what was wished for is read."""
        opened = self.session.current
        assert opened is not None
        self.until(lambda: not self.dialog.draft.busy and not opened.reading and self.session.tasks.waiting == 0)

    def point(self, y: float, x: float) -> QPoint:
        """Where a pixel of the picture is on the screen."""
        picture = self.dialog.before
        return picture.plot.mapFromScene(picture.box.mapViewToScene(QPointF(x, y)))

    def drag(self, *places: tuple[float, float]) -> None:
        viewport = self.dialog.before.plot.viewport()
        QTest.mousePress(viewport, LEFT, pos=self.point(*places[0]))
        for first, then in pairwise(places):
            for part in (0.3, 0.7, 1.0):
                y, x = (a + part * (b - a) for a, b in zip(first, then))
                QTest.mouseMove(viewport, self.point(y, x))
        QTest.mouseRelease(viewport, LEFT, pos=self.point(*places[-1]))
        self.settle()

    def hover(self, y: float, x: float) -> None:
        viewport, where = self.dialog.before.plot.viewport(), QPointF(self.point(y, x))
        none = Qt.MouseButton.NoButton
        move = QMouseEvent(QEvent.Type.MouseMove, where, where, none, none, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(viewport, move)

    def shift(self, places: Sequence[tuple[float, float]]) -> None:
        """As `drag`, without waiting and without letting go."""
        viewport = self.dialog.before.plot.viewport()
        QTest.mousePress(viewport, LEFT, pos=self.point(*places[0]))
        for place in places[1:]:
            QTest.mouseMove(viewport, self.point(*place))

    def tap(self, y: float, x: float) -> None:
        QTest.mouseClick(self.dialog.before.plot.viewport(), LEFT, pos=self.point(y, x))
        self.settle()

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """A key in the picture."""
        QTest.keyClick(self.dialog.before.plot, key, modifier)
        self.settle()

    def click(self, name: str) -> None:
        self.find(QAbstractButton, name).click()
        self.settle()

    def find(self, kind: type[W], name: str) -> W:
        found = self.dialog.findChild(kind, name)
        assert found is not None, name
        return found

    def type(self, name: str, text: str) -> None:
        edit = self.find(QLineEdit, name)
        edit.setFocus()
        edit.selectAll()
        QTest.keyClicks(edit, text)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        self.settle()

    def undo(self) -> None:
        self.session.undo.undo()
        self.settle()


def prepared(session: Session, scan: Path, until: Until) -> Iterator[Bench]:
    """The dialog on a scan, closed in the end."""
    session.open(str(scan))
    until(lambda: session.current and session.current.preview and session.current.preview.complete)
    dialog = PreparationDialog(session)
    dialog.show()
    until(dialog.isVisible)
    bench = Bench(session, dialog, until)
    bench.settle()
    QTest.qWait(50)  # the panels take their sizes
    yield bench
    if not sip.isdeleted(dialog):
        dialog.close()
    bench.settle()
