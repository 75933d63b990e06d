"""What a network is."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from ptychogui.params import ESSENTIAL, Angle, Count, Params

if TYPE_CHECKING:
    from ptychogui.engine.learn.layers import Guesser


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        raise ValueError("must be a power of two")
    return value


class Network(Params):
    """A network is its parameters plus `build`."""

    pixels: Annotated[int, Field(ge=16, le=512), AfterValidator(_power_of_two), ESSENTIAL] = 64
    """Side n of the patterns that it takes, a power of two. Larger patterns are cut to their middle, so that its
    picture has larger pixels; iterations add the rest. Twice the side costs four times the work."""
    width: Annotated[Count, ESSENTIAL] = 16
    """Channels behind the first layer, of which the deepest have eight times as many. Wide networks see more and take
    longer to train: 16 on a processor, 64 on a graphics card."""
    amplitude: tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(gt=0)]] = (0.5, 1.0)
    """Least and largest amplitude of a sample, in training and in what the network says. A range that is too narrow
    clips the picture, one too wide blurs it."""
    phase_rad: tuple[Angle, Angle] = (-math.pi / 3, 0.0)
    """Least and largest phase of a sample in radians, in training and in what the network says; only the span counts,
    since no pattern tells a constant phase."""

    @property
    def transmission(self) -> float:
        """The mean |O|² of samples whose amplitudes are spread evenly over their range."""
        low, high = self.amplitude
        return (low * low + low * high + high * high) / 3

    @property
    def knows_probe(self) -> bool:
        """Whether it is given the probe, so that another one than that of its training may do."""
        return False

    @abstractmethod
    def build(self) -> Guesser:
        """The network with random weights."""
