"""The docks of the window: one view each, made only when asked for, so that the window comes up before pyqtgraph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ptychogui.gui.views.base import View


@dataclass(frozen=True)
class Dock:
    """A view by its object name, with its title and the place where it starts."""

    name: str
    title: str
    area: Literal["left", "centre", "right"]
    build: Callable[[], View]
    may_tear: bool = False
    """Whether a second one can stand in a window of its own; it has no controls that act on a run."""

    def make(self) -> View:
        """The view itself."""
        view = self.build()
        view.setObjectName(f"{self.name}_view")
        return view


def _object_phase() -> View:
    from ptychogui.gui.views.objects import ObjectView

    return ObjectView("phase")


def _object_amplitude() -> View:
    from ptychogui.gui.views.objects import ObjectView

    return ObjectView("amplitude")


def _probe() -> View:
    from ptychogui.gui.views.probes import ProbeView

    return ProbeView()


def _diffraction() -> View:
    from ptychogui.gui.views.diffraction import DiffractionView

    return DiffractionView()


def _scan() -> View:
    from ptychogui.gui.views.scan import ScanView

    return ScanView()


def _loss() -> View:
    from ptychogui.gui.views.loss import LossView

    return LossView()


def _resolution() -> View:
    from ptychogui.gui.views.resolution import ResolutionView

    return ResolutionView()


def _history() -> View:
    from ptychogui.gui.history_view import HistoryView

    return HistoryView()


def _profile() -> View:
    from ptychogui.gui.views.profile import ProfileView

    return ProfileView()


def _spectrum() -> View:
    from ptychogui.gui.views.spectrum import SpectrumView

    return SpectrumView()


def _propagation() -> View:
    from ptychogui.gui.views.propagation import PropagationView

    return PropagationView()


def _live() -> View:
    from ptychogui.gui.views.live import LiveView

    return LiveView()


DOCKS = (
    Dock("object_phase", "Object phase", "centre", _object_phase, may_tear=True),
    Dock("object_amplitude", "Object amplitude", "centre", _object_amplitude, may_tear=True),
    Dock("probe", "Probe", "centre", _probe, may_tear=True),
    Dock("diffraction", "Diffraction", "centre", _diffraction, may_tear=True),
    Dock("scan", "Scan", "centre", _scan),
    Dock("loss", "Loss", "centre", _loss, may_tear=True),
    Dock("resolution", "Resolution", "centre", _resolution),
    Dock("profile", "Profile", "centre", _profile),
    Dock("spectrum", "Spectrum", "centre", _spectrum, may_tear=True),
    Dock("propagation", "Beam", "centre", _propagation, may_tear=True),
    Dock("history", "History", "centre", _history),
    Dock("live", "Live", "right", _live),
)
SIDES = {"browser": "Files and runs", "import_card": "Data", "parameters": "Parameters", "log": "Log"}
"""The titles of the docks beside the views."""


def link(views: Mapping[str, View]) -> None:
    """Let the pictures of the object show the same part and the same pointer, with one line over all of them."""
    from ptychogui.gui.views.line_tool import LineTool
    from ptychogui.gui.views.objects import ObjectView
    from ptychogui.gui.views.profile import ProfileView

    objects = [view for view in views.values() if isinstance(view, ObjectView)]
    profiles = [view for view in views.values() if isinstance(view, ProfileView)]
    if not objects:
        return
    line = LineTool(objects[0])
    for first, second in combinations(objects, 2):
        first.panel.link(second.panel)
    for view in objects:
        view.use_line(line)
    for profile in profiles:
        profile.use_line(line)
