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
from ptychogui.layout import AnyLayout
from ptychogui.params import Count, Index, InputError, NonNegative, Params, format_quantity

Array = NDArray[np.float64]
Photons = Annotated[float, Field(gt=0, le=1e15)]
Side = Annotated[Count, Field(ge=8)]
MOST_PX = 8192
"""A scan that spreads over more pixels of the object is a mistake in its step or field."""


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
    scan: AnyLayout | None = None
    """Where the probe stands, instead of the recipe's own scan: a pattern with its step and field on the sample."""

    @property
    def name(self) -> str:
        """The name of the recipe, its `kind`."""
        return str(type(self).model_fields["kind"].default)

    @abstractmethod
    def scene(self, rng: Generator) -> Scene:
        """Everything that the frames follow from, without noise and without the errors of the instrument."""

    def placed_px(self, own_px: Array, geometry: Geometry) -> Array:
        """The positions (N, 2) in pixels of the object: those of `scan`, or without one the recipe's own.

        Raises `InputError` where they spread too far.
        """
        if self.scan is None:
            return own_px
        placed: Array = self.scan.points_m() / np.asarray(geometry.pixel_m)
        if not len(placed):
            raise InputError("The layout `scan` has no points: choose a smaller step or a larger field.")
        spread_px = np.ptp(placed, axis=0).max()
        if spread_px > MOST_PX:
            raise InputError(
                f"The layout `scan` spreads over {spread_px:.0f} pixels of the object: "
                f"give step and field that suit a pixel of {format_quantity(min(geometry.pixel_m), 'm')}."
            )
        return placed

    def dark_frames(self) -> NDArray[np.uint16] | None:
        """A series of dark frames (K, ny, nx), where the instrument takes one."""
        return None


def radius_px(positions_px: Array) -> float:
    """How far a scan reaches from its middle."""
    return float(np.hypot(*positions_px.T).max())
