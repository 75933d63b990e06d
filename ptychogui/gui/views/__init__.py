"""The docks of the window: one view each, made only when asked for, so that the window comes up before pyqtgraph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


DOCKS = (
    Dock("object_phase", "Object phase", "centre", _object_phase),
    Dock("object_amplitude", "Object amplitude", "centre", _object_amplitude),
    Dock("probe", "Probe", "centre", _probe),
    Dock("diffraction", "Diffraction", "centre", _diffraction),
    Dock("scan", "Scan", "centre", _scan),
    Dock("loss", "Loss", "centre", _loss),
    Dock("resolution", "Resolution", "centre", _resolution),
)


def link(views: Mapping[str, View]) -> None:
    """Let phase and amplitude show the same part of the object."""
    from ptychogui.gui.views.objects import ObjectView

    phase, amplitude = views.get("object_phase"), views.get("object_amplitude")
    if isinstance(phase, ObjectView) and isinstance(amplitude, ObjectView):
        phase.panel.link(amplitude.panel)
