"""Penalties: their gradients against automatic differentiation, their weights against their curvature, and what each
does to a run of every solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from worlds import World, world

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.losses import power
from ptychogui.engine.penalties import Penalties
from ptychogui.engine.penalties.differences import differences
from ptychogui.engine.penalties.penalty import Penalty
from ptychogui.engine.solvers import AnySolver
from ptychogui.engine.solvers.adam import Adam
from ptychogui.engine.solvers.base import Plan, Solver, iterate
from ptychogui.engine.state import State
from ptychogui.engine.views import place
from ptychogui.params import members

KINDS: tuple[type[Penalty], ...] = tuple(type(getattr(Penalties(), name)) for name in Penalties.model_fields)


def values(seed: int = 3) -> Tensor:
    """Not square, some amplitudes above one."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(7, 5)) + 1j * rng.normal(size=(7, 5)))


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_automatic(kind: type[Penalty]) -> None:
    z = values().requires_grad_()
    term = kind().term(z)
    (found,) = torch.autograd.grad(term.value, z)
    assert torch.allclose(found / 2, term.gradient, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_by_the_weight_never_makes_it_larger(kind: type[Penalty]) -> None:
    penalty, z = kind(), values()
    sizes = []
    for _ in range(20):
        term = penalty.term(z)
        sizes.append(float(term.value))
        z = z - term.gradient / term.weight.clamp_min(1e-300)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.7 * sizes[0]


FREE = Constraints.read({name: {"enabled": False} for name in Constraints.model_fields})


def flat(small: World) -> State:
    """The true probe, as bright as the frames, and an object of which nothing is known."""
    state, brightness = small.truth(), small.dataset.frames[:].sum() / world().dataset.frames[:].sum()
    state.obj = torch.ones_like(state.obj)
    state.probe = state.probe * float(brightness) ** 0.5
    return state


def light(state: State) -> Tensor:
    """Σ|P|² on the canvas (Y, X), as a part of its largest."""
    every = power(state.probe).sum(0).expand(len(state.corner), -1, -1)
    lit = place(every, state.corner, (state.obj.shape[-2], state.obj.shape[-1]))
    return lit / lit.max()


def roughness(state: State) -> float:
    """Σ|∇O|² where there is light."""
    down, right = differences(state.obj[0])
    each = down.abs().square() + right.abs().square()
    return float(each[light(state) > 0.1].sum())


def solved(small: World, solver: Solver, every: Penalties | None = None, **penalties: float) -> State:
    problem, state = small.problem(), flat(small)
    every = every or Penalties()
    for name, strength in penalties.items():
        every = every.with_value(f"{name}.enabled", True).with_value(f"{name}.strength", strength)
    for _ in iterate(problem, state, Plan((solver,), FREE, penalties=every)):
        pass
    return state


@pytest.mark.parametrize("kind", members(AnySolver).values(), ids=members(AnySolver))
@pytest.mark.parametrize("name", ["smoothness", "total_variation"])
def test_every_solver_listens(kind: type[Solver], name: str, far: World) -> None:
    frames = far.dataset.frames[:]
    counts = np.random.default_rng(5).poisson(frames * 0.02).astype(np.float64)
    noisy = replace(far, dataset=replace(far.dataset, frames=counts))
    solver = kind(epochs=25, probe_start=25)
    assert roughness(solved(noisy, solver, **{name: 1.0})) < 0.8 * roughness(solved(noisy, solver))


def test_energy_empties_what_no_frame_lights(far: World) -> None:
    solver = Adam(epochs=30, probe_start=30)
    plain, emptied = solved(far, solver), solved(far, solver, energy=0.1)
    (y0, x0), (y1, x1) = plain.corner.amin(0).tolist(), (plain.corner.amax(0) + torch.tensor(plain.window)).tolist()
    dark = light(plain)[y0:y1, x0:x1] < 1e-4
    assert bool(dark.any())
    left = [float(state.obj[0, y0:y1, x0:x1][dark].abs().mean()) for state in (plain, emptied)]
    assert left[1] < 0.3 * left[0]


def test_amplitudes_out_of_range_are_drawn_back(far: World) -> None:
    solver = Adam(epochs=30, probe_start=30)

    def excess(state: State) -> float:
        return float((state.obj[0].abs() - 0.9)[light(state) > 0.1].clamp_min(0).square().sum())

    plain = solved(far, solver)
    held = solved(far, solver, Penalties.read({"amplitude_range": {"enabled": True, "strength": 3, "maximum": 0.9}}))
    assert excess(held) < 0.5 * excess(plain)


def test_they_can_be_switched_on_during_a_run(far: World) -> None:
    problem, state = far.problem(), flat(far)
    solver = Adam(epochs=30, probe_start=30)
    loop = iterate(problem, state, Plan((solver,), FREE))
    for item in loop:
        if item.whole and item.epoch == 15:
            break
    on = Penalties().with_value("smoothness.enabled", True).with_value("smoothness.strength", 10.0)
    before = roughness(state)
    loop.send(Plan((solver,), FREE, penalties=on))
    for _ in loop:
        pass
    assert roughness(state) < 0.5 * before
