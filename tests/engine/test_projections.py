"""The solvers by projections against their formulas, and where they lead without noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from worlds import World, world

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.crew import Shard, shards
from ptychogui.engine.gradient import brought_back, placed
from ptychogui.engine.losses import power
from ptychogui.engine.metrics import r_factors
from ptychogui.engine.problem import Problem
from ptychogui.engine.refine import Refine
from ptychogui.engine.solvers.adam import Adam
from ptychogui.engine.solvers.base import Plan, Update, iterate
from ptychogui.engine.solvers.dm import DM
from ptychogui.engine.solvers.lbfgs import LBFGS
from ptychogui.engine.solvers.projections import Projections
from ptychogui.engine.solvers.raar import RAAR
from ptychogui.engine.start.data import FromData
from ptychogui.engine.state import State

FREE = Constraints()
for _name in ("probe_power", "orthogonal_modes", "probe_centred", "raster_pathology"):
    FREE = FREE.with_value(f"{_name}.enabled", False)

SOLVERS = [(DM, 1.0), (RAAR, 0.9)]


def waves_of(problem: Problem, state: State) -> Tensor:
    return problem.waves(state, torch.arange(len(problem)))[1]


def every(state: State) -> Shard:
    return shards(state, torch.arange(len(state.corner)), 1, whole=True)[0]


def epoch(solver: Projections, problem: Problem, state: State, memory: object) -> None:
    """One epoch by hand, without constraints."""
    update = solver.step(problem, state, memory, every(state), 1)
    solver.apply(problem, state, memory, (0, 0), update, 1.0)


@pytest.mark.parametrize(("kind", "beta"), SOLVERS)
def test_the_waves_follow_the_formula(any_world: World, kind: type[Projections], beta: float) -> None:
    """Ψ ← β (Ψ + Π(2W − Ψ)) + (1 − 2β) W, Π setting the measured moduli where there are any."""
    problem, state, solver = any_world.problem(), any_world.guess(), kind()
    memory = solver.begin(problem, state)
    before = waves_of(problem, state)
    for _ in range(2):
        made = waves_of(problem, state)
        reflected = 2 * made - before
        modulus = reflected.abs().square().sum(1, keepdim=True).sqrt()
        index = torch.arange(len(problem))
        wanted = reflected * problem.amplitude(index)[:, None] / modulus
        valid = problem.weight(index)
        if valid is not None:
            wanted = torch.where(valid.bool()[:, None] if valid.ndim == 3 else valid.bool(), wanted, reflected)
        before = beta * (before + wanted) + (1 - 2 * beta) * made
        epoch(solver, problem, state, memory)
        assert float((memory.detector - before).abs().max()) < 1e-9 * float(before.abs().max())


@pytest.mark.parametrize("field", ["far", "near"])
def test_object_and_probe_come_to_fit_the_waves(field: str) -> None:
    """The probe's step counts with what the object's step has done: together they are not twice too long."""
    small = world(field, modes=1)
    problem, state, guess = small.problem(), small.truth(), small.guess()
    target = waves_of(problem, state)
    state.obj, state.probe = (z + 0.1 * (g - z) for z, g in ((state.obj, guess.obj), (state.probe, guess.probe)))
    solver = DM(alpha=0.01, beta=0.01)
    memory, shard = solver.begin(problem, state), every(state)
    misfits = []
    for _ in range(8):
        misfits.append(float((waves_of(problem, state) - target).norm()))
        exit = problem.model.exit(state, shard.index)
        chi = exit.waves - problem.propagator.adjoint(target, exit.ramps)
        obj, probe = brought_back(chi, exit, state, shard, with_probe=True)
        lit = placed(power(state.probe).sum(0).expand(len(problem), -1, -1), state, shard)
        solver.apply(problem, state, memory, (0, 0), Update(obj, lit, probe, power(exit.views).sum(0), chi), 1.0)
    assert misfits == sorted(misfits, reverse=True)
    assert misfits[1] < 0.4 * misfits[0]


@pytest.mark.parametrize("kind", [DM, RAAR])
@pytest.mark.parametrize("field", ["far", "near"])
def test_they_converge_without_noise(field: str, kind: type[Projections]) -> None:
    small = world(field, modes=1)
    problem = small.problem(torch.float32)
    state = FromData().state(problem, small.dataset, None, 0)
    curve = [
        float(item.loss) for item in iterate(problem, state, Plan((kind(epochs=80),), Constraints())) if item.whole
    ]
    assert curve[-1] < 0.01 * curve[0]
    assert r_factors(problem, state)[0] < 0.06


@pytest.mark.parametrize("kind", [DM, RAAR])
def test_the_waves_are_mixed_as_the_modes_are(far: World, kind: type[Projections]) -> None:
    problem, state = far.problem(), far.guess()
    solver = kind()
    memory = solver.begin(problem, state)
    epoch(solver, problem, state, memory)
    before, counts = memory.detector.clone(), memory.detector.abs().square().sum(1)
    Constraints().orthogonal_modes.apply(problem, state)
    solver.settle(state, memory)
    assert not torch.allclose(memory.detector, before)
    assert torch.allclose(memory.detector.abs().square().sum(1), counts)
    assert bool(memory.filled.all())


def test_a_probe_that_was_moved_begins_anew(far: World) -> None:
    problem, state, solver = far.problem(), far.guess(), DM()
    memory = solver.begin(problem, state)
    epoch(solver, problem, state, memory)
    state.obj, state.probe = state.obj.roll(3, -1), state.probe.roll(3, -1)
    solver.settle(state, memory)
    assert not bool(memory.filled.any())


def test_waves_that_were_never_made_are_not_used(far: World) -> None:
    """A solver that takes over in the middle of an epoch has seen some of the frames only."""
    problem, state, solver = far.problem(), far.guess(), RAAR()
    memory = solver.begin(problem, state)
    memory.detector.fill_(float("nan"))
    part = shards(state, torch.tensor([1, 5, 6]), 1, whole=True)[0]
    solver.apply(problem, state, memory, (0, 0), solver.step(problem, state, memory, part, 1), 1.0)
    assert memory.filled.nonzero()[:, 0].tolist() == [1, 5, 6]
    epoch(solver, problem, state, memory)
    assert bool(torch.isfinite(torch.view_as_real(memory.detector)).all())


@pytest.mark.parametrize("last", [Adam(epochs=20, batch=4), LBFGS(epochs=20)])
def test_another_solver_goes_on_from_where_they_end(far: World, last: Adam | LBFGS) -> None:
    problem = far.problem(torch.float32)
    state = FromData(modes=2).state(problem, far.dataset, None, 0)
    curve = [float(i.loss) for i in iterate(problem, state, Plan((DM(epochs=30), last), Constraints())) if i.whole]
    assert len(curve) == 50
    assert curve[-1] < 0.3 * curve[29]


@pytest.mark.parametrize("kind", [DM, RAAR])
def test_what_wanders_moves_no_frame(kind: type[Projections], far: World) -> None:
    problem, state = far.problem(), far.guess()
    before = state.position_px.clone()
    refine = Refine.read({"positions": {"enabled": True, "start": 0}, "background": {"enabled": True, "start": 0}})
    for _ in iterate(problem, state, Plan((kind(epochs=3),), FREE, refine=refine)):
        pass
    assert torch.equal(state.position_px, before)
    assert state.background is None
    for _ in iterate(problem, state, Plan((Adam(epochs=3),), FREE, refine=refine)):
        pass
    assert not torch.equal(state.position_px, before)
