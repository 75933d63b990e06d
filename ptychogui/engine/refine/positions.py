"""Where each frame lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ptychogui.engine.refine.unknown import Unknown
from ptychogui.params import ESSENTIAL, LIVE, Fraction, Index, NonNegative, Positive

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.engine.tangents import Unknowns

_AT_LIMIT = 0.2
"""The part of the frames that may stand at the limit before the refinement counts as run away."""

_FEWEST = 9
"""The least frames from whose corrections a linear map is taken out."""


@dataclass
class Places:
    """The last steps (N, 2), and the epochs so far."""

    speed_px: Tensor
    epochs: int = 0


class PositionsUnknown(Unknown):
    """The position of every frame, by Gauss-Newton steps on the loss of that frame.

    Unknowns are corrections of what the scan says; an L1 term keeps those at nothing that the data do not ask for
    (Guzzi et al., Condens. Matter 6, 36 (2021)).
    """

    tangents: ClassVar[frozenset[str]] = frozenset({"positions"})

    enabled: Annotated[bool, ESSENTIAL, LIVE] = True
    """Whether the positions are refined. Off saves a third of the time, where the stage is trusted to a fraction of a
    pixel."""
    expected_px: Annotated[Positive, LIVE] = 1.0
    """How far frames are off, as a standard deviation: those with few counts stay nearer to where the scan says."""
    momentum: Annotated[Fraction, LIVE] = 0.5
    """How much of the last step is added to the next: nearer to 1 is quicker where errors are large, and swings
    longer."""
    largest_px: Annotated[Positive, LIVE] = 1.0
    """The longest step of a frame in one epoch, in pixels of the stage, which may be reduced. Larger may leave the
    right place."""
    limit_px: Positive = 24.0
    """The largest correction of a frame; where many reach it, the refinement has run away and is given up."""
    strays_every: Annotated[Index, LIVE] = 8
    """Every so many epochs, frames that fit far worse than others are tried at places all around, within the limit. 0:
    never."""
    sparsity: Annotated[NonNegative, LIVE] = 0.0
    """The L1 term: by how many pixels an average frame's correction shrinks in one epoch."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Start at rest."""
        return Places(state.position_px.new_zeros(state.position_px.shape))

    def grow(self, problem: Problem, memory: Any) -> None:
        """New frames are at rest."""
        import torch

        more = len(problem) - len(memory.speed_px)
        memory.speed_px = torch.cat([memory.speed_px, memory.speed_px.new_zeros((more, 2))])

    def take(self, problem: Problem, state: State, memory: Any, found: Unknowns, pace: float) -> None:
        """Move the frames of a batch."""
        import torch

        normal = found.normal[:, :2, :2].clone()
        gradient = found.gradient[:, :2]
        # twice the loss is the negative logarithm of a likelihood of counts, and this that of a Gaussian prior
        prior = (problem.reduction / self.expected_px) ** 2 / 2
        gradient = gradient + prior * (state.position_px - state.nominal_px)[found.index]
        normal.diagonal(dim1=1, dim2=2).add_(prior)
        trace = normal.diagonal(dim1=1, dim2=2).sum(1)
        normal.diagonal(dim1=1, dim2=2).add_((1e-3 * trace + 1e-12 * trace.max() + 1e-300)[:, None])
        step = -torch.linalg.solve(normal, gradient)
        step = step * self.step + self.momentum * memory.speed_px[found.index]
        length = torch.linalg.vector_norm(step, dim=1, keepdim=True)
        step = step * (self.largest_px * pace / length.clamp_min(1e-9)).clamp(max=1)
        memory.speed_px[found.index] = step
        now = state.position_px[found.index]
        nominal = state.nominal_px[found.index]
        wanted = now + step - nominal
        if self.sparsity:
            wanted = wanted.sign() * (wanted.abs() - self.sparsity * pace).clamp_min(0)
        limit = self.limit_px / problem.reduction
        wanted = nominal + wanted.clamp(-limit, limit)
        state.move(found.index, state.inside(wanted) - now)

    def settle(self, problem: Problem, state: State, memory: Any, pace: float) -> str:
        """Remove what all corrections have in common; give up where many frames stand at the limit.

        The mean is the object's place. Of scale, rotation and shear, single frames say so little that these drift.
        """
        from ptychogui.engine.refine.strays import reset

        correction, limit = state.position_px - state.nominal_px, self.limit_px / problem.reduction
        if float((correction.abs().amax(1) >= 0.999 * limit).double().mean()) > _AT_LIMIT:
            state.move_to(state.nominal_px)
            return (
                f"The positions ran away: a fifth of the frames wanted to move by more than {self.limit_px:g} pixels. "
                "They are where the scan says again, and are not refined any more."
            )
        common = _affine_part(state.nominal_px, correction)
        state.move_to(state.inside(state.position_px - common))
        memory.epochs += 1
        if self.strays_every and memory.epochs % self.strays_every == 0:
            memory.speed_px[reset(problem, state, limit)] = 0
        return ""


def _affine_part(place: Tensor, correction: Tensor) -> Tensor:
    """The mean and linear map of their places (N, 2) that come closest to the corrections (N, 2)."""
    import torch

    mean = correction.mean(0)
    if len(place) < _FEWEST:
        return mean
    centred = place - place.mean(0)
    square = centred.mT @ centred
    square = square + 1e-9 * square.diagonal().sum() * torch.eye(2, dtype=square.dtype, device=square.device)
    linear: Tensor = centred @ torch.linalg.solve(square, centred.mT @ (correction - mean))
    return mean + linear
