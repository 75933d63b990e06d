"""The cost of an epoch, and what must not happen in one."""

from __future__ import annotations

import json

import pytest
import torch
from worlds import world

from ptychogui.bench import engine
from ptychogui.cli import main
from ptychogui.job import Job, iterate
from ptychogui.params import members

SOLVERS = sorted(members(Job.model_fields["solver"].annotation))


def test_every_solver_is_measured_at_whole_pixels_and_between_them(scan, capsys):
    assert main(["bench", "engine", str(scan), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert sorted({row["solver"] for row in rows}) == SOLVERS
    assert all(row["frames"] == [40, 40, 56] and row["passes_per_epoch"] > 1 for row in rows)
    demands = {(row["solver"], row["positions"]): (row["demand"], row["stretch"]) for row in rows}
    assert len(demands) == len(rows) == 2 * len(SOLVERS)
    assert demands["mpie", "sub-pixel"] == (7, 5)
    assert demands["adam", "whole"] == (6, None)
    lines = engine.table(rows).splitlines()
    assert len(lines) == len(rows) + 1
    assert lines[1].split()[0] == "40×40×56"


@pytest.mark.parametrize("kind", SOLVERS)
def test_no_batch_waits_for_the_device(kind):
    # on the CPU a look at a number costs nothing; on an accelerator each one empties the queue
    dataset = world(shape=(23, 30)).dataset
    job = Job().with_value("solver.kind", kind).with_value("solver.epochs", 3).with_value("solver.batch", 2)
    loop = iterate(job.with_value("start.find_defocus", False), dataset)
    while not next(loop).whole:
        pass
    next(loop)  # the epoch begins with an order of the frames, which is made on the CPU
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        assert not any(next(loop).whole for _ in range(len(dataset.scan) // 2 - 2))
    asked = {event.key for event in profile.key_averages()}
    assert "aten::_fft_c2c" in asked
    assert not asked & {"aten::item", "aten::_local_scalar_dense", "aten::is_nonzero"}
