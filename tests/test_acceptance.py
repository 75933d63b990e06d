"""What the program promises: a right picture with default settings, of simulated scans and of real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from ptychogui import io
from ptychogui.cli import main
from ptychogui.engine.registration import by_metres, registered
from ptychogui.io.data import Data
from ptychogui.io.picture import inside_scan, without_ramp

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
CRYO = "electron_cryo/vlp_48x40x128x128_u8.npy"

Figures = Callable[..., dict]


@pytest.fixture
def figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Figures:
    """Runs a scan on the command line, keeps `result.h5` and returns what --json says."""

    def run(path: Path, *options: str) -> dict:
        capsys.readouterr()
        assert main(["run", str(path), "-o", str(tmp_path / "result.h5"), "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def settings(**values: str) -> list[str]:
    return [word for name, value in values.items() for word in ("--set", f"{name.replace('__', '.')}={value}")]


def simulated(folder: Path, recipe: str, **values: str) -> Path:
    path = folder / f"{recipe}.cxi"
    assert main(["simulate", recipe, "-o", str(path), *settings(**values)]) == 0
    return path


def real(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the real scan {name} is not in ../shared/data")
    return path


def test_a_far_field_scan_is_solved_by_default(tmp_path, figures):
    run = figures(simulated(tmp_path, "siemens-far", shape="[72, 64]", frames="100"), "--epochs", "50")
    assert run["object_nrmse"] <= 0.05
    assert run["probe_nrmse"] <= 0.05
    assert run["position_error_px"] < 0.2  # they were right, and are refined


def test_a_near_field_scan_is_solved_by_default(tmp_path, figures):
    run = figures(simulated(tmp_path, "siemens-near", shape="[96, 80]", scan_shape="[6, 7]"), "--epochs", "50")
    assert run["object_nrmse"] <= 0.05


def test_a_partly_coherent_scan_is_solved_with_two_modes(tmp_path, figures):
    scan = simulated(tmp_path, "two-modes", shape="[64, 72]", frames="120")
    two = figures(scan, "--epochs", "50", "--set", "start.modes=2")
    assert two["modes"] == 2
    assert two["object_nrmse"] <= 0.05
    # with a background to explain them, two modes are missed less
    one = figures(scan, "--epochs", "50", "--set", "refine.background.enabled=false")
    assert one["loss"] > 1.2 * two["loss"]


def test_few_photons_do_not_get_worse_with_more_epochs(tmp_path, figures):
    small = {"shape": "[48, 48]", "scan_shape": "[10, 11]", "object_shape": "[64, 70]"}
    scan = simulated(tmp_path, "kandel-2019-far", photons="1e3", **small)
    few, many = figures(scan, "--epochs", "40"), figures(scan, "--epochs", "250")
    assert many["epochs"] < 150
    assert any("noise" in message for message in many["warnings"])
    assert many["object_nrmse"] < 1.02 * few["object_nrmse"]


def test_particles_in_ice_are_seen_with_electrons(tmp_path, figures):
    scan = simulated(tmp_path, "electron", shape="[64, 72]", scan_shape="[10, 11]")
    figures(scan, "--epochs", "20")
    truth, found = io.read(Data(path=str(scan))).truth, io.read_result(tmp_path / "result.h5").obj
    assert truth is not None
    image = registered(found, truth.obj.slices[0].astype(np.complex128), truth.support, by_metres(found, truth.obj))
    phases = np.angle(image)[truth.support], np.angle(truth.obj.slices[0])[truth.support]
    assert np.corrcoef(*phases)[0, 1] > 0.85


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "modes"), [("siemens-far", "1"), ("siemens-near", "1"), ("two-modes", "2")])
def test_recipes_at_their_full_size(tmp_path, figures, recipe, modes):
    run = figures(simulated(tmp_path, recipe), "--epochs", "50", *settings(start__modes=modes))
    assert run["object_nrmse"] <= 0.05


@pytest.mark.slow
def test_the_siemens_star_of_the_advanced_photon_source(figures):
    run = figures(real("siemens.npz.bz2"), "--epochs", "50")
    assert run["r_factor"] <= 0.14
    assert run["pixel_m"] is None
    assert any("in pixels" in warning for warning in run["warnings"])


@pytest.mark.slow
def test_the_near_field_star_of_petra(figures):
    run = figures(real("petra_nf.cxi"), "--epochs", "60", *settings(data__focus_to_sample_m="3.65e-3"))
    assert run["r_factor"] <= 0.055
    assert run["pixel_m"] == pytest.approx([178.7e-9, 178.7e-9], rel=1e-3)


@pytest.mark.slow
def test_the_focus_of_petra_is_found_from_a_wrong_one(tmp_path, figures):
    """From 3.3 mm it comes to the 3.64 mm where it ends from the right one as well."""
    stages = '[{kind="adam", epochs=20, reduction=2}]'
    figures(
        real("petra_nf.cxi"),
        *("--preset", "refine-all"),
        *settings(data__focus_to_sample_m="3.3e-3", solver=stages),
    )
    found_m = float(io.read_result(tmp_path / "result.h5").unknowns["focus_to_sample_m"])
    assert found_m == pytest.approx(3.64e-3, rel=0.02)


@pytest.mark.slow
def test_the_beads_of_the_cryo_electron_scan(tmp_path, figures):
    """What is known of the scan stands in a TOML beside a copy; two beads are bright where they are known to be."""
    scan = tmp_path / "vlp.npy"
    scan.symlink_to(real(CRYO).resolve())
    said = Data.read(
        {"kV": 300, "convergence_rad": "1.03 mrad", "defocus_m": "13.5 um", "pixel_m": "4.65 A"}
        | {"scan_step_m": 31.25e-10, "scan_rotation_rad": "36 deg", "scan_flip": "tx"}
    )
    io.write_sidecar(said, scan)
    figures(scan, "--epochs", "20")
    result = io.read_result(tmp_path / "result.h5")
    inside = inside_scan(result.obj, result.scan)
    phase = ndimage.gaussian_filter(np.angle(without_ramp(result.obj.slices[0], inside)), 4)
    inside = ndimage.binary_erosion(inside, iterations=6)
    y, x = np.indices(phase.shape)
    for place_m in ((-5.1e-9, -120.9e-9), (-1.4e-9, -94.9e-9)):
        row, column = (np.array(place_m) - result.obj.origin_m) / result.obj.pixel_m
        distance_px = np.hypot(y - row, x - column)
        around = phase[inside & (distance_px > 16) & (distance_px < 40)]
        sigma = 1.4826 * np.median(np.abs(around - np.median(around)))
        assert phase[distance_px < 6].max() > np.median(around) + 5 * sigma
