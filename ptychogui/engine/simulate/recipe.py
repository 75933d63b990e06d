"""What every recipe has, and what it makes: a scene, from which the frames follow."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from ptychogui.engine.simulate.objects import Transmission
from ptychogui.geometry import Geometry
from ptychogui.params import Count, Index, NonNegative, Params

Array = NDArray[np.float64]
Photons = Annotated[float, Field(gt=0, le=1e15)]
Side = Annotated[Count, Field(ge=8)]


@dataclass(frozen=True)
class Scene:
    """What is measured: modes (M, ny, nx) of any brightness, positions (N, 2) in pixels around the middle of the scan.

    `obj(y, x)` gives the transmission at pixels from that middle. An object that has an end counts in errors over
    `extent_px` (ny, nx) pixels around the middle; without it, where light falls. `guess` (M, ny, nx) is what the file
    says of the probe. In the near field the wave is computed on `padding_px` more pixels at each side of the detector.
    """

    geometry: Geometry
    probe: NDArray[np.complex128]
    positions_px: Array
    obj: Transmission
    extent_px: tuple[int, int] | None = None
    guess: NDArray[np.complex128] | None = None
    padding_px: int = 0


class Recipe(Params):
    """A simulated experiment."""

    seed: Index = 0
    """The same seed gives the same data."""
    photons: Photons = 1e6
    """Counts in the probe, for each frame."""
    shape: tuple[Side, Side] = (128, 128)
    """Rows and columns of the detector."""
    position_error_px: NonNegative = 0.0
    """Standard deviation of the error of the positions that the file states, in y and in x."""
    distance_error: Annotated[float, Field(gt=-1, lt=10)] = 0.0
    """Relative error of the distance that the file states."""

    @property
    def name(self) -> str:
        """The name of the recipe, its `kind`."""
        return str(type(self).model_fields["kind"].default)

    @abstractmethod
    def scene(self, rng: Generator) -> Scene:
        """Everything that the frames follow from, without noise and without the errors of the instrument."""

    def dark_frames(self) -> NDArray[np.uint16] | None:
        """A series of dark frames (K, ny, nx), where the instrument takes one."""
        return None


def radius_px(positions_px: Array) -> float:
    """How far a scan reaches from its middle."""
    return float(np.hypot(*positions_px.T).max())
