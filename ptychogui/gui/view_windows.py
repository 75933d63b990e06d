"""One view over the whole screen, and copies of views in windows of their own, for a second screen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray, QChildEvent, QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QGuiApplication, QKeySequence, QMouseEvent, QScreen, QShortcut
from PyQt6.QtWidgets import QApplication, QDockWidget, QLabel, QMenu, QTabBar, QVBoxLayout, QWidget

from ptychogui.gui import settings
from ptychogui.gui.project_file import ViewPlace
from ptychogui.gui.views import DOCKS
from ptychogui.params import InputError

if TYPE_CHECKING:
    from ptychogui.gui.views.base import View
    from ptychogui.gui.window import Window
    from ptychogui.gui.workspace import Workspace

FIRST = "object_phase"
"""The view that is meant where none was touched yet."""
SIDE_PX = (760, 720)


class ViewWindow(QWidget):
    """A window with one view in it."""

    closed = pyqtSignal()

    def __init__(self, name: str, title: str, view: View) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setWindowTitle(f"{title} — ptychogui")
        self.view = view
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(view)
        view.show()
        self._keys: list[tuple[QShortcut, QAction]] = []

    def answer(self, key: QAction | str, slot: Callable[[], object]) -> None:
        """Call something at a key: a fixed one, or that of an action, also when the user changes it."""
        if isinstance(key, str):
            QShortcut(QKeySequence(key), self, slot)
            return
        self._keys.append((QShortcut(key.shortcut(), self, slot), key))
        key.changed.connect(self._take_keys)

    def _take_keys(self) -> None:
        for shortcut, action in self._keys:
            shortcut.setKey(action.shortcut())

    @property
    def place(self) -> str:
        """Screen, position, size, and whether it fills the screen, as Qt writes it."""
        return self.saveGeometry().toBase64().data().decode()

    def fill_screen(self) -> None:
        """Fill the screen, or go back."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Tell that the view is free."""
        self.closed.emit()
        super().closeEvent(event)


class ViewWindows(QObject):
    """The views of a window that stand elsewhere; what keys and menus mean is the view that had the keyboard last."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._touched = FIRST
        self.enlarged: ViewWindow | None = None
        self.torn: dict[str, ViewWindow] = {}
        self._count = 0
        self._restored = False
        window.ready.connect(self._begin)
        window.closed.connect(self._end)

    @property
    def _workspace(self) -> Workspace:
        self._window.make_workspace()
        assert self._window.workspace is not None
        return self._window.workspace

    def _begin(self) -> None:
        workspace = self._workspace
        workspace.installEventFilter(self)
        for bar in workspace.findChildren(QTabBar):
            bar.installEventFilter(self)
        for name, view in workspace.views.items():
            workspace.docks[name].installEventFilter(self)
            self._extend_menus(name, view)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._touch)
        self._window.session.current_changed.connect(self._restore_last)

    # from one start to the next

    @property
    def places(self) -> tuple[ViewPlace, ...]:
        """The views in windows of their own, and where these stand."""
        return tuple(ViewPlace(view=_kind(name), geometry=window.place) for name, window in self.torn.items())

    def restore(self, places: Iterable[ViewPlace]) -> None:
        """Let these views, and no others, stand in windows of their own."""
        self._restored = True
        for window in list(self.torn.values()):
            window.close()
        for place in places:
            if _may_tear(place.view):
                self.tear(place.view, place.geometry)

    def _restore_last(self) -> None:
        """With the first file come the windows that were there when the program was left."""
        if not self._restored and self._window.session.current is not None:
            self.restore(_last_places())

    def _end(self) -> None:
        if self._restored:
            kept = json.dumps([place.plain() for place in self.places])
            settings.settings().setValue("torn_views", kept)
        self.close_all()

    def _extend_menus(self, name: str, view: View) -> None:
        from ptychogui.gui.views.panel import ImagePanel

        for panel in view.findChildren(ImagePanel):
            panel.menu_extensions.append(partial(self._extend_menu, name))

    def _extend_menu(self, name: str, menu: QMenu) -> None:
        menu.addAction("View over the whole screen", partial(self.show_large, name))
        if _may_tear(name):
            menu.addAction("View in a window of its own", partial(self.tear, name))
        menu.addSeparator()

    # what keys and menus do

    def enlarge(self) -> None:
        """Fill the screen with the view that had the keyboard last."""
        self.show_large(self._meant)

    def tear_off(self) -> None:
        """Open that view in a window of its own, which follows the live run."""
        self.tear(self._meant if _may_tear(self._meant) else FIRST)

    def show_large(self, name: str) -> None:
        """Fill the screen with a view; Escape, or the same again, puts it back into its dock."""
        if self.enlarged is not None:
            self.enlarged.close()
            return
        workspace = self._workspace
        dock, view = workspace.docks[name], workspace.views[name]
        away = QLabel("This view fills the screen: Escape brings it back.", dock)
        away.setAlignment(Qt.AlignmentFlag.AlignCenter)
        away.setWordWrap(True)
        away.setProperty("role", "dim")
        self.enlarged = ViewWindow("large_view", dock.windowTitle(), view)
        for key in ("Esc", self._window.actions_by_id["enlarge"]):
            self.enlarged.answer(key, self.enlarged.close)
        dock.setWidget(away)
        self.enlarged.closed.connect(partial(self._put_back, dock, view))
        screen = self._window.screen()
        if screen is not None:
            self.enlarged.setGeometry(screen.geometry())
        self.enlarged.showFullScreen()
        view.setFocus()

    def _put_back(self, dock: QDockWidget, view: View) -> None:
        self.enlarged = None
        away = dock.widget()
        dock.setWidget(view)
        view.show()
        if away is not None:
            away.deleteLater()

    def tear(self, name: str, place: str = "") -> None:
        """Open a second view of this kind in a window of its own: where one was, or on another screen if there is one.

        Where that place is on no screen any more, Qt puts the window on one that is there.
        """
        spec = next(dock for dock in DOCKS if dock.name == name)
        self._count += 1
        own, view = f"{name} {self._count + 1}", spec.make()
        window = ViewWindow("torn_view", getattr(view, "title", spec.title), view)
        window.answer(self._window.actions_by_id["full_screen"], window.fill_screen)
        window.answer("Esc", window.showNormal)
        window.answer(self._window.actions_by_id["close_file"], window.close)
        window.closed.connect(partial(self._forget, own))
        if hasattr(view, "title_changed"):
            view.title_changed.connect(lambda title: window.setWindowTitle(f"{title} — ptychogui"))
        # what its buttons ask for is answered where the first view of its kind is connected
        for wish in (signal for signal in dir(type(view)) if signal.endswith("_wanted")):
            getattr(view, wish).connect(getattr(self._workspace.views[name], wish))
        self.torn[own] = window
        window.resize(*SIDE_PX)
        screen = self._other_screen()
        if not window.restoreGeometry(QByteArray.fromBase64(place.encode())) and screen is not None:
            window.move(screen.availableGeometry().topLeft())
        window.show()
        self._workspace.adopt(own, view)

    def _other_screen(self) -> QScreen | None:
        """A screen on which the window is not."""
        own = self._window.screen()
        return next((screen for screen in QGuiApplication.screens() if screen is not own), None)

    def _forget(self, name: str) -> None:
        self.torn.pop(name, None)
        self._workspace.views.pop(name, None)

    def close_all(self) -> None:
        """Put back and close what stands elsewhere."""
        for window in (self.enlarged, *self.torn.values()):
            if window is not None:
                window.close()

    # what is touched

    def _touch(self, _: QWidget | None, now: QWidget | None) -> None:
        self._touched = self._view_with(now) or self._touched

    def _view_with(self, inside: QWidget | None) -> str:
        """The view of the workspace that this widget belongs to; '' where it is none."""
        workspace = self._window.workspace
        if workspace is None or inside is None:
            return ""
        docks = ((name, dock) for name, dock in workspace.docks.items() if name in workspace.views)
        return next((name for name, dock in docks if dock.isAncestorOf(inside)), "")

    @property
    def _meant(self) -> str:
        """The view that has the keyboard, or had it last."""
        return self._view_with(self._window.focusWidget()) or self._touched

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """A double click on the title of a view's dock, or on its tab, fills the screen with it."""
        if isinstance(event, QChildEvent) and event.polished() and isinstance(bar := event.child(), QTabBar):
            bar.installEventFilter(self)
        if isinstance(watched, QDockWidget) and isinstance(event, QMouseEvent):
            inside, double = watched.widget(), event.type() == QEvent.Type.MouseButtonDblClick
            if double and inside is not None and event.position().y() < inside.y():
                self.show_large(watched.objectName())
                return True
        if isinstance(watched, QTabBar) and isinstance(event, QMouseEvent):
            index = watched.tabAt(event.position().toPoint())
            if event.type() == QEvent.Type.MouseButtonDblClick and index >= 0:
                self._large_of_tab(watched.tabText(index))
                return True
        return super().eventFilter(watched, event)

    def _large_of_tab(self, title: str) -> None:
        workspace = self._workspace
        for name in workspace.views:
            if name in workspace.docks and workspace.docks[name].windowTitle() == title.replace("&", ""):
                self.show_large(name)
                return


def _may_tear(name: str) -> bool:
    return any(dock.name == name and dock.may_tear for dock in DOCKS)


def _kind(name: str) -> str:
    """The name of the dock of which a torn-off view is a copy."""
    return name.rpartition(" ")[0]


def _last_places() -> list[ViewPlace]:
    try:
        return [ViewPlace.read(place) for place in json.loads(str(settings.settings().value("torn_views", "[]")))]
    except (ValueError, TypeError, InputError):
        return []
