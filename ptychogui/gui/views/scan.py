"""Where the probe stood, frame by frame, and where it is found to have stood."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QRectF, QSizeF, Qt, pyqtSignal
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QComboBox, QGraphicsEllipseItem, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ptychogui.gui.views.base import View
from ptychogui.gui.views.buttons import tool_button
from ptychogui.gui.views.colours import table
from ptychogui.gui.views.drift import drift, ways
from ptychogui.gui.views.graphics import LEFT_PX, UnitAxis, hug, name_axes, point_in, wear
from ptychogui.gui.views.lengths import PIXELS, Lengths, lengths
from ptychogui.gui.views.readout import Readout
from ptychogui.gui.views.unknowns import figures_of, unknowns_text
from ptychogui.io.picture import percentile_range
from ptychogui.types import Complex, Positions, Real

MOST = 20_000
"""Of more positions than these only every n-th is drawn."""
LONGEST = 4.0
"""A scan longer than this is shown in a box of this aspect."""
SHADES = 24
ENLARGED = (1, 5, 10, 50, 100, 500)
COLOURS = ("total counts", "deflection y", "deflection x", "order", "R-factor", "drift")
UNITS = {"total counts": "counts", "deflection y": "px", "deflection x": "px"}


class ScanView(View):
    """Positions in the colours of a value of their frames, the probe as a circle, and the drift as enlarged lines."""

    frame_selected = pyqtSignal(int)
    edit_wanted = pyqtSignal()
    """The user wants to change the positions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._unit: Lengths = PIXELS
        self._nominal: Positions | None = None
        self._drawn: tuple[object, ...] = ()
        self._moment: tuple[object, ...] = ()
        self._index = 0
        self._refined: Positions | None = None
        self._way: Positions | None = None
        self._note = ""
        self._planned: Positions | None = None
        self._set_up_plot()
        self._lay_out()
        self._name_axes(PIXELS, False)
        self.wear()

    def _set_up_plot(self) -> None:
        self.plot = pg.PlotWidget(self, axisItems={side: UnitAxis(side) for side in ("left", "bottom")})
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.setMinimumSize(80, 60)
        self.plot.getAxis("left").setWidth(LEFT_PX)
        self.box: pg.ViewBox = self.plot.getViewBox()
        self.box.setAspectLocked(True)
        self.box.invertY(True)
        self.box.setDefaultPadding(0.08)
        self._to_come = pg.ScatterPlotItem(brush=None, pxMode=True, size=4)
        self._spots = pg.ScatterPlotItem(pen=None, pxMode=True, size=6)
        self._drift = pg.PlotCurveItem(connect="pairs")
        self._selected = pg.ScatterPlotItem(pen=None, brush=None, size=12)
        self._probe = QGraphicsEllipseItem()
        for item in (self._to_come, self._spots, self._drift, self._selected):
            self.box.addItem(item)
        self.box.addItem(self._probe, ignoreBounds=True)
        self.box.sigResized.connect(self._hug)
        self.plot.sigDeviceRangeChanged.connect(self._hug)
        scene = self.plot.scene()
        scene.sigMouseClicked.connect(self._click)
        scene.sigMouseMoved.connect(self._point)

    def _lay_out(self) -> None:
        self.colour_by = QComboBox(self)
        self.colour_by.addItems(COLOURS)
        self.colour_by.setObjectName("colour_by")
        self.colour_by.setToolTip("What the colours of the positions stand for")
        self.enlarge = QComboBox(self)
        for factor in ENLARGED:
            self.enlarge.addItem(f"drift ×{factor}", factor)
        self.enlarge.setObjectName("enlarge")
        self.enlarge.setToolTip("How much the lines from nominal to refined positions are enlarged")
        self.colour_by.activated.connect(lambda _: self.draw_if_seen())
        self.enlarge.activated.connect(lambda _: self._draw_drift())
        self._readout = Readout(self)
        self._figures = QLabel(self)
        self._figures.setObjectName("drift_figures")
        self._figures.setProperty("role", "dim")
        self._figures.setWordWrap(True)
        self._figures.hide()
        tip = "Move, delete and add positions; plan another scan"
        self.edit = tool_button(self, "edit_scan", "✎", tip, self.edit_wanted.emit)
        said, boxes, under = QHBoxLayout(), QHBoxLayout(), QVBoxLayout()
        said.addWidget(self._readout, 1)
        said.addWidget(self.edit)
        for box in (self.colour_by, self.enlarge):
            box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            boxes.addWidget(box)
        boxes.addStretch(1)
        under.setContentsMargins(6, 0, 4, 2)
        under.setSpacing(2)
        under.addLayout(said)
        under.addWidget(self._figures)
        under.addLayout(boxes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.plot, 1)
        layout.addLayout(under)

    def show_frame(self, index: int) -> None:
        """Mark the frame that is shown elsewhere."""
        self._index = index
        self._draw_selected()

    def show_planned(self, positions_m: Positions | None) -> None:
        """Mark where frames (n, 2) of a scan that is being measured are still going to be."""
        self._planned = positions_m
        self._draw_planned()

    def _draw_planned(self) -> None:
        """Rings where no frame has come yet."""
        planned = self._planned
        if planned is None or not len(planned) or self._nominal is None:
            self._to_come.clear()
            return
        points = planned[:: -(-len(planned) // MOST)] / self._unit.unit_si
        self._to_come.setData(points[:, 1], points[:, 0])

    def fit(self) -> None:
        """Show every position again."""
        self.box.enableAutoRange()

    def draw(self) -> None:
        """Show the positions of the dataset, and how far the job has moved them."""
        if self.result is not None:
            self._nominal, self._refined = self.result.nominal_m, self.result.scan.positions_m
            pixel = self.result.probe.pixel_m
        elif self.dataset is not None:
            self._nominal, pixel = self.dataset.scan.positions_m, self.dataset.geometry.pixel_m
            self._refined = self.snapshot.positions_m if self.snapshot is not None else None
        else:
            self._nominal = self._refined = None
            pixel = (1.0, 1.0)
        self._way = ways(self._nominal, self._refined) if self._nominal is not None else None
        self._draw_spots(pixel)
        epoch = self.snapshot.epoch if self.snapshot is not None else None
        moment = (id(self._nominal), id(self.result), epoch, self._unit)
        if moment != self._moment:  # positions and probe move little within an epoch, and lines take time
            self._moment = moment
            self._draw_drift()
            self._draw_selected()

    def _draw_spots(self, pixel: tuple[float, float]) -> None:
        """The spots are drawn only where something about them has changed: thousands of them take their time."""
        values = self._values()
        by = self.colour_by.currentText()
        epoch = self.snapshot.epoch if self.snapshot is not None and by == "drift" else None
        key = (id(self._nominal), id(self.preview), id(self.result), epoch, by, pixel)
        if key == self._drawn:
            return
        self._drawn = key
        if self._nominal is None or not len(self._nominal):
            self._spots.clear()
            self._name_axes(PIXELS, False)
            self._say("")
            return
        extent = float(np.ptp(self._nominal, 0).max())
        self._unit = lengths(max(extent, min(pixel)), min(pixel))
        self._name_axes(self._unit, True)
        self._hug()
        step = -(-len(self._nominal) // MOST)
        points = self._nominal[::step] / self._unit.unit_si
        low, high = percentile_range(values)
        unknown = (by == "R-factor" and self._residual() is None) or (by == "drift" and self._way is None)
        unit = lengths(high, min(pixel)) if by == "drift" else Lengths(1.0, UNITS.get(by, ""))
        known = f"{_short(low / unit.unit_si)} to {_short(high / unit.unit_si)} {unit.symbol}".strip()
        self._say("known after a run" if unknown else known)
        level = np.nan_to_num((values[::step] - low) / (high - low)) * (SHADES - 1)
        brushes = _brushes()
        shades = np.clip(np.rint(level), 0, SHADES - 1).astype(int)
        self._spots.setData(points[:, 1], points[:, 0], brush=[brushes[s] for s in shades], size=self._spot_px())

    def _spot_px(self) -> float:
        """A size at which neighbours do not touch."""
        assert self._nominal is not None
        room = min(self.box.width(), self.box.height()) / math.sqrt(min(len(self._nominal), MOST))
        return float(np.clip(0.5 * room, 2, 9))

    def _hug(self) -> None:
        """Follow the size of the view."""
        if self._nominal is not None and len(self._nominal):
            height, width = np.ptp(self._nominal, 0)
            hug(self.plot, float(np.clip(width / max(height, 1e-30), 1 / LONGEST, LONGEST)))
            if len(self._spots.data) and abs(self._spots.opts["size"] - self._spot_px()) > 0.5:
                self._spots.setSize(self._spot_px())

    def _values(self) -> NDArray[np.float64]:
        """One value for each position, by which it is coloured."""
        count = len(self._nominal) if self._nominal is not None else 0
        preview, by, residual = self.preview, self.colour_by.currentText(), self._residual()
        if by == "R-factor" and residual is not None and len(residual) == count:
            return residual.astype(np.float64)
        if by == "drift" and self._way is not None:
            return np.asarray(np.hypot(*self._way.T), np.float64)
        if by in ("order", "R-factor", "drift") or preview is None or len(preview.total_counts) != count:
            return np.arange(count, dtype=np.float64)
        if by == "total counts":
            return preview.total_counts
        return preview.centre_of_mass[:, 0 if by.endswith("y") else 1]

    def _residual(self) -> Real | None:
        """How badly each frame fits (N,); known of a finished run."""
        return self.result.frame_r_factor if self.result is not None else None

    def _say(self, note: str) -> None:
        """Say something under the plot while the pointer is elsewhere."""
        self._note = note
        self._readout.setText(note)

    def leaveEvent(self, event: QEvent | None) -> None:
        """The pointer is elsewhere: say what the colours are again."""
        self._readout.setText(self._note)
        super().leaveEvent(event)

    def _draw_drift(self) -> None:
        """Lines from nominal to refined positions; a common shift of all, which nothing can tell, is left out."""
        nominal, refined, way = self._nominal, self._refined, self._way
        if nominal is None or refined is None or way is None:
            self._drift.setData([], [])
            self.enlarge.setVisible(False)
            self._say_found("")
            return
        self.enlarge.setVisible(True)
        found = drift(nominal, refined)
        self._say_found(found.text(self._unit) if found is not None else "")
        step = -(-len(nominal) // MOST)
        start = nominal[::step]
        factor = int(self.enlarge.currentData())
        lines = np.stack([start, start + factor * way[::step]], 1).reshape(-1, 2) / self._unit.unit_si
        self._drift.setData(lines[:, 1], lines[:, 0], connect="pairs")

    def _say_found(self, drifted: str) -> None:
        """Say how the positions have moved, and what was found of the other unknowns."""
        if self.result is not None:
            others = unknowns_text(figures_of(self.result, self.dataset))
        else:
            others = unknowns_text(self.snapshot.unknowns) if self.snapshot is not None else ""
        text = "  ·  ".join(part for part in (others, drifted) if part)
        self._figures.setText(text)
        self._figures.setVisible(bool(text))

    def _draw_selected(self) -> None:
        nominal = self._nominal
        shown = nominal is not None and self._index < len(nominal)
        self._probe.setVisible(False)
        if nominal is None or not shown:
            self._selected.setData([], [])
            return
        y, x = nominal[self._index] / self._unit.unit_si
        self._selected.setData([x], [y])
        probe, pixel = self._wave()
        if probe is not None:
            radius_y, radius_x = probe_radius(probe, pixel)
            size = QSizeF(2 * radius_x, 2 * radius_y) / self._unit.unit_si
            rect = QRectF(0, 0, size.width(), size.height())
            rect.moveCenter(pg.Point(x, y))
            self._probe.setRect(rect)
            self._probe.setVisible(True)

    def _wave(self) -> tuple[Complex | None, tuple[float, float]]:
        if self.result is not None:
            return self.result.probe.modes, self.result.probe.pixel_m
        pixel = self.dataset.geometry.pixel_m if self.dataset is not None else (1.0, 1.0)
        if self.snapshot is not None:
            return self.snapshot.probe, pixel
        return (self.dataset.probe if self.dataset is not None else None), pixel

    def _name_axes(self, unit: Lengths, shown: bool) -> None:
        name_axes(self.plot, unit.symbol if shown else "")

    def _nearest(self, y: float, x: float) -> int:
        assert self._nominal is not None
        return int(np.nanargmin(((self._nominal / self._unit.unit_si - (y, x)) ** 2).sum(1)))

    def _click(self, event: object) -> None:
        button, double = event.button(), event.double()  # type: ignore[attr-defined]
        if double:
            self.fit()
        elif button == Qt.MouseButton.LeftButton and self._nominal is not None and len(self._nominal):
            index = self._nearest(*point_in(self.box, event.scenePos()))  # type: ignore[attr-defined]
            self.show_frame(index)
            self.frame_selected.emit(index)

    def _point(self, position: object) -> None:
        if self._nominal is None or not len(self._nominal):
            self._readout.setText("")
            return
        y, x = point_in(self.box, position)  # type: ignore[arg-type]
        index = self._nearest(y, x)
        text = f"frame {index}    y {y:.4g}  x {x:.4g} {self._unit.symbol}"
        residual = self._residual()
        if self.colour_by.currentText() == "R-factor" and residual is not None and index < len(residual):
            text = f"frame {index}    R {residual[index]:.3g}"
        elif self.preview is not None and index < len(self.preview.total_counts):
            text += f"    {self.preview.total_counts[index]:.4g} counts"
        if self._way is not None:
            y, x = self._way[index] / self._unit.unit_si
            text += f"    moved y {y:+.3g}  x {x:+.3g} {self._unit.symbol}"
        self._readout.setText(text)

    def wear(self) -> None:
        """Follow the theme."""
        palette = self.palette()
        accent = palette.color(QPalette.ColorRole.Highlight)
        wear(self.plot, palette)
        self._selected.setPen(pg.mkPen(accent, width=2))
        self._to_come.setPen(pg.mkPen(palette.color(QPalette.ColorRole.PlaceholderText), width=1))
        self._drift.setPen(pg.mkPen(palette.color(QPalette.ColorRole.Text), width=1))
        self._probe.setPen(pg.mkPen(accent, width=1.5))


def _short(value: float) -> str:
    """Three digits, and a power of ten only where there are very many more."""
    return f"{float(f'{value:.3g}'):g}"


def _brushes() -> list[object]:
    """The shades of the positions."""
    colours = table("viridis")[np.linspace(0, 255, SHADES).astype(int)]
    return [pg.mkBrush(int(c) >> 16 & 255, int(c) >> 8 & 255, int(c) & 255) for c in colours]


def probe_radius(probe: Complex, pixel: tuple[float, float]) -> tuple[float, float]:
    """The radius (y, x) in SI of the disc that spreads as much as the bright part of the probe."""
    power = (np.abs(probe) ** 2).sum(0, dtype=np.float64)
    power[~(power > 0.02 * np.nanmax(power))] = 0
    total = max(float(power.sum()), 1e-300)
    radii = []
    for axis in (0, 1):
        line, at = power.sum(1 - axis), np.arange(power.shape[axis])
        spread = line @ (at - line @ at / total) ** 2 / total
        radii.append(2 * float(np.sqrt(max(spread, 0))) * pixel[axis])
    return radii[0], radii[1]
