"""The unknowns beside object and probe: gradients by tangents, by automatic differentiation and by differences."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from worlds import World, world

from ptychogui.engine.crew import Shard, shards
from ptychogui.engine.gradient import automatic, written_out
from ptychogui.engine.losses import LossKind
from ptychogui.engine.problem import Problem
from ptychogui.engine.refine.moved import at_distance, stretch
from ptychogui.engine.state import State
from ptychogui.engine.tangents import DISTANCE, GAIN, XX, YY, Unknowns, X, Y
from ptychogui.engine.views import shift_ramps

SOME = torch.tensor([2, 11, 5, 14])
KINDS: tuple[LossKind, ...] = ("amplitude", "intensity", "poisson")


def setting(field: str, unknowns: str = "") -> tuple[Problem, State, Shard]:
    """A window that holds the probe, and a state that is wrong in everything but smooth."""
    small = world(field, (68, 60))  # type: ignore[arg-type]
    problem, state = small.problem(), small.truth()
    generator = torch.Generator().manual_seed(3)
    state.move_to(state.position_px + torch.rand(len(problem), 2, generator=generator, dtype=torch.float64) - 0.5)
    state.obj = state.obj * (1 + 0.1j) + 0.05
    state.probe = state.probe * 0.9
    state.gain = 1 + 0.2 * torch.rand(len(problem), generator=generator, dtype=torch.float64)
    state.background = 3 * torch.rand(problem.window, generator=generator, dtype=torch.float64)
    state.unknowns = frozenset(unknowns.split())
    return problem, state, shards(state, SOME, 1)[0]


def value(problem: Problem, state: State, kind: LossKind = "amplitude") -> float:
    _, waves = problem.waves(state, SOME)
    counts = problem.counts_of(state, waves, SOME)
    return float(problem.loss(kind).value(counts, problem.amplitude(SOME), problem.weight(SOME)))


def changed(problem: Problem, state: State, name: str, by: float, frame: int = 5) -> State:
    """The state with one unknown of one frame, or the one of all, changed."""
    other = copy(state)
    if name in ("y", "x"):
        other.shift = state.shift.clone()
        other.shift[frame, "yx".index(name)] += by
        other.ramps = shift_ramps(other.shift, state.window, state.probe.dtype)
    elif name == "gain":
        assert state.gain is not None
        other.gain = state.gain.clone()
        other.gain[frame] *= 1 + by
    elif name == "background":
        assert state.background is not None
        other.background = state.background.clone()
        other.background[20, 11] += by
    else:
        parallel = replace(problem.geometry, focus_to_sample_m=None)
        at_distance(replace(problem, geometry=parallel), other, 1 + by)
    return other


def of(unknowns: Unknowns | None, name: str, frame: int = 5) -> float:
    assert unknowns is not None
    if name == "background":
        assert unknowns.background is not None
        return float(unknowns.background[20, 11])
    column = {"y": Y, "x": X, "gain": GAIN, "distance": DISTANCE}[name]
    gradient = unknowns.gradient[:, column]
    return float(gradient.sum() if name == "distance" else gradient[unknowns.index == frame])


CASES = [
    (field, name)
    for field in ("far", "near")
    for name in ("y", "x", "gain", "background", "distance")
    if (field, name) != ("far", "distance")
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("field", "name"), CASES)
def test_gradient_is_the_slope(field: str, name: str, kind: LossKind) -> None:
    problem, state, shard = setting(field, "positions gain background distance")
    step = 1e-5
    ends = [value(problem, changed(problem, state, name, by), kind) for by in (step, -step)]
    measured = (ends[0] - ends[1]) / (2 * step)
    by_autograd = automatic(problem, state, shard, True, problem.loss(kind)).unknowns
    by_tangents = written_out(problem, state, shard, True, problem.loss(kind))[0].unknowns
    assert of(by_autograd, name) == pytest.approx(measured, rel=1e-4)
    # the object's slope is by differences of fourth order, the shift by a ramp
    assert of(by_tangents, name) == pytest.approx(measured, rel=0.02 if name in ("y", "x", "distance") else 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_object_and_probe_by_both_ways(any_world: World, kind: LossKind) -> None:
    problem, state = any_world.problem(), any_world.guess()
    shard = shards(state, SOME, 1)[0]
    a, _ = written_out(problem, state, shard, True, problem.loss(kind))
    b = automatic(problem, state, shard, True, problem.loss(kind))
    assert float(a.loss) == pytest.approx(float(b.loss), rel=1e-10)
    for mine, other in ((a.obj, b.obj), (a.probe, b.probe)):
        assert isinstance(mine, Tensor)
        assert isinstance(other, Tensor)
        assert float((mine - other).abs().max()) < 1e-10 * float(other.abs().max())


@pytest.mark.parametrize("kind", KINDS)
def test_the_losses_agree_near_the_truth(kind: LossKind) -> None:
    """All three are scaled like the amplitude loss, the intensity loss where all pixels are alike."""
    problem = world().problem()
    measured = torch.full((1, 4, 5), 30.0, dtype=torch.float64)
    loss = replace(problem, amplitudes=measured).loss(kind)
    counts = measured.square() * 1.001
    expected = float((counts.sqrt() - measured).square().sum())
    assert float(loss.value(counts, measured, None)) == pytest.approx(expected, rel=5e-3)
    assert float(loss.slope(counts, measured, None)[1]) == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize(("field", "name"), [case for case in CASES if case[1] != "background"])
def test_a_gauss_newton_step_comes_close_to_the_truth(field: str, name: str) -> None:
    """With all else true, one step of g / h undoes a small change."""
    small = world(field, (68, 60))  # type: ignore[arg-type]
    problem, state = small.problem(), small.truth()
    state.gain = torch.ones(len(problem), dtype=torch.float64)
    state = changed(problem, state, name, 0.05)
    state.unknowns = frozenset({"positions", "gain", "distance"})
    found = written_out(problem, state, shards(state, torch.arange(16), 1)[0], True)[0].unknowns
    assert found is not None
    column = {"y": Y, "x": X, "gain": GAIN, "distance": DISTANCE}[name]
    rows = slice(None) if name == "distance" else slice(5, 6)
    step = float(found.gradient[rows, column].sum() / found.normal[rows, column, column].sum())
    assert step == pytest.approx(0.05, rel=0.1)


@pytest.mark.parametrize("field", ["far", "near"])
def test_stretching_the_scan_takes_the_object_along(field: str) -> None:
    """The loss changes by the sum of what the frames say, and a Gauss-Newton step undoes a small stretch."""
    problem, state, _ = setting(field, "affine")
    every = torch.tensor([5, 6, 9, 10])  # those in the middle, where the edge of the canvas does not matter
    found = written_out(problem, state, shards(state, every, 1)[0], True)[0].unknowns
    assert found is not None
    for k in range(4):
        matrix = torch.zeros(4, dtype=torch.float64)
        ends = []
        for by in (1e-3, -1e-3):
            matrix[k] = by
            other = copy(state)
            stretch(other, matrix.reshape(2, 2))
            _, waves = problem.waves(other, every)
            counts = problem.counts_of(other, waves, every)
            ends.append(float(problem.loss("amplitude").value(counts, problem.amplitude(every), problem.weight(every))))
        measured = (ends[0] - ends[1]) / 2e-3
        scale = float(found.gradient[:, YY : XX + 1].sum(0).abs().max())
        assert float(found.gradient[:, YY + k].sum()) == pytest.approx(measured, abs=0.02 * scale)


@pytest.mark.parametrize("field", ["far", "near"])
def test_a_gauss_newton_step_undoes_a_stretch(field: str) -> None:
    small = world(field, (68, 60))  # type: ignore[arg-type]
    problem, state = small.problem(), small.truth()
    wrong = torch.tensor([[0.02, -0.01], [0.015, -0.025]], dtype=torch.float64)
    stretch(state, wrong)
    state.unknowns = frozenset({"affine"})
    found = written_out(problem, state, shards(state, torch.arange(16), 1)[0], True)[0].unknowns
    assert found is not None
    few = slice(YY, XX + 1)
    step = torch.linalg.solve(found.normal[:, few, few].sum(0), found.gradient[:, few].sum(0)).reshape(2, 2)
    assert float((step - wrong).abs().max()) < 0.004


@pytest.mark.parametrize("cone", [True, False])
def test_moving_the_detector_and_back_changes_nothing(cone: bool) -> None:
    problem, state, _ = setting("near")
    if not cone:
        problem.geometry = replace(problem.geometry, focus_to_sample_m=None)
    before, geometry = copy(state), problem.geometry
    at_distance(problem, state, 1.02)
    if cone:
        assert problem.geometry.distance_m == geometry.distance_m
        assert problem.geometry.magnification == pytest.approx(1.02 * geometry.magnification, rel=1e-12)
    else:
        assert problem.geometry.distance_m == pytest.approx(1.02 * (geometry.distance_m or 0), rel=1e-12)
    at_distance(problem, state, 1 / 1.02)
    assert problem.geometry.effective_distance_m == pytest.approx(geometry.effective_distance_m, rel=1e-12)
    assert float((state.probe - before.probe).abs().max()) < 1e-9 * float(before.probe.abs().max())
    assert float((state.position_px - before.position_px).abs().max()) < 1e-9
    if not cone:  # a stretch interpolates, and its edges go on
        assert float((state.obj - before.obj).abs().max()) < 1e-12
