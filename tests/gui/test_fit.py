"""Everything that the window says can be read: no text is cut, nothing lies over something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PyQt6.QtGui import QColor, QMouseEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QMainWindow,
    QProgressBar,
    QStackedWidget,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from ptychogui.gui import theme
from ptychogui.gui.app import application
from ptychogui.gui.path_choice import PathChoice
from ptychogui.gui.views import curves, loss
from ptychogui.gui.views.readout import Readout
from ptychogui.gui.window import Window
from ptychogui.gui.workspace import MOST_LEFT_PX, MOST_RIGHT_PX

Until = Callable[[Callable[[], object]], None]
SMALL = (1280, 800)
LARGE = (2560, 1440)
LARGER_FONT = 1.1
"""The fonts of other systems are wider; nothing may depend on those of this one."""


def shown(root: QWidget) -> Iterator[QWidget]:
    """Every widget of `root` that is seen, at least in part."""
    for widget in (root, *root.findChildren(QWidget)):
        if widget.isVisible() and not widget.visibleRegion().isEmpty():
            yield widget


def misfits(root: QWidget) -> list[str]:
    """What is cut or lies over something else within `root`, one line each."""
    found = [f"{_name(widget)} is cut: {said}" for widget in shown(root) if (said := _cut(widget))]
    for widget in shown(root):
        found += _overlaps(widget)
    return found


def _name(widget: QWidget) -> str:
    names = []
    at: QWidget | None = widget
    while at is not None and len(names) < 3:
        names.append(at.objectName() or type(at).__name__)
        at = at.parentWidget()
    return " in ".join(names)


def _cut(widget: QWidget) -> str:
    """The text of a widget that has no room for all of it; '' where it has."""
    if isinstance(widget, Readout):
        return "" if widget.text() in (QLabel.text(widget), widget.toolTip()) else widget.text()
    if isinstance(widget, PathChoice) and widget.currentText() in widget.toolTip():
        return ""
    if isinstance(widget, QLabel):
        return widget.text() if _label_cut(widget) else ""
    if isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        style = widget.style()
        assert style is not None
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, widget).width()
        return widget.currentText() if _wide(widget, widget.currentText()) > room else ""
    if isinstance(widget, QLineEdit) and not widget.text():
        room = widget.contentsRect().width() - 2 * 6
        return widget.placeholderText() if _wide(widget, widget.placeholderText()) > room else ""
    if isinstance(widget, QProgressBar):
        return widget.text() if widget.isTextVisible() and _wide(widget, widget.text()) > widget.width() else ""
    if isinstance(widget, QTabBar):
        hidden = [i for i in range(widget.count()) if not widget.rect().contains(widget.tabRect(i))]
        return ", ".join(widget.tabText(i) for i in hidden)
    if isinstance(widget, QAbstractButton) and widget.text():
        if isinstance(widget, QToolButton) and (len(widget.text()) < 3 or isinstance(widget.parent(), QLineEdit)):
            return ""  # a sign
        return widget.text() if widget.minimumSizeHint().width() > widget.width() else ""
    return ""


def _label_cut(label: QLabel) -> bool:
    if not label.text():
        return False
    if not label.wordWrap():
        return label.sizeHint().width() > label.width() or label.sizeHint().height() > label.height()
    return label.heightForWidth(label.width()) > label.height()


def _wide(widget: QWidget, text: str) -> int:
    return widget.fontMetrics().horizontalAdvance(text)


def _overlaps(parent: QWidget) -> list[str]:
    """Children in the layout of `parent` that lie over one another, or beyond its edge."""
    layout = parent.layout()
    if layout is None or isinstance(parent, QMainWindow | QStackedWidget | QAbstractScrollArea):
        return []
    children = [child for child in _laid_out(layout) if child.isVisible()]
    found = [
        f"{_name(one)} lies over {_name(other)}"
        for one, other in combinations(children, 2)
        if one.geometry().intersects(other.geometry())
    ]
    return found + [f"{_name(child)} is beyond the edge" for child in children if _beyond(child, parent.rect())]


def _laid_out(layout: QLayout) -> list[QWidget]:
    """The widgets of a layout and of those within it."""
    items = [item for i in range(layout.count()) if (item := layout.itemAt(i)) is not None]
    widgets = [widget for item in items if (widget := item.widget()) is not None]
    return widgets + [widget for item in items if (inner := item.layout()) for widget in _laid_out(inner)]


def _beyond(child: QWidget, room: QRect) -> bool:
    return not room.adjusted(-1, -1, 1, 1).contains(child.geometry())


@pytest.fixture
def window(qtbot: QtBot, scan: Path, until: Until) -> Iterator[Window]:
    """A run in two stages is finished."""
    app = application()
    font = app.font()
    window = Window()
    window.show()
    session = window.session
    until(lambda: window.workspace is not None)
    window.open_path(str(scan))
    until(lambda: session.current and session.current.preview and session.current.preview.complete)
    assert session.current is not None
    stages = [{"kind": "epie", "epochs": 2}, {"kind": "adam", "epochs": 2}]
    changes = {"solver": stages, "start.modes": 3, "refine.positions.enabled": True}
    job = session.current.job
    for name, value in changes.items():
        job = job.with_value(name, value)
    session.edit(job)
    session.start()
    until(lambda: session.running is None)
    yield window
    app.setFont(font)
    window.leave()
    window.deleteLater()


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("scale", [1.0, LARGER_FONT])
def test_every_dock_can_be_read(
    window: Window, qtbot: QtBot, until: Until, size: tuple[int, int], scale: float
) -> None:
    font = QApplication.font()
    font.setPointSizeF(font.pointSizeF() * scale)
    QApplication.setFont(font)
    window.resize(*size)
    assert window.workspace is not None
    found = [] if (window.width(), window.height()) == size else [f"it takes {window.size()}"]
    for name, dock in window.workspace.docks.items():
        dock.raise_()
        qtbot.wait(50)
        until(lambda: window.session.tasks.waiting == 0)
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        found += [f"{name}: {said}" for said in misfits(window) if said not in "\n".join(found)]
    assert not found, "\n".join(found)


def test_what_is_cut_is_found(qtbot: QtBot) -> None:
    whole = QWidget()
    qtbot.addWidget(whole)
    label, box, field, short = QLabel("cut short", whole), QComboBox(whole), QLineEdit(whole), QLabel("a", whole)
    box.addItem("a long entry")
    field.setPlaceholderText("what to type")
    row = QHBoxLayout(whole)
    for widget in (label, box, field):
        row.addWidget(widget)
        widget.setFixedWidth(30)
    row.addWidget(short)
    whole.show()
    short.setGeometry(label.geometry())
    found = misfits(whole)
    for said in ("cut short", "a long entry", "what to type", "lies over"):
        assert any(said in line for line in found), (said, found)
    assert len(found) == 4


def widths(window: Window) -> dict[str, int]:
    assert window.workspace is not None
    return {name: window.workspace.docks[name].width() for name in ("browser", "object_phase", "import_card")}


def test_a_wide_window_gives_its_room_to_the_pictures(window: Window, until: Until) -> None:
    window.resize(*SMALL)
    until(lambda: window.workspace and window.workspace.width() == SMALL[0])
    before = widths(window)
    window.resize(*LARGE)
    until(lambda: widths(window)["import_card"] <= MOST_RIGHT_PX + 10)
    assert widths(window)["browser"] <= MOST_LEFT_PX + 10
    assert widths(window)["object_phase"] > 2 * before["object_phase"]


def test_docks_that_the_user_has_resized_keep_their_shares(window: Window, qtbot: QtBot, until: Until) -> None:
    window.resize(*LARGE)
    workspace = window.workspace
    assert workspace is not None
    until(lambda: widths(window)["import_card"] <= MOST_RIGHT_PX + 10)
    left, far = workspace.docks["import_card"].geometry().left(), 600
    button, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind, x in ((QEvent.Type.MouseButtonPress, left - 3), (QEvent.Type.MouseMove, left - far)):
        where = QPointF(x, 300)
        QApplication.sendEvent(
            workspace, QMouseEvent(kind, where, workspace.mapToGlobal(where), button, button, no_key)
        )
    qtbot.wait(50)
    QTest.mouseRelease(workspace, button, pos=QPoint(left - far, 300))
    until(lambda: widths(window)["import_card"] > MOST_RIGHT_PX + 100)
    window.resize(LARGE[0] - 100, LARGE[1])
    qtbot.wait(100)
    assert widths(window)["import_card"] > MOST_RIGHT_PX + 100
    window.reset_layout()
    until(lambda: widths(window)["import_card"] <= MOST_RIGHT_PX + 10)


def luminance(colour: QColor) -> float:
    parts = [colour.redF(), colour.greenF(), colour.blueF()]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of the Web Content Accessibility Guidelines 2.1, 1 to 21."""
    low, high = sorted(luminance(QColor(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK])
def test_texts_and_curves_stand_out(colours: theme.Colours) -> None:
    grounds = colours.window, colours.base, colours.raised
    texts = colours.text, colours.dim, colours.accent, colours.good, colours.warning, colours.error
    assert min(contrast(text, ground) for text in texts for ground in grounds) >= 4.5
    assert contrast(colours.on_accent, colours.accent) >= 4.5
    assert min(contrast(curve, colours.base) for curve in (*curves.COLOURS, *loss.COLOURS)) >= 3
