"""A picture with axes, scale bar, read-out, histogram and menu: what every image view is made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QActionGroup, QCursor, QGuiApplication
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from ptychogui.gui.views.colours import MAPS, Pixels, hue_and_brightness, mapped
from ptychogui.gui.views.graphics import LEFT_PX, Image, ScaleBar, UnitAxis, hug, name_axes, point_in, wear
from ptychogui.gui.views.histogram import Histogram
from ptychogui.gui.views.lengths import PIXELS, Lengths
from ptychogui.io.picture import percentile_range
from ptychogui.types import Mask

SAMPLE = 1 << 16
"""Pixels that are enough to know a range."""


@dataclass(frozen=True)
class Picture:
    """What a panel shows: `values` (Y, X), real or complex, whose first pixel's centre lies at `origin` (SI, or px).

    `scaled` is what the colours stand for where that is not the value itself (a logarithm). Complex values are shown
    as hue and brightness. `levels` is the range that the colours span until the user chooses another.
    With `gaps`, NaN is transparent.
    """

    values: NDArray[Any]
    pixel: tuple[float, float]
    origin: tuple[float, float]
    lengths: Lengths
    unit: str = ""
    map: str = "grey"
    levels: tuple[float, float] = (0.0, 1.0)
    scaled: NDArray[Any] | None = None
    gaps: bool = False

    @property
    def colour_values(self) -> NDArray[Any]:
        """The values that the colours stand for."""
        values = self.values if self.scaled is None else self.scaled
        return np.abs(values) if np.iscomplexobj(values) else values

    @property
    def rect(self) -> QRectF:
        """The place of the picture in its unit."""
        (dy, dx), (y, x), unit = self.pixel, self.origin, self.lengths.unit_si
        ny, nx = self.values.shape
        return QRectF((x - dx / 2) / unit, (y - dy / 2) / unit, nx * dx / unit, ny * dy / unit)

    def is_like(self, other: Picture) -> bool:
        """Whether the values of two pictures are of one kind, so that one range may serve both."""
        return self.unit == other.unit and np.iscomplexobj(self.values) == np.iscomplexobj(other.values)

    def value_at(self, y: float, x: float) -> Any:
        """The value under a point, given in the unit of the picture; None outside."""
        rect, shape = self.rect, self.values.shape
        row = int(np.floor((y - rect.top()) / rect.height() * shape[0]))
        column = int(np.floor((x - rect.left()) / rect.width() * shape[1]))
        inside = 0 <= row < shape[0] and 0 <= column < shape[1]
        return self.values[row, column] if inside else None


class ImagePanel(QWidget):
    """One picture; it fits itself until the user zooms, and ranges itself until the user drags the histogram.

    `hint` says in the empty panel what will be seen there.
    """

    clicked = pyqtSignal(float, float)
    """(y, x) in the unit of the picture."""
    changed = pyqtSignal()
    """The user chose another range or colour map."""

    def __init__(self, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: Picture | None = None
        self.menu_extensions: list[Callable[[QMenu], None]] = []
        self.describe: Callable[[float, float], str] | None = None
        self._levels: tuple[float, float] | None = None
        self._map: str | None = None
        self._linked: list[ImagePanel] = []
        self._note = ""
        self._pointer: QPointF | None = None
        self.plot = pg.PlotWidget(self, axisItems={side: UnitAxis(side) for side in ("left", "bottom")})
        self.box: pg.ViewBox = self.plot.getViewBox()
        self._image, self._overlay = Image(), Image()
        self._histogram: Histogram | None = None
        self._readout = QLabel(self)
        self._hint = QLabel(hint, self.plot)
        self._set_up_plot()
        self._scale_bar = ScaleBar(self.box)
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
        below = QHBoxLayout()
        below.setContentsMargins(6, 0, 2, 0)
        self._readout.setProperty("role", "dim")
        self._readout.setMinimumWidth(10)
        self._hint.setProperty("role", "dim")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        over = QVBoxLayout(self.plot)
        over.addWidget(self._hint)
        below.addWidget(self._readout, 1)
        for name, sign, tip, slot in (
            ("histogram", "▤", "Histogram and range", self.toggle_histogram),
            ("fit", "⤢", "Fit the picture (double-click)", self.fit),
        ):
            button = QToolButton(self)
            button.setObjectName(name)
            button.setText(sign)
            button.setToolTip(tip)
            button.setAutoRaise(True)
            button.setFixedSize(22, 18)
            button.clicked.connect(slot)
            below.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._row, 1)
        layout.addLayout(below)

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
            self.fit()
            return
        self._image.show_pixels(self._colours(picture), picture.rect)
        self._hug()
        if self._histogram is not None and self._histogram.isVisible():
            self._histogram.show_values(picture.colour_values, *self._range(picture))

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

    def _colours(self, picture: Picture) -> Pixels:
        values = picture.values if picture.scaled is None else picture.scaled
        if np.iscomplexobj(values):
            pixels = hue_and_brightness(values, self._range(picture)[1])
        else:
            pixels = mapped(values, *self._range(picture), self._map or picture.map)
        if picture.gaps:
            pixels[np.isnan(values)] = 0
        return pixels

    def _range(self, picture: Picture) -> tuple[float, float]:
        return self._levels or picture.levels

    def _name_axes(self, unit: Lengths, shown: bool) -> None:
        name_axes(self.plot, unit.symbol if shown else "")
        self._scale_bar.show_unit(unit.symbol if shown else "")

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
            return
        y, x = point_in(self.box, position)
        value = picture.value_at(y, x)
        if self.describe is not None:
            self._readout.setText(self.describe(y, x))
        elif value is None:
            self._readout.setText(self._note)
        else:
            unit = picture.lengths
            self._readout.setText(f"y {y:.4g}  x {x:.4g} {unit.symbol}    {value_text(value, picture.unit)}")

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

    def menu(self) -> QMenu:
        """What can be done with the picture."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for extend in self.menu_extensions:
            extend(menu)
        menu.addAction("Fit", self.fit)
        menu.addAction("Automatic range", self.range_automatically)
        histogram = menu.addAction("Histogram", self.toggle_histogram)
        if histogram is not None:
            histogram.setCheckable(True)
            histogram.setChecked(self._histogram is not None and self._histogram.isVisible())
        if self.picture is not None and not np.iscomplexobj(self.picture.values):
            add_options(menu, "Colour map", ("automatic", *MAPS), self._map or "automatic", self.choose_map)
        menu.addSeparator()
        menu.addAction("Copy image", self.copy)
        menu.addAction("Save as PNG…", self._choose_png)
        return menu

    def choose_map(self, name: str) -> None:
        """Take a colour map by name; 'automatic' leaves it to the view."""
        self._map = None if name == "automatic" else name
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


def value_text(value: Any, unit: str) -> str:
    """A value as a read-out shows it; a complex one by amplitude and phase."""
    if np.iscomplexobj(value):
        return f"{abs(value):.4g}, {np.angle(value):+.3f} rad"
    return f"{value:.4g} {unit}".strip()


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


def levels_of(values: NDArray[Any], use: Mask | None = None) -> tuple[float, float]:
    """The range of real values, or of complex ones from zero to their largest amplitude, over the pixels in `use`."""
    step = max(1, math.isqrt(values.size // SAMPLE))
    sample = values[::step, ::step]
    sample = sample if use is None else sample[use[::step, ::step]]
    if np.iscomplexobj(sample):
        return 0.0, percentile_range(np.abs(sample))[1]
    return percentile_range(sample)
