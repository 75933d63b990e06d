"""A job as a file, and as a run whose course can be followed and changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from worlds import World

import ptychogui
from ptychogui import io
from ptychogui.engine.solvers import AnySolver
from ptychogui.engine.start import AnyStart
from ptychogui.engine.start.data import FromData
from ptychogui.io.data import Data
from ptychogui.job import Job, Request, is_of, iterate, pattern_of, run, snapshots
from ptychogui.params import InputError, RunError, members
from ptychogui.types import Result, Snapshot

ENDLESS = 1_000_000


def job_of(kind: str = "rpie", epochs: int = 4, **solver: Any) -> Job:
    start = {"kind": "data", "find_defocus": False}
    return Job.read({"solver": {"kind": kind, "epochs": epochs, **solver}, "start": start, "device": "cpu"})


def stopped(course: Any) -> tuple[Snapshot, Result]:
    """The end of a course that is told to stop."""
    last = course.send(Request(stop=True))
    result = next(course)
    assert list(course) == []
    return last, result


def test_a_job_is_valid_with_nothing_given() -> None:
    assert Job().stages == (Job().solver,)
    assert Job.from_toml("") == Job()


@pytest.mark.parametrize("start", members(AnyStart))
@pytest.mark.parametrize("solver", members(AnySolver))
def test_jobs_go_through_toml(solver: str, start: str) -> None:
    job = Job().with_value("solver.kind", solver).with_value("start.kind", start).with_value("seed", 12)
    job = job.with_value("data.energy_eV", 8700).with_value("constraints.probe_power.counts", 1e5)
    assert Job.from_toml(job.toml()) == job
    stages = Job.read({**job.plain(), "solver": [{"kind": solver}, {"kind": "adam", "epochs": 3}]})
    assert Job.from_toml(stages.toml()) == stages
    assert stages.stages[1].epochs == 3


@pytest.mark.parametrize("text", ["seed = ", "= 3", "solver = {kind"])
def test_text_that_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^The job is not valid TOML: .*\.$"):
        Job.from_toml(text)


def test_a_course_ends_with_a_snapshot_that_says_why_and_the_result(either: World) -> None:
    job = job_of("rpie", 12)
    items = list(snapshots(job, either.dataset))
    *shown, ended, result = items
    assert all(isinstance(item, Snapshot) and not item.ended for item in shown)
    assert isinstance(ended, Snapshot)
    assert isinstance(result, Result)
    assert (shown[0].epoch, len(shown[0].loss)) == (0, 0)
    assert (ended.ended, ended.epoch, ended.epochs, ended.whole) == ("finished", 12, 12, True)
    assert np.array_equal(ended.loss, result.loss)
    assert len(result.loss) == 12
    assert result.loss[-1] < 0.5 * result.loss[0]
    assert Job.from_toml(result.job) == job
    assert result.provenance["epochs"] == "12"
    assert {"r_factor", "seconds", "object_nrmse", "position_error_px", "distance_error"} <= set(result.metrics)


def test_snapshots_are_plain_data_that_stay_as_they_are(far: World) -> None:
    course = snapshots(job_of(epochs=ENDLESS), far.dataset)
    first, second = next(course), next(course)
    kept = [second.preview.copy(), second.probe.copy(), second.loss.copy(), second.pattern.model.copy()]
    third = next(course)
    now = [second.preview, second.probe, second.loss, second.pattern.model]
    assert all(np.array_equal(a, b) for a, b in zip(kept, now))
    assert not np.array_equal(third.preview, second.preview)
    assert (first.preview.dtype, first.probe.dtype, first.loss.dtype) == (np.complex64, np.complex64, np.float32)
    assert first.device == "cpu"
    assert first.memory_bytes > 1_000_000
    assert third.seconds > second.seconds > first.seconds == 0
    assert third.seconds_per_epoch == pytest.approx(third.seconds / max(len(third.loss), 1))
    course.close()


def test_the_search_for_a_start_is_shown(far: World) -> None:
    job = job_of().with_value("start.find_defocus", True)
    *shown, result = snapshots(job, far.dataset)
    searching = [item.doing for item in shown].index("")
    assert searching > 1
    assert all("short run" in item.doing for item in shown[:searching])
    assert all(not item.doing for item in shown[searching:])
    begin = shown[searching]
    assert (begin.epoch, begin.stage, begin.whole) == (0, 0, True)
    problem = far.problem(torch.float32)
    assert np.array_equal(begin.probe, FromData().state(problem, far.dataset, None, 0).probe.numpy())
    assert 0 < begin.seconds < shown[-1].seconds == result.metrics["seconds"]
    assert shown[-1].seconds_per_epoch == pytest.approx((shown[-1].seconds - begin.seconds) / 4)


def test_the_search_for_a_start_may_be_stopped(far: World) -> None:
    course = snapshots(job_of().with_value("start.find_defocus", True), far.dataset)
    assert next(course).doing.endswith("1 of 21…")
    assert next(course).doing
    last, result = stopped(course)
    assert (last.ended, last.epoch, len(result.loss)) == ("stopped", 0, 0)
    assert result.metrics["seconds"] > 0


def test_snapshots_come_about_every_tenth_of_a_second(far: World) -> None:
    course = snapshots(job_of(epochs=ENDLESS), far.dataset)
    next(course)
    begun = time.monotonic()
    for _ in range(3):
        next(course)
    assert time.monotonic() - begun >= 0.2  # two whole pauses and a part of the first
    course.close()


def test_a_course_that_is_not_asked_for_more_does_not_go_on(far: World) -> None:
    course = snapshots(job_of(epochs=ENDLESS), far.dataset)
    next(course)
    shown = next(course)
    time.sleep(0.15)
    last, result = stopped(course)
    assert last.epoch == shown.epoch
    assert len(result.loss) == len(shown.loss)


@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("kind", members(AnySolver))
def test_a_course_may_be_stopped_at_any_time(kind: str, after: int, far: World) -> None:
    course = snapshots(job_of(kind, ENDLESS), far.dataset)
    for _ in range(after):
        next(course)
    last, result = stopped(course)
    assert last.ended == "stopped"
    assert isinstance(result, Result)
    assert np.isfinite(result.obj.slices).all()
    assert after > 1 or last.epoch == 0


def test_a_course_may_be_closed(far: World) -> None:
    threads = set(threading.enumerate())
    course = snapshots(job_of(epochs=ENDLESS, batch=16), far.dataset)
    next(course), next(course)
    course.close()
    assert list(course) == []
    assert set(threading.enumerate()) <= threads


def test_a_result_may_be_asked_for_in_the_middle(far: World) -> None:
    course = snapshots(job_of(epochs=ENDLESS), far.dataset)
    shown = (next(course), next(course))[1]
    result = course.send(Request(result=True))
    assert isinstance(result, Result)
    assert np.array_equal(result.loss, shown.loss)
    assert np.array_equal(result.probe.modes, shown.probe)
    assert isinstance(next(course), Snapshot)
    assert stopped(course)[0].seconds > shown.seconds


def test_an_iterate_may_be_asked_for_without_its_figures(far: World) -> None:
    course = snapshots(job_of(epochs=ENDLESS), far.dataset)
    shown = (next(course), next(course))[1]
    kept, whole = course.send(Request(iterate=True)), course.send(Request(result=True))
    assert isinstance(kept, Result)
    assert np.array_equal(kept.probe.modes, shown.probe)
    assert np.array_equal(kept.obj.slices, whole.obj.slices)
    assert set(kept.metrics) == {"seconds"}
    course.close()


def test_the_pattern_of_any_frame_may_be_watched(far: World) -> None:
    course = snapshots(job_of(epochs=ENDLESS), far.dataset, frame=3)
    assert next(course).pattern.index == 3
    assert course.send(Request(frame=11)).pattern.index == 11
    assert next(course).pattern.index == 11
    assert stopped(course)[0].pattern.index == 11


@pytest.mark.parametrize("after", [1, 2])
@pytest.mark.parametrize("kind", members(AnySolver))
def test_the_kind_of_solver_may_change_during_a_run(kind: str, after: int, far: World) -> None:
    job = job_of("epie" if kind != "epie" else "adam", ENDLESS)
    course = snapshots(job, far.dataset)
    for _ in range(after):
        shown = next(course)
    changed = job.with_value("solver.kind", kind)
    assert course.send(Request(job=changed)).epoch >= shown.epoch
    _, result = stopped(course)
    assert Job.from_toml(result.job) == changed
    assert f"solver.kind={kind}" in result.provenance["changes"]
    assert result.provenance["changes"].startswith(f"epoch {shown.epoch}: ")


def test_live_changes_apply_and_are_written_down(far: World) -> None:
    job = job_of(epochs=ENDLESS)
    course = snapshots(job, far.dataset)
    next(course), next(course)
    changed = job.with_value("solver.epochs", 1).with_value("constraints.object_amplitude.enabled", True)
    items = [course.send(Request(job=changed)), *course]
    assert items[-2].ended == "finished"
    assert items[-2].epochs == 1
    changes = items[-1].provenance["changes"]
    assert "constraints.object_amplitude.enabled=True, solver.epochs=1" in changes


def test_what_a_running_job_cannot_change_stays(far: World) -> None:
    job = job_of(epochs=ENDLESS)
    course = snapshots(job, far.dataset)
    next(course)
    other = job.with_value("seed", 5).with_value("start.modes", 3).with_value("data.path", "elsewhere.cxi")
    course.send(Request(job=other))
    _, result = stopped(course)
    assert Job.from_toml(result.job) == job
    assert result.provenance["changes"] == ""


def test_a_run_that_runs_away_keeps_its_result_and_then_says_so(far: World) -> None:
    course = snapshots(job_of("epie", 50, object_step=1e30, probe_step=1e30), far.dataset)
    items = []
    with pytest.raises(RunError, match=r"^The epie solver ran away in epoch \d+: take smaller steps\.$"):
        collect(course, items)
    assert isinstance(items[-1], Result)
    assert all(isinstance(item, Snapshot) for item in items[:-1])


def collect(course: Iterator[Any], items: list[Any]) -> None:
    """Append item by item, so that what came before an error is kept."""
    for item in course:
        items.append(item)  # noqa: PERF402


def test_what_does_not_fit_is_told_before_the_run(far: World) -> None:
    with pytest.raises(InputError, match="There is no device 'quantum:7' here: use auto or cpu"):
        next(snapshots(job_of().with_value("device", "quantum:7"), far.dataset))
    with pytest.raises(InputError, match=r"start\.path"):
        next(snapshots(job_of().with_value("start.kind", "file"), far.dataset))
    blind = replace(far.dataset, mask=np.zeros_like(far.dataset.mask))
    with pytest.raises(InputError, match="has no valid pixel"):
        run(job_of(), blind)


def test_the_seed_decides(either: World) -> None:
    first, again, other = (run(job_of("mpie").with_value("seed", s), either.dataset) for s in (3, 3, 4))
    assert np.array_equal(first.obj.slices, again.obj.slices)
    assert np.array_equal(first.probe.modes, again.probe.modes)
    assert np.array_equal(first.loss, again.loss)
    assert not np.array_equal(first.obj.slices, other.obj.slices)


@pytest.mark.parametrize("given", ["memory", "file"])
def test_a_run_goes_on_from_an_earlier_one(given: str, any_world: World, tmp_path: Path) -> None:
    job = job_of().with_value("model.padding_px", any_world.padding_px).with_value("start.modes", any_world.modes)
    first = run(job, any_world.dataset)
    if given == "file":
        io.write_result(first, tmp_path / "first.h5")
        course = snapshots(
            job.with_value("start", {"kind": "file", "path": str(tmp_path / "first.h5")}), any_world.dataset
        )
    else:
        course = snapshots(job, any_world.dataset, initial=first)
    shown = next(course)
    assert shown.epoch == 0
    assert np.abs(shown.probe - first.probe.modes).max() < 1e-5 * np.abs(first.probe.modes).max()
    *_, second = course
    assert second.loss[0] < 0.5 * first.loss[0]
    assert second.metrics["r_factor"] < first.metrics["r_factor"]
    # the canvas reaches around the corrected positions
    assert np.abs(np.subtract(second.obj.slices.shape, first.obj.slices.shape)).max() <= 2


def test_stages_follow_each_other(far: World) -> None:
    job = Job.read({"solver": [{"kind": "rpie", "epochs": 2}, {"kind": "adam", "epochs": 3}], "device": "cpu"})
    assert len(run(job, far.dataset).loss) == 5


def test_an_iterate_knows_its_stage(far: World) -> None:
    job = Job().with_value("solver", [{"kind": "epie", "epochs": 2}, {"kind": "rpie", "epochs": 1}])
    assert [item.stage for item in iterate(job, far.dataset) if item.whole] == [0, 0, 1]
    assert [item for item in snapshots(job, far.dataset) if isinstance(item, Snapshot)][-1].stage == 1


def test_a_run_reads_the_file_of_its_job(far: World, tmp_path: Path) -> None:
    path = tmp_path / "scan.cxi"
    io.write(far.dataset, path)
    job = job_of().with_value("data.path", str(path))
    result = run(job)
    assert result.metrics["r_factor"] == pytest.approx(run(job_of(), far.dataset).metrics["r_factor"], rel=0.05)
    assert result.provenance["data"].endswith("scan.cxi")


def test_iterates_are_tensors_and_take_changes(far: World) -> None:
    course = iterate(job_of(epochs=ENDLESS), far.dataset)
    item = next(course)
    assert not item.whole
    before = item.state.probe.clone()
    course.send(job_of(epochs=1))
    *_, last = course
    assert last.epoch == 1
    assert last.state.probe.shape == before.shape


def test_the_package_offers_the_same() -> None:
    assert ptychogui.Job is Job
    assert ptychogui.run is run
    assert ptychogui.read_result is io.read_result
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = ptychogui.nonsense


def test_a_result_knows_the_data_that_was_read_by_hand(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).poisson(50.0, (6, 16, 20)).astype(np.float32)
    scan = np.stack([np.arange(6) % 3, np.arange(6) // 3], 1) * 4.0
    np.savez(tmp_path / "scan.npz", data=frames, scan=scan)
    data = io.read(Data(path=str(tmp_path / "scan.npz"), bin=2))
    result = run(Job().with_value("solver.epochs", 1), data)
    said = Job.from_toml(result.job).data
    assert said.path == str(tmp_path / "scan.npz")
    assert said.bin == 2


def test_a_result_outlives_its_file(far: World) -> None:
    """Once the frames are in memory, a network drive may go away."""

    class Drive:
        gone = False
        shape, dtype = far.dataset.frames.shape, far.dataset.frames.dtype

        def __getitem__(self, index: Any, /) -> Any:
            if self.gone:
                raise OSError("the drive is gone")
            return far.dataset.frames[index]

    drive = Drive()
    course = snapshots(job_of(), replace(far.dataset, frames=drive))
    next(course)
    drive.gone = True
    *_, last = course
    assert isinstance(last, Result)
    assert len(last.loss) == 4
    assert last.provenance["data_hash"] == run(job_of(), far.dataset).provenance["data_hash"]


def test_the_pattern_of_a_result_is_what_the_run_showed(either: World) -> None:
    refined = {name: {"enabled": True} for name in ("positions", "distance", "gain", "background")}
    job = Job.read({**job_of("adam", 9).plain(), "refine": refined, "model": {"kind": "thin", "padding_px": 3}})
    *_, last, result = snapshots(job, either.dataset, frame=5)
    assert isinstance(last, Snapshot)
    assert isinstance(result, Result)
    assert last.pattern is not None
    assert {"gain", "background"} <= result.unknowns.keys()
    assert result.geometry != either.dataset.geometry
    found = pattern_of(result, either.dataset, 5)
    assert found.index == 5
    assert np.array_equal(found.measured, last.pattern.measured, equal_nan=True)
    assert np.abs(found.model - last.pattern.model).max() < 1e-3 * last.pattern.model.max()
    assert np.abs(pattern_of(result, either.dataset, 6).model - found.model).max() > 0.05 * found.model.max()


def test_a_result_knows_the_data_that_it_was_made_of(far: World) -> None:
    result, data = run(job_of("rpie", 1), far.dataset), far.dataset
    assert is_of(result, data)
    assert not is_of(result, replace(data, frames=np.asarray(data.frames[:])[:, ::-1]))
    fewer = data.part(np.arange(1, len(data.scan)))
    assert not is_of(result, fewer)
    with pytest.raises(InputError, match="the data are others now"):
        pattern_of(result, fewer, 2)
