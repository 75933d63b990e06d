"""What is imposed on probe and object between epochs; one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ptychogui.engine.constraints.object_amplitude import ObjectAmplitude
from ptychogui.engine.constraints.object_smooth import ObjectSmooth
from ptychogui.engine.constraints.orthogonal_modes import OrthogonalModes
from ptychogui.engine.constraints.probe_centred import ProbeCentred
from ptychogui.engine.constraints.probe_power import ProbePower
from ptychogui.engine.constraints.raster_pathology import RasterPathology
from ptychogui.params import Params

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class Constraints(Params):
    """What is imposed after each epoch, in this order; each can be switched on and off, also during a run."""

    probe_centred: ProbeCentred = ProbeCentred()
    """Keep the probe in the middle of its window."""
    orthogonal_modes: OrthogonalModes = OrthogonalModes()
    """Keep the probe's modes orthogonal, the strongest first."""
    raster_pathology: RasterPathology = RasterPathology()
    """Keep the period of a regular raster out of object and probe."""
    object_amplitude: ObjectAmplitude = ObjectAmplitude()
    """Keep the object's amplitude within a range."""
    object_smooth: ObjectSmooth = ObjectSmooth()
    """Keep noise out of the object's finest detail."""
    probe_power: ProbePower = ProbePower()
    """Keep the probe's power at what the frames count."""

    def apply(self, problem: Problem, state: State) -> None:
        """Impose those that are enabled."""
        for name in type(self).model_fields:
            constraint = getattr(self, name)
            if constraint.enabled:
                constraint.apply(problem, state)
