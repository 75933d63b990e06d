"""The object while it forms: phase, amplitude, both at once, unwrapped, or as thickness."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QMenu, QVBoxLayout, QWidget

from ptychogui.gui.preview import Preview
from ptychogui.gui.views.base import View
from ptychogui.gui.views.buttons import tool_button
from ptychogui.gui.views.frame_mark import FrameMark
from ptychogui.gui.views.kept import keep, kept
from ptychogui.gui.views.latest import Latest
from ptychogui.gui.views.lengths import lengths
from ptychogui.gui.views.line_tool import LineTool
from ptychogui.gui.views.material_dialog import MaterialDialog, kept_material
from ptychogui.gui.views.object_pictures import KINDS, Wave
from ptychogui.gui.views.panel import ImagePanel, grey
from ptychogui.gui.views.picture import Picture, levels_of, value_text
from ptychogui.gui.views.scanned import ScanMap, scan_map
from ptychogui.gui.views.shown_object import Scanned, shown_object, wavelength_m
from ptychogui.measure.material import Material
from ptychogui.types import Dataset, Positions, Result, Snapshot

HINT = "The object appears here."
LIVE = "live"
"""The format of a dataset whose frames come from a source."""
NO_WAVELENGTH = "A thickness needs the wavelength: give the energy on the Data card."
OF_ELECTRONS = "A thickness from δ and β is one for X-rays and light, not for electrons."
AT_ONCE_PX = 1 << 16
"""A picture of more pixels is made beside the window."""
POINTED_MS = 30
"""The time between two frames that the pointer is told to be on."""
SHORTEST_CHOICE = 9
"""Letters of what is shown that are always seen."""


class ObjectView(View):
    """One picture of the object; before a run, what the total counts or the centre of mass already tell of it.

    `mode` is one of `KINDS`; what the user chooses instead is kept for the next start.
    """

    frame_selected = pyqtSignal(int)
    """The user clicked on the object: the frame whose position is nearest."""
    frame_pointed = pyqtSignal(object)
    """The frame nearest to the pointer while this moves over the object, None when it has left."""
    title_changed = pyqtSignal(str)

    def __init__(self, mode: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = f"object_{mode}"
        chosen = kept(f"{self._name}/kind", mode)
        self.mode = chosen if chosen in KINDS else mode
        self.remove_ramp = kept("remove_ramp", "True") == "True"
        self.material = kept_material()
        self.line: LineTool | None = None
        self._mapped: tuple[Dataset, ScanMap | None] | None = None
        self._scanned = Scanned()
        self._latest = Latest(self)
        self.panel = ImagePanel(HINT, self)
        self.panel.menu_extensions.append(self._extend_menu)
        self.panel.describe = self._describe
        self.panel.clicked.connect(self._select_frame)
        self.panel.pointed.connect(self._point)
        self._under: int | None = None
        self._told = QTimer(self)
        self._told.setSingleShot(True)
        self._told.setInterval(POINTED_MS)
        self._told.timeout.connect(lambda: self.frame_pointed.emit(self._under))
        self.mark = FrameMark(self.panel)
        self._lay_out()
        self.panel.show_kind(self.mode)

    def _lay_out(self) -> None:
        self.choice = QComboBox(self)
        self.choice.setObjectName("kind")
        self.choice.setToolTip("What is shown of the object")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(SHORTEST_CHOICE)
        for name, kind in KINDS.items():
            self.choice.addItem(kind.text, name)
        self.choice.setCurrentIndex(self.choice.findData(self.mode))
        self.choice.activated.connect(lambda _: self.show_as(self.choice.currentData()))
        self.line_button = tool_button(self, "line", "╱", "Ruler and line profile: drag its ends", self._toggle_line)
        self.line_button.setCheckable(True)
        self.line_button.hide()
        tip = "Refractive index of the material"
        self.material_button = tool_button(self, "material", "δβ", tip, self.ask_material)
        self.material_button.setVisible(KINDS[self.mode].of_material)
        self.panel.put_above(self.choice, self.line_button, self.material_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)

    # what the user chooses

    @property
    def title(self) -> str:
        """What is seen, for the title of the dock."""
        return KINDS[self.mode].title

    def show_as(self, mode: str) -> None:
        """Show another of `KINDS`, also after the next start."""
        self.mode = mode
        self.choice.setCurrentIndex(self.choice.findData(mode))
        self.material_button.setVisible(KINDS[mode].of_material)
        keep(f"{self._name}/kind", mode)
        self._latest.forget()
        self.panel.show_kind(mode)
        self.title_changed.emit(self.title)
        self.draw()

    def keep_ramp(self, keep_it: bool) -> None:
        """Leave the phase ramp, which no measurement can tell, in the picture."""
        self.remove_ramp = not keep_it
        keep("remove_ramp", str(self.remove_ramp))
        self.draw()

    def ask_material(self) -> None:
        """Ask for the refractive index of the sample."""
        dialog = MaterialDialog(self.material, self)
        dialog.material_changed.connect(self._take_material)
        dialog.open()

    def _take_material(self, material: Material) -> None:
        self.material = material
        self.draw()

    def use_line(self, line: LineTool) -> None:
        """Let the line lie on this picture too."""
        self.line = line
        line.attach(self.panel)
        line.changed.connect(lambda: self.line_button.setChecked(line.line is not None))
        self.line_button.show()

    def _toggle_line(self) -> None:
        if self.line is not None:
            self.line.toggle(self.panel)

    def _extend_menu(self, menu: QMenu) -> None:
        ramp = menu.addAction("Remove the phase ramp")
        if ramp is not None:
            ramp.setCheckable(True)
            ramp.setChecked(self.remove_ramp)
            ramp.toggled.connect(lambda on: self.keep_ramp(not on))
        grey(ramp, "" if KINDS[self.mode].has_ramp else "Only what is made of the phase has a ramp")
        menu.addAction("Material (δ, β)…", self.ask_material)
        if self.line is not None:
            menu.addAction("Ruler and profile", self._toggle_line)
        menu.addSeparator()

    def fit(self) -> None:
        """Show the whole object again."""
        self.panel.fit()
        self.panel.range_automatically()

    # frames

    def show_frame(self, frame: int) -> None:
        """Mark where the frame lies that is looked at."""
        self.mark.show_frame(frame)

    def _select_frame(self, y: float, x: float) -> None:
        frame = self.mark.nearest(y, x)
        if frame is not None:
            self.frame_selected.emit(frame)

    def _point(self, where: tuple[float, float] | None) -> None:
        """Tell of the frame under the pointer, where that is another one; the last within a moment counts."""
        picture = self.panel.picture
        on_it = where is not None and picture is not None and picture.value_at(*where) is not None
        under = self.mark.nearest(*where) if where is not None and on_it else None
        if under != self._under:
            self._under = under
            if not self._told.isActive():
                self._told.start()

    def _describe(self, y: float, x: float) -> str:
        picture, frame = self.panel.picture, self.mark.nearest(y, x)
        value = picture.value_at(y, x) if picture is not None else None
        if picture is None or value is None:
            return ""
        near = f"    frame {frame}" if frame is not None else ""
        symbol = picture.lengths.symbol
        return f"{value_text(value, picture.unit)}    y {y:.4g}  x {x:.4g} {symbol}{near}"

    # drawing

    def draw(self) -> None:
        """Show the running or finished object, or the preview of the scan."""
        if self._searching and self.dataset is not None and self.preview is not None:
            self._draw_preview(self.dataset, self.preview)
        elif self.result is not None or self.snapshot is not None:
            self._draw_object(self.result, self.snapshot)
        elif self.dataset is not None and self.preview is not None:
            self._draw_preview(self.dataset, self.preview)
        else:
            self._show_nothing(HINT)

    @property
    def _searching(self) -> bool:
        """Whether a scan is coming whose run still searches for a first guess: there is no picture, but frames come."""
        live = self.dataset is not None and self.dataset.format == LIVE
        return live and self.result is None and self.snapshot is not None and bool(self.snapshot.doing)

    def _draw_object(self, result: Result | None, snapshot: Snapshot | None) -> None:
        kind = KINDS[self.mode]
        why_not = self._why_no_thickness() if kind.of_material else ""
        if why_not:
            self._show_nothing(why_not)
            return
        if result is not None:
            size, positions_m = result.obj.slices.size, result.scan.positions_m
        else:
            assert snapshot is not None
            size, positions_m = snapshot.preview.size, snapshot.positions_m
        self.mark.show_positions(positions_m)
        if kind.slow or size > AT_ONCE_PX:
            self._latest.run(self._maker(positions_m), self._take, lambda said, _: self.panel.say(said))
        else:
            self._latest.forget()
            self._take(self._maker(positions_m)())

    def _maker(self, positions_m: Positions) -> Callable[[], tuple[Picture, str]]:
        """What makes the picture of what is known now, with its note, in any thread."""
        kind, result, snapshot = KINDS[self.mode], self.result, self.snapshot
        wavelength, remove_ramp, material = wavelength_m(result, self.dataset), self.remove_ramp, self.material
        scanned, paint = self._scanned, self.panel.painter()
        known_m = self.dataset.scan.positions_m if result is None and self.dataset is not None else positions_m
        said = self._material_text() if kind.of_material else ""

        def make() -> tuple[Picture, str]:
            shown = shown_object(result, snapshot)
            assert shown is not None
            use = scanned.inside(shown, known_m)
            wave = Wave(shown.image, shown.pixel_m, shown.origin_m, use, wavelength, remove_ramp, material)
            return paint(kind.make(wave)), shown.note or said

        return make

    def _why_no_thickness(self) -> str:
        known = self.result or self.dataset
        if known is None or wavelength_m(self.result, self.dataset) is None:
            return NO_WAVELENGTH
        return OF_ELECTRONS if known.geometry.of_electrons else ""

    def _material_text(self) -> str:
        index = f"δ {self.material.delta:.3g}" if self.mode == "thickness" else f"β {self.material.beta:.3g}"
        return f"{index}, over the thinnest part"

    def _take(self, made: tuple[Picture, str]) -> None:
        picture, note = made
        self.panel.show_picture(picture, note)
        self.mark.place()

    def _show_nothing(self, why: str) -> None:
        self._latest.forget()
        self.mark.show_positions(None)
        self.panel.set_hint(why)
        self.panel.show_picture(None)
        self.mark.place()

    def _draw_preview(self, dataset: Dataset, preview: Preview) -> None:
        if self._mapped is None or self._mapped[0] is not dataset:
            self._mapped = dataset, scan_map(dataset.scan)
        where = self._mapped[1]
        if where is None or len(dataset.scan) != len(preview.total_counts) or not preview.done:
            self._show_nothing(HINT)
            return
        self._latest.forget()
        self.mark.show_positions(dataset.scan.positions_m)
        if self.mode in ("amplitude", "absorption"):
            values, unit, note = preview.total_counts, "counts", "preview: total counts of each frame"
        else:
            centre = preview.centre_of_mass - np.nanmean(preview.centre_of_mass, 0)
            values = (centre[:, 1] + 1j * centre[:, 0]).astype(np.complex64)
            unit, note = "px", "preview: deflection of the beam"
        shown, length = where.of(values), lengths(where.pixel_m[0] * max(where.nearest.shape), where.pixel_m[0])
        picture = Picture(shown, where.pixel_m, where.origin_m, length, unit, levels=levels_of(shown), gaps=True)
        self._take((picture, note))
