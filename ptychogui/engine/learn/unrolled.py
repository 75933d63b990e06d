"""A network that is given the probe, and looks at the patterns again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ptychogui.engine.learn.network import Network
from ptychogui.params import Count, Index

if TYPE_CHECKING:
    from ptychogui.engine.learn.layers import Guesser


class Unrolled(Network):
    """A few learned iterations: each sees the picture so far, what the patterns say against it, and the illumination.

    What the patterns say is the step of an ePIE with all frames, so the network knows probe and scan, neighbours tell
    each other which of two twins is right, and other probes than those of its training may be given to it.
    """

    kind: Literal["unrolled"] = "unrolled"
    width: Index = 0
    """Channels of a PtychoNet that makes the picture to begin with; 0: begin with the mean of all samples, which
    suits probes that the training has not seen."""
    looks: Annotated[Count, Field(le=100)] = 12
    """How often it looks at the patterns. Few: twins stay in the picture; many: it takes longer."""
    taught: Count = 5
    """Looks in a row that a training step teaches, anywhere among all; those before them are made without learning.
    Few: each is taught for itself and not for what follows; many: a step takes longer and more memory."""
    channels: Count = 24
    """Channels of the network that makes a step, on the finest of its four scales. Few: it learns fast and sees less;
    many: it takes longer."""

    @property
    def knows_probe(self) -> bool:
        """Yes, unless a PtychoNet begins, which does not."""
        return self.width == 0

    def build(self) -> Guesser:
        """The network with random weights."""
        from ptychogui.engine.learn.layers import Looking

        ranges = self.amplitude, self.phase_rad
        return Looking(self.pixels, self.width, *ranges, self.channels, looks=self.looks, taught=self.taught)
