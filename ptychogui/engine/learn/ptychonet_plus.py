"""PtychoNet+: residual blocks, and a dilated network that refines the stitched picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ptychogui.engine.learn.network import Network
from ptychogui.params import Count

if TYPE_CHECKING:
    from ptychogui.engine.learn.layers import Guesser


class PtychoNetPlus(Network):
    """PtychoNet with residual blocks, and after stitching a dilated network that mends the seams.

    The report on PtychoNet+, section 4.2: dilations 1, 2, 4, 8, 16, 4, 2, 1 and a learned scale of the residual.
    """

    kind: Literal["ptychonet-plus"] = "ptychonet-plus"
    channels: Count = 32
    """Channels of the network that refines the stitched picture. Few: seams stay; many: it takes longer."""

    def build(self) -> Guesser:
        """The network with random weights."""
        from ptychogui.engine.learn.layers import Dilated

        return Dilated(self.pixels, self.width, self.amplitude, self.phase_rad, self.channels)
