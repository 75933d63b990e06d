"""The ePIE family against the formulas of its papers and against gradient descent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from worlds import World, world

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.constraints.orthogonal_modes import OrthogonalModes
from ptychogui.engine.constraints.probe_centred import ProbeCentred
from ptychogui.engine.constraints.probe_power import ProbePower
from ptychogui.engine.crew import Shard, shards
from ptychogui.engine.gradient import Gradient, automatic
from ptychogui.engine.problem import Problem
from ptychogui.engine.solvers.base import Plan, Solver, Update, iterate
from ptychogui.engine.solvers.epie import EPIE
from ptychogui.engine.solvers.mpie import MPIE
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.engine.state import State

FREE = Constraints(
    probe_centred=ProbeCentred(enabled=False),
    orthogonal_modes=OrthogonalModes(enabled=False),
    probe_power=ProbePower(enabled=False),
)


def power(values: Tensor) -> Tensor:
    return values.abs().square()


def frames(state: State, *chosen: int) -> Shard:
    return shards(state, torch.tensor(chosen), 1)[0]


def on_canvas(slope: Gradient, shard: Shard, state: State) -> Tensor:
    """The gradient of the object as an array of the canvas's shape."""
    canvas = torch.zeros_like(state.obj[0])
    (y, x), (ny, nx) = shard.begin, shard.shape
    canvas[y : y + ny, x : x + nx] = slope.obj
    return canvas


def step_of(solver: Solver, problem: Problem, state: State, shard: Shard) -> tuple[State, Update]:
    """The state after one step over some frames, and what the step was made of."""
    memory = solver.begin(problem, state)
    update = solver.step(problem, state, memory, shard, solver.probe_start)
    solver.apply(problem, state, memory, shard.begin, update, 1.0)
    return state, update


def window(state: State, frame: int) -> tuple[slice, slice]:
    (y, x), (ny, nx) = state.corner[frame].tolist(), state.window
    return slice(y, y + ny), slice(x, x + nx)


@pytest.mark.parametrize("frame", [0, 9])
def test_epie_with_batch_1_is_a_gradient_step(any_world: World, frame: int) -> None:
    """Steps 1 / max Σ|P|² and 1 / max|O|² of ∂L/∂z*."""
    problem, before = any_world.problem(), any_world.guess()
    shard, seen = frames(before, frame), window(before, frame)
    slope = automatic(problem, before, shard, with_probe=True)
    after, _ = step_of(EPIE(), problem, any_world.guess(), shard)
    obj = before.obj[0] - on_canvas(slope, shard, before) / power(before.probe).sum(0).max()
    probe = before.probe - slope.probe / power(before.obj[0][seen]).max()
    assert torch.allclose(after.obj[0], obj, rtol=0, atol=1e-13 * float(obj.abs().max()))
    assert torch.allclose(after.probe, probe, rtol=0, atol=1e-13 * float(probe.abs().max()))


def test_epie_is_the_formula_of_its_paper() -> None:
    """Maiden & Rodenburg 2009, Eqs. 6 and 7, at whole pixels and with one mode."""
    small = world("far", modes=1, whole_pixel=True).without_mask()
    problem, before = small.problem(), small.guess()
    seen, P = window(before, 7), before.probe[0]
    view = before.obj[0][seen]
    psi = P * view
    wave = torch.fft.fft2(psi, norm="ortho")
    psi_new = torch.fft.ifft2(problem.amplitudes[7] * wave / wave.abs(), norm="ortho")
    after, _ = step_of(EPIE(object_step=0.9, probe_step=0.7), problem, small.guess(), frames(before, 7))
    assert torch.allclose(after.obj[0][seen], view + 0.9 * P.conj() * (psi_new - psi) / power(P).max(), rtol=1e-12)
    assert torch.allclose(after.probe[0], P + 0.7 * view.conj() * (psi_new - psi) / power(view).max(), rtol=1e-12)


def by_autograd(problem: Problem, state: State, epochs: int, seed: int) -> Iterator[State]:
    """AD-ePIE: gradient descent with ePIE's steps, every gradient by automatic differentiation."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for index in problem.batches(1, generator):
            shard = frames(state, int(index))
            slope = automatic(problem, state, shard, with_probe=True)
            lit = power(state.obj[0][window(state, int(index))]).max()
            state.obj = state.obj - on_canvas(slope, shard, state) / power(state.probe).sum(0).max()
            state.probe = state.probe - slope.probe / lit
            yield state


def test_epie_by_autograd_follows_iterate_by_iterate(any_world: World) -> None:
    problem = any_world.problem()
    plan = Plan((EPIE(epochs=2, batch=1, probe_start=0, final_step=1.0),), FREE, seed=3)
    ours = (item.state for item in iterate(problem, any_world.guess(), plan) if not item.whole)
    count = 0
    for mine, other in zip(ours, by_autograd(problem, any_world.guess(), 2, seed=3), strict=True):
        assert float((mine.obj - other.obj).abs().max()) < 1e-8 * float(other.obj.abs().max())
        assert float((mine.probe - other.probe).abs().max()) < 1e-8 * float(other.probe.abs().max())
        count += 1
    assert count == 2 * len(problem)


@pytest.mark.parametrize("field", ["far", "near"])
def test_rpie_with_alpha_and_beta_of_1_is_epie(field: str) -> None:
    small = world(field, whole_pixel=True)
    problem, shard = small.problem(), frames(small.guess(), 6)
    one, _ = step_of(EPIE(), problem, small.guess(), shard)
    two, _ = step_of(RPIE(alpha=1, beta=1), problem, small.guess(), shard)
    assert torch.allclose(one.obj, two.obj, rtol=1e-13)
    assert torch.allclose(one.probe, two.probe, rtol=1e-13)


def test_rpie_is_the_formula_of_its_paper() -> None:
    """Maiden, Johnson & Li 2017: O += P*χ / ((1 − α)|P|² + α max|P|²)."""
    small = world("far", whole_pixel=True)
    problem, before = small.problem(), small.guess()
    shard, seen = frames(before, 4), window(before, 4)
    slope = automatic(problem, before, shard, with_probe=True)
    after, _ = step_of(RPIE(alpha=0.3, beta=0.2), problem, small.guess(), shard)
    lit, obj = power(before.probe).sum(0), power(before.obj[0][seen])
    wanted = before.obj[0][seen] - slope.obj / (0.7 * lit + 0.3 * lit.max())
    assert torch.allclose(after.obj[0][seen], wanted, rtol=1e-12)
    assert torch.allclose(after.probe, before.probe - slope.probe / (0.8 * obj + 0.2 * obj.max()), rtol=1e-12)


def test_the_same_frame_twice_in_a_batch_is_as_once(any_world: World) -> None:
    problem = any_world.problem()
    once, _ = step_of(EPIE(), problem, any_world.guess(), frames(any_world.guess(), 9))
    twice, _ = step_of(EPIE(), problem, any_world.guess(), frames(any_world.guess(), 9, 9))
    assert torch.allclose(once.obj, twice.obj, rtol=1e-12)
    assert torch.allclose(once.probe, twice.probe, rtol=1e-12)


@pytest.mark.parametrize("solver", [EPIE(), RPIE(), RPIE(alpha=0.01, beta=0.0)])
def test_a_large_batch_does_not_overshoot(either: World, solver: Solver) -> None:
    problem, state = either.problem(), either.guess()
    losses = [float(step_of(solver, problem, state, frames(state, *range(16)))[1].loss) for _ in range(12)]
    assert losses[-1] < 0.5 * losses[0]
    assert max(losses) == losses[0]


def test_mpie_is_rpie_with_kicks(far: World) -> None:
    """v ← η v + (z − z at the last kick), z ← z + feedback · v, every T batches."""
    problem, moving, still = far.problem(), far.guess(), far.guess()
    mpie, rpie = MPIE(every=3, friction=0.6, feedback=0.4), RPIE()
    memory = mpie.begin(problem, moving)
    before, velocity = (still.obj.clone(), still.probe), (0 * still.obj, 0 * still.probe)
    for count in range(6):
        shard = frames(moving, count, count + 5)
        mpie.apply(problem, moving, memory, shard.begin, mpie.step(problem, moving, memory, shard, 1), 1.0)
        rpie.apply(problem, still, None, shard.begin, rpie.step(problem, still, None, shard, 1), 1.0)
        if count % 3 == 2:
            velocity = tuple(0.6 * v + z - z0 for v, z, z0 in zip(velocity, (still.obj, still.probe), before))
            still.obj, still.probe = still.obj + 0.4 * velocity[0], still.probe + 0.4 * velocity[1]
            before = (still.obj.clone(), still.probe)
        assert torch.allclose(moving.obj, still.obj, rtol=1e-11)
        assert torch.allclose(moving.probe, still.probe, rtol=1e-11)


def test_mpie_does_not_take_a_constraint_for_a_velocity(far: World) -> None:
    problem, state, mpie = far.problem(), far.guess(), MPIE(every=1, feedback=1.0)
    memory = mpie.begin(problem, state)
    state.obj, state.probe = 7 * state.obj, state.probe / 7
    mpie.settle(state, memory)
    before = state.obj.clone()
    update = mpie.step(problem, state, memory, frames(state, 2), 0)
    update.obj.zero_()
    mpie.apply(problem, state, memory, frames(state, 2).begin, update, 1.0)
    assert torch.equal(state.obj, before)
