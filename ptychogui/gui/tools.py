"""What the menu Tools does: each tool is a dialog of its own, made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

if TYPE_CHECKING:
    from ptychogui.gui.check_dialog import CheckDialog
    from ptychogui.gui.preflight import Preflight
    from ptychogui.gui.window import Window


class Tools(QObject):
    """The tools of a window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._preflight: Preflight | None = None

    @property
    def preflight(self) -> Preflight:
        """The quick check that runs by itself; made when first asked for, as its imports take a moment."""
        if self._preflight is None:
            from ptychogui.gui.preflight import Preflight

            self._preflight = Preflight(self._window.session)
        return self._preflight

    def show_lights(self) -> None:
        """Put the traffic lights of the preflight into the run bar."""
        from ptychogui.gui.preflight_strip import PreflightStrip

        strip = PreflightStrip(self.preflight, self._window.session, self._window.run_bar)
        strip.clicked.connect(lambda _: self.open_preflight())
        self._window.run_bar.add_strip(strip)

    def measure_resolution(self) -> None:
        """Measure the resolution of the selected result, and show its curve while it forms."""
        self._window.show_resolution()
        self._window.session.resolution.start()

    def open_preflight(self) -> CheckDialog:
        """Show what is known of the scan, with reasons and fixes."""
        from ptychogui.gui.check_dialog import CheckDialog

        dialog = CheckDialog(self._window.session, self.preflight, self._window)
        dialog.help_wanted.connect(self._window.networks.help)
        dialog.open()
        return dialog

    def check(self) -> None:
        """Look for everything that would spoil a run."""
        self.open_preflight().start()

    def find_steps(self) -> None:
        """Look for good step sizes by short runs."""
        from ptychogui.gui.steps_dialog import StepsDialog

        StepsDialog(self._window.session, self._window).open()

    def design(self) -> None:
        """Design the field that makes a wanted picture."""
        from ptychogui.gui.design_dialog import DesignDialog

        DesignDialog(self._window.session, self._window).open()
