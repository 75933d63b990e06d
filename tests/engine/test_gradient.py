"""The gradient: written out, by automatic differentiation and by finite differences; the truth is where it vanishes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from worlds import World, world

from ptychogui.engine.crew import Shard, shards
from ptychogui.engine.gradient import Gradient, automatic, written_out
from ptychogui.engine.losses import Amplitude
from ptychogui.engine.metrics import r_factor
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State

SOME = torch.tensor([2, 11, 5, 14])


def some(state: State) -> Shard:
    return shards(state, SOME, 1)[0]


def every(state: State) -> Shard:
    return shards(state, torch.arange(len(state.corner)), 1)[0]


def on_canvas(found: Gradient, shard: Shard, state: State) -> Tensor:
    """The gradient of the object as an array of the canvas's shape."""
    canvas = torch.zeros_like(state.obj[0])
    (y, x), (ny, nx) = shard.begin, found.obj.shape
    canvas[y : y + ny, x : x + nx] = found.obj
    return canvas


def loss_at(problem: Problem, state: State, index: Tensor) -> float:
    _, waves = problem.waves(state, index)
    counts = problem.counts_of(state, waves, index)
    return float(Amplitude().value(counts, problem.amplitude(index), problem.weight(index)))


def assert_close(found: Tensor | None, wanted: Tensor | None, rel: float) -> None:
    assert found is not None
    assert wanted is not None
    assert float((found - wanted).abs().max()) < rel * float(wanted.abs().max())


def with_broken_pixels(small: World) -> World:
    """Some pixels hold no number, in some frames only."""
    frames = small.dataset.frames[:].copy()
    frames[2, 7, 6], frames[5, 1:4, 9:] = np.nan, np.nan
    return replace(small, dataset=replace(small.dataset, frames=frames))


def test_written_out_is_automatic(any_world: World) -> None:
    for small in (any_world, with_broken_pixels(any_world), any_world.without_mask()):
        problem, state = small.problem(), small.guess()
        found, _ = written_out(problem, state, some(state), with_probe=True)
        wanted = automatic(problem, state, some(state), with_probe=True)
        assert_close(on_canvas(found, some(state), state), on_canvas(wanted, some(state), state), 1e-10)
        assert_close(found.probe, wanted.probe, 1e-10)
        assert float(found.loss) == pytest.approx(float(wanted.loss), rel=1e-12)


@pytest.mark.parametrize("way", [automatic, written_out])
def test_gradient_is_the_slope(any_world: World, way: object) -> None:
    """L changes along a direction d of z by 2 Re⟨∂L/∂z*, d⟩."""
    problem, state = any_world.problem(), any_world.guess()
    found = way(problem, state, some(state), with_probe=True)
    found = found[0] if isinstance(found, tuple) else found
    other, step = any_world.guess(seed=1), 1e-5
    obj, probe = other.obj - state.obj, other.probe - state.probe
    for along, gradient in (
        ((obj, 0 * probe), on_canvas(found, some(state), state)[None]),
        ((0 * obj, probe), found.probe),
    ):
        ends = [state.with_unknowns(state.obj + s * along[0], state.probe + s * along[1]) for s in (step, -step)]
        measured = (loss_at(problem, ends[0], SOME) - loss_at(problem, ends[1], SOME)) / (2 * step)
        direction = along[0] if gradient.shape == obj.shape else along[1]
        assert measured == pytest.approx(2 * float((gradient.conj() * direction).sum().real), rel=1e-6)


def test_gradient_of_the_probe_is_made_only_where_it_is_wanted(either: World) -> None:
    problem, state = either.problem(), either.guess()
    whole, _ = written_out(problem, state, some(state), with_probe=True)
    for found in (
        written_out(problem, state, some(state), with_probe=False)[0],
        automatic(problem, state, some(state), False),
    ):
        assert found.probe is None
        assert_close(on_canvas(found, some(state), state), on_canvas(whole, some(state), state), 1e-10)


def test_gradients_leave_the_state_alone(either: World) -> None:
    problem, state, before = either.problem(), either.guess(), either.guess()
    automatic(problem, state, some(state), with_probe=True)
    written_out(problem, state, some(state), with_probe=True)
    assert torch.equal(state.obj, before.obj)
    assert torch.equal(state.probe, before.probe)
    assert not state.obj.requires_grad


@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize(("field", "padding_px"), [("far", 0), ("near", 0), ("near", 3)])
def test_truth_is_a_fixed_point(field: str, padding_px: int, modes: int) -> None:
    small = world(field, modes=modes, padding_px=padding_px, whole_pixel=True)
    problem, state, wrong = small.problem(), small.truth(), small.guess()
    found, away = (written_out(problem, s, every(s), with_probe=True)[0] for s in (state, wrong))
    assert float(found.loss) < 1e-24 * problem.counts
    assert float(found.obj.abs().max()) < 1e-11 * float(away.obj.abs().max())
    assert float(found.probe.abs().max()) < 1e-11 * float(away.probe.abs().max())
    assert r_factor(problem, state) < 1e-12
    assert r_factor(problem, wrong) > 0.05


def test_truth_between_pixels_is_a_fixed_point_where_the_window_holds_the_probe(either: World) -> None:
    small = world(either.dataset.geometry.field, (68, 60))
    problem = small.problem()
    found, away = (written_out(problem, s, every(s), with_probe=True)[0] for s in (small.truth(), small.guess()))
    assert float(found.loss) < 1e-12 * problem.counts
    assert float(found.obj.abs().max()) < 1e-5 * float(away.obj.abs().max())


def test_masked_pixels_do_not_matter(either: World) -> None:
    counts = either.dataset.frames[:].copy()
    counts[:, ~either.dataset.mask] = 1e9
    spoiled = replace(either, dataset=replace(either.dataset, frames=counts)).problem()
    state = either.guess()
    found, _ = written_out(spoiled, state, some(state), with_probe=True)
    wanted, _ = written_out(either.problem(), state, some(state), with_probe=True)
    assert torch.equal(found.obj, wanted.obj)
    assert spoiled.counts == either.problem().counts
    assert r_factor(spoiled, either.guess()) == r_factor(either.problem(), either.guess())


def test_r_factor_is_its_formula(far: World) -> None:
    problem, state = far.problem(), far.guess()
    _, waves = problem.waves(state, torch.arange(len(problem)))
    model = np.sqrt(np.sum(np.abs(waves.numpy()) ** 2, axis=1))
    measured = np.sqrt(np.fft.ifftshift(far.dataset.frames[:], (1, 2)))
    valid = np.fft.ifftshift(far.dataset.mask)
    expected = np.abs(measured - model)[:, valid].sum() / measured[:, valid].sum()
    assert r_factor(problem, state) == pytest.approx(expected, rel=1e-12)


def test_shards_share_the_part_of_the_canvas_and_add_up(either: World) -> None:
    problem, state = either.problem(), either.guess()
    index = torch.tensor([3, 8, 1, 15, 6, 10, 12, 2, 9])
    parts = shards(state, index, 2)
    assert [part.index.tolist() for part in parts] == [[3, 8, 1, 15, 6], [10, 12, 2, 9]]
    assert parts[0].begin == parts[1].begin
    found = [written_out(problem, state, part, with_probe=True)[0] for part in parts]
    wanted, _ = written_out(problem, state, shards(state, index, 1)[0], with_probe=True)
    assert_close(found[0].obj + found[1].obj, wanted.obj, 1e-12)
    assert_close(found[0].probe + found[1].probe, wanted.probe, 1e-12)
    assert float(found[0].loss + found[1].loss) == pytest.approx(float(wanted.loss), rel=1e-12)
