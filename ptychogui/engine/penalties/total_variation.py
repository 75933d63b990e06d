"""The object is flat but for its edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ptychogui.engine.penalties.penalty import Penalty, Term

if TYPE_CHECKING:
    from torch import Tensor

_ROUNDED = 0.05
"""The difference of neighbours below which the penalty is a parabola, so that steps along it do not rattle."""


class TotalVariation(Penalty):
    """R = Σ√(|∇O|² + ε²) − ε: the object is flat but for its edges, which stay sharp. For samples of few materials at
    low counts, and for few frames; too strong, it paints patches where there is a slope.

    Rudin, Osher & Fatemi, Physica D 60, 259 (1992), on the complex object.
    """

    def term(self, values: Tensor) -> Term:
        """Lengths of the gradient, rounded; curvature as of the parabola that touches from above."""
        import torch

        from ptychogui.engine.penalties.differences import differences, divergence

        down, right = differences(values)
        length = (down.abs().square() + right.abs().square() + _ROUNDED**2).sqrt()
        along = 0.5 / length
        weight = 2 * along
        weight[..., 1:, :] += along[..., :-1, :]
        weight[..., :, 1:] += along[..., :, :-1]
        return Term((length - _ROUNDED).sum(), -divergence(down * along, right * along), 2 * torch.as_tensor(weight))
