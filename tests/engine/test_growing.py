"""A run that takes in frames while they come has the same problem at the end, in the same place, as any other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from worlds import World, world

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.growing import cover, grow, take
from ptychogui.engine.models.thin import Thin
from ptychogui.engine.problem import problem
from ptychogui.engine.refine import Refine
from ptychogui.engine.refine.moved import stretch
from ptychogui.engine.solvers import AnySolver
from ptychogui.engine.solvers.base import Plan
from ptychogui.engine.state import State
from ptychogui.job import Job, Request, snapshots
from ptychogui.params import InputError, members
from ptychogui.types import Dataset, Positions, Result, Snapshot

FIRST = 6
CPU = torch.device("cpu")
SOLVERS: dict[str, Any] = members(AnySolver)


def part_of(whole: Dataset, count: int) -> Dataset:
    """The first frames of a scan."""
    scan = replace(whole.scan, positions_m=whole.scan.positions_m[:count])
    return replace(whole, frames=np.asarray(whole.frames)[:count], scan=scan, truth=None)


def first_of(whole: World, count: int) -> World:
    return replace(whole, dataset=part_of(whole.dataset, count))


@dataclass
class Portions:
    """A feed of which a further portion has come every time that it is asked."""

    whole: Dataset
    portion: int = 4
    planned_m: Positions | None = None
    here: int = FIRST
    asked: int = 0
    known: list[int] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.here == len(self.whole.scan)

    def more(self, known: int) -> Dataset | None:
        self.asked += 1
        if self.asked % 3 == 0:
            self.here = min(self.here + self.portion, len(self.whole.scan))
        self.known.append(known)
        return part_of(self.whole, self.here) if self.here > known else None


def test_a_problem_that_grew_is_the_whole_problem(any_world: World) -> None:
    whole, early = any_world.problem(), first_of(any_world, FIRST).problem()
    state = first_of(any_world, FIRST).truth()
    for count in (FIRST + 1, 11, 16):
        take(early, state, part_of(any_world.dataset, count))
    assert torch.equal(early.amplitudes, whole.amplitudes)
    assert early.counts == pytest.approx(whole.counts)
    assert early.typical_counts == pytest.approx(whole.typical_counts)
    assert (early.valid is None) == (whole.valid is None)
    if whole.valid is not None and early.valid is not None:
        assert torch.equal(early.valid.bool(), whole.valid.bool())
    pixel_m = np.array(early.geometry.pixel_m)
    place = state.position_px.numpy() + np.array(early.window) // 2 + np.array(state.origin_m) / pixel_m
    np.testing.assert_allclose(place * pixel_m, any_world.dataset.scan.positions_m, rtol=1e-9)
    room = np.array(state.obj.shape[-2:]) - early.window
    assert (state.corner.numpy() >= 0).all()
    assert (state.corner.numpy() <= room).all()


def test_what_was_there_stays_where_it_was(any_world: World) -> None:
    early = first_of(any_world, FIRST)
    given, state = early.problem(), early.guess()
    index = torch.arange(FIRST)
    before = given.waves(state, index)[1]
    assert take(given, state, any_world.dataset)
    assert torch.allclose(given.waves(state, index)[1], before, rtol=1e-12, atol=1e-9)


def test_a_frame_with_dead_pixels_of_its_own_may_come_late(far: World) -> None:
    frames = np.array(far.dataset.frames)
    frames[12, 4, 3] = np.nan
    whole = replace(far, dataset=replace(far.dataset, frames=frames))
    early = first_of(whole, FIRST)
    given, state = early.problem(), early.truth()
    take(given, state, whole.dataset)
    assert given.valid is not None
    assert whole.problem().valid is not None
    assert torch.equal(given.valid.bool(), whole.problem().valid.bool())  # type: ignore[union-attr]


def test_new_frames_are_stretched_as_the_others_were(far: World) -> None:
    early = first_of(far, 9)
    given, state = early.problem(), early.truth()
    stretch(state, torch.tensor([[0.03, -0.02], [0.01, 0.05]], dtype=torch.float64))
    all_at_once, whole = far.problem(), far.truth()
    place = whole.position_px
    take(given, state, far.dataset)
    assert len(all_at_once) == len(given)
    moved = state.nominal_px - state.nominal_px[0] - (place - place[0])
    columns = torch.cat([torch.ones(16, 1, dtype=torch.float64), place], 1)
    found = torch.linalg.lstsq(columns[:9], moved[:9]).solution
    assert torch.allclose(columns @ found, moved, atol=1e-6)
    assert float(moved[9:].abs().max()) > 0.1


def test_along_a_single_row_nothing_is_known_of_the_other_direction(far: World) -> None:
    places = np.array(far.dataset.scan.positions_m)
    places[:9, 0] = places[0, 0]
    row = replace(far, dataset=replace(far.dataset, scan=replace(far.dataset.scan, positions_m=places)))
    early = first_of(row, 9)
    given, state = early.problem(), early.truth()
    state.nominal_px = state.nominal_px + torch.tensor([0.5, 0.25], dtype=torch.float64)
    take(given, state, row.dataset)
    pixel_m = np.array(given.geometry.pixel_m)
    wanted = (places[9:] - places[0]) / pixel_m
    np.testing.assert_allclose((state.nominal_px[9:] - state.nominal_px[0]).numpy(), wanted, atol=1e-6)


def test_the_object_has_room_for_all_that_is_planned(far: World) -> None:
    early = first_of(far, FIRST)
    given, state = early.problem(), early.truth()
    assert cover(given, state, far.dataset.scan.positions_m, 0.0)
    shape = state.obj.shape
    assert not take(given, state, far.dataset)
    assert state.obj.shape == shape


def test_a_position_that_must_be_wrong_is_refused(far: World) -> None:
    early = first_of(far, FIRST)
    places = np.array(far.dataset.scan.positions_m)
    places[-1] += 1.0
    wrong = replace(far.dataset, scan=replace(far.dataset.scan, positions_m=places))
    with pytest.raises(InputError, match=r"^A frame lies so far away that the object would have"):
        take(early.problem(), early.truth(), wrong)


def begun(whole: World, solver: str, **refine: Any) -> tuple[Any, State, Plan]:
    early = first_of(whole, FIRST)
    given = problem(early.dataset, Thin(padding_px=whole.padding_px), CPU, torch.float64)
    stage = SOLVERS[solver](epochs=3)
    return given, early.guess(), Plan((stage,), Constraints(), 0, Refine.nothing().model_copy(update=refine))


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_takes_in_what_comes(solver: str, far: World) -> None:
    given, state, plan = begun(far, solver)
    feed = Portions(far.dataset)
    longer: list[Dataset] = []
    losses = [float(item.loss) for item in grow(given, state, plan, feed, longer.append) if item.whole]
    assert len(given) == 16
    assert len(state.position_px) == 16
    assert [len(one.scan) for one in longer] == [10, 14, 16]
    assert losses[-1] < losses[0]
    assert np.isfinite(losses).all()


def test_unknowns_of_every_frame_are_refined_while_they_come(far: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from ptychogui.engine import growing

    monkeypatch.setattr(growing, "ENOUGH", 6)
    refine = Refine.read({name: {"enabled": name in ("positions", "gain"), "start": 0} for name in Refine.model_fields})
    given, state, plan = begun(far, "adam")
    feed = Portions(far.dataset, portion=1)
    for _ in grow(given, state, replace(plan, refine=refine), feed, lambda _: None):
        pass
    assert state.gain is not None
    assert len(state.gain) == 16
    assert float((state.position_px - state.nominal_px).abs().max()) > 0


def test_frames_that_had_fewer_turns_are_taken_sooner() -> None:
    from ptychogui.engine.growing import _next

    turns = torch.tensor([40.0] * 30 + [0.0] * 6, dtype=torch.float64)
    generator = torch.Generator().manual_seed(2)
    chosen = torch.cat([_next(turns, 6, generator) for _ in range(20)])
    assert float((chosen >= 30).double().mean()) > 0.6
    assert len(chosen.unique()) > 20


def live(job: Job, whole: World, feed: Portions) -> Iterator[Snapshot | Result]:
    dataset = replace(part_of(whole.dataset, FIRST), probe=whole.dataset.probe)
    return snapshots(job, dataset, feed=feed)


JOB = Job().with_value("start.find_defocus", False).with_value("solver.epochs", 40)


def test_a_live_run_ends_as_well_as_one_that_had_all_frames() -> None:
    """On the mean of four seeds: with so few frames, where a run ends depends on their order."""
    whole, figures = world(modes=1), []
    for seed in range(4):
        job = JOB.with_value("seed", seed)
        *_, grown = live(job, whole, Portions(whole.dataset, planned_m=whole.dataset.scan.positions_m))
        *_, usual = snapshots(job, replace(whole.dataset, truth=None))
        assert isinstance(grown, Result)
        assert isinstance(usual, Result)
        assert len(grown.scan) == 16
        assert len(grown.loss) > 30
        assert grown.provenance["data_hash"] == usual.provenance["data_hash"]
        figures.append((grown.metrics["r_factor"], usual.metrics["r_factor"]))
    live_mean, usual_mean = np.mean(figures, 0)
    assert live_mean < 1.02 * usual_mean


def test_a_live_run_can_be_stopped_and_changed_while_frames_come() -> None:
    whole = world(modes=1)
    feed = Portions(whole.dataset, portion=0)  # nothing more will ever come
    loop = live(JOB, whole, feed)
    first = next(loop)
    assert isinstance(first, Snapshot)
    item = loop.send(Request(job=JOB.with_value("solver.object_step", 0.02)))  # type: ignore[attr-defined]
    assert isinstance(item, Snapshot)
    assert item.epochs >= 40
    rest = [loop.send(Request(stop=True)), *loop]  # type: ignore[attr-defined]
    assert isinstance(rest[-1], Result)
    assert len(rest[-1].scan) == FIRST
    assert "object_step=0.02" in rest[-1].provenance["changes"]
