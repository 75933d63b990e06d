"""Bad input on the command line: exit 2 and one sentence that says what, where and what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

RNG = np.random.default_rng(6)
FRAMES = RNG.poisson(30, (12, 20, 26)).astype(np.float32)
PLACES = RNG.uniform(0, 14, (12, 2))


def truncated(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["entry_1/instrument_1/detector_1/data"] = FRAMES
    path.write_bytes(path.read_bytes()[:9000])


def npz(**changes: np.ndarray) -> Callable[[Path], None]:
    arrays = {"data": FRAMES, "scan": PLACES} | changes

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **arrays)

    return write


def one_blind() -> np.ndarray:
    frames = FRAMES.copy()
    frames[7] = np.nan
    return frames


BAD_FILES = {
    "missing": (lambda _: None, ["does not exist", "check the name"]),
    "text": (lambda path: path.write_text("wavelength = 1\n"), ["is a text file", "formats that can be read: CXI"]),
    "truncated": (truncated, ["damaged HDF5", "truncated", "copy it again"]),
    "empty": (lambda path: path.write_bytes(b""), ["an empty file"]),
    "counts": (npz(scan=PLACES[:11]), ["12 frames but 11 positions", "data.positions"]),
    "blind frame": (npz(data=one_blind()), ["Frame 7 has not one valid pixel", "data.exclude"]),
    "negative": (npz(data=-FRAMES), ["mostly negative", "check that the file holds raw intensities"]),
    "zero": (npz(data=0 * FRAMES), ["Not one of the frames holds a count", "check the file"]),
    "masked": (npz(mask=np.zeros((20, 26))), ["mask leaves no pixel", "check data.mask"]),
    "apart": (npz(scan=PLACES * 40), ["do not overlap", "check data.positions_unit"]),
    "far apart in metres": (
        npz(scan=PLACES * 1e7, pixel_m=np.array(1e-8)),
        ["do not overlap", "check data.positions_unit, energy, distance and pixel"],
    ),
    "one place": (npz(scan=PLACES * 1e-9, pixel_m=np.array(1e-8)), ["within", "of a pixel", "data.positions_unit"]),
    "metres": (npz(scan=PLACES * 1e-6), ["in metres and the pixel at the sample is not known", "or data.pixel_m"]),
    "not finite": (npz(scan=np.where(PLACES > 13, np.nan, PLACES)), ["positions are not finite"]),
    "complex": (npz(data=FRAMES + 1j), ["complex", "counts are real"]),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_cannot_be_used(tmp_path, refused, name):
    make, said = BAD_FILES[name]
    path = tmp_path / "scan.cxi"
    make(path)
    sentence = refused("run", path, "-o", tmp_path / "r.h5")
    assert "scan.cxi" in sentence
    for part in said:
        assert part in sentence


@pytest.mark.parametrize("command", ["info", "run", "convert"])
def test_every_command_refuses_what_it_cannot_read(tmp_path, refused, command):
    path = tmp_path / "scan.cxi"
    truncated(path)
    output = {"info": [], "run": ["-o", tmp_path / "r.h5"], "convert": [tmp_path / "new.npz"]}[command]
    assert "truncated" in refused(command, path, *output)


SETTINGS = {
    "unknown solver": (["--solver", "best"], "There is no solver 'best': choose one of adam, "),
    "unknown kind": (["--set", "start.kind=magic"], "There is no start 'magic': choose one of data, file"),
    "out of range": (["--solver", "rpie", "--set", "solver.alpha=1.5"], "solver.alpha is 1.5, but it should be"),
    "no epochs": (["--epochs", "0"], "solver.epochs is 0, but it should be greater"),
    "half an epoch": (["--epochs", "2.5"], "solver.epochs is 2.5, but it should be a valid integer"),
    "words for a number": (["--epochs", "many"], "solver.epochs is 'many', but it should be"),
    "unknown parameter": (["--set", "solver.speed=1"], "There is no parameter 'solver.speed': Adam has"),
    "unknown group": (["--set", "engine.alpha=1"], "There is no parameter 'engine.alpha': Job has"),
    "too deep": (["--set", "data.energy_eV.value=1"], "There is no parameter 'data.energy_eV.value'"),
    "a solver as a value": (["--set", "solver=rpie"], "solver is 'rpie'"),
    "negative energy": (["--set", "data.energy_eV=-3 keV"], "data.energy_eV is '-3 keV', but it should be greater"),
    "wrong unit": (["--set", "data.distance_m=3 keV"], "data.distance_m: 'keV' in '3 keV' is not a unit of m"),
    "no number": (["--set", "data.kV=high"], "data.kV: 'high' is not a number with a unit such as '1.5 kV'"),
    "infinite": (["--set", "data.distance_m=inf"], "data.distance_m is inf, but it should be a finite number"),
    "no setting": (["--set", "solver.epochs"], "'solver.epochs' is not a setting: write PATH=VALUE"),
    "crop": (["--set", "data.crop=99"], "scan.npz: data.crop is 99, but the frames have 23 × 30 pixels"),
    "bin": (["--set", "data.bin=9"], "scan.npz: data.bin = 9 leaves 2 × 3 pixels"),
    "centre": (["--set", "data.centre=[90, 4]"], "scan.npz: The centre 90, 4 lies outside"),
    "exclude": (["--set", "data.exclude=[16]"], "data.exclude names frame 16, but the file holds 16 frames"),
    "dark": (["--set", "data.dark=none.tif"], "none.tif does not exist; check data.dark"),
    "positions": (["--set", "data.positions=none.csv"], "none.csv does not exist; check data.positions"),
    "device": (["--device", "tpu"], "There is no device 'tpu' here: use auto or cpu"),
    "no near field": (["--set", "data.field=near"], "near field"),
    "no start file": (["--set", "start.kind=file"], "start.path names no result"),
    "option": (["--fast"], "Unrecognized arguments: --fast; `ptychogui --help` tells more"),
    "job": (["--job", "none.toml"], "In none.toml: The file cannot be read: No such file"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_be(tmp_path, pixel_scan, refused, name):
    options, said = SETTINGS[name]
    assert said in refused("run", pixel_scan, "-o", tmp_path / "r.h5", *options)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"solver = [", "is not valid TOML"),
        (b"\xff\xfe", "is no text file"),
        (b"colour = 3", "There is no parameter 'colour'"),
        (b"version = 99", "version is 99"),
        (b"[solver]\nkind = 'best'", "There is no solver 'best'"),
    ],
)
def test_jobs_that_cannot_be(tmp_path, pixel_scan, refused, content, said):
    (tmp_path / "job.toml").write_bytes(content)
    sentence = refused("run", pixel_scan, "-o", tmp_path / "r.h5", "--job", tmp_path / "job.toml")
    assert said in sentence
    assert "job.toml" in sentence


@pytest.mark.parametrize(
    ("content", "said"),
    [("energy = 3", "There is no parameter 'energy'"), ("bin = 0", "bin is 0"), ("bin = ", "is not TOML")],
)
def test_sidecars_that_cannot_be(tmp_path, pixel_scan, refused, content, said):
    pixel_scan.with_suffix(".toml").write_text(content)
    sentence = refused("run", pixel_scan, "-o", tmp_path / "r.h5")
    assert said in sentence
    assert "scan.toml" in sentence


@pytest.fixture
def locked_folder(tmp_path: Path) -> Path:
    """A folder in which nobody may write, whoever runs the test."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/proc/self")
    (tmp_path / "locked").mkdir(mode=0o500)
    return tmp_path / "locked"


def test_an_output_that_cannot_be_written_is_told_before_anything_is_read(tmp_path, refused, locked_folder):
    (tmp_path / "folder.cxi").mkdir()
    for output, said in (
        (tmp_path / "none" / "r.cxi", "make it first"),
        (tmp_path / "folder.cxi", "is a folder; give the name of a file in it"),
        (locked_folder / "r.cxi", "does not allow it"),
    ):
        assert said in refused("run", tmp_path / "no data.cxi", "-o", output)
        assert said in refused("convert", tmp_path / "no data.cxi", output)
        assert said in refused("simulate", "siemens-far", "-o", output)


RECIPES = {
    "broken": ("kind = ", "This is not valid TOML"),
    "kind": ("photons = 3", "A recipe needs `kind`, one of siemens-far"),
    "parameter": ('kind = "electron"\nvolts = 3', "There is no parameter 'volts'"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_that_cannot_be(tmp_path, refused, name):
    content, said = RECIPES[name]
    (tmp_path / "mine.toml").write_text(content)
    sentence = refused("simulate", tmp_path / "mine.toml", "-o", tmp_path / "d.cxi")
    assert f"mine.toml: {said}" in sentence


def test_what_is_read_is_never_replaced(tmp_path, scan, result, refused):
    for path in (scan, result):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "notes.txt").write_text("mine")
    assert "is no result, so it is not replaced" in refused("run", scan, "-o", tmp_path / "scan.cxi")
    assert "is no result, so it is not replaced" in refused("run", scan, "-o", tmp_path / "notes.txt")
    assert "is the result to go on from" in refused("run", tmp_path / "result.h5", "-o", tmp_path / "result.h5")
    assert "is the file that is read" in refused("convert", tmp_path / "scan.cxi", tmp_path / "scan.cxi")
    assert "is the file that is read" in refused("convert", result, scan)
    recipe = tmp_path / "twinmic.toml"
    recipe.write_text('kind = "guzzi-twinmic"\n')
    assert "would be replaced" in refused("simulate", recipe, "-o", tmp_path / "twinmic")


def test_data_are_not_written_beside_a_toml_that_would_change_them(tmp_path, scan, refused):
    (tmp_path / "new.toml").write_text("bin = 2")
    sentence = "new.toml would be applied to new.cxi whenever that is read; give the new file another name"
    assert sentence in refused("convert", scan, tmp_path / "new.cxi")
    assert sentence in refused("simulate", "siemens-far", "-o", tmp_path / "new.cxi")


OTHER = {
    "suffix": (["convert", "SCAN", "OUT.mat"], "its suffix '.mat' is none of the formats .cxi, .npz"),
    "no suffix": (["convert", "SCAN", "OUT"], "its suffix '' is none of the formats .cxi, .npz"),
    "recipe": (["simulate", "siemens-fra", "-o", "OUT.cxi"], "There is no recipe 'siemens-fra': choose one of siemens"),
    "recipe's suffix": (["simulate", "siemens-far", "-o", "OUT.tif"], "its suffix '.tif' is none"),
    "recipe's parameter": (["simulate", "electron", "-o", "OUT.cxi", "--set", "volts=1"], "no parameter 'volts'"),
    "recipe's range": (["simulate", "electron", "-o", "OUT.cxi", "--set", "kV=0"], "kV is 0, but it should be greater"),
    "no recipe": (["simulate"], "Name a recipe and an output"),
    "no toml": (["simulate", "SCAN", "-o", "OUT.cxi"], "scan.cxi: This is no text file, so it is no TOML either"),
    "folder": (["simulate", "guzzi-twinmic", "-o", "SCAN"], "cannot be made: File exists"),
    "export of data": (["export", "SCAN", "OUT"], "is not a result file of ptychogui"),
    "export of nothing": (["export", "OUT.h5", "OUT"], "does not exist"),
    "export to a file": (["export", "RESULT", "SCAN"], "cannot be made"),
    "bench": (["bench", "rivals"], "Argument what: invalid choice: 'rivals'"),
    "bench of nothing": (["bench", "engine", "OUT.cxi"], "OUT.cxi does not exist"),
    "no output": (["run", "SCAN"], "The following arguments are required: -o/--output; `ptychogui run --help`"),
    "option of the window": (["--fast"], "Unrecognized arguments: --fast"),
}


@pytest.mark.parametrize("name", OTHER)
def test_other_commands(tmp_path, scan, result, refused, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, said = OTHER[name]
    places = {"SCAN": str(scan), "RESULT": str(result)}
    assert said in refused(*[places.get(word, word) for word in arguments])


def test_a_result_without_its_data(tmp_path, result, refused):
    kept = tmp_path / "result.h5"
    kept.write_bytes(result.read_bytes())
    with h5py.File(kept, "r+") as file:
        job = file["job"][()].decode().replace("scan.cxi", "gone.cxi")
        del file["job"]
        file["job"] = job
    sentence = refused("run", kept, "-o", tmp_path / "r.h5")
    assert "gone.cxi, which is not there; open the data file itself" in sentence
