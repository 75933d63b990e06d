"""The two runs on halves of the frames: which frames, what they begin with, what is told, and how they are stopped."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from worlds import World

from ptychogui import frc, io
from ptychogui.cli import main
from ptychogui.engine.simulate import recipes, simulate
from ptychogui.job import Job, Request, run
from ptychogui.params import InputError
from ptychogui.types import Dataset, Result, Scan, Snapshot

JOB = Job().with_value("solver.epochs", 4)


@pytest.fixture(scope="module")
def scan() -> Dataset:
    return simulate(recipes()["siemens-far"](shape=(40, 36), frames=60))


@pytest.mark.parametrize("count", [8, 61])
def test_halves_share_no_frame_and_follow_each_other(count: int) -> None:
    first, second = frc.halves(count, seed=3)
    assert sorted([*first, *second]) == list(range(count))
    assert abs(len(first) - len(second)) <= 1
    n = min(len(first), len(second))
    assert (np.abs(first[:n] - second[:n]) == 1).all()
    assert 0 < (first[:n] > second[:n]).sum() < n
    assert not np.array_equal(frc.halves(count, seed=4)[0], first)


def test_a_part_of_a_scan_reads_its_own_frames(far: World) -> None:
    index = np.array([7, 2, 11])
    part = far.dataset.part(index)
    assert part.frames.shape == (3, 24, 20)
    assert np.array_equal(part.frames[1:], far.dataset.frames[index[1:]])
    assert np.array_equal(part.frames[2], far.dataset.frames[11])
    assert np.array_equal(part.scan.positions_m, far.dataset.scan.positions_m[index])
    assert part.truth is None


def test_a_run_tells_its_resolution(scan: Dataset) -> None:
    whole = run(JOB, scan)
    items = list(frc.snapshots(JOB, scan, whole))
    snapshots, result = items[:-1], items[-1]
    assert all(isinstance(item, Snapshot) for item in snapshots)
    assert [s.ended for s in snapshots if s.ended] == ["finished"]
    epochs = [s.epoch for s in snapshots]
    assert epochs == sorted(epochs)
    assert epochs[-1] == snapshots[-1].epochs == 8
    said = [message for s in snapshots for message in s.messages]
    assert [word for message in said for word in ("first half", "second half", "Resolution") if word in message] == [
        "first half",
        "second half",
        "Resolution",
    ]
    assert isinstance(result, Result)
    assert np.array_equal(result.obj.slices, whole.obj.slices)
    found = result.correlation
    assert found is not None
    assert found.frc[1] > 0.9
    for name, criterion in (("half_bit", found.half_bit), ("one_seventh", found.one_seventh)):
        length_m = result.metrics[f"resolution_{name}_m"]
        assert length_m == found.resolution_m(criterion)
        assert result.metrics[f"resolution_{name}_px"] == pytest.approx(length_m / max(result.obj.pixel_m))
    assert result.metrics.items() > whole.metrics.items()


def test_the_halves_share_nothing_of_the_object(scan: Dataset) -> None:
    whole = run(JOB, scan)
    one = next(frc.snapshots(JOB, scan, whole))
    assert isinstance(one, Snapshot)
    assert np.ptp(one.preview) == 0
    assert np.allclose(one.probe, whole.probe.modes)
    assert len(one.positions_m) == 30


def test_positions_and_optics_stay_as_the_whole_run_found_them(scan: Dataset) -> None:
    job = JOB.with_value("refine.positions.enabled", True).with_value("refine.positions.start", 1)
    rng = np.random.default_rng(3)
    off = Scan(scan.scan.positions_m + rng.normal(0, 0.4, (60, 2)) * scan.geometry.pixel_m)
    whole = run(job, replace(scan, scan=off))
    moved = np.abs(whole.scan.positions_m - whole.nominal_m).max(1)
    assert np.median(moved) > 0.02 * scan.geometry.pixel_m[0]
    for index, start in zip(frc.halves(60, job.seed), (0, 4), strict=True):
        seen = [s for s in frc.snapshots(job, replace(scan, scan=off), whole) if isinstance(s, Snapshot)]
        assert all(
            np.allclose(s.positions_m, whole.scan.positions_m[index]) for s in seen if start < s.epoch < start + 4
        )


def test_a_stop_gives_the_result_back_as_it_was(scan: Dataset) -> None:
    whole = run(JOB, scan)
    loop = frc.snapshots(JOB.with_value("solver.epochs", 500), scan, whole)
    next(loop)
    item = loop.send(Request(stop=True))
    assert isinstance(item, Snapshot)
    assert item.ended == "stopped"
    assert next(loop) is whole
    assert next(loop, None) is None


def test_too_few_frames(far: World) -> None:
    few = far.dataset.part(np.arange(5))
    with pytest.raises(InputError, match="only 5"):
        next(frc.snapshots(JOB, few, run(JOB, few)))


def test_on_the_command_line(tmp_path, scan, capsys) -> None:
    io.write(scan, tmp_path / "scan.cxi")
    name = str(tmp_path / "r.h5")
    assert main(["run", str(tmp_path / "scan.cxi"), "-o", name, "--epochs", "3", "--frc", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    result = io.read_result(name)
    assert result.correlation is not None
    assert figures["resolution_half_bit_m"] == result.metrics["resolution_half_bit_m"]
    assert figures["epochs"] == 3
    assert any("Resolution" in message for message in figures["warnings"])
