"""Stages on the command line: solvers that follow each other, each from where the one before it ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ptychogui import io
from ptychogui.cli import main
from ptychogui.job import Job

CHAINS = [("dm", "adam"), ("raar", "lbfgs"), ("mpie", "lbfgs"), ("gd", "lsqml")]


@pytest.mark.parametrize(("first", "second"), CHAINS)
def test_two_solvers_follow_each_other(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str, second: str
) -> None:
    stages = f'solver=[{{kind="{first}",epochs=12}},{{kind="{second}",epochs=8}}]'
    path = tmp_path / "result.h5"
    assert main(["run", str(scan), "-o", str(path), "--json", "--set", stages]) == 0
    figures = json.loads(capsys.readouterr().out)
    result = io.read_result(path)
    kept = Job.from_toml(result.job)
    assert [(stage.kind, stage.epochs) for stage in kept.stages] == [(first, 12), (second, 8)]
    assert figures["epochs"] == len(result.loss) == 20
    assert result.loss[-1] < result.loss[11]
    # the same by a job file
    (tmp_path / "job.toml").write_text(result.job, encoding="utf-8")
    again = tmp_path / "again.h5"
    assert main(["run", str(scan), "-o", str(again), "--job", str(tmp_path / "job.toml")]) == 0
    assert io.read_result(again).loss == pytest.approx(result.loss, rel=1e-5)
