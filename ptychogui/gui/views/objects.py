"""The object while it forms: its phase, its amplitude, or both at once."""

from __future__ import annotations

import math

import numpy as np
from PyQt6.QtWidgets import QMenu, QVBoxLayout, QWidget

from ptychogui.gui.preview import Preview
from ptychogui.gui.views.base import View
from ptychogui.gui.views.lengths import lengths
from ptychogui.gui.views.panel import ImagePanel, Picture, add_options, levels_of
from ptychogui.gui.views.scanned import ScanMap, scan_map
from ptychogui.io.picture import inside_scan, scanned_area, without_ramp
from ptychogui.types import Complex, Dataset, Mask, Object, Positions, Result, Scan, Snapshot

PerAxis = tuple[float, float]
"""Something in y and x."""
SIDE_PX = 2048
"""A finished object is shown with at most this many pixels on a side."""
CYCLIC_RAD = 4.5
"""A phase that spans more than this is shown with a cyclic colour map over the full circle."""


class ObjectView(View):
    """One picture of the object; before a run, what the total counts or the centre of mass already tell of it."""

    modes = ("phase", "amplitude", "complex")

    def __init__(self, mode: str, parent: QWidget | None = None) -> None:
        self.delay_ms = 0 if mode == "phase" else 20
        super().__init__(parent)
        self.mode = mode
        self.remove_ramp = True
        self._mapped: tuple[Dataset, ScanMap | None] | None = None
        self._scanned: tuple[tuple[object, ...], Mask | None] | None = None
        self.panel = ImagePanel("The object appears here.", self)
        self.panel.menu_extensions.append(self._extend_menu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)

    def show_as(self, mode: str) -> None:
        """Show the phase, the amplitude, or both as hue and brightness."""
        self.mode = mode
        self.panel.range_automatically()
        self.draw()

    def keep_ramp(self, keep: bool) -> None:
        """Leave the phase ramp, which no measurement can tell, in the picture."""
        self.remove_ramp = not keep
        self.draw()

    def _extend_menu(self, menu: QMenu) -> None:
        add_options(menu, "Show", self.modes, self.mode, self.show_as)
        ramp = menu.addAction("Remove the phase ramp")
        if ramp is not None:
            ramp.setCheckable(True)
            ramp.setChecked(self.remove_ramp)
            ramp.toggled.connect(lambda on: self.keep_ramp(not on))
        menu.addSeparator()

    def fit(self) -> None:
        """Show the whole object again."""
        self.panel.fit()
        self.panel.range_automatically()

    def draw(self) -> None:
        """Show the running or finished object, or the preview of the scan."""
        if self.result is not None:
            self._draw_result(self.result)
        elif self.snapshot is not None:
            self._draw_snapshot(self.snapshot)
        elif self.dataset is not None and self.preview is not None:
            self._draw_preview(self.dataset, self.preview)
        else:
            self.panel.show_picture(None)

    def _draw_snapshot(self, shown: Snapshot) -> None:
        note = f"epoch {shown.epoch} of {shown.epochs}"
        positions = self.dataset.scan.positions_m if self.dataset is not None else shown.positions_m
        self._show(shown.preview, shown.preview_pixel_m, shown.preview_origin_m, positions, note)

    def _draw_result(self, result: Result) -> None:
        area = scanned_area(result.obj, result.scan, (result.probe.modes.shape[-2], result.probe.modes.shape[-1]))
        (dy, dx), (y, x) = result.obj.pixel_m, result.obj.origin_m
        image = result.lit[(slice(None), *area)].prod(0)
        step = math.ceil(max(image.shape) / SIDE_PX)
        origin = y + area[0].start * dy, x + area[1].start * dx
        self._show(image[::step, ::step], (dy * step, dx * step), origin, result.scan.positions_m, "")

    def _show(self, image: Complex, pixel: PerAxis, origin: PerAxis, positions_m: Positions, note: str) -> None:
        unit = lengths(max(image.shape[0] * pixel[0], image.shape[1] * pixel[1]), min(pixel))
        use = self._inside(image, pixel, origin, positions_m)
        if self.mode == "amplitude":
            amplitude = np.abs(image)
            picture = Picture(amplitude, pixel, origin, unit, levels=levels_of(amplitude, use))
            self.panel.show_picture(picture, note)
            return
        flat = without_ramp(image, use) if self.remove_ramp else image
        if self.mode == "complex":
            self.panel.show_picture(Picture(flat, pixel, origin, unit, levels=levels_of(flat, use)), note)
            return
        phase = np.arctan2(flat.imag, flat.real)
        levels = levels_of(phase, use)
        cyclic = levels[1] - levels[0] > CYCLIC_RAD
        levels, colours = ((-math.pi, math.pi), "cyclic") if cyclic else (levels, "grey")
        self.panel.show_picture(Picture(phase, pixel, origin, unit, "rad", colours, levels), note)

    def _inside(self, image: Complex, pixel: PerAxis, origin: PerAxis, positions_m: Positions) -> Mask | None:
        """The pixels between the positions: only they tell the range of the picture and its phase ramp."""
        key = (id(self.dataset), id(self.result), image.shape, pixel, origin)
        if self._scanned is None or self._scanned[0] != key:
            inside = inside_scan(Object(image[None], pixel, origin), Scan(positions_m))
            self._scanned = key, inside if inside.any() else None
        return self._scanned[1]

    def _draw_preview(self, dataset: Dataset, preview: Preview) -> None:
        if self._mapped is None or self._mapped[0] is not dataset:
            self._mapped = dataset, scan_map(dataset.scan)
        where = self._mapped[1]
        if where is None or len(dataset.scan) != len(preview.total_counts):
            self.panel.show_picture(None)
            return
        unit = lengths(where.pixel_m[0] * max(where.nearest.shape), dataset.geometry.pixel_m[0])
        if self.mode == "amplitude":
            counts = where.of(preview.total_counts)
            picture = Picture(
                counts, where.pixel_m, where.origin_m, unit, "counts", levels=levels_of(counts), gaps=True
            )
            self.panel.show_picture(picture, "preview: total counts of each frame")
            return
        centre = preview.centre_of_mass - np.nanmean(preview.centre_of_mass, 0) if preview.done else None
        if centre is None:
            self.panel.show_picture(None)
            return
        deflection = where.of((centre[:, 1] + 1j * centre[:, 0]).astype(np.complex64))
        picture = Picture(
            deflection, where.pixel_m, where.origin_m, unit, "px", levels=levels_of(deflection), gaps=True
        )
        self.panel.show_picture(picture, "preview: deflection of the beam")
