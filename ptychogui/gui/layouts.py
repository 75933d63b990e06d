"""Layouts of a scan and simulations: opens their dialogs, and takes an edited layout into the job."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QObject

from ptychogui.gui.tables import Stamp, Tables, stamp_of
from ptychogui.io.data import Data

if TYPE_CHECKING:
    from ptychogui.gui.layout_editor import LayoutEditor
    from ptychogui.gui.layout_plan import Plan
    from ptychogui.gui.layout_points import LayoutPoints, Places
    from ptychogui.gui.opened import Opened
    from ptychogui.gui.simulate_dialog import SimulateDialog
    from ptychogui.gui.window import Window
    from ptychogui.layout import Layout


class Layouts(QObject):
    """The layout editor and the simulation of a window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._editor: LayoutEditor | None = None
        self._edited: Opened | None = None
        self.tables = Tables(window.session, self)
        window.closed.connect(self.tables.end)

    def edit(self) -> LayoutEditor:
        """Edit the positions of the selected file, or plan a new scan where none is open; one that is open comes up."""
        from ptychogui.gui.layout_editor import LayoutEditor, Use
        from ptychogui.gui.layout_plan import plan_of_file, plan_of_pattern

        opened, there = self._session.current, self._editor
        if there is not None and opened is not self._edited and there.points.undo.isClean():
            there.leave()
            there = None
        if there is not None:
            there.raise_()
            there.activateWindow()
            return there
        plan = plan_of_file(opened, self._session.current_run, self._probe_m()) if opened is not None else None
        simulate = Use(
            "Simulate…",
            "Simulate a scan with these points, and see what comes of it",
            lambda points: self.simulate(points.layout),
            partial(_why_unsimulated, plan),
        )
        uses = [simulate]
        if plan is not None and opened is not None:
            tip = "Make these the positions of the file: written beside it as a table; deleted frames are left out"
            uses.append(Use("Use for this file", tip, partial(self._use, opened, plan), partial(_why_not, plan)))
        editor = LayoutEditor(self._session.tasks, plan or plan_of_pattern(), tuple(uses), self._window)
        self._editor, self._edited = editor, opened
        self._window.tools.preflight.changed.connect(self._tell_probe)
        editor.finished.connect(self._forget)
        editor.show()
        return editor

    def _tell_probe(self) -> None:
        """The preflight has found how large the probe is."""
        probe_m = self._probe_m()
        if self._editor is not None and probe_m is not None:
            self._editor.panel.know_probe(probe_m)

    def _forget(self) -> None:
        self._editor = None
        self._window.tools.preflight.changed.disconnect(self._tell_probe)

    def _probe_m(self) -> float | None:
        """The diameter of the probe, as the preflight knows it."""
        known = self._window.tools.preflight.known
        doubts = known.doubts if known is not None else ()
        found = next((doubt.figures.get("probe_m") for doubt in doubts if doubt.name == "overlap"), None)
        return float(found) if found is not None else None

    def _use(self, opened: Opened, plan: Plan, points: LayoutPoints) -> None:
        """Write the positions beside the file, and read it anew with them; can be undone."""
        from ptychogui.io.layout import written

        now, data, dataset = points.now, opened.job.data, opened.dataset
        if dataset is None or opened not in self._session.opened:
            self._session.tell("warning", f"'{opened.title}' is not open any more, so it takes no positions.")
            return
        before = dict(zip(plan.frames.tolist(), plan.positions_m))

        def write() -> tuple[Data, Stamp]:
            new = written(data, dataset.geometry, before, now.frames, now.positions_m)
            return new, stamp_of(new.positions or "")

        self._session.tasks.run(write, partial(self._take, opened, data), partial(self._session.tell, "error"))

    def _take(self, opened: Opened, old: Data, found: tuple[Data, Stamp]) -> None:
        new, stamp = found
        self.tables.add(new, stamp)
        if opened not in self._session.opened or opened.job.data != old:
            self.tables.sweep()
            self._session.tell("warning", "The file has changed meanwhile: open the layout editor anew.")
            return
        job = opened.job.model_copy(update={"data": new})
        self._session.edit(job, of=opened, what="scan layout")
        self._session.tell("info", f"The positions were written to {Path(new.positions or '').name}, and are in use.")
        if self._editor is not None:
            self._editor.leave()

    def simulate(self, layout: Layout | None = None) -> SimulateDialog:
        """Choose a recipe, and simulate it with a layout, or with its own scan."""
        from ptychogui.gui.simulate_dialog import SimulateDialog

        dialog = self._window.findChild(SimulateDialog) or SimulateDialog(self._window)
        if layout is not None:
            dialog.take_layout(layout)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
        return dialog


def _why_unsimulated(plan: Plan | None, now: Places) -> str:
    """Why points cannot be simulated."""
    if plan is not None and not plan.calibrated:
        return "The pixel at the sample is not known: give energy, distance and detector pixel on the Data card"
    return "" if len(now) else "There are no points"


def _why_not(plan: Plan, now: Places) -> str:
    """Why points cannot be the positions of a file."""
    if not len(now):
        return "There are no points"
    if now.unpaired:
        return f"{now.unpaired} points have no frame: delete them, or import a table that pairs them"
    if np.array_equal(now.frames, plan.frames) and np.array_equal(now.positions_m, plan.positions_m):
        return "Nothing has changed"
    if len(now) < 2:
        return "A scan has more than one point"
    return ""
