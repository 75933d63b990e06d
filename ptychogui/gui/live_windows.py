"""What the menus do with live sources: connect, disconnect, save the frames, and the control room."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject

from ptychogui.gui.session import Session

if TYPE_CHECKING:
    from ptychogui.gui.live_room import ControlRoom
    from ptychogui.gui.live_settings import Listening
    from ptychogui.gui.opened import Run
    from ptychogui.gui.views.live import LiveView
    from ptychogui.gui.window import Window


def why_no_connecting(session: Session) -> str:
    """Why no source can be connected to; '' where one can."""
    return "A source is connected: disconnect it first" if session.live.connected else session.live.unready


def why_no_disconnecting(session: Session) -> str:
    """Why no source can be disconnected; '' where one can."""
    return "" if session.live.connected else "No source is connected"


class LiveWindows(QObject):
    """Connects the live dock and the control room with the session."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self.room: ControlRoom | None = None
        window.ready.connect(self._begin)
        window.closed.connect(self._close_room)
        self._session.live.changed.connect(self._show)
        self._session.grown.connect(self._show_planned)
        self._session.current_changed.connect(self._show_planned)
        self._session.state_changed.connect(self._show_buttons)

    @property
    def _view(self) -> LiveView:
        self._window.make_workspace()
        assert self._window.workspace is not None
        view: LiveView = self._window.workspace.views["live"]
        return view

    def _begin(self) -> None:
        view = self._view
        view.changed.connect(self._changed)
        view.action_wanted.connect(lambda name: self._window.actions_by_id[name].trigger())
        view.form.problem_changed.connect(lambda _: self._changed(view.listening))
        self._changed(view.listening)
        self._show()

    # what the menus do

    def open(self) -> None:
        """The dock with the form of the source, also while nothing is open."""
        view = self._view
        assert self._window.workspace is not None
        self._window.stack.setCurrentWidget(self._window.workspace)
        self._window.run_bar.show()
        self._window.workspace.reveal("live")
        view.form.setFocus()

    def connect_source(self) -> None:
        """Listen to the source that the form describes."""
        self.open()
        view = self._view
        self._session.live.connect_to(view.listening)

    def disconnect_source(self) -> None:
        """Listen no more."""
        self._session.live.disconnect_from()

    def save(self) -> None:
        """Save the frames of this scan and of those that follow, or no more of the next ones."""
        view = self._view
        new = view.listening.model_copy(update={"save_frames": not view.listening.save_frames})
        view.form.set_params(new)
        view.take(new)
        what = f"are saved in {new.place} from now on" if new.save_frames else "of the next scans are not saved"
        self._session.tell("info", f"The frames {what}.")

    def control_room(self) -> None:
        """One window over the whole screen with what a control room needs; the same again, or Escape, closes it."""
        from ptychogui.gui.live_room import ControlRoom

        if self.room is not None:
            self.room.close()
            return
        self.open()
        workspace = self._window.workspace
        assert workspace is not None
        self.room = ControlRoom()
        self.room.closed.connect(partial(self._forget_room, list(self.room.views)))
        screen = self._window.screen()
        if screen is not None:
            self.room.setGeometry(screen.geometry())
        self.room.showFullScreen()
        for name, view in self.room.views.items():
            workspace.adopt(f"{name} room", view)
        self._show_planned()
        self._show()

    # what is shown

    def _changed(self, listening: Listening) -> None:
        from ptychogui.gui.live_settings import why_unready

        self._session.live.unready = self._view.form.problem or why_unready(listening.source)
        self._session.live.change(listening)
        self._session.state_changed.emit()

    def _forget_room(self, names: list[str]) -> None:
        self.room = None
        if self._window.workspace is not None:
            for name in names:
                self._window.workspace.views.pop(f"{name} room", None)

    def _close_room(self) -> None:
        if self.room is not None:
            self.room.close()

    def _latest_run(self) -> Run | None:
        scans = self._session.live.scans
        return scans[-1].run if scans else None

    def _show(self) -> None:
        if self._window.workspace is None:
            return
        status = self._session.live.status
        self._view.show_status(status)
        if self.room is not None:
            self.room.show_status(status, self._latest_run())

    def _show_buttons(self) -> None:
        if self._window.workspace is None:
            return
        session, view = self._session, self._view
        view.form.set_running(session.live.connected)
        view.show_enabled("live_connect", why_no_connecting(session))
        view.show_enabled("live_disconnect", why_no_disconnecting(session))

    def _show_planned(self) -> None:
        """Tell the views of the scan where frames are still to come."""
        workspace, opened = self._window.workspace, self._session.current
        if workspace is None:
            return
        scan = next((scan for scan in self._session.live.scans if scan.opened is opened), None)
        known = scan.known if scan is not None else None
        for view in workspace.views.values():
            if hasattr(view, "show_planned"):
                _tell_planned(view, known)


def _tell_planned(view: Any, known: Any) -> None:
    view.show_planned(known.to_come_m if known is not None else None)
