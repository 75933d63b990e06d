"""What the frames do not need is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ptychogui.engine.penalties.penalty import Penalty, Term
from ptychogui.params import LIVE, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class Energy(Penalty):
    """R = Σ|O|², and Σ|P|² of the probe: of all solutions that explain the frames, the one of least energy. It empties
    what no frame lights, and the far rim of the probe; too strong, it dims both.

    Guzzi et al., Condens. Matter 6, 36 (2021), section 3.3, hold object and probe so.
    """

    strength: Annotated[NonNegative, LIVE] = 1e-3
    """Its weight against the data: with 1 a pixel listens to both alike. Too strong, it rules the picture."""

    def term(self, values: Tensor) -> Term:
        """|z|², whose slope is z."""
        import torch

        return Term(torch.vdot(values.flatten(), values.flatten()).real, values, torch.ones_like(values.real))
