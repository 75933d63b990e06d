"""Presets: what each makes of a job, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ptychogui import cli
from ptychogui.job import Job
from ptychogui.params import InputError
from ptychogui.presets import PRESETS, preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_how_and_leaves_what(name: str) -> None:
    before = Job().with_value("data.energy_eV", 8700).with_value("start.modes", 3).with_value("seed", 7)
    after = PRESETS[name].apply(before.with_value("solver.kind", "epie").with_value("refine.gain.enabled", True))
    assert (after.data, after.start, after.seed) == (before.data, before.start, before.seed)
    assert not after.refine.gain.enabled
    assert Job.from_toml(after.toml()) == after
    assert PRESETS[name].apply(after) == after
    assert PRESETS[name].text.endswith(".")


def test_the_default_preset_is_the_default() -> None:
    assert PRESETS["default"].apply(Job()) == Job()


def test_refine_all_goes_from_coarse_to_fine() -> None:
    job = PRESETS["refine-all"].apply(Job())
    assert [stage.reduction for stage in job.stages] == [8, 4, 2, 1]
    assert sum(stage.epochs for stage in job.stages) == 100
    assert job.refine.positions.enabled
    assert job.refine.distance.enabled


def test_an_unknown_preset_is_told_in_a_sentence() -> None:
    with pytest.raises(
        InputError, match=r"^There is no preset 'quick': choose one of default, fast, best, refine-all\.$"
    ):
        preset("quick")


def test_settings_go_on_top(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = str(tmp_path / "d.cxi"), str(tmp_path / "r.h5")
    small = ["--set", "frames=30", "--set", "shape=[32, 32]", "--set", "step_px=3", "--set", "probe_px=12"]
    assert cli.main(["simulate", "siemens-far", "-o", data, *small]) == 0
    assert cli.main(["run", data, "-o", out, "--preset", "fast", "--set", "solver.epochs=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["epochs"] == 4
