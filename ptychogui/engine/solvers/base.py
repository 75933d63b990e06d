"""What a solver is, and the one loop over stages, epochs, batches and constraints."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from ptychogui.params import ESSENTIAL, LIVE, Count, Fraction, Index, Params, Positive, RunError

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.constraints import Constraints
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State

_STEPS = 32
"""Steps in an epoch where the batch is not given: with as many, an epoch means the same for all scans."""
_SMALLEST = 4


@dataclass
class Update:
    """What one batch says of object and probe, ready to be summed over devices.

    Gradients ∂L/∂z* and, for solvers that divide by one, the weights of their quotients (else None). The object's part
    covers the canvas from pixel `begin`; `probe` is None while the probe is kept.
    """

    begin: tuple[int, int]
    obj: Tensor
    obj_weight: Tensor | None
    probe: Tensor | None
    probe_weight: Tensor | None
    loss: Tensor


class Solver(Params):
    """A solver is its parameters plus `begin`, `step` and `apply`; the loop is `iterate`."""

    kind: str
    epochs: Annotated[Count, ESSENTIAL, LIVE] = 50
    """How often every frame is used."""
    batch: Annotated[Count | None, LIVE] = None
    """Frames that are used together in one step. Small batches converge in fewer epochs, large ones take less time
    for each. Unset: chosen from the scan."""
    object_step: Annotated[Positive, ESSENTIAL, LIVE] = 1.0
    """How far the object moves in one step. Too large: the loss jumps and the picture breaks up; too small: slow."""
    probe_step: Annotated[Positive, ESSENTIAL, LIVE] = 1.0
    """How far the probe moves in one step."""
    final_step: Annotated[Fraction, LIVE] = 0.1
    """The part of both steps that is left in the last epoch: they shrink along a cosine, so that noise averages out."""
    probe_start: Annotated[Index, LIVE] = 1
    """The epoch after which the probe is refined; before it, only the object is."""

    def batch_size(self, problem: Problem, state: State) -> int:
        """The number of frames in a batch."""
        return min(self.batch or max(_SMALLEST, len(problem) // _STEPS), len(problem))

    def pace(self, done: int) -> float:
        """The part of the steps that is taken after `done` epochs of this stage."""
        part = min(done / max(self.epochs - 1, 1), 1.0)
        return self.final_step + (1 - self.final_step) * (1 + math.cos(math.pi * part)) / 2

    @abstractmethod
    def begin(self, problem: Problem, state: State) -> Any:
        """What the solver keeps between batches, made anew when it takes over."""

    @abstractmethod
    def step(self, problem: Problem, state: State, memory: Any, index: Tensor, done: int) -> Update:
        """What the frames `index` (b,) say after `done` epochs of this stage; changes nothing."""

    @abstractmethod
    def apply(self, problem: Problem, state: State, memory: Any, update: Update, pace: float) -> None:
        """Move object and probe in `state` by `pace` times the steps."""

    def settle(self, state: State, memory: Any) -> None:
        """Take note that the constraints have moved object and probe between two epochs."""


@dataclass(frozen=True)
class Plan:
    """The part of a job that the loop needs; it may be replaced while the loop runs."""

    stages: tuple[Solver, ...]
    constraints: Constraints
    seed: int = 0

    @property
    def epochs(self) -> int:
        """The epochs of all stages."""
        return sum(stage.epochs for stage in self.stages)

    def stage(self, number: int) -> Solver:
        """The solver of a stage; the last one where a changed plan has fewer."""
        return self.stages[min(number, len(self.stages) - 1)]


@dataclass(frozen=True)
class Iterate:
    """A state of the run, valid until the next is asked for.

    `epoch` counts finished epochs, `whole` is True right after one. `loss` (0-d) is Σ(√I − |Ψ|)² / ΣI over the frames
    of this epoch so far.
    """

    epoch: int
    state: State
    loss: Tensor
    whole: bool
    messages: tuple[str, ...] = ()


def iterate(problem: Problem, state: State, plan: Plan) -> Generator[Iterate, Plan | None, None]:
    """Run a plan: yields after every batch and every epoch; `send` a changed plan, `close` to stop.

    A stage goes on with its memory when its parameters change, and begins anew when its kind does. Running out of
    memory halves the batch and goes on.
    """
    import torch

    generator = torch.Generator().manual_seed(plan.seed)
    counts, epoch, limit, number = problem.counts, 0, len(problem), 0
    while number < len(plan.stages):
        solver, memory, done = plan.stage(number), None, 0
        while done < solver.epochs:
            if memory is None:
                memory = solver.begin(problem, state)
            loss, seen = torch.zeros((), device=problem.device), 0
            for index in problem.batches(solver.batch_size(problem, state), generator):
                step_loss, limit, messages = _advance(problem, state, solver, memory, index, done, limit)
                loss, seen = loss + step_loss, seen + len(index)
                share = counts * seen / len(problem)
                changed = yield Iterate(epoch, state, loss / share, whole=False, messages=messages)
                if changed is not None:
                    plan = changed
                    if plan.stage(number).kind != solver.kind:
                        memory = plan.stage(number).begin(problem, state)
                    solver = plan.stage(number)
            if not torch.isfinite(loss):
                raise RunError(f"The {solver.kind} solver ran away in epoch {epoch + 1}: take smaller steps.")
            plan.constraints.apply(problem, state)
            solver.settle(state, memory)
            epoch, done = epoch + 1, done + 1
            changed = yield Iterate(epoch, state, loss / counts, whole=True)
            if changed is not None:
                memory = memory if changed.stage(number).kind == solver.kind else None
                plan, solver = changed, changed.stage(number)
        number += 1


def _advance(
    problem: Problem, state: State, solver: Solver, memory: Any, index: Tensor, done: int, limit: int
) -> tuple[Tensor, int, tuple[str, ...]]:
    """One step over `index`, in pieces of at most `limit` frames; returns the loss and the limit that memory allows."""
    import torch

    losses: list[Tensor] = []
    messages: list[str] = []
    waiting = list(torch.split(index, limit))
    while waiting:
        part = waiting.pop(0)
        try:
            update = solver.step(problem, state, memory, part, done)
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error) or len(part) == 1:
                raise
            limit = len(part) // 2
            messages.append(f"Memory did not suffice for {len(part)} frames at once; going on with {limit}.")
            waiting = list(torch.split(torch.cat([part, *waiting]), limit))
            continue
        solver.apply(problem, state, memory, update, solver.pace(done))
        losses.append(update.loss)
    return sum(losses[1:], losses[0]), limit, tuple(messages)


def _out_of_memory(error: Exception) -> bool:
    import torch

    said = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "not enough memory" in said or "allocate" in said
