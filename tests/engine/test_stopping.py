"""Plateaus, held-out pixels and the state that is given back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from worlds import World, world

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.crew import shards
from ptychogui.engine.gradient import automatic, written_out
from ptychogui.engine.held_out import HeldOut
from ptychogui.engine.losses import Amplitude, Poisson
from ptychogui.engine.problem import Problem
from ptychogui.engine.solvers.adam import Adam
from ptychogui.engine.solvers.base import Plan, iterate
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.engine.state import State
from ptychogui.engine.stopping import Stopping, Watch, copied
from ptychogui.job import Job

EVERY = torch.arange(16)


def noisy(known: World, counts: float = 300.0, seed: int = 2) -> World:
    """The same scan with so many counts in a frame, drawn by chance."""
    rng = np.random.default_rng(seed)
    clean = known.dataset.frames[:]
    drawn = rng.poisson(clean * counts / clean.sum((1, 2)).mean()).astype(float)
    return replace(known, dataset=replace(known.dataset, frames=drawn))


def held(problem: Problem, part: float = 0.05, seed: int = 6) -> np.ndarray:
    """Which pixels (N, ny, nx) are held out, told by the weight."""
    problem.held_out = HeldOut(problem, part, seed)
    shown = problem.weight(torch.arange(len(problem)))
    assert shown is not None
    valid = problem.valid_pixels(torch.arange(len(problem)))
    valid = torch.ones_like(shown) if valid is None else valid.expand(shown.shape)
    return (valid - shown).numpy() == 1


def test_every_frame_holds_out_as_many_pixels_at_its_own_places(far: World, near: World) -> None:
    for known in (far.without_mask(), near.without_mask()):
        problem = known.problem()
        out = held(problem)
        rim = problem.padding_px
        assert not rim or not out[:, :rim].any()
        count = round(0.05 * np.prod(problem.window))
        assert (out.sum((1, 2)) <= count).all()
        assert rim or (out.sum((1, 2)) == count).all()
        assert len({frame.tobytes() for frame in out}) == len(out)
        assert not np.array_equal(held(problem, seed=7), out)


def test_pixels_that_were_not_measured_stay_out(far: World) -> None:
    problem = far.problem()
    problem.held_out = HeldOut(problem, 0.2, 1)
    shown = problem.weight(EVERY)
    valid = problem.valid_pixels(EVERY)
    assert shown is not None
    assert valid is not None
    assert (shown <= valid).all()
    assert (shown.sum((1, 2)) < valid.sum()).all()


@pytest.mark.parametrize("gradient", [written_out, automatic])
def test_no_gradient_depends_on_a_held_out_pixel(any_world: World, gradient) -> None:
    problem, state = any_world.problem(), any_world.guess()
    shard = shards(state, EVERY, 1)[0]
    out = torch.from_numpy(held(problem))

    def found():
        made = gradient(problem, state, shard, True)
        return made[0] if isinstance(made, tuple) else made

    before = found()
    rim = problem.padding_px
    inner = out[:, rim : out.shape[1] - rim, rim : out.shape[2] - rim]
    problem.amplitudes[inner] += 30
    after = found()
    assert torch.equal(before.obj, after.obj)
    assert torch.equal(before.probe, after.probe)
    assert torch.equal(before.loss, after.loss)


@pytest.mark.parametrize("loss", [Amplitude(), Poisson()])
def test_the_misfit_is_the_loss_over_the_held_out_pixels(any_world: World, loss) -> None:
    problem, state = any_world.problem(), any_world.guess()
    out = held(problem)
    for index in torch.split(EVERY, 5):
        written_out(problem, state, shards(state, index, 1)[0], False, loss)
    counts = problem.counts_of(state, problem.waves(state, EVERY)[1], EVERY)
    expected = loss.value(counts, problem.amplitude(EVERY), torch.from_numpy(out).double())
    assert problem.held_out is not None
    assert problem.held_out.misfit() == pytest.approx(float(expected), rel=1e-9)


def test_pixels_are_held_out_where_whole_counts_are_few(far: World) -> None:
    few, many = noisy(far, 300.0), noisy(far, 1e7)
    scaled = replace(few, dataset=replace(few.dataset, frames=few.dataset.frames / 7))
    for known, on in ((few, True), (many, False), (scaled, False)):
        problem, state = known.problem(), known.truth()
        assert problem.few_counts(state.obj) is on
        assert (Stopping().pixels(problem, state, 0) is not None) is on
        assert Stopping(held_out=0).pixels(problem, state, 0) is None
        assert Stopping(held_out=0.1).pixels(problem, state, 0) is not None


def watch(far: World) -> Watch:
    return Watch(far.problem(), far.guess())


def test_a_plateau_is_told_once_and_ends_only_where_that_is_wanted(far: World) -> None:
    curve = [*np.geomspace(1, 0.1, 20), *np.full(40, 0.1)]
    for automatic_stop in (False, True):
        seen, said, last = watch(far), [], 60
        for epoch, loss in enumerate(curve, 1):
            last, messages = seen.settle(Stopping(automatic=automatic_stop), loss, epoch, last)
            said += [(epoch, message) for message in messages]
            if epoch == last:
                break
        assert len(said) == 1
        assert 35 <= said[0][0] <= 41
        assert "plateau" in said[0][1]
        assert last == (said[0][0] + 10 if automatic_stop else 60)


def test_an_end_that_is_wanted_after_a_plateau_was_told_is_told_too(far: World) -> None:
    seen, said, last = watch(far), [], 90
    for epoch in range(1, 60):
        last, messages = seen.settle(Stopping(automatic=epoch > 40), 0.1, epoch, last)
        said += [(epoch, message) for message in messages]
    assert [epoch for epoch, _ in said] == [20, 41]
    assert last == 51


def test_a_loss_that_falls_is_no_plateau(far: World) -> None:
    seen = watch(far)
    for epoch, loss in enumerate(np.geomspace(1, 0.5, 100), 1):
        assert seen.settle(Stopping(automatic=True), loss, epoch, 500) == (500, ())


class Curve:
    """Held-out pixels whose misfit is written down beforehand."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def misfit(self) -> float:
        """The next."""
        return self.values.pop(0)


def test_the_best_state_is_given_back(far: World) -> None:
    seen = watch(far)
    seen.problem.held_out = Curve(*np.linspace(10, 5, 12), *np.linspace(5.2, 9, 30))  # type: ignore[assignment]
    stopping, last, said = Stopping(window=6), 42, []
    for epoch in range(1, 43):
        seen.state.obj[:] = epoch
        last, messages = seen.settle(stopping, 1.0, epoch, last)
        said += messages
        if epoch == last:
            break
    assert 18 < last < 42
    assert last % 2 == 0
    assert "noise" in said[0]
    kept = seen.state.obj[0, 0, 0].real
    assert 12 <= kept <= 14  # the mean over three epochs lags behind by one
    assert f"epoch {kept:.0f} " in said[-1]


def test_a_solver_that_tells_nothing_of_held_out_pixels_runs_on(far: World) -> None:
    seen = watch(far)
    seen.problem.held_out = HeldOut(seen.problem, 0.1, 3)
    assert np.isnan(seen.problem.held_out.misfit())
    for epoch in range(1, 60):
        assert seen.settle(Stopping(), 0.9**epoch, epoch, 60) == (60, ())


def test_a_copied_state_shares_no_memory(far: World) -> None:
    state = far.guess()
    other = copied(state)
    before = [t.clone() for t in (other.obj, other.probe, other.shift, other.ramps[0])]
    state.obj.zero_()
    state.probe.zero_()
    state.move(EVERY, torch.full((16, 2), 0.25, dtype=torch.float64))
    after = [other.obj, other.probe, other.shift, other.ramps[0]]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def ran(known: World, plan: Plan) -> tuple[list[float], list[str], State]:
    problem, state = known.problem(), known.guess()
    state.probe = state.probe * (problem.mean_counts / problem.measured_power(state.probe)).sqrt()
    losses, said = [], []
    for item in iterate(problem, state, plan):
        said += item.messages
        if item.whole:
            losses.append(float(item.loss))
    return losses, said, state


def test_a_run_that_fits_noise_ends_early_and_is_no_worse_for_it() -> None:
    known = noisy(world(modes=1), 150.0)
    solver = Adam(epochs=150, batch=4, object_step=0.05)
    clean = world(modes=1).problem()

    def misfit(state: State) -> float:
        scaled = state.with_unknowns(state.obj, state.probe)
        counts = clean.counts_of(scaled, clean.waves(scaled, EVERY)[1], EVERY)
        counts = counts * (clean.counts / counts.sum())
        return float(Amplitude().value(counts, clean.amplitude(EVERY), clean.valid_pixels(EVERY)) / clean.counts)

    losses, said, stopped = ran(known, Plan((solver,), Constraints(), stop=Stopping(held_out=0.03)))
    whole, _, late = ran(known, Plan((solver,), Constraints()))
    assert len(losses) < 120
    assert len(whole) == 150
    assert any("noise" in message for message in said)
    assert misfit(stopped) < misfit(late)


def test_a_stage_that_ends_early_shrinks_its_steps_and_the_next_one_follows(far: World) -> None:
    stages = (RPIE(epochs=200, batch=4), RPIE(epochs=3, batch=8, object_step=0.5))
    stop = Stopping(automatic=True, improvement=0.3, window=4, held_out=0)
    losses, said, _ = ran(far, Plan(stages, Constraints(), stop=stop))
    assert 8 + 4 + 3 <= len(losses) < 100
    assert sum("plateau" in message for message in said) == 1


def test_it_is_a_part_of_the_job() -> None:
    job = Job().with_value("stop.automatic", True).with_value("stop.held_out", 0.02)
    assert Job.from_toml(job.toml()) == job
    assert Job().stop == Stopping()
