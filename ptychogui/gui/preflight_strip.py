"""Traffic lights beside Run: how many things are good, doubtful and wrong; a click opens them with their fixes."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter, QPixmap, QPolygonF
from PyQt6.QtWidgets import QPushButton, QWidget

from ptychogui.check import Doubt
from ptychogui.gui import theme
from ptychogui.gui.preflight import Preflight
from ptychogui.gui.session import Session

LEVELS = ("wrong", "doubt", "ok")
WORDS = {"wrong": "wrong", "doubt": "doubtful", "ok": "good"}
LIGHT_PX = 10
MOST_TOLD = 6


class PreflightStrip(QPushButton):
    """One light for each level with its count; hidden while there is nothing to run."""

    def __init__(self, preflight: Preflight, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preflight_strip")
        self._preflight, self._session = preflight, session
        self._counts: Mapping[str, int] = {}
        preflight.changed.connect(self.refresh)
        session.state_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        opened, session = self._session.current, self._session
        self.setVisible(opened is not None and opened.dataset is not None and not session.shows_running)
        known = self._preflight.known
        doubts = known.doubts if known is not None else ()
        self._counts = counted(doubts)
        self.setText("  Checking…" if self._preflight.looking else "" if doubts else "Check")
        said = ", ".join(f"{count} {WORDS[level]}" for level, count in self._counts.items() if count)
        self.setAccessibleName(f"Preflight: {said or 'not known yet'}")
        wrong = [doubt.sentence for doubt in doubts if doubt.level != "ok"]
        more = f"\n… and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        told = "\n".join(f"• {sentence}" for sentence in wrong[:MOST_TOLD]) + more
        title = f"Preflight: {said}. Click for reasons and fixes." if said else "Look for what would spoil a run"
        busy = session.running is not None and not doubts
        self.setEnabled(not busy)
        self.setToolTip("The scan is looked at when the run is over" if busy else f"{title}\n{told}".strip())
        self._draw()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        shown = [(level, self._counts[level]) for level in LEVELS if self._counts.get(level)]
        if not shown:
            self.setIcon(QIcon())
            return
        picture = lights(shown, self.font(), self.devicePixelRatioF())
        self.setIcon(QIcon(picture))
        self.setIconSize(picture.deviceIndependentSize().toSize())


def counted(doubts: tuple[Doubt, ...]) -> dict[str, int]:
    """How many findings there are of each level, the gravest first."""
    return {level: sum(doubt.level == level for doubt in doubts) for level in LEVELS}


def lights(shown: list[tuple[str, int]], font: QFont, ratio: float) -> QPixmap:
    """A light with its number for each level; they differ in shape too, for who cannot tell red from green."""
    c = theme.colours()
    colours = {"wrong": c.error, "doubt": c.warning, "ok": c.good}
    metrics = QFontMetrics(font)
    widths = [LIGHT_PX + 4 + metrics.horizontalAdvance(str(count)) for _, count in shown]
    size = QSize(sum(widths) + 10 * (len(shown) - 1), metrics.height())
    picture = QPixmap(size * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    x = 0
    for (level, count), width in zip(shown, widths):
        box = QRectF(x, (size.height() - LIGHT_PX) / 2, LIGHT_PX, LIGHT_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours[level]))
        _light(painter, level, box)
        painter.setPen(QColor(c.text))
        text = QRectF(x + LIGHT_PX + 4, 0, width, size.height())
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, str(count))
        x += width + 10
    painter.end()
    return picture


def _light(painter: QPainter, level: str, box: QRectF) -> None:
    if level == "ok":
        painter.drawEllipse(box)
    elif level == "doubt":
        painter.drawPolygon(QPolygonF([QPointF(box.center().x(), box.top()), box.bottomRight(), box.bottomLeft()]))
    else:
        painter.drawRect(box)
