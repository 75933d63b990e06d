"""The docks: files at the left, pictures in the middle, data card and parameters at the right, the log."""

from __future__ import annotations

import zlib
from typing import Any

from PyQt6.QtCore import QByteArray, QEvent, Qt, QTimer
from PyQt6.QtGui import QResizeEvent, QShowEvent
from PyQt6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

from ptychogui.gui.browser_dock import BrowserDock
from ptychogui.gui.forms import JobForm
from ptychogui.gui.import_card import ImportCard
from ptychogui.gui.in_force import in_force
from ptychogui.gui.log import LogView
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.session import Session
from ptychogui.gui.settings import settings
from ptychogui.gui.views import DOCKS, SIDES, link
from ptychogui.gui.views.turns import Turns
from ptychogui.job import Job
from ptychogui.types import Result

LEFT_PX, MIDDLE_PX, SIDE_PX, RIGHT_PX = 240, 590, 262, 330
"""Widths of the columns; with the heights below, square pictures nearly fill their docks at 1440 × 900."""
MOST_LEFT_PX, MOST_RIGHT_PX = 380, 460
"""Lists and forms need no more; in a wider window the pictures get the rest."""


class Workspace(QMainWindow):
    """Everything that is shown of an open file."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("workspace")
        self.setWindowFlag(Qt.WindowType.Widget)
        self._session = session
        self.setDockNestingEnabled(True)
        self.setDockOptions(self.dockOptions() | QMainWindow.DockOption.GroupedDragging)  # tabs can be dragged out
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.docks: dict[str, QDockWidget] = {}
        self._own_sizes = True
        self._sizes_later = QTimer(self)
        self._sizes_later.setSingleShot(True)
        self._sizes_later.timeout.connect(self.give_sizes)
        self._titles_later = QTimer(self)
        self._titles_later.setSingleShot(True)
        self._titles_later.timeout.connect(self._dress_titles)
        self.browser_dock, self.card, self.log = BrowserDock(session), ImportCard(session), LogView()
        self.browser = self.browser_dock.tree
        self.form = JobForm(Job())
        self._form_job = self.form.job
        self.arranged = False
        self._shown: tuple[Opened | None, Run | None] = (None, None)
        self._iterate: Result | None = None
        for (name, title), widget in zip(SIDES.items(), (self.browser_dock, self.card, self.form, self.log)):
            self._add(name, title, widget)
        self.views: dict[str, Any] = {spec.name: spec.make() for spec in DOCKS}
        self.turns = Turns(self)
        for spec in DOCKS:
            self.views[spec.name].turns = self.turns
            self._add(spec.name, spec.title, self.views[spec.name])
        link(self.views)
        self.lay_out()
        self._connect()

    def _add(self, name: str, title: str, widget: QWidget) -> None:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        for moved in (dock.visibilityChanged, dock.dockLocationChanged, dock.topLevelChanged):
            moved.connect(lambda _: self._titles_later.start())
        dock.topLevelChanged.connect(lambda _: self._keep_sizes())
        self.docks[name] = dock

    def _connect(self) -> None:
        session = self._session
        session.file_opened.connect(lambda: self.reveal("import_card"))
        session.current_changed.connect(self._show_current)
        session.preview_changed.connect(self._show_data)
        session.grown.connect(self._show_growth)
        session.snapshot_changed.connect(self._show_snapshot)
        session.frame_changed.connect(self._show_frame)
        session.job_changed.connect(self._show_job)
        session.state_changed.connect(self._show_state)
        session.resolution.changed.connect(self._show_state)
        session.history.changed.connect(self._show_iterate)
        self.views["resolution"].start_wanted.connect(session.resolution.start)
        self.views["resolution"].stop_wanted.connect(session.resolution.stop)
        self.form.job_changed.connect(self._edited)
        self.form.preset_wanted.connect(session.use_preset)
        self.form.problem_changed.connect(session.tell_problem)
        for name, view in self.views.items():
            self._follow_frame(view)
            if hasattr(view, "title_changed"):  # what such a view shows is the user's choice
                view.title_changed.connect(self.docks[name].setWindowTitle)
                self.docks[name].setWindowTitle(view.title)

    # layout

    @property
    def version(self) -> int:
        """A number for this set of docks: a layout kept by a program with other docks would leave the new ones out."""
        return zlib.crc32(" ".join(sorted(self.docks)).encode()) & 0x7FFFFFFF

    def layout_state(self) -> QByteArray:
        """Where the docks stand, to be kept."""
        return self.saveState(self.version)

    def lay_out(self) -> None:
        """Put every dock where it stands by default, the object's phase the biggest."""
        docks, across, down = self.docks, Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        for dock in docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks["browser"])
        for before, name, direction in (
            ("browser", "object_phase", across),
            ("object_phase", "object_amplitude", across),
            ("object_amplitude", "import_card", across),
            ("browser", "diffraction", down),
            ("object_phase", "loss", down),
            ("object_amplitude", "probe", down),
            ("probe", "scan", down),
        ):
            self.splitDockWidget(docks[before], docks[name], direction)
        self.tabifyDockWidget(docks["import_card"], docks["parameters"])
        self.tabifyDockWidget(docks["parameters"], docks["live"])
        self.tabifyDockWidget(docks["loss"], docks["resolution"])
        self.tabifyDockWidget(docks["resolution"], docks["history"])
        self.tabifyDockWidget(docks["history"], docks["profile"])
        self.tabifyDockWidget(docks["profile"], docks["spectrum"])
        self.tabifyDockWidget(docks["spectrum"], docks["propagation"])
        self.tabifyDockWidget(docks["propagation"], docks["log"])
        for dock in docks.values():
            dock.show()
        docks["loss"].raise_()
        docks["import_card"].raise_()
        self.give_sizes()

    def give_sizes(self) -> None:
        """Share the space out as by default."""
        docks, self._own_sizes = self.docks, True
        columns = ("browser", "object_phase", "object_amplitude", "import_card")
        self.resizeDocks([docks[name] for name in columns], column_widths(self.width()), Qt.Orientation.Horizontal)
        for names, sizes in (
            (("browser", "diffraction"), (320, 500)),
            (("object_phase", "loss"), (620, 200)),
            (("object_amplitude", "probe", "scan"), (272, 272, 276)),
        ):
            self.resizeDocks([docks[name] for name in names], list(sizes), Qt.Orientation.Vertical)

    def _keep_sizes(self) -> None:
        """The user has moved something: from now on a resized window keeps the shares of its docks."""
        self._own_sizes = False
        self._sizes_later.stop()

    def event(self, event: QEvent | None) -> bool:
        """The user presses on nothing of the workspace itself but the edges between docks."""
        if event is not None and event.type() == QEvent.Type.MouseButtonPress:
            self._keep_sizes()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Share the space out anew, unless the user has done so."""
        super().resizeEvent(event)
        if self.arranged and self._own_sizes:
            self._sizes_later.start()

    def _dress_titles(self) -> None:
        """A dock among tabs has its title there, and needs no second one; its tab can be dragged out."""
        for dock in self.docks.values():
            beside = [other for other in self.tabifiedDockWidgets(dock) if not other.isHidden()]
            tabbed = not dock.isFloating() and bool(beside)
            bar = dock.titleBarWidget()
            if tabbed and bar is None:
                dock.setTitleBarWidget(QWidget(dock))
            elif not tabbed and bar is not None:
                dock.setTitleBarWidget(None)
                bar.deleteLater()

    def showEvent(self, event: QShowEvent | None) -> None:
        """The first time, take the layout of the last session, or share the space out: before, there is no space."""
        super().showEvent(event)
        if not self.arranged:
            QTimer.singleShot(0, self._arrange)

    def _arrange(self) -> None:
        if self.arranged:
            return
        self.arranged = True
        layout = settings().value("layout")
        if isinstance(layout, QByteArray) and self.restoreState(layout, self.version):
            self._keep_sizes()
        else:
            self.give_sizes()
        live = self._session.live
        if self._session.current is not None and not live.connected and not live.scans:  # whichever tab was in front
            self.reveal("import_card")
        self._dress_titles()

    def reveal(self, name: str) -> None:
        """Bring a dock to the front and put the keyboard there."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()
        if (widget := dock.widget()) is not None:
            widget.setFocus()

    # what is shown

    def adopt(self, name: str, view: Any) -> None:
        """Let a further view follow what is selected and what runs."""
        self.views[name] = view
        view.turns = self.turns
        self._follow_frame(view)
        if hasattr(view, "show_frame"):
            view.show_frame(self._session.seen_frame)
        self._show_current()

    def _follow_frame(self, view: Any) -> None:
        """Let the user choose a frame in this view, and look at the one under the pointer."""
        if hasattr(view, "frame_selected"):
            view.frame_selected.connect(self._session.watch)
        if hasattr(view, "frame_pointed"):
            view.frame_pointed.connect(self._session.glance)

    def _show_current(self) -> None:
        session = self._session
        run = session.current_run
        if (session.current, run) != self._shown:
            for view in self.views.values():
                view.snapshot = view.result = None
                if session.current is not self._shown[0]:
                    view.clear()
            self._shown = session.current, run
        self._name_runs()
        dataset = session.current.dataset if session.current is not None else None
        self.form.show_electrons(dataset is not None and dataset.geometry.of_electrons)
        self.form.set_hints({f"data.{name}": text for name, text in in_force(dataset).items()})
        self._show_data()
        past = session.history.shown
        for view in self.views.values():
            if past is not None:
                view.show_result(past)
                continue
            if run is not None and run is not session.running and run.result is not None:
                view.show_result(run.result)
            elif run is not None and run.snapshot is not None:
                view.show_snapshot(run.snapshot)
        self._show_frame(session.seen_frame)

    def _show_iterate(self) -> None:
        """Show an earlier state of the run, or the latest again."""
        shown = self._session.history.shown
        if shown is not self._iterate:
            self._iterate = shown
            self._show_current()

    def _name_runs(self) -> None:
        """Tell the loss view of the other runs of the file."""
        session = self._session
        runs = session.current.runs if session.current is not None else []
        others = {run.name: run.loss for run in runs if run is not session.current_run and len(run.loss)}
        self.views["loss"].show_runs(session.current_run.name if session.current_run is not None else "", others)

    def _show_data(self) -> None:
        opened = self._session.current
        for view in self.views.values():
            if opened is None:
                view.clear()
            else:
                view.show_dataset(opened.dataset, opened.preview)

    def _show_growth(self) -> None:
        """The scan on show is being measured, and has more frames."""
        opened = self._session.current
        for view in self.views.values():
            if opened is not None and view.dataset is not None:
                view.extend(opened.dataset, opened.preview)
            elif opened is not None:
                view.show_dataset(opened.dataset, opened.preview)

    def _show_snapshot(self) -> None:
        run = self._session.current_run
        if run is not None and run.snapshot is not None and self._session.history.shown is None:
            for view in self.views.values():
                view.show_snapshot(run.snapshot)
        if run is not None and run.snapshot is not None and run is self._session.running:
            self.form.show_progress(run.snapshot)

    def _show_frame(self, frame: int) -> None:
        for view in self.views.values():
            if hasattr(view, "show_frame"):
                view.show_frame(frame)

    def _show_job(self) -> None:
        opened = self._session.current
        if opened is not None and opened.job != self._form_job:
            self._form_job = opened.job
            self.form.set_job(opened.job)

    def _edited(self, job: Job) -> None:
        self._form_job = job
        self._session.edit(job)

    def _show_state(self) -> None:
        session, resolution = self._session, self._session.resolution
        self.form.set_running(session.shows_running)
        self.views["resolution"].show_state(resolution.running, resolution.progress, resolution.why_not())


def column_widths(width: int) -> list[int]:
    """The widths of the four columns in a window of this width."""
    share = width / (LEFT_PX + MIDDLE_PX + SIDE_PX + RIGHT_PX)
    left, right = min(LEFT_PX * share, MOST_LEFT_PX), min(RIGHT_PX * share, MOST_RIGHT_PX)
    middle = (width - left - right) * MIDDLE_PX / (MIDDLE_PX + SIDE_PX)
    return [round(part) for part in (left, middle, width - left - middle - right, right)]
