"""What helps a person along: palette, keys, help, the first steps, presets of one's own, and About."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QApplication, QWidget

from ptychogui.gui.view_windows import ViewWindow

if TYPE_CHECKING:
    from ptychogui.gui.window import Window


class Guidance(QObject):
    """The guidance of a window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._offer_help)

    def _offer_help(self, _: QWidget | None, now: QWidget | None) -> None:
        """Let the key of help work in a dialog, or in a view's window, too; one that is modal takes no other keys."""
        window, top = self._window, now.window() if now is not None else None
        owner = top
        while owner is not None and owner.parentWidget() is not None:
            owner = owner.parentWidget()
        if top is None or top is window or not (owner is window or isinstance(owner, ViewWindow)):
            return
        entry = window.actions_by_id["help"]
        if entry not in top.actions():
            top.addAction(entry)

    def palette(self) -> None:
        """Find an action, a parameter, a file or a run by typing."""
        from ptychogui.gui.palette import CommandPalette

        CommandPalette(self._window).open()

    def shortcuts(self) -> None:
        """The list of keys, in which they can be changed."""
        from ptychogui.gui.shortcuts import ShortcutsDialog

        ShortcutsDialog(self._window.actions_by_id, self._window).open()

    def show_parameter(self, name: str) -> None:
        """Put the keyboard into the field of a parameter, named by its dotted path."""
        self._window.show_parameters()
        if self._window.workspace is not None:
            self._window.workspace.form.reveal(name)

    def about(self) -> None:
        """What this program is, and how fast this machine is."""
        from ptychogui.gui.about import AboutDialog

        AboutDialog(self._window.session.tasks, self._window).open()

    def presets(self) -> None:
        """The presets: use one, keep the parameters as one, hand one on."""
        from ptychogui.gui.presets_dialog import PresetsDialog

        PresetsDialog(self._window.session, self._window).open()

    def help(self) -> None:
        """The page of help about what has the keyboard."""
        from ptychogui.gui.help_window import show_help, topic_of

        show_help(self._window, topic_of(QApplication.focusWidget() or self._window.focusWidget()))

    def tour(self) -> None:
        """The first run in four steps."""
        self._window.first_steps.begin()
