"""The papers' experiments, small: their lines, that the physics holds, and the table as a file."""

from __future__ import annotations

import csv
import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from ptychogui.bench import papers
from ptychogui.bench.papers import EXPERIMENTS, deng, design, guzzi, kandel, near, steps
from ptychogui.bench.papers.adepie import farthest_apart
from ptychogui.bench.papers.trial import Row, Setting, Trial, Wanted, data_of, recipe
from ptychogui.cli import main
from ptychogui.engine.solvers import AnySolver
from ptychogui.params import members

SMALL = Setting()


def by_quantity(rows: list[Row]) -> dict[str, float]:
    return {row.quantity: row.ours for row in rows}


def test_every_experiment_has_a_name_of_its_own() -> None:
    names = ["deng-gd", "design", "guzzi-2021", "kandel-2019-far", "kandel-2019-steps", "kandel-2019-near", "ptychonet"]
    assert list(EXPERIMENTS) == names


def test_ad_epie_follows_epie() -> None:
    first = next(kandel.rows(SMALL))
    assert first.ours < 1e-8
    between = {"scan_shape": (4, 5), "object_shape": (40, 44), "step_px": 4.3}
    assert farthest_apart(data_of(recipe("kandel-2019-far", **between)), epochs=2) < 1e-8


def test_designs_are_better_than_the_paper_s() -> None:
    rows = {(row.run, row.quantity): row for row in design.rows(SMALL)}
    assert len(rows) == 18
    for free in ("amplitude", "phase"):
        for solver in ("adam", "lbfgs"):
            row = rows[f"{solver}, {free}", "psnr_dB after 30"]
            assert row.goal is not None
            assert row.ours > row.goal + 1


def test_what_guzzi_et_al_disturb_is_found_again() -> None:
    true_start, *wrong_start = islice(guzzi.rows(SMALL), 4)
    assert true_start.ours > 0.9
    assert by_quantity(wrong_start).keys() == {"object_ssim", "distance_error", "position_error_px"}
    ssim, distance, positions = wrong_start
    assert ssim.goal == pytest.approx(true_start.ours - 0.02)
    assert ssim.ours > true_start.ours - 0.02
    assert distance.ours < 0.01
    assert positions.ours < 0.3
    assert ssim.epochs <= 150


def test_curve_of_a_run_falls_and_ends_where_the_run_does() -> None:
    small = recipe("kandel-2019-far", scan_shape=(7, 8), object_shape=(44, 50))
    trial = Trial("t", small, {"solver.kind": "mpie", "solver.epochs": 40}, (Wanted("object_nrmse", 0.06, 0.03),))
    outcome = trial.run()
    (row,) = trial.rows("e", outcome)
    assert row.epochs == 40
    assert row.curve[-1]["epoch"] == 40
    assert row.curve[-1]["object_nrmse"] == pytest.approx(row.ours)
    assert row.curve[-1]["loss"] < row.curve[0]["loss"]
    assert outcome.first_below("loss", row.curve[0]["loss"]) == row.curve[1]["epoch"]
    assert outcome.first_below("loss", 0.0) is None


def test_from_truth_begins_with_what_is_right() -> None:
    small = recipe("guzzi-2021", shape=(48, 40), scan_shape=(3, 4), step_px=8, probe_px=34, object_shape=(90, 84))
    figures = Trial("t", small, {"solver.epochs": 2}, (), from_truth=True).run().figures
    assert figures["distance_error"] == pytest.approx(0, abs=1e-9)
    assert figures["position_error_px"] == pytest.approx(0, abs=1e-6)


def test_table_is_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "papers", "design", "-o", "t.csv", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])
    with Path("t.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["run"] for line in lines] == [row["run"] for row in rows]
    assert float(lines[0]["ours"]) == pytest.approx(rows[0]["ours"])
    assert lines[0]["full"] == "False"
    assert "--full" in papers.table(rows).splitlines()[-1]
    assert "--full" not in papers.table([row | {"full": True} for row in rows])
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (["deng"], "There is no experiment 'deng': choose one of deng-gd, design"),
        (["design", "-o", "t.txt"], "is no place for a table"),
        (["design", "-o", "no/t.csv"], "cannot be written"),
        (["design", "--weights", "no.safetensors"], "There are no weights at no.safetensors"),
        (["design", "--images", "no"], "There is no folder no of photographs"),
        (["design", "--images", "."], "is no picture that can be read"),
    ],
)
def test_bad_wishes_are_refused(
    extra: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "papers", *extra]) == 2
    assert sentence in capsys.readouterr().err


def test_steps_of_the_grid_are_those_of_the_paper() -> None:
    of_object, of_probe, best, found = steps.rows(SMALL)
    assert (of_object.paper, of_probe.paper) == (0.03, 0.02)
    assert of_object.epochs == 10 * best.epochs
    assert len(best.curve) == 9
    assert best.ours == min(point["object_nrmse"] for point in best.curve)
    assert np.isfinite(found.ours)
    assert found.goal == pytest.approx(1.1 * best.ours)


def test_near_field_gets_better() -> None:
    row, _ = near.rows(SMALL)
    assert row.ours < 0.8 * row.curve[0]["object_nrmse"]


def test_a_tenth_of_the_epochs_is_enough_for_the_error_of_plain_descent() -> None:
    rows = list(deng.rows(SMALL))
    loss = {row.run: row for row in rows if row.quantity == "loss"}
    assert set(loss) == set(members(AnySolver))
    assert loss["mpie"].epochs == loss["gd"].epochs // 10
    for solver in ("mpie", "lsqml"):
        assert loss[solver].ours < loss["gd"].ours == loss[solver].goal
