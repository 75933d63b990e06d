"""Constraints change what the data leave open, and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from worlds import World, world

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.constraints.object_amplitude import ObjectAmplitude
from ptychogui.engine.constraints.object_smooth import ObjectSmooth
from ptychogui.engine.constraints.orthogonal_modes import OrthogonalModes
from ptychogui.engine.constraints.probe_centred import ProbeCentred
from ptychogui.engine.constraints.probe_power import ProbePower
from ptychogui.engine.losses import intensity
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State


def patterns(problem: Problem, state: State) -> Tensor:
    return intensity(problem.waves(state, torch.arange(len(problem)))[1])


def gram(probe: Tensor) -> Tensor:
    flat = probe.reshape(len(probe), -1)
    return flat @ flat.mH


def test_probe_power_reaches_the_counts_and_keeps_the_exit_waves(any_world: World) -> None:
    problem, state = any_world.problem(), any_world.guess()
    before, _ = problem.waves(state, torch.arange(16))
    for counts in (None, 1234.5):
        ProbePower(counts=counts).apply(problem, state)
        assert float(problem.measured_power(state.probe)) == pytest.approx(counts or problem.mean_counts, rel=1e-12)
        after, _ = problem.waves(state, torch.arange(16))
        assert torch.allclose(after.waves, before.waves, rtol=1e-12, atol=1e-12)


def test_orthogonal_modes_keep_every_pattern(either: World) -> None:
    small = world(either.dataset.geometry.field, modes=3)
    problem, state = small.problem(), small.guess()
    before = patterns(problem, state)
    assert float((gram(state.probe) - gram(state.probe).diag().diag()).abs().max()) > 10
    OrthogonalModes().apply(problem, state)
    after = gram(state.probe)
    power = after.diag().real
    assert torch.allclose(patterns(problem, state), before, rtol=1e-10, atol=1e-9)
    assert float((after - after.diag().diag()).abs().max()) < 1e-11 * float(power.max())
    assert power.tolist() == sorted(power.tolist(), reverse=True)


def test_orthogonal_modes_stay_as_they_are(far: World) -> None:
    problem, state = far.problem(), far.guess()
    OrthogonalModes().apply(problem, state)
    before = state.probe.clone()
    OrthogonalModes().apply(problem, state)
    assert torch.allclose(state.probe, before, rtol=1e-10, atol=1e-10)
    state.probe = state.probe[:1].clone()
    OrthogonalModes().apply(problem, state)
    assert torch.allclose(state.probe, before[:1], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shift", [(3, -4), (-5, 2), (0, 6)])
def test_a_probe_that_is_off_comes_back_and_no_pattern_changes(shift: tuple[int, int]) -> None:
    small = world("far", (68, 60))
    problem, state = small.problem(), small.truth()
    before, probe = patterns(problem, state), state.probe.clone()
    state.probe, state.obj = (torch.roll(values, shift, (-2, -1)) for values in (state.probe, state.obj))
    ProbeCentred().apply(problem, state)
    assert torch.allclose(patterns(problem, state), before, rtol=0, atol=1e-7 * float(before.max()))
    back = [torch.roll(state.probe, (y, x), (-2, -1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert min(float((moved - probe).abs().max()) for moved in back) == 0
    power = state.probe.abs().square().sum(0)
    for axis, n in enumerate(power.shape):
        centre = (power.sum(1 - axis) * torch.arange(n)).sum() / power.sum()
        assert abs(float(centre) - n // 2) < 0.6


def test_a_centred_probe_is_left_alone(far: World) -> None:
    problem, state = far.problem(), far.guess()
    ProbeCentred().apply(problem, state)
    obj, probe = state.obj, state.probe
    ProbeCentred().apply(problem, state)
    assert state.obj is obj
    assert state.probe is probe


def test_in_the_near_field_the_frames_say_where_the_probe_is(near: World) -> None:
    problem, state = near.problem(), near.guess()
    state.probe = torch.roll(state.probe, (5, 3), (-2, -1))
    obj, probe = state.obj.clone(), state.probe.clone()
    ProbeCentred().apply(problem, state)
    assert torch.equal(state.obj, obj)
    assert torch.equal(state.probe, probe)


def test_object_amplitude_is_clipped_and_its_phase_kept(far: World) -> None:
    problem, state = far.problem(), far.guess()
    before = state.obj.clone()
    ObjectAmplitude(minimum=0.6, maximum=0.9).apply(problem, state)
    amplitude = state.obj.abs()
    assert float(amplitude.min()) == pytest.approx(0.6)
    assert float(amplitude.max()) == pytest.approx(0.9)
    inside = (before.abs() >= 0.6) & (before.abs() <= 0.9)
    assert bool(inside.any())
    assert torch.allclose(state.obj[inside], before[inside], rtol=1e-12)
    assert torch.allclose(state.obj.angle(), before.angle(), atol=1e-12)


def test_what_is_switched_off_is_not_imposed(far: World) -> None:
    problem, state, before = far.problem(), far.guess(), far.guess()
    off = Constraints()
    for name in Constraints.model_fields:
        off = off.with_value(f"{name}.enabled", False)
    off.apply(problem, state)
    assert torch.equal(state.obj, before.obj)
    assert torch.equal(state.probe, before.probe)
    off.with_value("object_amplitude.enabled", True).with_value("object_amplitude.maximum", 0.5).apply(problem, state)
    assert float(state.obj.abs().max()) == pytest.approx(0.5)


def test_a_blur_keeps_the_mean_and_is_a_gaussian(far: World) -> None:
    problem, state = far.problem(), far.guess()
    state.obj = torch.zeros_like(state.obj)
    state.obj[0, 17, 11] = 2 - 1j
    ObjectSmooth(width_px=2.0).apply(problem, state)
    spot = (state.obj[0] / (2 - 1j)).real
    y, x = (torch.arange(n, dtype=torch.float64) for n in spot.shape)
    assert float(spot.sum()) == pytest.approx(1)
    for axis, (place, middle) in enumerate(((y, 17), (x, 11))):
        profile = spot.sum(1 - axis)
        assert float((profile * (place - middle)).sum()) == pytest.approx(0, abs=1e-6)
        assert float((profile * (place - middle).square()).sum()) == pytest.approx(4, rel=1e-6)
    assert float(spot[18, 13] / spot[17, 11]) == pytest.approx(math.exp(-(1 + 4) / (2 * 4)), rel=1e-6)


def test_only_few_counts_are_blurred_unasked(far: World) -> None:
    frames = far.dataset.frames[:]
    few = replace(far, dataset=replace(far.dataset, frames=np.rint(frames * (300 / frames.sum((1, 2)).mean()))))
    for known, blurred in ((far, False), (few, True)):
        problem, state = known.problem(), known.guess()
        before = state.obj.clone()
        ObjectSmooth().apply(problem, state)
        assert torch.equal(state.obj, before) is not blurred
