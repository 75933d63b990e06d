"""What a solver is, and the one loop over stages, epochs, batches and constraints."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ptychogui.engine.penalties import Penalties
from ptychogui.engine.refine import Refine, Refining
from ptychogui.engine.stopping import Stopping, Watch
from ptychogui.params import ESSENTIAL, LIVE, Count, Fraction, Index, Params, Positive, RunError

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.coarse import Level
    from ptychogui.engine.constraints import Constraints
    from ptychogui.engine.crew import Crew, Shard
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.engine.tangents import Unknowns

_SMALLEST = 4


@dataclass
class Update:
    """What one shard says of object and probe.

    Gradients ∂L/∂z* and, for solvers that divide by one, the weights of their quotients (else None). `obj` is on the
    part of the canvas that the batch touches; `probe` is None while the probe is kept. `unknowns` are the others.
    """

    obj: Tensor
    obj_weight: Tensor | None
    probe: Tensor | None
    probe_weight: Tensor | None
    loss: Tensor
    unknowns: Unknowns | None = None

    def add(self, other: Update) -> None:
        """Take in what another shard of the same batch says."""
        if self.unknowns is not None and other.unknowns is not None:
            self.unknowns.add(other.unknowns)
        for name in ("obj", "obj_weight", "probe", "probe_weight", "loss"):
            mine = getattr(self, name)
            if mine is not None:
                mine += getattr(other, name)

    def weigh(self, crew: Crew, state: State, begin: tuple[int, int]) -> None:
        """Look at the frames again, now that the whole batch is known; most solvers have no need."""


class Solver(Params):
    """A solver is its parameters plus `begin`, `step` and `apply`; the loop is `iterate`."""

    steps_per_epoch: ClassVar[int] = 32
    """Steps in an epoch where the batch is not given: with as many, an epoch means the same for all scans."""
    together: ClassVar[bool] = False
    """Whether all frames make one step: the updates of the epoch's batches are summed and applied at its end."""

    explores: ClassVar[bool] = False
    """Whether object and probe wander on their way, so that positions and other unknowns have to wait for the next
    stage."""

    kind: str
    epochs: Annotated[Count, ESSENTIAL, LIVE] = 50
    """How often every frame is used. Too few: the picture is unfinished; too many cost time and, at low counts, add
    noise."""
    batch: Annotated[Count | None, LIVE] = None
    """Frames that are used together in one step. Small batches converge in fewer epochs, large ones take less time
    for each. Unset: chosen from the scan."""
    object_step: Annotated[Positive, ESSENTIAL, LIVE] = 1.0
    """How far the object moves in one step. Too large: the loss jumps and the picture breaks up; too small: slow."""
    probe_step: Annotated[Positive, LIVE] = 1.0
    """How far the probe moves in one step. Too large: the probe breaks up, often together with the object."""
    final_step: Annotated[Fraction, LIVE] = 0.1
    """The part of both steps that is left in the last epoch: they shrink along a cosine, so that noise averages out."""
    probe_start: Annotated[Index, LIVE] = 0
    """The epoch after which the probe is refined; before it, only the object is, which helps where the probe is
    known well."""
    reduction: Count = 1
    """Solve this stage on pixels so many times as large: 2, 4 or 8, or as many as the frames can be divided by. What is
    far off, positions or the distance, is found there first, and quickly; stages with 8, 4, 2 and 1 go from coarse to
    fine."""

    def batch_size(self, frames: int) -> int:
        """The number of frames in a batch of a scan with so many."""
        return min(self.batch or max(_SMALLEST, frames // self.steps_per_epoch), frames)

    def pace(self, done: int) -> float:
        """The part of the steps that is taken after `done` epochs of this stage."""
        part = min(done / max(self.epochs - 1, 1), 1.0)
        return self.final_step + (1 - self.final_step) * (1 + math.cos(math.pi * part)) / 2

    @abstractmethod
    def begin(self, problem: Problem, state: State) -> Any:
        """What the solver keeps between batches, made anew when it takes over."""

    @abstractmethod
    def step(self, problem: Problem, state: State, memory: Any, shard: Shard, done: int) -> Update:
        """What the frames of a shard say after `done` epochs of this stage; changes nothing, runs in any thread."""

    @abstractmethod
    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """Move object and probe in `state` by `pace` times the steps; the update's object lies from pixel `begin`."""

    def grown(self, problem: Problem, state: State, memory: Any, *, wider: bool) -> Any:
        """What it keeps from here on, after frames have come; where the canvas has become wider it is made anew."""
        return self.begin(problem, state) if wider else memory

    def settle(self, state: State, memory: Any) -> None:
        """Take note that the constraints have moved object and probe between two epochs."""


@dataclass(frozen=True)
class Plan:
    """The part of a job that the loop needs; it may be replaced while the loop runs."""

    stages: tuple[Solver, ...]
    constraints: Constraints
    seed: int = 0
    refine: Refine = field(default_factory=Refine.nothing)
    stop: Stopping = field(default_factory=lambda: Stopping(held_out=0))
    penalties: Penalties = field(default_factory=Penalties)

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
    of this epoch so far. `stage` is the place of the solver at work in the plan, `level` the pixels that it works on.
    """

    epoch: int
    level: Level
    loss: Tensor
    whole: bool
    messages: tuple[str, ...] = ()
    stage: int = 0

    @property
    def state(self) -> State:
        """Object, probe and positions now; on larger pixels where the stage has a `reduction`."""
        return self.level.state


def iterate(problem: Problem, state: State, plan: Plan) -> Generator[Iterate, Plan | None, None]:
    """Run a plan: yields after every batch and every epoch; `send` a changed plan, `close` to stop.

    A stage goes on with its memory when its parameters change, and begins anew when its kind does. Running out of
    memory halves the batch and goes on. Raises `RunError` where the loss is no number any more.
    """
    import torch

    from ptychogui.engine.coarse import at_level
    from ptychogui.engine.crew import Crew

    generator = torch.Generator().manual_seed(plan.seed)
    epoch, number, given_up = 0, 0, set[str]()
    problem.held_out = plan.stop.pixels(problem, state, plan.seed)
    with closing(Crew(problem.device)) as crew:
        while number < len(plan.stages):
            with at_level(problem, state, plan.stage(number).reduction) as level:
                turn = Turn(
                    level,
                    crew,
                    plan.stage(number),
                    Refining(level, plan.refine, given_up, plan.stage(number).explores),
                    plan.penalties,
                )
                while turn.done < turn.solver.epochs:
                    loss, seen = torch.zeros((), device=problem.device), 0
                    turn.refining.open(epoch)
                    for index in problem.batches(turn.solver.batch_size(len(problem)), generator):
                        step_loss, messages = turn.advance(index)
                        loss, seen = loss + step_loss, seen + len(index)
                        share = level.problem.counts * seen / len(problem)
                        changed = yield Iterate(epoch, level, loss / share, False, messages, number)
                        if changed is not None:
                            plan = changed
                            turn.change(plan, number)
                    turn.finish_epoch()
                    loss = loss / level.problem.counts
                    messages = turn.settle(plan, epoch, float(loss))
                    epoch += 1
                    changed = yield Iterate(epoch, level, loss, True, messages, number)
                    if changed is not None:
                        plan = changed
                        turn.change(plan, number)
            number += 1


@dataclass
class Turn:
    """A stage at work: its solver and memory, its finished epochs, and the frames at once that memory allows."""

    level: Level
    crew: Crew
    solver: Solver
    refining: Refining
    penalties: Penalties
    done: int = 0
    memory: Any = field(init=False)
    limit: int = field(init=False)
    known: int = field(init=False)
    """The frames that it knows of, where a scan grows."""
    gathered: Update | None = None
    """The sum of the updates so far, where all frames make one step."""
    last: int | None = None
    """The epoch with which it ends, where it has nothing more to gain."""
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.limit = self.known = len(self.problem)
        self.memory = self.solver.begin(self.problem, self.state)
        self.watch = Watch(self.problem, self.state)

    @property
    def problem(self) -> Problem:
        """What is solved in this stage."""
        return self.level.problem

    @property
    def state(self) -> State:
        """Its state."""
        return self.level.state

    def change(self, plan: Plan, number: int) -> None:
        """Go on with other parameters, or begin anew with another kind."""
        solver, self.refining.refine, self.penalties = plan.stage(number), plan.refine, plan.penalties
        self.refining.explores = solver.explores
        if solver.kind != self.solver.kind:
            self.memory, self.gathered = solver.begin(self.problem, self.state), None
        self.solver = solver if self.last is None else _shortened(solver, self.last)

    def grow(self, *, wider: bool) -> None:
        """Go on with more frames; `wider` says that the canvas has grown too."""
        self.memory = self.solver.grown(self.problem, self.state, self.memory, wider=wider)
        self.refining.grow()
        self.limit = max(self.limit, len(self.problem)) if self.limit >= self.known else self.limit
        self.known = len(self.problem)

    def finish_epoch(self) -> None:
        """Apply what an epoch has gathered."""
        if self.gathered is not None:
            update, self.gathered = self.gathered, None
            self._apply((0, 0), update, 1.0)

    def settle(self, plan: Plan, epoch: int, loss: float) -> tuple[str, ...]:
        """End an epoch, after which the stage may be shorter; returns messages. Raises `RunError`."""
        if not math.isfinite(loss):
            raise RunError(f"The {self.solver.kind} solver ran away in epoch {epoch + 1}: take smaller steps.")
        said = self.refining.settle(self.pace)
        plan.constraints.apply(self.problem, self.state)
        self.solver.settle(self.state, self.memory)
        self.done += 1
        last, messages = self.watch.settle(plan.stop, loss, self.done, self.solver.epochs)
        if last != self.solver.epochs:
            self.last, self.solver = last, _shortened(self.solver, last)
        return said + messages

    @property
    def pace(self) -> float:
        """The part of the steps that is taken now."""
        return self.solver.pace(self.done)

    def _apply(self, begin: tuple[int, int], update: Update, share: float) -> None:
        self.penalties.add(self.problem, self.state, begin, update, share)
        update.weigh(self.crew, self.state, begin)
        self.solver.apply(self.problem, self.state, self.memory, begin, update, self.pace)
        self.refining.take(update.unknowns, self.pace)

    def advance(self, index: Tensor) -> tuple[Tensor, tuple[str, ...]]:
        """One step over the frames `index` (b,), in pieces that fit into memory; returns the loss and messages."""
        import torch

        losses: list[Tensor] = []
        messages: list[str] = []
        waiting = list(torch.split(index, self.limit))
        while waiting:
            part = waiting.pop(0)
            try:
                losses.append(self._step(part))
            except (MemoryError, RuntimeError) as error:
                if not _out_of_memory(error) or len(part) == 1:
                    raise
                self.limit = len(part) // 2
                messages.append(f"Memory did not suffice for {len(part)} frames at once; going on with {self.limit}.")
                waiting = list(torch.split(torch.cat([part, *waiting]), self.limit))
        return sum(losses[1:], losses[0]), tuple(messages)

    def _step(self, index: Tensor) -> Tensor:
        from ptychogui.engine.crew import shards

        together = self.solver.together
        parts = shards(self.state, index, self.crew.size, whole=together)
        said = self.crew.run(
            lambda shard: self.solver.step(self.problem, self.state, self.memory, shard, self.done), parts
        )
        first = next(said)
        for other in said:
            first.add(other)
        loss = first.loss.clone()
        if not together:
            self._apply(parts[0].begin, first, len(index) / len(self.problem))
        elif self.gathered is None:
            self.gathered = first
        else:
            self.gathered.add(first)
        return loss


def _shortened(solver: Solver, epochs: int) -> Solver:
    return solver.model_copy(update={"epochs": min(solver.epochs, epochs)})


def _out_of_memory(error: Exception) -> bool:
    import torch

    said = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "not enough memory" in said or "allocate" in said
