"""The command line: what each command writes, prints and returns."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image
from worlds import world

from ptychogui import io
from ptychogui.cli import main
from ptychogui.io.data import Data
from ptychogui.io.picture import inside_scan, without_ramp
from ptychogui.io.writing import WRITERS
from ptychogui.job import Job
from ptychogui.params import described, members

KEYS = [
    "epochs", "loss", "r_factor", "seconds", "seconds_per_epoch", "device", "frames", "frame_shape", "object_shape",
    "pixel_m", "modes", "warnings",
]  # fmt: skip
TRUE_KEYS = [
    "object_nrmse", "object_ssim", "object_ssim_amplitude", "object_ssim_phase", "object_psnr_dB", "probe_nrmse",
    "position_error_px", "distance_error",
]  # fmt: skip
SOLVERS = sorted(members(Job.model_fields["solver"].annotation))


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict]:
    """Runs a command with --json and returns the object in its last line, the only one."""

    def run(*arguments: str | Path, code: int = 0) -> dict:
        capsys.readouterr()
        assert main([*map(str, arguments), "--json"]) == code
        (line,) = capsys.readouterr().out.splitlines()
        return json.loads(line)

    return run


def test_the_recipes_are_listed(capsys):
    assert main(["simulate", "--list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"siemens-far", "siemens-near", "two-modes", "electron", "guzzi-twinmic"} <= set(names)


def test_a_recipe_gives_what_it_was_asked_for(scan):
    with h5py.File(scan) as file:
        assert file["entry_1/instrument_1/detector_1/data"].shape == (40, 40, 56)
        assert set(file["truth"]) == {"object", "support", "probe", "positions_m", "distance_m"}
        assert file["truth/object"].dtype == np.complex64


def test_a_recipe_may_be_a_toml_of_the_same_name_as_its_data(tmp_path, scan):
    recipe = 'kind = "siemens-far"\nframes = 40\nshape = [40, 56]\nprobe_px = 20\n'
    (tmp_path / "star.toml").write_text(recipe)
    star = str(tmp_path / "star.cxi")
    assert main(["simulate", str(tmp_path / "star.toml"), "-o", star, "--set", "probe_px=14"]) == 0
    np.testing.assert_array_equal(io.read(Data(path=star)).frames[:], io.read(Data(path=str(scan))).frames[:])
    assert (tmp_path / "star.toml").read_text() == recipe


def test_a_twinmic_folder_is_read_as_an_instrument_left_it(tmp_path, figures):
    folder = tmp_path / "twinmic"
    small = ["--set", "shape=[48, 64]", "--set", "scan_shape=[4, 3]", "--set", "step_px=6"]
    assert main(["simulate", "guzzi-twinmic", "-o", str(folder), *small]) == 0
    assert {path.name for path in folder.iterdir()} == {"frames.tif", "dark.tif", "positions.txt", "truth.h5"}
    assert tifffile.imread(folder / "frames.tif").dtype == np.uint16
    values = figures("info", folder)["values"]
    assert "20 frames" in values["dark"]["value"]
    assert values["field"]["value"] == "near field"
    run = figures("run", folder, "-o", tmp_path / "r.h5", "--epochs", "2")
    assert run["frames"] == 12
    assert run["frame_shape"] == [48, 64]
    assert run["position_error_px"] < 1e-3
    assert run["distance_error"] == 0


def test_run_prints_its_figures_and_writes_what_they_say(tmp_path, scan, figures):
    path = tmp_path / "r.h5"
    run = figures("run", scan, "-o", path, "--epochs", "1e1", "--device", "cpu")
    assert list(run)[: len(KEYS)] == KEYS
    assert set(run) == {*KEYS, *TRUE_KEYS}
    with h5py.File(path) as file:
        assert file["object"].dtype == file["probe"].dtype == np.complex64
        assert list(file["object"].shape) == run["object_shape"]
        assert file["probe"].shape == (run["modes"], *run["frame_shape"]) == (1, 40, 56)
        assert file["positions_m"].shape == (run["frames"], 2) == (40, 2)
        assert file["loss"].shape == (run["epochs"],) == (10,)
        assert file["loss"][-1] == pytest.approx(run["loss"])
        assert file["metrics/r_factor"][()] == run["r_factor"]
        assert file.attrs["default"] == "picture"
        assert file["picture"].attrs["signal"] == "object"
        assert {"version", "data", "solver", "seed"} <= tomllib.loads(file["job"][()].decode()).keys()
        assert {"program", "data", "data_hash", "device", "seed", "begun", "ended", "changes"} <= set(
            file["provenance"]
        )
    assert run["device"] == "cpu"
    assert run["warnings"] == []
    assert run["r_factor"] < 0.2
    assert run["object_nrmse"] < 0.3
    assert run["position_error_px"] < 0.2
    assert run["seconds_per_epoch"] * 10 == pytest.approx(run["seconds"], rel=0.1)
    pixel_m = io.read(Data(path=str(scan))).geometry.pixel_m
    assert run["pixel_m"] == pytest.approx(pixel_m)


def test_run_tells_its_figures_to_people_too(tmp_path, scan, capsys):
    assert main(["run", str(scan), "-o", str(tmp_path / "r.h5"), "--epochs", "1"]) == 0
    out, err = capsys.readouterr()
    assert "r.h5: 1 epochs, r_factor 0." in out
    assert err == ""


def test_a_job_then_options_then_settings(tmp_path, scan):
    job = tmp_path / "j.toml"
    job.write_text(Job().with_value("solver.epochs", 7).with_value("seed", 3).with_value("start.modes", 2).toml())
    path, settings = str(tmp_path / "r.h5"), ["--set", "data.energy_eV=8.71 keV", "--set", "solver.epochs=2"]
    options = ["--job", str(job), "--solver", "epie", "--epochs", "5", *settings, "--set", "start.modes=3"]
    assert main(["run", str(scan), "-o", path, *options]) == 0
    kept = io.read_result(path)
    used = Job.from_toml(kept.job)
    assert used.data.energy_eV == 8710
    assert used.data.path == str(scan)
    assert used.seed == 3
    assert used.stages[0].kind == "epie"
    assert used.stages[0].epochs == len(kept.loss) == 2
    assert len(kept.probe.modes) == 3
    assert kept.geometry.wavelength_m == pytest.approx(1.239841984e-6 / 8710)


def test_options_apply_to_every_stage(tmp_path, scan, figures):
    job = tmp_path / "j.toml"
    job.write_text('[[solver]]\nkind = "rpie"\nepochs = 3\n[[solver]]\nkind = "adam"\nepochs = 2\n')
    options = ["run", scan, "-o", tmp_path / "r.h5", "--job", job]
    assert figures(*options)["epochs"] == 5
    assert figures(*options, "--epochs", "1")["epochs"] == 2
    stages = Job.from_toml(io.read_result(tmp_path / "r.h5").job).stages
    assert [(stage.kind, stage.epochs) for stage in stages] == [("rpie", 1), ("adam", 1)]


def test_files_are_named_from_where_one_is_and_beside_a_link(tmp_path, pixel_scan, monkeypatch):
    positions = np.load(pixel_scan)["scan"]
    np.save(tmp_path / "frames.npy", np.load(pixel_scan)["data"])
    np.savetxt(tmp_path / "places.csv", positions, delimiter=",", header="y_px,x_px", comments="")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link.npy").symlink_to(tmp_path / "frames.npy")
    (tmp_path / "here" / "link.toml").write_text("pixel_m = '10 nm'\n")
    monkeypatch.chdir(tmp_path)
    options = ["--set", "data.positions=places.csv", "--epochs", "1"]
    assert main(["run", "here/link.npy", "-o", "r.h5", *options]) == 0
    kept = io.read_result("r.h5")
    assert Job.from_toml(kept.job).data.positions == str(tmp_path / "places.csv")
    assert kept.obj.pixel_m == (1e-8, 1e-8)
    np.testing.assert_allclose(kept.nominal_m, positions * 1e-8)


def test_the_same_job_gives_the_same_result(tmp_path, scan):
    paths = [str(tmp_path / name) for name in ("a.h5", "b.h5")]
    for path in paths:
        assert main(["run", str(scan), "-o", path, "--epochs", "2", "--set", "seed=5"]) == 0
    a, b = map(io.read_result, paths)
    np.testing.assert_allclose(a.obj.slices, b.obj.slices, rtol=1e-5, atol=1e-6)


def test_a_result_goes_on_with_its_own_job(tmp_path, result, figures):
    first = io.read_result(result)
    second = figures("run", result, "-o", tmp_path / "second.h5")
    assert second["epochs"] == 4
    assert second["modes"] == 2
    assert second["loss"] < first.loss[-1]
    third = figures("run", tmp_path / "second.h5", "-o", tmp_path / "third.h5", "--epochs", "2")
    assert third["epochs"] == 2
    assert third["loss"] < second["loss"]
    went_on = io.read_result(tmp_path / "second.h5")
    assert went_on.loss[0] < first.loss[0] / 2
    assert Job.from_toml(went_on.job).stages[0].kind == "rpie"
    assert Job.from_toml(went_on.job).data.path == Job.from_toml(first.job).data.path
    anew = figures("run", result, "-o", tmp_path / "anew.h5", "--set", "start={kind='data', modes=2}")
    assert anew["loss"] == pytest.approx(first.loss[-1], rel=0.1)


def test_a_result_goes_on_from_its_refined_positions(tmp_path, result):
    first = io.read_result(result)
    moved = first.scan.positions_m + np.random.default_rng(2).normal(0, 2e-8, (40, 2))
    io.write_result(replace(first, scan=replace(first.scan, positions_m=moved)), tmp_path / "moved.h5")
    assert main(["run", str(tmp_path / "moved.h5"), "-o", str(tmp_path / "r.h5"), "--epochs", "1"]) == 0
    after = io.read_result(tmp_path / "r.h5")
    np.testing.assert_allclose(after.scan.positions_m, moved, atol=1e-12)
    np.testing.assert_allclose(after.nominal_m, first.nominal_m, atol=1e-15)


def test_a_result_finds_its_data_where_both_were_moved(tmp_path, scan, result):
    for path in (scan, result):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    kept = io.read_result(tmp_path / "result.h5")
    job = Job.from_toml(kept.job).with_value("data.path", "/nowhere/scan.cxi")
    io.write_result(replace(kept, job=job.toml()), tmp_path / "result.h5")
    assert main(["run", str(tmp_path / "result.h5"), "-o", str(tmp_path / "r.h5"), "--epochs", "1"]) == 0
    assert Job.from_toml(io.read_result(tmp_path / "r.h5").job).data.path == str(tmp_path / "scan.cxi")


def test_info_tells_value_by_value_where_each_is_from(scan, capsys, figures):
    assert main(["info", str(scan), "--set", "data.distance_m=2.5 m"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("distance ") and line.endswith("2.5 m  [user]") for line in lines)
    assert any(line.startswith("frames ") and "40 of 40 × 56, uint16  [file]" in line for line in lines)
    assert any(line.startswith("hot pixels") and "[guessed]" in line for line in lines)
    about = figures("info", scan)
    assert about["frames"] == [40, 40, 56]
    assert about["geometry"]["field"] == "far"
    assert about["geometry"]["distance_m"] == 2.0
    assert about["values"]["wavelength"] == {"value": "1.42511 Å (8.7 keV)", "origin": "file", "doubt": ""}


def test_info_of_a_bare_stack_says_what_to_give(tmp_path, capsys):
    np.save(tmp_path / "bare.npy", np.random.default_rng(0).poisson(9, (20, 23, 30)))
    assert main(["info", str(tmp_path / "bare.npy")]) == 0
    out = capsys.readouterr().out
    assert "give data.positions (a text file), or data.scan_shape and data.scan_step_m for a raster scan" in out
    assert "data.pixel_m, would give metres" in out


def test_info_of_a_result(result, capsys, figures):
    assert main(["info", str(result)]) == 0
    assert 'kind = "rpie"' in capsys.readouterr().out
    about = figures("info", result)
    assert about["epochs"] == 4
    assert about["probe_shape"] == [2, 40, 56]
    assert about["provenance"]["device"]
    assert Job.from_toml(about["job"]).stages[0].epochs == 4


def test_a_run_in_pixels_says_so(tmp_path, pixel_scan, capsys):
    assert main(["info", str(pixel_scan)]) == 0
    out = capsys.readouterr().out
    assert "pixel at the sample  not known" in out
    assert "lengths are in pixels" in out
    assert main(["run", str(pixel_scan), "-o", str(tmp_path / "r.h5"), "--epochs", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    run = json.loads(out)
    assert run["pixel_m"] is None
    assert len(run["warnings"]) == 1
    assert "lengths are in pixels" in run["warnings"][0]
    assert err == f"ptychogui: {run['warnings'][0]}\n"


def test_isolated_pixels_that_are_no_counts_are_left_out_and_reported(tmp_path, pixel_scan, capsys):
    arrays = dict(np.load(pixel_scan))
    frames = arrays["data"] = arrays["data"].astype(np.float32)
    holes = np.random.default_rng(1).random(frames.shape) < 5e-4
    frames[holes] = np.nan
    frames[3, 5, 6], frames[9, 11, 2] = -1, -2
    np.savez(pixel_scan, **arrays)
    assert main(["run", str(pixel_scan), "-o", str(tmp_path / "r.h5"), "--epochs", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    run = json.loads(out)
    assert f"{holes.sum() + 2} values in single frames are no counts; they are left out." in run["warnings"]
    assert all(f"ptychogui: {warning}\n" in err for warning in run["warnings"])
    assert np.isfinite(run["r_factor"])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("field", ["far", "near"])
def test_frames_of_odd_and_unequal_sides_run_in_every_solver(tmp_path, figures, solver, field):
    io.write(world(field, shape=(23, 31)).dataset, tmp_path / "scan.cxi")
    run = figures("run", tmp_path / "scan.cxi", "-o", tmp_path / "r.h5", "--epochs", "6", "--solver", solver)
    loss = io.read_result(tmp_path / "r.h5").loss
    assert run["frame_shape"] == [23, 31]
    assert np.isfinite(loss).all()
    assert loss[-1] < loss[0]


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("field", ["far", "near"])
def test_convert_keeps_geometry_mask_metres_and_field(tmp_path, suffix, field):
    before = world(field).dataset
    io.write(before, tmp_path / "scan.cxi")
    for source, target in (("scan.cxi", f"a{suffix}"), (f"a{suffix}", "b.cxi"), ("b.cxi", f"c{suffix}")):
        assert main(["convert", str(tmp_path / source), str(tmp_path / target)]) == 0
    after = io.read(Data(path=str(tmp_path / f"c{suffix}")))
    used = before.mask
    np.testing.assert_allclose(after.frames[:][:, used], before.frames[:, used], rtol=1e-6)
    np.testing.assert_array_equal(after.mask, before.mask)
    np.testing.assert_allclose(after.scan.positions_m, before.scan.positions_m, rtol=1e-12)
    assert after.geometry == pytest.approx(before.geometry)


def test_convert_applies_what_is_said(tmp_path, scan):
    settings = ["--set", "data.bin=2", "--set", "data.flip=t", "--set", "data.scan_rotation_rad=30 deg"]
    assert main(["convert", str(scan), str(tmp_path / "small.npz"), *settings]) == 0
    said = Data(path=str(scan), bin=2, flip="t", scan_rotation_rad=np.radians(30))
    before, after = io.read(said), io.read(Data(path=str(tmp_path / "small.npz")))
    assert after.frames.shape == (40, 28, 20)
    np.testing.assert_array_equal(after.frames[:], before.frames[:])
    np.testing.assert_allclose(after.scan.positions_m, before.scan.positions_m, rtol=1e-12)
    assert after.geometry == before.geometry


def test_export_writes_what_other_programs_read(tmp_path, result, capsys):
    folder = tmp_path / "new" / "pictures"
    assert main(["export", str(result), str(folder)]) == 0
    assert {Path(line) for line in capsys.readouterr().out.splitlines()} == set(folder.iterdir())
    kept = io.read_result(result)
    level = without_ramp(kept.obj.slices[0], inside_scan(kept.obj, kept.scan))
    for name, values in (("amplitude", np.abs(level)), ("phase", np.angle(level))):
        image = tifffile.imread(folder / f"object_{name}.tif")
        assert image.dtype == np.float32
        np.testing.assert_allclose(image, values, rtol=1e-6, atol=1e-6)
        with Image.open(folder / f"object_{name}.png") as picture:
            picture.verify()
    lines = (folder / "positions.csv").read_text().splitlines()
    assert lines[0] == "index,y_m,x_m,nominal_y_m,nominal_x_m"
    table = np.array([line.split(",") for line in lines[1:]], float)
    np.testing.assert_allclose(table[:, 1:3], kept.scan.positions_m, rtol=1e-8, atol=1e-15)


def test_help_names_every_parameter_and_loads_neither_torch_nor_qt():
    code = (
        "import sys\nfrom ptychogui.cli import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print({'torch', 'PyQt6', 'pyqtgraph', 'qasync'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.splitlines()[-1] == "set()"
    for path, _, text in described(Job):
        assert f"  {path} = " in done.stdout
        assert text.splitlines()[0].strip() in done.stdout
