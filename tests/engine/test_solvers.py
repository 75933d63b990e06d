"""Every solver through the one loop: it converges, it stops, it takes changes, it survives a lack of memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import torch
from worlds import World

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.constraints.orthogonal_modes import OrthogonalModes
from ptychogui.engine.constraints.probe_centred import ProbeCentred
from ptychogui.engine.constraints.probe_power import ProbePower
from ptychogui.engine.crew import Shard
from ptychogui.engine.metrics import r_factor
from ptychogui.engine.problem import Problem
from ptychogui.engine.solvers import AnySolver
from ptychogui.engine.solvers.adam import Adam
from ptychogui.engine.solvers.base import Plan, Solver, Update, iterate
from ptychogui.engine.solvers.epie import EPIE
from ptychogui.engine.solvers.mpie import MPIE
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.engine.start.data import FromData
from ptychogui.engine.state import State
from ptychogui.params import RunError, members

KINDS = members(AnySolver)
FREE = Constraints(
    probe_centred=ProbeCentred(enabled=False),
    orthogonal_modes=OrthogonalModes(enabled=False),
    probe_power=ProbePower(enabled=False),
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """So that a batch is one shard, on any machine; the tests that want more say so."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def plan(*stages: Solver, seed: int = 0) -> Plan:
    return Plan(stages, Constraints(), seed)


def begin(small: World, real: torch.dtype = torch.float32) -> tuple[Problem, State]:
    problem = small.problem(real)
    return problem, FromData(modes=small.modes).state(problem, small.dataset, None, 0)


def losses(problem: Problem, state: State, *stages: Solver) -> list[float]:
    return [float(item.loss) for item in iterate(problem, state, plan(*stages)) if item.whole]


@pytest.mark.parametrize("kind", KINDS)
def test_loss_falls(kind: str, either: World) -> None:
    problem, state = begin(either)
    before = r_factor(problem, state)
    curve = losses(problem, state, KINDS[kind](epochs=20, batch=2))
    assert len(curve) == 20
    assert curve[-1] < 0.25 * curve[0]
    assert r_factor(problem, state) < 0.5 * before


@pytest.mark.parametrize("kind", KINDS)
def test_one_frame_and_all_frames_are_batches(kind: str, far: World) -> None:
    for batch in (1, 16, 100, None):
        curve = losses(*begin(far), KINDS[kind](epochs=3, batch=batch))
        assert curve[-1] < curve[0]


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_is_kept(kind: str, either: World) -> None:
    problem, state = begin(either)
    losses(problem, state, KINDS[kind](epochs=2))
    assert state.obj.dtype == state.probe.dtype == torch.complex64
    assert state.position_px.dtype == torch.float64


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_may_be_closed_in_the_middle_of_an_epoch(kind: str, far: World) -> None:
    problem, state = begin(far)
    loop = iterate(problem, state, plan(KINDS[kind](batch=2)))
    reached = [next(loop) for _ in range(3)]
    loop.close()
    assert [item.epoch for item in reached] == [0, 0, 0]
    assert not reached[-1].whole
    assert bool(torch.isfinite(torch.view_as_real(state.obj)).all())
    assert list(loop) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_step_applies_to_the_next_step(kind: str, far: World) -> None:
    problem, state = begin(far)
    solver = KINDS[kind](batch=2, probe_start=0)
    loop = iterate(problem, state, Plan((solver,), FREE))

    def to_the_next_step(solver: Solver) -> None:
        item = loop.send(Plan((solver,), FREE))
        while solver.together and not item.whole:
            item = next(loop)

    next(loop)
    before = state.obj.clone()
    to_the_next_step(solver.with_value("object_step", 1e-20))
    assert torch.allclose(state.obj, before, rtol=0, atol=1e-15)
    to_the_next_step(solver)
    assert not torch.equal(state.obj, before)


@pytest.mark.parametrize("after", ["batch", "epoch"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_may_change_during_a_run(kind: str, after: str, far: World) -> None:
    problem, state = begin(far)
    first = EPIE(epochs=6, batch=4) if kind != "epie" else Adam(epochs=6, batch=4)
    loop = iterate(problem, state, plan(first))
    next(item for item in loop if item.whole == (after == "epoch"))
    loop.send(plan(KINDS[kind](epochs=4, batch=4)))
    curve = [float(item.loss) for item in loop if item.whole]
    assert len(curve) == (4 if after == "batch" else 3)
    assert curve[-1] < curve[0]


def test_a_changed_kind_gives_the_steps_of_that_solver(far: World) -> None:
    """The next batch moves pixels by the first step of Adam, whatever was before."""
    problem, state = begin(far, torch.float64)
    loop = iterate(problem, state, plan(MPIE(batch=8, probe_start=0)))
    next(loop)
    before = state.obj.clone()
    loop.send(plan(Adam(batch=8, object_step=0.03)))
    assert 0.02 < float((state.obj - before).abs().max()) < 0.0301


def test_constraints_may_be_changed_during_a_run(far: World) -> None:
    problem, state = begin(far)
    loop = iterate(problem, state, plan(RPIE()))
    next(loop)
    clipped = Constraints().with_value("object_amplitude", {"enabled": True, "maximum": 0.5})
    clipped = clipped.with_value("probe_power.enabled", False)
    loop.send(Plan((RPIE(),), clipped))
    next(item for item in loop if item.whole)
    assert float(state.obj.abs().max()) == pytest.approx(0.5)


def test_epochs_may_be_changed_during_a_run(far: World) -> None:
    loop = iterate(*begin(far), plan(RPIE(epochs=50)))
    next(loop)
    loop.send(plan(RPIE(epochs=2)))
    assert sum(item.whole for item in loop) == 2


def test_stages_follow_each_other(far: World) -> None:
    items = [item for item in iterate(*begin(far), plan(RPIE(epochs=2), Adam(epochs=3))) if item.whole]
    assert [item.epoch for item in items] == [1, 2, 3, 4, 5]
    assert plan(RPIE(epochs=2), Adam(epochs=3)).epochs == 5


@pytest.mark.parametrize("after", ["batch", "epoch"])
def test_stages_may_be_added_and_taken_away_during_a_run(after: str, far: World) -> None:
    for stages, others, epochs in (
        ((RPIE(epochs=2),), (RPIE(epochs=2), Adam(epochs=3)), 5),
        ((RPIE(epochs=2), Adam(epochs=3)), (RPIE(epochs=2),), 2),
    ):
        loop = iterate(*begin(far), plan(*stages))
        items = [next(item for item in loop if item.whole == (after == "epoch"))]
        items.append(loop.send(plan(*others)))
        items += loop
        assert sum(item.whole for item in items) == epochs


@pytest.mark.parametrize("after", ["batch", "epoch"])
def test_where_the_running_stage_is_taken_away_the_last_one_goes_on(after: str, far: World) -> None:
    loop = iterate(*begin(far), plan(EPIE(epochs=1), Adam(epochs=50)))
    next(item for item in loop if item.epoch == 2 and item.whole == (after == "epoch"))
    items = [loop.send(plan(RPIE(epochs=4))), *loop]
    assert items[-1].epoch == 5


def test_the_order_of_frames_follows_the_seed(far: World) -> None:
    problem = far.problem()
    orders = [torch.cat(list(problem.batches(3, torch.Generator().manual_seed(seed)))) for seed in (1, 1, 2)]
    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])
    assert orders[0].sort().values.tolist() == list(range(16))


def test_the_probe_is_kept_until_its_start(far: World) -> None:
    problem, state = begin(far)
    free = Constraints().with_value("probe_power.enabled", False).with_value("orthogonal_modes.enabled", False)
    free = free.with_value("probe_centred.enabled", False)
    loop = iterate(problem, state, Plan((RPIE(epochs=4, probe_start=2),), free))
    before = state.probe
    for item in loop:
        assert torch.equal(state.probe, before) == (item.epoch < 2 or (item.epoch == 2 and item.whole))


def test_steps_shrink_along_a_cosine() -> None:
    solver = RPIE(epochs=11, final_step=0.2)
    assert solver.pace(0) == 1
    assert solver.pace(5) == pytest.approx(0.6)
    assert solver.pace(10) == pytest.approx(0.2)
    assert solver.pace(40) == pytest.approx(0.2)
    assert RPIE(epochs=1).pace(0) == 1


def test_the_batch_follows_from_the_scan_or_is_given() -> None:
    assert [RPIE().batch_size(frames) for frames in (16, 640)] == [4, 40]
    assert [Adam().batch_size(frames) for frames in (16, 640)] == [4, 20]
    assert [RPIE(batch=b).batch_size(16) for b in (1, 7, 99)] == [1, 7, 16]


def test_the_loss_is_what_the_residual_is_of_the_counts(far: World) -> None:
    """Σ(√I − |Ψ|)² / ΣI: in one batch, that of the state before the step."""
    problem, state = begin(far, torch.float64)
    _, waves = problem.waves(state, torch.arange(16))
    model = waves.abs().square().sum(1).sqrt()
    error = (model - problem.amplitudes) * problem.valid
    first = next(iterate(problem, state, plan(RPIE(batch=16))))
    assert float(first.loss) == pytest.approx(float(error.square().sum()) / problem.counts, rel=1e-10)


def test_adam_by_autograd_follows_written_out(either: World) -> None:
    runs = []
    for autograd in (False, True):
        problem, state = begin(either, torch.float64)
        losses(problem, state, Adam(epochs=2, batch=4, probe_start=0, autograd=autograd))
        runs.append(state)
    assert float((runs[0].obj - runs[1].obj).abs().max()) < 1e-8
    assert float((runs[0].probe - runs[1].probe).abs().max()) < 1e-8 * float(runs[0].probe.abs().max())


def test_adams_first_step_is_about_as_long_as_was_asked_for(far: World) -> None:
    problem, state = begin(far, torch.float64)
    before = state.obj.clone()
    next(iterate(problem, state, plan(Adam(batch=16, object_step=0.03))))
    moved = (state.obj - before).abs()
    assert 0.02 < float(moved.max()) < 0.0301


class Hungry(RPIE):
    """Runs out of memory above some number of frames."""

    kind: Literal["hungry"] = "hungry"
    enough: int
    error: Any = torch.OutOfMemoryError("CUDA out of memory.")

    def step(self, problem: Problem, state: State, memory: Any, shard: Shard, done: int) -> Update:
        if len(shard.index) > self.enough:
            raise self.error
        return super().step(problem, state, memory, shard, done)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried to"),
    ],
)
def test_lack_of_memory_halves_the_batch_and_says_so(far: World, error: Exception) -> None:
    items = list(iterate(*begin(far), plan(Hungry(epochs=3, batch=16, enough=5, error=error))))
    said = [message for item in items for message in item.messages]
    assert said == [
        "Memory did not suffice for 16 frames at once; going on with 8.",
        "Memory did not suffice for 8 frames at once; going on with 4.",
    ]
    whole = [float(item.loss) for item in items if item.whole]
    assert len(whole) == 3
    assert whole[-1] < whole[0]


def test_halved_batches_count_every_frame_once(far: World) -> None:
    """The state after an epoch is that of batches of the smaller size in the same order."""
    results = []
    for solver in (Hungry(epochs=1, batch=16, enough=4), RPIE(epochs=1, batch=4)):
        problem, state = begin(far, torch.float64)
        results.append((losses(problem, state, solver), state.obj))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-12)
    assert torch.allclose(results[0][1], results[1][1], rtol=1e-12)


def test_lack_of_memory_for_a_single_frame_is_raised(far: World) -> None:
    with pytest.raises(torch.OutOfMemoryError):
        list(iterate(*begin(far), plan(Hungry(enough=0))))


def test_other_errors_are_not_taken_for_a_lack_of_memory(far: World) -> None:
    with pytest.raises(RuntimeError, match="shapes differ"):
        list(iterate(*begin(far), plan(Hungry(enough=1, error=RuntimeError("shapes differ")))))


def test_a_run_that_diverges_is_told_in_a_sentence(far: World) -> None:
    with pytest.raises(RunError, match=r"^The epie solver ran away in epoch \d+: take smaller steps\.$"):
        list(iterate(*begin(far), plan(EPIE(epochs=50, object_step=1e12, probe_step=1e12))))


@pytest.mark.parametrize("kind", KINDS)
def test_several_threads_give_what_one_gives(kind: str, either: World) -> None:
    ends = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        problem, state = begin(either, torch.float64)
        ends.append((losses(problem, state, KINDS[kind](epochs=3, batch=13)), state.obj))
    assert ends[0][0] == pytest.approx(ends[1][0], rel=1e-9)
    assert torch.allclose(ends[0][1], ends[1][1], rtol=1e-8)


def test_an_error_in_one_thread_is_raised_and_threads_are_let_go(far: World) -> None:
    torch.set_num_threads(2)
    threads = set(threading.enumerate())
    with pytest.raises(torch.OutOfMemoryError):
        list(iterate(*begin(far), plan(Hungry(batch=16, enough=0))))
    assert set(threading.enumerate()) <= threads


def test_threads_are_let_go_where_a_run_is_closed(far: World) -> None:
    torch.set_num_threads(2)
    threads = set(threading.enumerate())
    loop = iterate(*begin(far), plan(RPIE(batch=16)))
    next(loop)
    assert set(threading.enumerate()) - threads
    loop.close()
    assert set(threading.enumerate()) <= threads
