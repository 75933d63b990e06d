"""PtychoNet: an encoder and a decoder, a patch of the object for every pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ptychogui.engine.learn.network import Network

if TYPE_CHECKING:
    from ptychogui.engine.learn.layers import Guesser


class PtychoNet(Network):
    """Every pattern is encoded to a point and decoded to amplitude and phase of a patch; patches are stitched.

    Guan & Tsai, PtychoNet (BMVC 2019). It knows the probe only from its training.
    """

    kind: Literal["ptychonet"] = "ptychonet"

    def build(self) -> Guesser:
        """The network with random weights."""
        from ptychogui.engine.learn.layers import Stitched

        return Stitched(self.pixels, self.width, self.amplitude, self.phase_rad, residual=False)
