"""The stages of a run as blocks in a row, as long as their epochs; dragged to another place, watched while they run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QApplication, QSizePolicy, QToolTip, QWidget

from ptychogui.gui import theme
from ptychogui.gui.run_words import counted

if TYPE_CHECKING:
    from ptychogui.engine.solvers import AnySolver

    Stages = tuple[AnySolver, ...]

GAP_PX, LEAST_PX, PAD_PX = 3, 44, 6


@dataclass(frozen=True)
class Progress:
    """The stage that is at work, counted from 0, and how much of it is done, 0 to 1."""

    stage: int
    done: float


def progress_of(stages: Stages, stage: int, epoch: int) -> Progress:
    """How far a run is that has finished `epoch` epochs of all stages and is at `stage`."""
    stage = min(stage, len(stages) - 1)
    before = sum(one.epochs for one in stages[:stage])
    return Progress(stage, min(max((epoch - before) / stages[stage].epochs, 0.0), 1.0))


def line(at: int, stage: AnySolver) -> str:
    """A stage in words."""
    larger = f", pixels ×{stage.reduction}" if stage.reduction > 1 else ""
    return f"{at + 1}. {stage.kind}, {counted(stage.epochs)}{larger}"


class Timeline(QWidget):
    """The blocks; one is always selected. Arrows select, Ctrl and arrows move, Delete takes away."""

    selected = pyqtSignal(int)
    moved = pyqtSignal(int, int)
    """The user moved a stage: from where, to where."""
    removed = pyqtSignal(int)

    def __init__(self, stages: Stages, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("The stages of the run, as long as their epochs: drag one to another place")
        self.stages: Stages = stages
        self.at = 0
        self.able = True
        self.progress: Progress | None = None
        self._pressed: QPoint | None = None
        self._drop: int | None = None

    def show_stages(self, stages: Stages, at: int) -> None:
        """Show these stages, the one at `at` selected."""
        self.stages, self.at = stages, at
        self._pressed = self._drop = None
        self.setAccessibleName("Stages of the run: " + "; ".join(line(i, stage) for i, stage in enumerate(stages)))
        self.update()

    def select(self, at: int) -> None:
        """Select a stage, as a click does."""
        if at != self.at and 0 <= at < len(self.stages):
            self.at = at
            self.update()
            self.selected.emit(at)

    def show_progress(self, progress: Progress | None) -> None:
        """Mark the stage that is at work."""
        if progress != self.progress:
            self.progress = progress
            self.update()

    def blocks(self) -> list[QRect]:
        """Where each stage is drawn: as long as its epochs, but long enough to be read where there is room."""
        count = len(self.stages)
        gap = GAP_PX if self.width() > 4 * GAP_PX * count else 0
        whole = self.width() - gap * (count - 1)
        least = min(LEAST_PX, whole // count)
        total, free = sum(stage.epochs for stage in self.stages), whole - least * count
        before = list(accumulate((stage.epochs for stage in self.stages), initial=0))
        edges = [round(free * epochs / total) + least * at for at, epochs in enumerate(before)]
        return [
            QRect(left + gap * at, 1, right - left, self.height() - 2)
            for at, (left, right) in enumerate(pairwise(edges))
        ]

    def sizeHint(self) -> QSize:
        """Two lines of text."""
        return QSize(220, 2 * self.fontMetrics().height() + 2 * PAD_PX)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the blocks, what is done of them, and where a dragged one would go."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        blocks = self.blocks()
        for at, box in enumerate(blocks):
            self._paint_block(painter, at, box)
        if self._drop is not None:
            x = blocks[self._drop].left() - 2 if self._drop < len(blocks) else blocks[-1].right()
            painter.fillRect(x, 0, 3, self.height(), QColor(theme.colours().accent))
        painter.end()

    def _paint_block(self, painter: QPainter, at: int, box: QRect) -> None:
        c, stage, chosen = theme.colours(), self.stages[at], at == self.at
        round_box = QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(c.accent if chosen else c.line), 2 if chosen and self.hasFocus() else 1))
        painter.setBrush(QColor(c.raised))
        painter.drawRoundedRect(round_box, 4, 4)
        done = self._done(at)
        if done:
            soft = QColor(c.accent)
            soft.setAlpha(90)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(soft)
            painter.drawRoundedRect(
                QRectF(round_box.x(), round_box.y(), round_box.width() * done, round_box.height()), 4, 4
            )
        inside = box.adjusted(PAD_PX, PAD_PX - 1, -2, -PAD_PX + 1)
        half, metrics = inside.height() // 2, painter.fontMetrics()
        font = QFont(self.font())
        font.setBold(chosen)
        painter.setFont(font)
        painter.setPen(QColor(c.text if self.isEnabled() else c.dim))
        head = metrics.elidedText(stage.kind, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside.adjusted(0, 0, 0, -half), Qt.AlignmentFlag.AlignVCenter, head)
        painter.setFont(self.font())
        painter.setPen(QColor(c.dim))
        larger = f"  ×{stage.reduction} px" if stage.reduction > 1 else ""
        for text in (f"{counted(stage.epochs)}{larger}", f"{stage.epochs}{larger}", str(stage.epochs)):
            if metrics.horizontalAdvance(text) <= inside.width():
                break
        painter.drawText(inside.adjusted(0, half, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _done(self, at: int) -> float:
        if self.progress is None or at > self.progress.stage:
            return 0.0
        return self.progress.done if at == self.progress.stage else 1.0

    def _block_at(self, point: QPoint) -> int | None:
        return next(
            (at for at, box in enumerate(self.blocks()) if box.left() <= point.x() <= box.right() + GAP_PX), None
        )

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Select, and perhaps begin to drag."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            at = self._block_at(event.pos())
            if at is not None:
                self.select(at)
                self._pressed = event.pos() if self.able else None

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Show where the dragged stage would go."""
        if event is None or self._pressed is None:
            return
        if self._drop is None and (event.pos() - self._pressed).manhattanLength() < QApplication.startDragDistance():
            return
        x = event.pos().x()
        self._drop = sum(x > box.center().x() for box in self.blocks())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Put the dragged stage there."""
        drop, self._drop, self._pressed = self._drop, None, None
        self.update()
        if drop is not None:
            to = drop - (drop > self.at)
            if to != self.at:
                self.moved.emit(self.at, to)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Arrows select, Ctrl and arrows move, Delete takes away."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0) if event is not None else 0
        several = len(self.stages) > 1
        if event is None:
            return
        if step and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if self.able and 0 <= self.at + step < len(self.stages):
                self.moved.emit(self.at, self.at + step)
        elif step:
            self.select(self.at + step)
        elif event.key() == Qt.Key.Key_Delete and self.able and several:
            self.removed.emit(self.at)
        elif event.key() == Qt.Key.Key_Escape and self._drop is not None:
            self._pressed = self._drop = None
            self.update()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent | None) -> bool:
        """Tell of the block under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            at = self._block_at(event.pos())
            words = f"{line(at, self.stages[at])}. Drag it to another place." if at is not None else self.toolTip()
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def focusInEvent(self, event: object) -> None:
        """Show the focus."""
        self.update()

    def focusOutEvent(self, event: object) -> None:
        """Show that the focus is gone."""
        self.update()
