"""What the menu Tools does: each tool is a dialog of its own, made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

if TYPE_CHECKING:
    from ptychogui.gui.window import Window


class Tools(QObject):
    """The tools of a window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window

    def measure_resolution(self) -> None:
        """Measure the resolution of the selected result, and show its curve while it forms."""
        self._window.show_resolution()
        self._window.session.resolution.start()

    def check(self) -> None:
        """Look for what would spoil a run."""
        from ptychogui.gui.check_dialog import CheckDialog

        dialog = CheckDialog(self._window.session, self._window)
        dialog.open()
        dialog.start()

    def find_steps(self) -> None:
        """Look for good step sizes by short runs."""
        from ptychogui.gui.steps_dialog import StepsDialog

        StepsDialog(self._window.session, self._window).open()

    def design(self) -> None:
        """Design the field that makes a wanted picture."""
        from ptychogui.gui.design_dialog import DesignDialog

        DesignDialog(self._window.session, self._window).open()
