"""Presets: what each makes of a job, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ptychogui import cli, presets
from ptychogui.geometry import Geometry, wavelength_of_electron_m
from ptychogui.job import Job
from ptychogui.params import InputError
from ptychogui.presets import PRESETS, preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_how_and_leaves_what(name: str) -> None:
    before = Job().with_value("data.energy_eV", 8700).with_value("start.modes", 3).with_value("seed", 7)
    after = PRESETS[name].apply(before.with_value("solver.kind", "epie").with_value("refine.gain.enabled", True))
    assert (after.data, after.constraints, after.seed) == (before.data, before.constraints, before.seed)
    assert "start" in PRESETS[name].settings or after.start == before.start
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
    with pytest.raises(InputError, match=rf"^There is no preset 'quick': choose one of {', '.join(PRESETS)}\.$"):
        preset("quick")


def test_settings_go_on_top(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = str(tmp_path / "d.cxi"), str(tmp_path / "r.h5")
    small = ["--set", "frames=30", "--set", "shape=[32, 32]", "--set", "step_px=3", "--set", "probe_px=12"]
    assert cli.main(["simulate", "siemens-far", "-o", data, *small]) == 0
    assert cli.main(["run", data, "-o", out, "--preset", "fast", "--set", "solver.epochs=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["epochs"] == 4


def test_a_preset_of_the_user_is_kept_and_used_by_its_name(tmp_path: Path) -> None:
    stages = [{"kind": "epie", "epochs": 3}, {"kind": "adam", "epochs": 7, "loss": "poisson"}]
    job = Job().with_value("solver", stages).with_value("constraints.object_amplitude.enabled", True)
    job = job.with_value("refine.distance", {"enabled": True, "limit": 0.25}).with_value("start.modes", 3)
    presets.keep("My microscope", presets.of_job(job.with_value("data.energy_eV", 8700), "For ours."))
    text = (presets.folder() / "My microscope.toml").read_text()
    assert "epochs = 7" in text
    assert "raster_pathology" not in text
    other = Job().with_value("data.energy_eV", 6200).with_value("constraints.object_smooth.enabled", False)
    assert preset("My microscope").apply(other) == job.with_value("data.energy_eV", 6200)
    assert preset("My microscope").text == "For ours."
    assert presets.own() == ({"My microscope": preset("My microscope")}, [])
    shared = tmp_path / "shared.toml"
    presets.write(preset("My microscope"), shared)
    assert preset(str(shared)) == preset("My microscope")
    presets.forget("My microscope")
    with pytest.raises(InputError, match="There is no preset 'My microscope'"):
        preset("My microscope")


def test_a_preset_of_an_instrument_fills_the_values_of_its_scans() -> None:
    microscope = {"kV": 300, "convergence_rad": 1.03e-3, "scan_flip": "tx", "pixel_m": "4.65 Å"}
    job = Job().with_value("data", {"path": "a.npy", "exclude": [3], **microscope})
    presets.keep("cryo", presets.of_job(job, "", instrument=True))
    other = Job().with_value("data", {"path": "b.npy", "crop": 64, "kV": 80})
    filled = preset("cryo").apply(other).data
    assert (filled.path, filled.crop, filled.exclude) == ("b.npy", 64, ())
    assert (filled.kV, filled.scan_flip, filled.pixel_m) == (300, "tx", pytest.approx(4.65e-10))
    assert "data" not in presets.of_job(job, "").settings


def test_the_preset_that_fits_is_known_by_the_optics() -> None:
    def of(wavelength_m: float | None, **more: Any) -> str:
        return presets.fitting(Geometry((20, 24), wavelength_m, 1.0, (55e-6, 55e-6), **more))

    assert [of(None), of(0.1e-9), of(532e-9)] == ["default", "x-ray", "light"]
    assert of(0.1e-9, field="near", focus_to_sample_m=4e-3) == "near"
    assert of(wavelength_of_electron_m(300)) == "electron"


def test_a_start_from_a_file_stays() -> None:
    job = Job().with_value("start", {"kind": "file", "path": "r.h5"})
    assert PRESETS["x-ray"].apply(job).start == job.start
    assert "start" not in presets.of_job(job, "").settings


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("solver = 3", r"In the preset .*: solver"),
        ("[data]\npath = 'x.cxi'", r"sets 'data\.path': a preset has a text, model"),
        ("device = 'cpu'", r"sets 'device'"),
        ("[solver]\nkind = 'adam'\nepochs = -1", r"solver\.epochs is -1"),
        ("text = 3", r"sets 'text'"),
        ("= =", r"cannot be read"),
    ],
)
def test_a_wrong_preset_is_told_in_a_sentence(text: str, says: str) -> None:
    path = presets.folder() / "wrong.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        preset("wrong")
    found, problems = presets.own()
    assert not found
    assert len(problems) == 1


@pytest.mark.parametrize("name", ["", "../up", "a/b", "default", "x."])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="preset"):
        presets.keep(name, PRESETS["best"])
