"""The window: start page or workspace, run bar, and what the menus do."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray, QEvent, QPoint, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QShowEvent
from PyQt6.QtWidgets import QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from ptychogui.gui import dialogs, menus, settings, theme
from ptychogui.gui.datasets import DATA_NAMES, Datasets
from ptychogui.gui.first_steps import FirstSteps
from ptychogui.gui.guidance import Guidance
from ptychogui.gui.layouts import Layouts
from ptychogui.gui.leaving import Leaving
from ptychogui.gui.live_windows import LiveWindows
from ptychogui.gui.networks import Networks
from ptychogui.gui.notices import Notices
from ptychogui.gui.preparation import Preparing
from ptychogui.gui.project import Projects
from ptychogui.gui.project_file import SUFFIX
from ptychogui.gui.run_bar import RunBar
from ptychogui.gui.runs import Runs
from ptychogui.gui.session import Session
from ptychogui.gui.start_page import StartPage, sample_file
from ptychogui.gui.tools import Tools
from ptychogui.gui.view_windows import ViewWindows
from ptychogui.io.data import Data
from ptychogui.job import Job

if TYPE_CHECKING:
    from ptychogui.gui.workspace import Workspace

RESULT_NAMES = "Result (*.h5)"
JOB_NAMES = "Parameters (*.toml)"
UNPAINTED_MS = 2000
SLOW_MS = 500
"""An opening that takes longer than this is told."""
SIMULATING = "The sample is being simulated…"


class Window(QMainWindow):
    """The program's window; the workspace with its docks is made after the first paint."""

    ready = pyqtSignal()
    """The workspace is there."""
    closed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("ptychogui")
        self.resize(1440, 900)
        self.setAcceptDrops(True)
        self.session = Session(self)
        self.workspace: Workspace | None = None
        self.docks_menu: QMenu | None = None
        self._painted = self._may_close = False
        self._slow: list[str] = []
        self.tools = Tools(self)
        self.view_windows = ViewWindows(self)
        self.guidance = Guidance(self)
        self.datasets = Datasets(self)
        self.projects = Projects(self)
        self.runs = Runs(self)
        self.preparing = Preparing(self)
        self.layouts = Layouts(self)
        self.networks = Networks(self)
        self.live_windows = LiveWindows(self)
        self.actions_by_id = menus.make_actions(self)
        self.stack = QStackedWidget(self)
        self.start_page = StartPage(self.session.tasks, self)
        self.stack.addWidget(self.start_page)
        self.run_bar = RunBar(self.session, self.actions_by_id, self)
        self.run_bar.draw_icons()
        self.run_bar.hide()
        whole = QWidget(self)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.stack, 1)
        self.first_steps = FirstSteps(self)
        column.addWidget(self.first_steps)
        column.addWidget(self.run_bar)
        self.setCentralWidget(whole)
        self.notices = Notices(self.stack)
        self._leaving = Leaving(self.session, self, self.leave)
        menus.fill(self)
        menus.refresh(self)
        self._connect()
        geometry = settings.settings().value("geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)

    def _connect(self) -> None:
        session, page = self.session, self.start_page
        session.message.connect(self.notices.add)
        session.state_changed.connect(self._refresh)
        session.state_changed.connect(self._forget_slow)
        session.tree_changed.connect(self._refresh)
        session.undo.indexChanged.connect(self._refresh)
        session.current_changed.connect(self._show_current)
        self.run_bar.wanted.connect(lambda name: self.actions_by_id[name].trigger())
        page.file_wanted.connect(self.open_path)
        page.sample_wanted.connect(self.open_sample)
        page.dialog_wanted.connect(self.open_dialog)
        page.live_wanted.connect(self.live_windows.open)
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self.follow_theme)

    def _refresh(self) -> None:
        menus.refresh(self)

    # the two pages

    def showEvent(self, event: QShowEvent | None) -> None:
        """A window that starts hidden or minimised is never painted; it gets its docks all the same."""
        super().showEvent(event)
        QTimer.singleShot(UNPAINTED_MS, self.make_workspace)

    def event(self, event: QEvent | None) -> bool:
        """Make the workspace once the first paint is over: its imports must not keep the window from appearing."""
        if event is not None and event.type() == QEvent.Type.Paint and not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.make_workspace)
        return super().event(event)

    def make_workspace(self) -> None:
        """Make the docks, unless they are there."""
        if self.workspace is not None:
            return
        from ptychogui.gui.workspace import Workspace

        self.workspace = Workspace(self.session, self)
        self.stack.addWidget(self.workspace)
        self.workspace.browser.menu_wanted.connect(self._show_context_menu)
        self.workspace.browser_dock.folders.open_wanted.connect(self.open_path)
        self.workspace.browser_dock.folders.contents_wanted.connect(self.datasets.contents_of)
        self.workspace.browser_dock.folders.datasets_wanted.connect(self.datasets.ask)
        self.workspace.card.check_wanted.connect(self.tools.check)
        self.workspace.card.datasets_wanted.connect(self.datasets.choose)
        self.workspace.card.keep_wanted.connect(self.keep_beside)
        self.workspace.views["diffraction"].prepare_wanted.connect(self.preparing.open)
        self.workspace.views["scan"].edit_wanted.connect(self.layouts.edit)
        menus.add_docks(self)
        self.tools.show_lights()
        self.networks.follow(self.workspace.form, self.tools.preflight)
        self.workspace.form.presets_wanted.connect(self.guidance.presets)
        if self.session.current is not None:  # opened before there was a place to show it
            self.session.tree_changed.emit()
            self.session.select(self.session.current, self.session.current_run)
        self.ready.emit()

    def _show_current(self) -> None:
        opened = self.session.current
        self.setWindowTitle(f"{opened.title} — ptychogui" if opened else "ptychogui")
        if opened is None:
            self.show_start()
        elif self.workspace is not None:
            self.stack.setCurrentWidget(self.workspace)
            self.run_bar.show()

    def show_start(self) -> None:
        """The start page; what is open stays open, and selecting it again comes back to it."""
        if self.session.current is not None and self.stack.currentWidget() is self.start_page:
            self._show_current()
            return
        self.stack.setCurrentWidget(self.start_page)
        self.run_bar.setVisible(self.session.running is not None)

    def _reveal(self, name: str) -> None:
        self._show_current()
        if self.workspace is not None:
            self.workspace.reveal(name)

    def show_data(self) -> None:
        """The card that says what was understood of the file."""
        self._reveal("import_card")

    def show_parameters(self) -> None:
        """The form with the parameters of the job."""
        self._reveal("parameters")

    def show_resolution(self) -> None:
        """How far two halves of the frames agree."""
        self._reveal("resolution")

    def show_log(self) -> None:
        """The log."""
        self._reveal("log")

    def show_running(self) -> None:
        """What is being reconstructed."""
        self.session.show_running()

    def _show_context_menu(self, where: QPoint) -> None:
        menus.context_menu(self).popup(where)

    # files

    def open_path(self, path: str) -> None:
        """Open a scan, a result, a project or a file with parameters."""
        if Path(path).suffix == SUFFIX:
            self.projects.open(path)
        elif Path(path).suffix == ".toml":
            self.load_parameters(path)
        else:
            self.session.open(path)
            timer = QTimer(self)  # goes with the window, as a bare shot does not
            timer.setSingleShot(True)
            timer.timeout.connect(partial(self._tell_slow, path))
            timer.timeout.connect(timer.deleteLater)
            timer.start(SLOW_MS)

    def _tell_slow(self, path: str) -> None:
        if path in self.session.opening and not self.session.tasks.closing:
            self._slow.append(path)
            self.notices.add("info", _reading(path), "")

    def _forget_slow(self) -> None:
        """Take back what was told of files that are read by now."""
        for path in [path for path in self._slow if path not in self.session.opening]:
            self._slow.remove(path)
            self.notices.drop(_reading(path))

    def open_sample(self, recipe: str) -> None:
        """Simulate a sample in a thread, unless it was before, and open it."""
        self.session.tell("info", SIMULATING)
        self.session.tasks.run(partial(sample_file, recipe), self._open_simulated, partial(self.session.tell, "error"))

    def _open_simulated(self, path: str) -> None:
        self.notices.drop(SIMULATING)
        self.session.open(path)

    def open_dialog(self) -> None:
        """Ask for a file."""
        dialogs.choose_file(self, "Open a scan or a result", DATA_NAMES, self.open_path)

    def open_folder_dialog(self) -> None:
        """Ask for a folder that holds a scan."""
        dialogs.choose_folder(self, "Open a folder with a scan", self.open_path)

    def close_file(self) -> None:
        """Close the selected file; asks where that would lose a result."""
        opened = self.session.current
        if opened is None:
            return
        unsaved = any(run.unsaved for run in opened.runs)
        leave, close = any(self.projects.holds(run) for run in opened.runs), partial(self.session.close, opened)
        if unsaved or leave:
            text = f"'{opened.title}' has results that are not saved. " if unsaved else ""
            text += "Its results leave the project: saving that deletes their files." if leave else ""
            answer = "Close without saving" if unsaved else "Close the file"
            dialogs.ask(self, "Close the file?", text, {answer: close, "Cancel": lambda: None})
        else:
            self.session.close(opened)

    def save_dialog(self) -> None:
        """Ask where the selected result should be kept."""
        opened, run = self.session.current, self.session.current_run
        if opened is not None and run is not None:
            proposed = run.saved or opened.result_path(run)
            dialogs.choose_name(self, "Save the result", RESULT_NAMES, proposed, partial(self.session.save, run))

    def keep_beside(self, data: Data) -> None:
        """Write what the data card says into a TOML beside the file."""
        from ptychogui import io

        self.session.beside(partial(io.write_sidecar, data, data.path), "The values are kept beside the file.")
        self.session.data_kept.emit(data)

    # parameters

    def load_parameters_dialog(self) -> None:
        """Ask for a file with parameters."""
        dialogs.choose_file(self, "Load parameters", JOB_NAMES, self.load_parameters)

    def load_parameters(self, path: str) -> None:
        """Take the parameters of a file; the data stay those that are open."""
        self.session.tasks.run(
            lambda: Job.from_toml(Path(path).read_text(encoding="utf-8")),
            self.session.use,
            partial(self.session.tell, "error"),
        )

    def save_parameters_dialog(self) -> None:
        """Ask where to keep the parameters."""
        opened = self.session.current
        if opened is not None:
            proposed = Path(opened.path).absolute().parent / f"{opened.title.split('.')[0]}_job.toml"
            chosen = partial(self.session.save_parameters, opened.job)
            dialogs.choose_name(self, "Save the parameters", JOB_NAMES, proposed, chosen)

    def use_run(self) -> None:
        """Take the parameters with which the selected run was made."""
        if self.session.current_run is not None:
            self.session.use(self.session.current_run.job)

    def use_defaults(self) -> None:
        """Take the defaults, apart from what was said about the data."""
        self.session.use(Job())

    # running

    def pause_run(self) -> None:
        """Pause, or resume."""
        self.session.pause()

    def stop_run(self) -> None:
        """Stop; the result is kept."""
        self.session.stop()

    def next_frame(self) -> None:
        """Look at the next frame."""
        self.session.step_frame(1)

    def previous_frame(self) -> None:
        """Look at the frame before."""
        self.session.step_frame(-1)

    # looks

    def reset_layout(self) -> None:
        """Put the docks where they stand by default."""
        settings.settings().remove("layout")
        if self.workspace is not None:
            self.workspace.lay_out()

    def full_screen(self) -> None:
        """Fill the screen, or go back."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def choose_theme(self, name: theme.Theme) -> None:
        """Take another theme."""
        theme.choose(name)
        self.run_bar.draw_icons()

    def follow_theme(self) -> None:
        """The system went light or dark."""
        theme.dress()
        self.run_bar.draw_icons()

    # drag and drop, closing

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Take files of this machine."""
        data = event.mimeData() if event is not None else None
        if event is not None and data is not None and any(url.isLocalFile() for url in data.urls()):
            self.start_page.show_drag(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:
        """The file was carried away."""
        self.start_page.show_drag(False)

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Open what was dropped."""
        self.start_page.show_drag(False)
        data = event.mimeData() if event is not None else None
        if event is not None and data is not None:
            event.acceptProposedAction()
            for url in data.urls():
                if url.isLocalFile():
                    self.open_path(url.toLocalFile())

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Close, unless that would lose something; then ask."""
        if event is None:
            return
        if not self._may_close and not self._leaving.ask():
            event.ignore()
            return
        kept = settings.settings()
        kept.setValue("geometry", self.saveGeometry())
        if self.workspace is not None:
            if self.workspace.arranged:
                kept.setValue("layout", self.workspace.layout_state())
            self.workspace.log.stop()
        self.session.live.close()
        self.session.tasks.close()
        event.accept()
        self.closed.emit()

    def leave(self) -> None:
        """Close without asking."""
        self._may_close = True
        self.close()


def _reading(path: str) -> str:
    return f"{Path(path).name} is being read…"
