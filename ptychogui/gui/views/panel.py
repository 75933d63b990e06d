"""A picture with axes, scale bar, read-out, histogram and menu: what every image view is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup, QCursor, QGuiApplication
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from ptychogui.gui.views.buttons import tool_button
from ptychogui.gui.views.colours import HUES, MAPS, Pixels
from ptychogui.gui.views.graphics import LEFT_PX, Image, ScaleBar, UnitAxis, hug, name_axes, point_in, wear
from ptychogui.gui.views.histogram import Histogram
from ptychogui.gui.views.kept import Looks, keep_looks, looks
from ptychogui.gui.views.legend import Legend, end_texts
from ptychogui.gui.views.lengths import PIXELS, Lengths
from ptychogui.gui.views.picture import Picture as Picture
from ptychogui.gui.views.picture import levels_of as levels_of
from ptychogui.gui.views.picture import value_text as value_text
from ptychogui.gui.views.readout import Readout

_CROSS_PX = 13


class ImagePanel(QWidget):
    """One picture; it fits itself until the user zooms, and ranges itself until the user drags the histogram.

    `hint` says in the empty panel what will be seen there.
    """

    clicked = pyqtSignal(float, float)
    """(y, x) in the unit of the picture."""
    pointed = pyqtSignal(object)
    """The (y, x) under the pointer, in the unit of the picture; None where it has left the plot."""
    changed = pyqtSignal()
    """The user chose another range or colour map."""
    drawn = pyqtSignal()
    """There is another picture, or none."""

    def __init__(self, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: Picture | None = None
        self.menu_extensions: list[Callable[[QMenu], None]] = []
        self.describe: Callable[[float, float], str] | None = None
        self._levels: tuple[float, float] | None = None
        self.kind = ""
        self._looks = Looks(legend=False)
        self._linked: list[ImagePanel] = []
        self._note = ""
        self._axes = True
        self._pointer: QPointF | None = None
        self.plot = pg.PlotWidget(self, axisItems={side: UnitAxis(side) for side in ("left", "bottom")})
        self.box: pg.ViewBox = self.plot.getViewBox()
        self._image, self._overlay = Image(), Image()
        self._histogram: Histogram | None = None
        self._readout = Readout(self)
        self._hint = QLabel(hint, self.plot)
        self._set_up_plot()
        self._scale_bar = ScaleBar(self.box)
        self._legend = Legend(self.box)
        self._lay_out()
        self._name_axes(PIXELS, False)
        self._wear()

    def _set_up_plot(self) -> None:
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.setMinimumSize(80, 60)
        self.plot.getAxis("left").setWidth(LEFT_PX)
        self.box.setAspectLocked(True)
        self.box.invertY(True)
        self.box.setDefaultPadding(0)
        self.box.addItem(self._image)
        self.box.addItem(self._overlay, ignoreBounds=True)
        self._cross = pg.ScatterPlotItem(symbol="+", size=_CROSS_PX, pen=pg.mkPen("#ffffff"), brush="#000000")
        self.box.addItem(self._cross, ignoreBounds=True)
        self.box.sigRangeChangedManually.connect(self._lead)
        self.box.sigResized.connect(self._hug)
        self.plot.sigDeviceRangeChanged.connect(self._hug)
        self.plot.scene().sigMouseMoved.connect(self._point)
        self.plot.scene().sigMouseClicked.connect(self._click)

    def _lay_out(self) -> None:
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(self.plot, 1)
        self._above, self._below = QHBoxLayout(), QHBoxLayout()
        self._below.setContentsMargins(6, 0, 2, 0)
        self._hint.setProperty("role", "dim")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        over = QVBoxLayout(self.plot)
        over.addWidget(self._hint)
        self._below.addWidget(self._readout, 1)
        for name, sign, tip, slot in (
            ("histogram", "▤", "Histogram and range", self.toggle_histogram),
            ("fit", "⤢", "Fit the picture (double-click)", self.fit),
            ("more", "⋯", "Colour map, legend, range, save", self._show_menu),
        ):
            self._below.addWidget(tool_button(self, name, sign, tip, slot))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._above)
        layout.addLayout(self._row, 1)
        layout.addLayout(self._below)

    def put_above(self, *widgets: QWidget) -> None:
        """Lay these over the picture, and the panel's own buttons beside them; the read-out has its line alone."""
        self._above.setContentsMargins(4, 2, 2, 0)
        self._above.setSpacing(2)
        for widget in widgets:
            self._above.addWidget(widget)
        self._above.addStretch(1)
        while (item := self._below.takeAt(1)) is not None:
            self._above.addItem(item)

    def show_kind(self, kind: str) -> None:
        """Say of which kind the pictures are from now on: each kind has looks that are kept for the next start."""
        self.kind, self._looks = kind, looks(kind)
        self.range_automatically()

    def set_hint(self, hint: str) -> None:
        """What the empty panel says."""
        self._hint.setText(hint)

    def show_picture(self, picture: Picture | None, note: str = "") -> None:
        """Show another picture, or nothing; `note` is what the read-out says while the pointer is elsewhere."""
        if picture is None or self.picture is None or picture.lengths != self.picture.lengths:
            self._name_axes(picture.lengths if picture else PIXELS, bool(picture))
        if picture is None or self.picture is None or not picture.is_like(self.picture):
            self._levels = None
        self.picture = picture
        self._hint.setVisible(picture is None)
        self.say(note)
        if picture is None:
            self._image.show_pixels(None, QRectF())
            self._overlay.show_pixels(None, QRectF())
            self._legend.show_nothing()
            self.fit()
            self.drawn.emit()
            return
        self._image.show_pixels(self._colours(picture), picture.rect)
        self._explain(picture)
        self._hug()
        if self._histogram is not None and self._histogram.isVisible():
            self._histogram.show_values(picture.shown, *self._range(picture), picture.scale or picture.unit)
        self.drawn.emit()

    def say(self, note: str) -> None:
        """Say something under the picture while the pointer is elsewhere."""
        self._note = note
        self._point(self._pointer)

    def _hug(self) -> None:
        if self.picture is not None and not self.picture.rect.isEmpty():
            hug(self.plot, self.picture.rect.width() / self.picture.rect.height())

    def show_overlay(self, pixels: Pixels | None) -> None:
        """Lay half-transparent colours over the picture, pixel by pixel."""
        self._overlay.show_pixels(pixels, self._image.rect)

    def painter(self) -> Callable[[Picture], Picture]:
        """What gives a picture, in any thread, the colours that it would have in this panel now."""
        before, chosen, name = self.picture, self._levels, self._looks.map

        def paint(picture: Picture) -> Picture:
            kept = chosen if before is not None and picture.is_like(before) else None
            return picture.painted_in(kept or picture.levels, _map_of(picture, name))

        return paint

    def _colours(self, picture: Picture) -> Pixels:
        return picture.pixels(self._range(picture), self._map_of(picture))

    def _range(self, picture: Picture) -> tuple[float, float]:
        return self._levels or picture.levels

    def seen(self) -> tuple[Pixels, tuple[float, float], str] | None:
        """The pixels of the whole picture in their colours, the range that these span, and the colour map."""
        picture = self.picture
        return None if picture is None else (self._colours(picture), self._range(picture), self._map_of(picture))

    def _map_of(self, picture: Picture) -> str:
        return _map_of(picture, self._looks.map)

    def _explain(self, picture: Picture) -> None:
        """Say what the colours mean, where that is wanted."""
        if not self._looks.legend or picture.scaled is not None:
            self._legend.show_nothing()
        elif np.iscomplexobj(picture.values):
            self._legend.show_wheel(self._map_of(picture))
        else:
            self._legend.show_bar(self._map_of(picture), *end_texts(*self._range(picture), picture.unit))

    def _name_axes(self, unit: Lengths, shown: bool) -> None:
        name_axes(self.plot, unit.symbol if shown and self._axes else "")
        self._scale_bar.show_unit(unit.symbol if shown else "")

    def share(self, pictures: int) -> None:
        """Say that so many pictures stand side by side: then axes over all of them mean nothing."""
        self._legend.share(pictures)
        if (pictures == 1) != self._axes:
            self._axes = pictures == 1
            self._name_axes(self.picture.lengths if self.picture else PIXELS, self.picture is not None)
            self._hug()

    def hide_scale(self) -> None:
        """Show no scale bar: the picture is a map of something that has no length."""
        self._scale_bar.show_unit("")

    def fit(self) -> None:
        """Fit the picture, also later ones, until the user zooms."""
        for panel in (self, *self._linked):
            panel.box.enableAutoRange()

    def link(self, other: ImagePanel) -> None:
        """Let two panels show the same part of their pictures."""
        self._linked.append(other)
        other._linked.append(self)

    def _lead(self) -> None:
        for panel in self._linked:
            panel.box.setRange(self.box.viewRect(), padding=0)

    def _point(self, position: QPointF | None) -> None:
        """Say what is under the pointer, also when the picture changes beneath it."""
        self._pointer, picture = position, self.picture
        if picture is None or position is None or not self.box.sceneBoundingRect().contains(position):
            self._readout.setText(self._note)
            where = None
        else:
            where = point_in(self.box, position)
            self._say_of(*where)
        for panel in self._linked:
            panel.point_at(where)
        self.pointed.emit(where)

    def point_at(self, where: tuple[float, float] | None) -> None:
        """Mark the (y, x) at which the pointer is in a linked panel, and say what is there; None takes it away."""
        if where is None or self.picture is None:
            self._cross.setData([], [])
            self._readout.setText(self._note)
        else:
            self._cross.setData([where[1]], [where[0]])
            self._say_of(*where)

    def _say_of(self, y: float, x: float) -> None:
        picture = self.picture
        assert picture is not None
        value = picture.value_at(y, x)
        if self.describe is not None:
            self._readout.setText(self.describe(y, x))
        elif value is None:
            self._readout.setText(self._note)
        else:
            unit = picture.lengths
            self._readout.setText(f"{value_text(value, picture.unit)}    y {y:.4g}  x {x:.4g} {unit.symbol}")

    def leaveEvent(self, event: QEvent | None) -> None:
        """The pointer is elsewhere: say what the picture is again."""
        self._point(None)
        super().leaveEvent(event)

    def _click(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            event.accept()
            self.menu().popup(QCursor.pos())
        elif event.double():
            self.fit()
        elif event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*point_in(self.box, event.scenePos()))

    def _show_menu(self) -> None:
        button = self.findChild(QToolButton, "more")
        if button is not None:
            self.menu().popup(button.mapToGlobal(button.rect().bottomLeft()))

    def menu(self) -> QMenu:
        """What can be done with the picture."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for extend in self.menu_extensions:
            extend(menu)
        before = len(menu.actions())
        menu.addAction("Fit", self.fit)
        menu.addAction("Automatic range", self.range_automatically)
        histogram = menu.addAction("Histogram", self.toggle_histogram)
        if histogram is not None:
            histogram.setCheckable(True)
            histogram.setChecked(self._histogram is not None and self._histogram.isVisible())
        legend = menu.addAction("Legend", self.toggle_legend)
        if legend is not None:
            legend.setCheckable(True)
            legend.setChecked(self._looks.legend)
        if self.picture is not None:
            maps = HUES if np.iscomplexobj(self.picture.values) else MAPS
            add_options(menu, "Colour map", ("automatic", *maps), self._looks.map, self.choose_map)
        menu.addSeparator()
        menu.addAction("Copy image", self.copy)
        menu.addAction("Save as PNG…", self._choose_png)
        if self.picture is None:
            for action in menu.actions()[before:]:
                grey(action, "There is no picture yet")
        return menu

    def choose_map(self, name: str) -> None:
        """Take a colour map by name; 'automatic' leaves it to the view."""
        self._change_looks(map=name)

    def toggle_legend(self) -> None:
        """Show what the colours mean, or not."""
        self._change_looks(legend=not self._looks.legend)

    def _change_looks(self, **changes: Any) -> None:
        self._looks = replace(self._looks, **changes)
        if self.kind:
            keep_looks(self.kind, **changes)
        self._redraw()

    def range_automatically(self) -> None:
        """Forget the range that the user chose."""
        self._levels = None
        self._redraw()

    def toggle_histogram(self) -> None:
        """Show or hide the histogram."""
        if self._histogram is None:
            self._histogram = Histogram(self)
            self._histogram.range_chosen.connect(self._take_range)
            self._row.addWidget(self._histogram)
            self._histogram.show()
        else:
            self._histogram.setVisible(self._histogram.isHidden())
        self._redraw()

    def _take_range(self, low: float, high: float) -> None:
        self._levels = (low, high)
        if self.picture is not None:
            self._image.show_pixels(self._colours(self.picture), self.picture.rect)
            self._explain(self.picture)
        self.changed.emit()

    def _redraw(self) -> None:
        if self.picture is not None:
            self.show_picture(self.picture, self._note)
        self.changed.emit()

    def copy(self) -> None:
        """Put the picture as it is seen on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setPixmap(self.plot.grab())

    def _choose_png(self) -> None:
        dialog = QFileDialog(self, "Save the picture", "picture.png", "PNG (*.png)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.fileSelected.connect(self.save)
        dialog.open()

    def save(self, path: str) -> None:
        """Save the picture as it is seen."""
        part = Path(path).with_suffix(".png.part")
        if self.plot.grab().save(str(part), "PNG"):
            part.replace(path)
        else:
            self._readout.setText(f"The picture could not be written to '{path}': choose another folder.")

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._wear()

    def _wear(self) -> None:
        wear(self.plot, self.palette())
        if self._histogram is not None:
            self._histogram.wear(self.palette())


def _map_of(picture: Picture, chosen: str) -> str:
    """The colour map that the user chose for this kind of picture, where it can show the picture."""
    is_complex = np.iscomplexobj(picture.values)
    return chosen if chosen in (HUES if is_complex else MAPS) else (HUES[0] if is_complex else picture.map)


def grey(action: QAction | None, why: str) -> None:
    """Let an entry that cannot be chosen now say why not; '' where it can."""
    if action is not None and why:
        action.setEnabled(False)
        action.setToolTip(why)


def add_options(menu: QMenu, title: str, names: tuple[str, ...], current: str, choose: Callable[[str], None]) -> None:
    """A submenu of which one entry is in force."""
    inside = menu.addMenu(title)
    if inside is None:
        return
    group = QActionGroup(inside)
    for name in names:
        action = inside.addAction(name.capitalize())
        if action is not None:
            action.setCheckable(True)
            action.setChecked(name == current)
            action.triggered.connect(lambda _, name=name: choose(name))
            group.addAction(action)
