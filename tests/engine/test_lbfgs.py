"""L-BFGS: its line search, its inverse Hessian, and what it takes along when constraints choose scale and modes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from worlds import World

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.losses import LossKind
from ptychogui.engine.problem import Problem
from ptychogui.engine.solvers.base import Plan, Solver, iterate
from ptychogui.engine.solvers.lbfgs import LBFGS
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.engine.solvers.search import Search
from ptychogui.engine.start.data import FromData
from ptychogui.engine.state import State

SIZES = torch.tensor([1.0, 30.0, 0.2, 7.0, 400.0, 3.0, 11.0], dtype=torch.float64)


def quadratic(z: Tensor) -> tuple[float, Tensor]:
    """Σ a|z − c|² and its ∂/∂z*, not separable."""
    mix = torch.randn(7, 7, dtype=torch.complex128, generator=torch.Generator().manual_seed(3))
    matrix = torch.linalg.qr(mix).Q
    off = matrix @ (z - (1 - 2j))
    return float((SIZES * off.abs().square()).sum()), matrix.mH @ (SIZES * off)


def curve(problem_world: World, *stages: Solver, plan: Constraints | None = None) -> list[float]:
    problem = problem_world.problem(torch.float64)
    state = FromData(modes=problem_world.modes).state(problem, problem_world.dataset, None, 0)
    return [float(i.loss) for i in iterate(problem, state, Plan(stages, plan or Constraints())) if i.whole]


def loss_of(problem: Problem, state: State, kind: LossKind) -> float:
    index = torch.arange(len(problem))
    _, waves = problem.waves(state, index)
    counts = problem.counts_of(state, waves, index)
    return float(problem.loss(kind).value(counts, problem.amplitude(index), problem.weight(index))) / problem.counts


def test_a_quadratic_is_solved_in_a_few_steps() -> None:
    search, z = Search(), torch.zeros(7, dtype=torch.complex128)
    for _ in range(50):
        search.look(z, *quadratic(z), torch.ones(7, dtype=torch.float64) / 400, 20)
        z = search.target(1.0)
    assert float((z - (1 - 2j)).abs().max()) < 1e-6


def test_the_inverse_hessian_maps_the_last_change_of_gradient_to_the_last_step() -> None:
    """The secant condition H y = s (Nocedal & Wright, Eq. 6.6)."""
    search, z = Search(), torch.zeros(7, dtype=torch.complex128)
    for _ in range(6):
        search.look(z, *quadratic(z), torch.ones(7, dtype=torch.float64) / 400, 5)
        z = search.target(0.7)
    step, change = search.pairs[-1]
    search.gradient = change
    search._aim(torch.ones(7, dtype=torch.float64))
    assert torch.allclose(-search.direction, step, rtol=1e-9)
    assert len(search.pairs) <= 5


def test_a_step_that_is_too_long_is_shortened_from_the_last_good_point() -> None:
    search, z = Search(), torch.zeros(7, dtype=torch.complex128)
    first, gradient = quadratic(z)
    search.look(z, first, gradient, torch.ones(7, dtype=torch.float64), 5)
    for _ in range(4):
        z = search.target(1.0)
        assert float((z - search.length * search.direction).abs().max()) < 1e-12
        loss, gradient = quadratic(z)
        if loss < first:
            break
        search.look(z, loss, gradient, torch.ones(7, dtype=torch.float64), 5)
    assert loss < first
    assert torch.equal(search.target(0.0), torch.zeros(7, dtype=torch.complex128))


@pytest.mark.parametrize("loss", ["amplitude", "intensity", "poisson"])
def test_every_loss_falls_and_the_lowest_point_is_kept(either: World, loss: LossKind) -> None:
    problem = either.problem(torch.float64)
    state = FromData(modes=2).state(problem, either.dataset, None, 0)
    items = list(iterate(problem, state, Plan((LBFGS(epochs=40, loss=loss),), Constraints())))
    losses = [float(item.loss) for item in items if item.whole]
    assert loss_of(problem, state, loss) == pytest.approx(min(losses), rel=1e-4)
    assert min(losses) < 0.02 * losses[0]


def test_it_goes_beyond_the_others_without_noise(far: World) -> None:
    assert curve(far, LBFGS(epochs=100))[-1] < 0.5 * curve(far, RPIE(epochs=100))[-1]


def test_scale_and_modes_chosen_by_constraints_do_not_hinder_it(far: World) -> None:
    """The same way down, with the power, the middle and the modes of the probe imposed after every epoch or not."""
    free = Constraints()
    for name in ("probe_power", "orthogonal_modes", "probe_centred", "raster_pathology"):
        free = free.with_value(f"{name}.enabled", False)
    bound = free.with_value("probe_power.enabled", True).with_value("orthogonal_modes.enabled", True)
    ends = [curve(far, LBFGS(epochs=30), plan=chosen) for chosen in (free, bound)]
    assert ends[1][:12] == pytest.approx(ends[0][:12], rel=0.02)
    assert ends[1][-1] < 2 * ends[0][-1]
