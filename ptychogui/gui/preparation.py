"""Preparing the frames: the dialog, made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

if TYPE_CHECKING:
    from ptychogui.gui.preparation_dialog import PreparationDialog
    from ptychogui.gui.window import Window


class Preparing(QObject):
    """Opens the dialog of the window in which frames are prepared."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window

    def open(self) -> PreparationDialog:
        """Show the preparation of the selected file; one that is open comes to the front."""
        from ptychogui.gui.preparation_dialog import PreparationDialog

        dialog = self._window.findChild(PreparationDialog) or PreparationDialog(self._window.session, self._window)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
        return dialog
