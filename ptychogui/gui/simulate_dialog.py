"""Simulating a scan: a recipe with its parameters and a layout, made in a thread, written to a file and opened."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QDialog, QFrame, QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from ptychogui.cli.simulate import writing
from ptychogui.engine.simulate import AnyRecipe, Recipe
from ptychogui.engine.simulate.far import SiemensFar
from ptychogui.gui import dialogs
from ptychogui.gui.forms import ParamsForm
from ptychogui.gui.layout_plan import Plan, plan_of_recipe
from ptychogui.gui.preparation_rows import button, label
from ptychogui.gui.stream import Stream
from ptychogui.layout import Layout, Listed
from ptychogui.params import Params

if TYPE_CHECKING:
    from ptychogui.gui.layout_editor import LayoutEditor
    from ptychogui.gui.layout_points import LayoutPoints
    from ptychogui.gui.window import Window

SCANS = "Simulated scan (*.cxi)"
WIDTH_PX, HEIGHT_PX = 460, 700
ABOUT = (
    "Makes the frames that an experiment would give. With a layout from the editor this plans an experiment: "
    "simulate it, run it, and see whether the picture is good enough."
)


class Simulation(Params):
    """What the form shows."""

    recipe: AnyRecipe = SiemensFar()
    """What is simulated."""


class SimulateDialog(QDialog):
    """Chooses a recipe, its parameters and its layout; the simulated file is opened."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.setObjectName("simulate_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Simulate a scan")
        self._window, self._tasks = window, window.session.tasks
        self._busy = self._gone = False
        self.stream: Stream[float] = Stream(self._tasks)
        self._editor: LayoutEditor | None = None
        self.form = ParamsForm(Simulation(), parent=self)
        self.about = label("", "", self, "recipe_line")
        self.layout_line = label("", "", self, "layout_line")
        self.problem = label("", "problem", self, "simulate_problem")
        self.progress = QProgressBar(self)
        self.progress.setObjectName("simulate_progress")
        self.progress.setAccessibleName("How much is simulated")
        self._lay_out()
        self.form.changed.connect(lambda: self.dress())
        self.form.problem_changed.connect(lambda _: self.dress())
        self.resize(WIDTH_PX, HEIGHT_PX)
        self.dress()

    def _lay_out(self) -> None:
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget(self)
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.form)
        rows.addStretch(1)
        area.setWidget(inside)
        tip = "Draw the points of this scan in the editor"
        self.edit_button = button(self, "edit_layout", "Edit the layout…", self.edit_layout, tip)
        tip = "Forget the layout: the recipe has a scan of its own"
        self.own_button = button(self, "own_layout", "The recipe's own", self._forget_layout, tip)
        self.start_button = button(
            self, "start_simulation", "Simulate…", self._ask, "Choose a file and simulate into it"
        )
        self.start_button.setProperty("primary", True)
        layout = QHBoxLayout()
        layout.addWidget(self.edit_button)
        layout.addWidget(self.own_button)
        layout.addStretch(1)
        tip = "End the simulation; nothing is written (Escape)"
        self.stop_button = button(self, "stop_simulation", "Cancel", self.cancel, tip)
        end = QHBoxLayout()
        end.addWidget(self.progress, 1)
        end.addWidget(self.stop_button)
        end.addStretch(1)
        end.addWidget(self.start_button)
        end.addWidget(button(self, "simulate_close", "Close", self.close, "Close this dialog"))
        column = QVBoxLayout(self)
        column.addWidget(label(ABOUT, "dim", self))
        column.addWidget(self.about)
        column.addWidget(area, 1)
        column.addWidget(self.layout_line)
        column.addLayout(layout)
        column.addWidget(self.problem)
        column.addLayout(end)

    @property
    def recipe(self) -> Recipe:
        """The recipe as the form shows it."""
        return cast(Recipe, cast(Simulation, self.form.params).recipe)

    def dress(self) -> None:
        """Show which layout is in force, and what can be done."""
        self.about.setText((self.recipe.__doc__ or "").strip().splitlines()[0])
        scan = self.recipe.scan
        if scan is None:
            said = "The probe stands where the recipe says."
        elif isinstance(scan, Listed):
            said = f"The probe stands at {len(scan.positions_m)} points of the editor."
        else:
            said = f"The probe stands on the pattern '{scan.kind}'."
        self.layout_line.setText(said)
        self.own_button.setEnabled(scan is not None and not self._busy)
        self.form.setEnabled(not self._busy)
        self.edit_button.setEnabled(not self._busy and not self.form.problem)
        self.start_button.setEnabled(not self._busy and not self.form.problem)
        for widget in (self.progress, self.stop_button):
            widget.setVisible(self.stream.running)
        self.start_button.setVisible(not self.stream.running)

    # the layout

    def take_layout(self, layout: Layout) -> None:
        """Let the probe stand where a layout says."""
        recipe = self.recipe
        self.form.set_params(Simulation(recipe=recipe.model_copy(update={"scan": layout})))
        self.dress()

    def _forget_layout(self) -> None:
        self.form.set_params(Simulation(recipe=self.recipe.model_copy(update={"scan": None})))
        self.dress()

    def edit_layout(self) -> None:
        """Open the editor with the points of the recipe as it stands; one that is open comes to the front."""
        if self._editor is not None:
            self._editor.raise_()
            self._editor.activateWindow()
            return
        self._busy = True
        self._tell("")
        self._tasks.run(partial(plan_of_recipe, self.recipe), self._open_editor, self._failed)

    def _open_editor(self, plan: Plan) -> None:
        from ptychogui.gui.layout_editor import LayoutEditor, Use

        self._busy = False
        if self._gone:
            return
        self.dress()

        def use(points: LayoutPoints) -> None:
            layout = points.layout
            if layout is not None:
                self.take_layout(layout)
            editor.leave()

        def forget() -> None:
            self._editor = None

        tip = "Simulate with these points"
        uses = (Use("Use this layout", tip, use, lambda now: "" if len(now) else "There are no points"),)
        self._editor = editor = LayoutEditor(self._tasks, plan, uses, self)
        editor.finished.connect(forget)
        editor.show()

    # simulating

    def _ask(self) -> None:
        recipe = self.recipe
        if recipe.dark_frames() is not None:
            dialogs.choose_folder(self, "Choose a folder for the scan", self.simulate)
        else:
            dialogs.choose_name(self, "Simulate into", SCANS, Path.home() / f"{recipe.name}.cxi", self.simulate)

    def simulate(self, path: str) -> None:
        """Simulate into a file in a thread, and open it."""
        stream: Stream[float] = Stream(self._tasks)
        stream.changed.connect(partial(self._show_progress, stream))
        stream.ended.connect(partial(self._ended, stream, path))
        self._busy, self.stream = True, stream
        stream.start(partial(writing, self.recipe, Path(path)))
        self.progress.setRange(0, 0)
        self._tell("")

    def cancel(self) -> None:
        """End the simulation; its thread does so by itself at its next frame."""
        self.stream.stop()
        self._busy, self.stream = False, Stream(self._tasks)
        self._tell("The simulation was cancelled: nothing was written.")

    def _show_progress(self, stream: Stream[float]) -> None:
        if stream is self.stream and stream.item and not self._gone:
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(1000 * stream.item))
            self.progress.setFormat("writing…" if stream.item == 1 else "%p %")

    def _ended(self, stream: Stream[float], path: str) -> None:
        if stream is not self.stream or stream.stopped:
            return
        self._busy = False
        if stream.problem:
            self._failed(stream.problem, "")
        else:
            self._window.session.open(path)
            self.accept()

    def _failed(self, sentence: str, details: str) -> None:
        self._busy = False
        if self._gone:
            self._window.session.tell("error", sentence, details)
        else:
            self._tell(sentence)

    def _tell(self, sentence: str) -> None:
        if not self._gone:
            self.problem.setText(sentence)
            self.dress()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Escape ends the simulation that is going on; otherwise it closes the dialog."""
        if event is not None and event.key() == Qt.Key.Key_Escape and self.stream.running:
            self.cancel()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """A simulation that is going on ends with the dialog."""
        self._gone = True
        self.stream.stop()
        super().done(result)
