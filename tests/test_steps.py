"""The search for steps and batch: what it says of a scan, and where it stops."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import world

from ptychogui.engine.simulate import recipes, simulate
from ptychogui.job import Job, run
from ptychogui.params import InputError
from ptychogui.steps import StepMap, StepSearch, search_steps
from ptychogui.types import Dataset

QUICK = StepSearch(frames=12, epochs=9)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    values = {"frames": 40, "shape": (32, 40), "probe_px": 12, "photons": 1e5}
    return simulate(recipes()["siemens-far"].read(values))


def job(kind: str = "adam", **values: float) -> Job:
    out = Job().with_value("solver.kind", kind).with_value("solver.epochs", 12)
    for name, value in values.items():
        out = out.with_value(f"solver.{name}", value)
    return out


@pytest.fixture(scope="module")
def maps(dataset: Dataset) -> list[StepMap]:
    """All maps of a search that begins at steps ten times too small."""
    return list(search_steps(job(object_step=0.002, probe_step=0.003), dataset, how=QUICK))


def test_the_steps_found_make_a_better_run_than_those_that_were_given(dataset, maps):
    given = job(object_step=0.002, probe_step=0.003)
    found = given
    for name, value in maps[-1].settings.items():
        found = found.with_value(f"solver.{name}", value)
    before, after = run(given, dataset).metrics, run(found, dataset).metrics
    assert after["r_factor"] < before["r_factor"]
    assert after["object_nrmse"] < 0.6 * before["object_nrmse"]


def test_the_map_grows_by_one_short_run_at_a_time(maps):
    tried = [len(m.trials) + (len(m.wide.trials) if m.wide else 0) for m in maps[:-1]]
    assert tried == list(range(1, len(tried) + 1))
    assert [m.ended for m in maps] == [False] * len(tried) + [True]
    assert np.diff([m.share for m in maps[:-1]]).min() > 0


def test_the_map_holds_what_was_tried_where_it_was_tried(maps):
    last, first = maps[-1], maps[0].trials[0]
    assert (first.object_step, first.probe_step, first.batch) == (0.002, 0.003, 4)
    wide = last.wide
    assert wide is not None
    assert (wide.epochs, last.epochs) == (3, 9)
    for one in (wide, last):
        assert one.losses.shape == one.object_nrmse.shape == (len(one.probe_steps), len(one.object_steps))
        assert np.isfinite(one.losses).sum() == len([t for t in one.trials if t.batch == 4])
        for trial in one.trials:
            if trial.batch == 4:
                row = np.searchsorted(one.probe_steps, trial.probe_step)
                column = np.searchsorted(one.object_steps, trial.object_step)
                assert one.losses[row, column] == trial.loss
                assert one.object_nrmse[row, column] == trial.object_nrmse
    assert last.best in last.trials
    assert last.best.loss <= min(t.loss for t in last.trials if t.batch >= last.best.batch) / 0.95
    assert {"object_step", "probe_step"} <= {*last.settings}


def test_pixels_held_out_judge_and_not_those_that_were_fitted(dataset, maps):
    # the loss of an untouched start is that of its model: no pixel of it was fitted
    best = maps[-1].best
    trained = run(job(object_step=best.object_step, probe_step=best.probe_step, batch=4), dataset)
    assert best.loss > 0.5 * trained.loss[-1]
    assert maps[0].trials[0].loss > 3 * best.loss


def test_steps_with_which_the_solver_runs_away_are_not_taken(dataset):
    loop = search_steps(job("epie", object_step=16, probe_step=16), dataset, how=QUICK)
    wide = next(found.wide for found in loop if found.wide)
    loop.close()
    assert wide.trials[0].loss > 100 * wide.best.loss
    assert wide.best.object_step <= 4


def test_a_run_can_be_gone_on_from_and_a_stage_be_chosen(dataset):
    begun = run(job("rpie"), dataset)
    two = Job.read({"solver": [{"kind": "adam"}, {"kind": "rpie", "epochs": 6, "object_step": 0.5}]})
    loop = search_steps(two, dataset, begun, QUICK, stage=1)
    first = next(loop)
    loop.close()
    assert first.solver == "rpie"
    assert first.trials[0].object_step == 0.5
    fresh = next(search_steps(two, dataset, None, QUICK, stage=1))
    assert first.trials[0].loss < 0.5 * fresh.trials[0].loss


def test_the_batch_may_be_left_alone(dataset):
    *_, last = search_steps(job("rpie"), dataset, how=StepSearch(frames=12, epochs=2, batches=False))
    assert {trial.batch for trial in last.trials} == {4}
    assert last.trials[0].seconds > 0


@pytest.mark.parametrize("field", ["far", "near"])
def test_masked_pixels_and_damaged_frames_are_no_hindrance(field):
    data = world(field, shape=(23, 30)).dataset
    frames = np.array(data.frames)
    frames[2, 5:9] = np.nan
    broken = Dataset(frames, data.mask, data.scan, data.geometry)
    first = next(search_steps(job("rpie"), broken, how=QUICK))
    assert 0 < first.trials[0].loss < 1
    assert first.trials[0].object_nrmse is None


def test_a_dataset_that_does_not_fit_is_refused():
    data = world(shape=(23, 30)).dataset
    empty = Dataset(np.full_like(data.frames, np.nan), data.mask, data.scan, data.geometry)
    with pytest.raises(InputError, match="no valid pixel"):
        next(search_steps(Job(), empty))


def test_longer_runs_are_searched_for_by_longer_ones_up_to_a_length(dataset):
    lengths = {}
    for epochs in (4, 12, 80, 1000):
        loop = search_steps(job("rpie").with_value("solver.epochs", epochs), dataset, how=StepSearch(batches=False))
        lengths[epochs] = next(loop).epochs
        loop.close()
    assert lengths == {4: 1, 12: 2, 80: 6, 1000: 10}


def test_a_stage_on_larger_pixels_is_judged_on_those_of_the_frames(dataset):
    coarse = job("rpie", reduction=2)
    first = next(search_steps(coarse, dataset, how=QUICK)).trials[0]
    assert 0 < first.loss < 1
    assert 0 < first.object_nrmse < 1
