"""A wall around the amplitudes that a sample can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ptychogui.engine.penalties.penalty import Penalty, Term
from ptychogui.params import LIVE, NonNegative, Positive

if TYPE_CHECKING:
    from torch import Tensor


class AmplitudeRange(Penalty):
    """R = Σ(|O| − nearest allowed amplitude)²: the object's amplitude may leave its range, but pays for it. Softer than
    `constraints.object_amplitude`, which clips; needs a probe power that is right.

    Guzzi et al., Condens. Matter 6, 36 (2021), section 3.3: a large penalty for what is out of the desired range.
    """

    strength: Annotated[NonNegative, LIVE] = 1.0
    """Its weight against the data: with 1 a pixel out of range listens to both alike."""
    minimum: Annotated[NonNegative, LIVE] = 0.0
    """The smallest amplitude that costs nothing; 0 lets a sample be black."""
    maximum: Annotated[Positive, LIVE] = 1.0
    """The largest amplitude that costs nothing; a sample that only absorbs has at most 1."""

    def term(self, values: Tensor) -> Term:
        """The square of the distance to the ring; its slope points away from it."""
        amplitude = values.abs()
        excess = amplitude - amplitude.clamp(self.minimum, self.maximum)
        gradient = values * (excess / amplitude.clamp_min(1e-12))
        return Term(excess.square().sum(), gradient, (excess != 0).to(excess.dtype))
