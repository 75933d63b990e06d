"""Least-squares maximum likelihood: the lengths of its steps, and gradient descent beside it."""

from __future__ import annotations

import pytest
import torch
from worlds import CPU, World

from ptychogui.engine.crew import Crew, Shard, shards
from ptychogui.engine.gradient import automatic
from ptychogui.engine.solvers import lsqml
from ptychogui.engine.solvers.epie import EPIE
from ptychogui.engine.solvers.gd import GD
from ptychogui.engine.solvers.lsqml import LSQML, Residuals, _products
from ptychogui.engine.state import State


def frames(state: State, *chosen: int) -> Shard:
    return shards(state, torch.tensor(chosen), 1)[0]


@pytest.mark.parametrize("frame", [3, 12])
def test_the_lengths_solve_the_two_equations_of_a_frame(any_world: World, frame: int) -> None:
    """α_O PΔO + α_P OΔP closest to χ, against numpy's least squares."""
    problem, state = any_world.problem(), any_world.guess()
    shard = frames(state, frame)
    update = LSQML().step(problem, state, None, shard, 1)
    assert isinstance(update, Residuals)
    obj, probe = 0.3 * update.obj, 1e-3 * update.probe
    update.products = _products(state, shard.begin, update.parts[0], obj, probe)
    found = update.lengths(damping=0.0)
    exit, chi = problem.model.exit(state, shard.index), update.parts[0].waves
    ends = [state.with_unknowns(state.obj, state.probe) for _ in range(2)]
    (y, x), (ny, nx) = shard.begin, shard.shape
    ends[0].obj = state.obj.clone()
    ends[0].obj[0, y : y + ny, x : x + nx] += obj
    ends[1].probe = state.probe + probe
    columns = [(problem.model.exit(end, shard.index).waves - exit.waves).flatten() for end in ends]
    matrix = torch.view_as_real(torch.stack(columns, 1)).permute(0, 2, 1).reshape(-1, 2)
    wanted = torch.linalg.lstsq(matrix, torch.view_as_real(chi.conj().resolve_conj().flatten()).reshape(-1, 1)).solution
    assert found == pytest.approx(wanted[:, 0].clamp_min(0), rel=1e-8)


def test_the_mean_of_the_frames_is_taken(far: World, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, state = far.problem(), far.guess()
    shard = frames(state, 2, 7, 9)
    update = LSQML().step(problem, state, None, shard, 1)
    assert isinstance(update, Residuals)
    each = []
    for k in (2, 7, 9):
        single = LSQML().step(problem, state, None, Shard(torch.tensor([k]), shard.begin, shard.shape), 1)
        assert isinstance(single, Residuals)
        single.products = _products(state, shard.begin, single.parts[0], update.obj, update.probe)
        each.append(single.lengths(0.0))
    for at_once in (2**16, 2 * state.probe.nelement(), 1):
        monkeypatch.setattr(lsqml, "_CACHED", at_once)
        update.products = _products(state, shard.begin, update.parts[0], update.obj, update.probe)
        assert update.lengths(0.0) == pytest.approx(torch.stack(each).mean(0), rel=1e-9)


def test_one_step_alone_needs_no_step_size(far: World) -> None:
    """With the probe kept, the length is that of the object alone; the loss falls at once by much."""
    problem, state, solver = far.problem(), far.guess(), LSQML(momentum=0, probe_start=5)
    shard, memory = frames(state, *range(16)), None
    update = solver.step(problem, state, memory, shard, 0)
    assert update.probe is None
    before = float(update.loss)
    update.weigh(Crew(CPU), state, shard.begin)
    solver.apply(problem, state, memory, shard.begin, update, 1.0)
    assert float(solver.step(problem, state, memory, shard, 0).loss) < 0.5 * before


def test_gradient_descent_is_the_gradient(any_world: World) -> None:
    problem, before, solver = any_world.problem(), any_world.guess(), GD(object_step=0.6, probe_step=0.3)
    shard = frames(before, 1, 6, 11)
    for loss in ("amplitude", "intensity", "poisson"):
        chosen = solver.with_value("loss", loss)
        slope = automatic(problem, before, shard, with_probe=True, loss=problem.loss(chosen.loss))
        state = any_world.guess()
        update = chosen.step(problem, state, None, shard, 1)
        chosen.apply(problem, state, None, shard.begin, update, 0.5)
        (y, x), (ny, nx) = shard.begin, shard.shape
        moved = (before.obj - state.obj)[0, y : y + ny, x : x + nx]
        assert torch.allclose(moved, slope.obj * (0.3 / update.obj_weight.max()), rtol=1e-8, atol=1e-12)
        moved = before.probe - state.probe
        assert torch.allclose(moved, slope.probe * (0.15 / update.probe_weight.max()), rtol=1e-8, atol=1e-10)


def test_gradient_descent_of_the_amplitude_loss_is_epie(far: World) -> None:
    problem, ends = far.problem(), []
    for solver in (GD(), EPIE()):
        state = far.guess()
        shard = frames(state, 4, 13)
        solver.apply(problem, state, None, shard.begin, solver.step(problem, state, None, shard, 1), 1.0)
        ends.append(state)
    assert torch.allclose(ends[0].obj, ends[1].obj)
    assert torch.allclose(ends[0].probe, ends[1].probe)
