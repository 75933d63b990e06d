"""The preflight finds what is wrong with a scan, says how to mend it, and leaves a right one alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ptychogui import io
from ptychogui.check import Doubt, Progress, check, fixed, frames, scan, settings
from ptychogui.check.look import Look, looking
from ptychogui.check.turns import ORIENTATIONS, matrix, opposite, rotation, turned, unturned
from ptychogui.cli import main
from ptychogui.engine.constraints import Constraints
from ptychogui.engine.constraints.raster_pathology import RasterPathology
from ptychogui.engine.simulate import recipes, simulate
from ptychogui.geometry import Geometry
from ptychogui.io.data import Data, Orientation
from ptychogui.job import Job
from ptychogui.types import Dataset, Scan

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
SMALL = {
    "siemens-far": {"frames": 100, "shape": (40, 48), "probe_px": 16.0, "step_px": 3.5},
    "siemens-near": {"scan_shape": (8, 8), "shape": (72, 64), "step_px": 5.0},
    "two-modes": {"frames": 120, "shape": (40, 48)},
    "electron": {"scan_shape": (11, 12), "shape": (72, 64)},
    "guzzi-twinmic": {"shape": (112, 128), "step_px": 12.0, "scan_shape": (6, 7)},
    "deng-gd": {"shape": (112, 128), "object_shape": (256, 256)},
    "guzzi-2021": {"position_error_px": 0.0, "distance_error": 0.0, "scan_shape": (6, 7)},
    "kandel-2019-far": {"scan_shape": (14, 15)},
    "kandel-2019-near": {"shape": (240, 256)},
    "ptychonet-grid": {"step_px": 20.0},
    "ptychonet-fermat": {"object_shape": (240, 224), "frames": 90},
    "ptychonet-mesh": {"scan_shape": (8, 9), "step_px": 12.0},
}


def made(name: str, **values: object) -> Dataset:
    return simulate(recipes()[name].read(SMALL[name] | values))


def found(dataset: Dataset) -> dict[str, Doubt]:
    return {item.name: item for item in check(Job(), dataset) if isinstance(item, Doubt)}


def doubts(dataset: Dataset) -> dict[str, str]:
    return {name: doubt.sentence for name, doubt in found(dataset).items() if doubt.level != "ok"}


def look(dataset: Dataset) -> Look:
    *_, last = looking(dataset)
    assert isinstance(last, Look)
    return last


def with_frames(dataset: Dataset, counts: NDArray[np.float32]) -> Dataset:
    return replace(dataset, frames=counts)


@pytest.fixture(scope="module")
def far() -> Dataset:
    return made("siemens-far")


@pytest.fixture(scope="module")
def near() -> Dataset:
    return made("siemens-near")


@pytest.mark.parametrize("name", [n if n == "siemens-far" else pytest.param(n, marks=pytest.mark.slow) for n in SMALL])
def test_a_right_scan_raises_no_doubt(name):
    assert doubts(made(name)) == {}


@pytest.mark.parametrize("flip", ORIENTATIONS)
def test_orientations_are_those_of_the_reader(flip, tmp_path):
    places = np.random.default_rng(3).uniform(-40, 40, (6, 2)) * (1.0, 0.4)
    np.savez(tmp_path / "scan.npz", data=np.ones((6, 24, 30)), scan=places)
    data = Data(path=str(tmp_path / "scan.npz"), scan_rotation_rad=0.4, scan_flip=flip)
    read = io.read(data).scan.positions_m
    np.testing.assert_allclose(turned(places, 0.4, flip), read, atol=1e-9)
    np.testing.assert_allclose(unturned(read, 0.4, flip), places, atol=1e-9)
    assert np.array_equal(matrix(opposite(flip)), -matrix(flip))
    np.testing.assert_allclose(rotation(0.4) @ rotation(-0.4), np.eye(2), atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("flip", ORIENTATIONS)
@pytest.mark.parametrize("name", ["siemens-far", "siemens-near", "two-modes", "electron"])
def test_every_orientation_is_turned_back(name, flip):
    assert_turned_back(made(name), flip)


def test_a_turned_near_field_is_turned_back(near):
    assert_turned_back(near, "ty")


def assert_turned_back(right: Dataset, flip: Orientation) -> None:
    """The check names the opposite turn, and has no other doubt."""
    about = found(replace(right, scan=Scan(turned(right.scan.positions_m, 0.0, flip))))
    assert [doubt.name for doubt in about.values() if doubt.level != "ok"] == ["orientation"] * (flip != "none")
    mended = fixed(Job(), about.values()).data
    np.testing.assert_array_equal(matrix(mended.scan_flip) @ matrix(flip), np.eye(2))
    assert mended.scan_rotation_rad == 0


@pytest.mark.slow
def test_half_a_turn_is_not_told_where_the_probe_is_not_known(far):
    blind = far.with_geometry(convergence_rad=None, defocus_m=None)
    about = found(replace(blind, scan=Scan(turned(blind.scan.positions_m, 0.0, "yx"))))
    assert about["orientation"].level == "ok"
    assert "half a turn" in about["orientation"].sentence


def test_a_rotated_scan_and_a_wrong_distance_are_found(far):
    rotated = replace(far, scan=Scan(turned(far.scan.positions_m, 0.3, "none")))
    about = found(rotated.with_geometry(distance_m=2.5))
    assert about["orientation"].fix["data.scan_rotation_rad"] == pytest.approx(-0.3, abs=0.08)
    assert about["scale"].fix["data.distance_m"] == pytest.approx(2.0, rel=0.04)


@pytest.mark.slow
def test_a_wrong_focus_of_a_cone_beam_is_found(near):
    focus_m = near.geometry.focus_to_sample_m
    assert focus_m is not None
    about = found(near.with_geometry(focus_to_sample_m=0.85 * focus_m))
    assert about["scale"].fix["data.focus_to_sample_m"] == pytest.approx(focus_m, rel=0.03)


@pytest.mark.slow
def test_the_wrong_distance_of_a_parallel_beam_is_found_in_spite_of_wrong_positions():
    wrong = made("guzzi-2021", distance_error=0.3, position_error_px=3.0)
    about = found(wrong)
    assert about["scale"].fix["data.distance_m"] == pytest.approx(0.1, rel=0.06)


def test_saturated_values_are_found(far):
    limit = float(np.quantile(far.frames[:], 0.995))
    doubt = frames.saturation(look(with_frames(far, np.minimum(far.frames[:], limit))))
    assert doubt.level == "wrong"
    assert doubt.fix == {"data.saturation": limit}
    assert frames.saturation(look(far)).level == "ok"


def test_a_hot_pixel_is_found_where_nobody_looked(far):
    counts = far.frames[:].copy()
    counts[:, 3, 41] = 5000
    doubt = frames.hot_pixels(Data(hot_pixels=False), look(with_frames(far, counts)))
    assert doubt.fix == {"data.hot_pixels": True}
    assert frames.hot_pixels(Data(hot_pixels=False), look(far)).level == "ok"


def test_a_dead_pixel_is_found(far):
    counts = far.frames[:].copy()
    counts[:, 22, 27] = 0
    for known, fix in ((False, {"data.dead_pixels": True}), (True, {})):
        doubt = frames.dead_pixels(Data(dead_pixels=known), look(with_frames(far, counts)))
        assert doubt.figures == {"pixels": 1}
        assert "y 22, x 27" in doubt.sentence
        assert doubt.fix == fix
    assert "data.mask" in doubt.sentence, "what the reader has looked for and not found is left to a mask"
    assert frames.dead_pixels(Data(), look(far)).level == "ok"


def test_few_photons_are_told_with_the_r_factor_of_their_noise():
    assert frames.photons(look(made("siemens-far", photons=500.0))).level == "doubt"
    noisy, clear = made("siemens-far"), made("siemens-far", photons=1e13)
    expected, counts = np.sqrt(clear.frames[:] * 1e-7), np.sqrt(noisy.frames[:])
    noise = np.abs(counts - expected).sum() / counts.sum()
    assert frames.photons(look(noisy)).figures["r_factor_of_noise"] == pytest.approx(noise, rel=0.15)


def test_holograms_taken_for_patterns_are_doubted(near):
    read = replace(near, values=tuple(replace(v, origin="guessed") if v.name == "field" else v for v in near.values))
    counts = near.frames[:] + 0.2 * near.frames[:].max()
    taken = with_frames(read, counts).with_geometry(field="far")
    assert frames.field(taken, look(taken)).fix == {"data.field": "near"}


def test_lost_frames_are_found_and_left_out(far):
    counts = far.frames[:].copy()
    counts[[7, 31]] *= 0.01
    doubt = frames.outliers(with_frames(far, counts), Data(exclude=(2,)), look(with_frames(far, counts)))
    assert doubt.fix == {"data.exclude": [2, 7, 31]}
    assert fixed(Job(), [doubt]).data.exclude == (2, 7, 31)


def test_frames_without_a_valid_pixel_are_told_before_a_run_refuses_them(far):
    counts = far.frames[:].copy()
    counts[4] = np.nan
    about = list(found(with_frames(far, counts)).values())[-1]
    assert about.level == "wrong"
    assert about.fix == {"data.exclude": [4]}


@pytest.mark.parametrize(("flip", "corner"), [("none", False), ("tx", False), ("ty", True), ("yx", True)])
def test_a_pattern_off_the_middle_is_found_in_the_pixels_of_the_file(tmp_path, far, flip, corner):
    moved = np.roll(far.frames[:], (5, -7), (1, 2))
    said = "corner" if corner else "centre"
    moved = np.fft.ifftshift(moved, (1, 2)) if corner else moved
    np.savez(tmp_path / "scan.npz", data=moved, scan=np.indices((10, 10)).reshape(2, -1).T * 4.0)
    data = Data(path=str(tmp_path / "scan.npz"), zero_frequency=said, flip=flip)
    centred = io.read(data.with_value("centre", (20, 24)) if not corner else data.with_value("centre", (0, 0)))
    doubt = frames.centre(centred, look(centred))
    assert doubt.level == "doubt"
    mended = io.read(fixed(Job(data=data), [doubt]).data)
    assert frames.centre(mended, look(mended)).level == "ok"


def test_positions_that_are_missing_or_all_the_same_are_wrong(far):
    assert scan.positions(replace(far, positions_known=False)).level == "wrong"
    assert scan.positions(replace(far, scan=Scan(np.zeros((100, 2))))).level == "wrong"
    assert [d.name for d in found(replace(far, positions_known=False)).values()][-1] == "frames"


def test_coarse_and_regular_steps_are_doubted():
    grid = np.indices((8, 9)).reshape(2, -1).T * 10.0
    dataset = Dataset(np.ones((72, 30, 32), np.float32), np.ones((30, 32), bool), Scan(grid), Geometry((30, 32)))
    assert scan.overlap(dataset, 15.0).level == "doubt"
    assert scan.overlap(dataset, 11.0).level == "wrong"
    assert scan.overlap(dataset, 30.0).level == "ok"
    kept = Constraints()
    left = Constraints(raster_pathology=RasterPathology(enabled=False))
    assert scan.raster(dataset, 15.0, left).fix == {"constraints.raster_pathology.enabled": True}
    assert scan.raster(dataset, 15.0, kept).level == "ok"
    assert scan.raster(dataset, 30.0, left).level == "ok"
    shaken = grid + np.random.default_rng(2).normal(0, 1, grid.shape)
    assert scan.raster(replace(dataset, scan=Scan(shaken)), 15.0, left).level == "ok"


def test_a_probe_that_fills_the_window_is_doubted(far):
    probe = np.ones((1, 40, 48), np.complex64)
    assert scan.sampling(probe).level == "doubt"
    assert scan.diameter_m(probe, (2.0, 3.0)) == pytest.approx(np.sqrt(4 / np.pi * 40 * 48 * 6))


def test_the_check_tells_its_progress_and_can_be_stopped(far):
    running = check(Job(), far)
    seen = [item for _, item in zip(range(14), running)]
    running.close()
    parts = [item.done for item in seen if isinstance(item, Progress)]
    assert parts == sorted(parts)
    assert parts


def test_the_command_keeps_its_fixes_beside_the_file(tmp_path, far, capsys):
    path = tmp_path / "scan.cxi"
    io.write(replace(far, scan=Scan(turned(far.scan.positions_m, 0.0, "ty"))), path)
    assert main(["check", str(path), "--json", "--apply"]) == 0
    told = json.loads(capsys.readouterr().out)
    about = {doubt["name"]: doubt for doubt in told["doubts"]}
    assert about["orientation"]["set"] == ["data.scan_flip=tx"]
    assert told["wrong"] == 1
    assert io.read(Data(path=str(path))).data["scan_flip"] == "tx"
    np.testing.assert_allclose(io.read(Data(path=str(path))).scan.positions_m, far.scan.positions_m, atol=1e-12)


def test_a_result_is_no_scan_to_check(result, capsys):
    assert main(["check", str(result)]) == 2
    assert "is a result; check the data file" in capsys.readouterr().err


def test_fixes_are_written_as_run_takes_them():
    doubt = Doubt("x", "doubt", "", {}, {"data.exclude": [3, 4], "data.flip": "tx", "data.distance_m": 2.5e-7})
    assert settings(doubt) == ["data.exclude=[3, 4]", "data.flip=tx", "data.distance_m=2.5e-07"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "said", "fix"),
    [
        ("siemens.npz.bz2", {}, {}),
        ("siemens.npz.bz2", {"scan_flip": "tx"}, {"data.scan_flip": "none"}),
        ("siemens.npz.bz2", {"flip": "y"}, {"data.scan_flip": "y"}),
        ("petra_nf.cxi", {"focus_to_sample_m": 3.65e-3}, {}),
        ("petra_nf.cxi", {"focus_to_sample_m": 3.65e-3, "scan_flip": "t"}, {"data.scan_flip": "none"}),
        ("petra_nf.cxi", {"focus_to_sample_m": 3.3e-3}, {"data.focus_to_sample_m": pytest.approx(3.65e-3, rel=0.02)}),
    ],
)
def test_the_real_scans_are_turned_and_scaled_as_they_are_known_to_be(name, said, fix):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the real scan {name} is not in ../shared/data")
    about = found(io.read(Data.read({"path": str(path)} | said)))
    assert {**about["orientation"].fix, **about["scale"].fix} == fix


@pytest.mark.slow
def test_the_orientation_of_the_cryo_electron_scan_is_found():
    path = SHARED / "electron_cryo" / "vlp_48x40x128x128_u8.npy"
    if not path.exists():
        pytest.skip("the real scan of virus-like particles is not in ../shared/data")
    said = {"kV": 300, "convergence_rad": 1.03e-3, "defocus_m": 13.5e-6, "pixel_m": 4.65e-10, "scan_step_m": 31.25e-10}
    about = found(io.read(Data.read({"path": str(path), "scan_shape": (48, 40)} | said)))["orientation"]
    assert about.fix["data.scan_flip"] == "tx"
    assert about.fix["data.scan_rotation_rad"] == pytest.approx(np.radians(36), abs=np.radians(8))


def unsaid(dataset: Dataset) -> Dataset:
    """The same scan in a file that does not say which field it is, so that a far one is assumed."""
    values = tuple(replace(v, origin="guessed") if v.name == "field" else v for v in dataset.values)
    return replace(dataset, values=values).with_geometry(field="far", focus_to_sample_m=None)


def test_shadows_in_a_cone_beam_tell_the_near_field_and_its_focus() -> None:
    wide = made("siemens-near", focus_to_sample_m=1.6e-3, distance_m=0.8, scan_shape=(5, 6), step_px=6.0)
    doubt = frames.field(unsaid(wide), look(wide))
    assert doubt.level == "doubt"
    assert doubt.fix["data.field"] == "near"
    assert doubt.fix["data.focus_to_sample_m"] == pytest.approx(1.6e-3, rel=0.03)


@pytest.mark.parametrize("flip", ["none", "tlr"])
def test_shadows_in_a_parallel_beam_tell_the_near_field_however_the_frames_lie(flip: Orientation) -> None:
    dataset = made("deng-gd")
    positions_m = turned(dataset.scan.positions_m, 0.3, flip)
    doubt = frames.field(unsaid(replace(dataset, scan=Scan(positions_m))), look(dataset))
    assert (doubt.level, doubt.fix) == ("doubt", {"data.field": "near"})


@pytest.mark.parametrize("name", ["siemens-far", "two-modes", "electron", "kandel-2019-far"])
def test_a_far_field_that_nobody_named_is_left_alone(name: str) -> None:
    dataset = unsaid(made(name))
    assert frames.field(dataset, look(dataset)).level == "ok"


@pytest.mark.skipif(not (SHARED / "petra_nf.cxi").exists(), reason="the real scan ../shared/data is not there")
def test_the_focus_of_a_real_near_field_scan_is_found() -> None:
    dataset = io.read(Data(path=str(SHARED / "petra_nf.cxi")))
    doubt = frames.field(dataset, look(dataset))
    assert doubt.level == "doubt"
    assert doubt.fix["data.focus_to_sample_m"] == pytest.approx(3.65e-3, rel=0.02)


@pytest.mark.skipif(not (SHARED / "siemens.npz.bz2").exists(), reason="the real scan ../shared/data is not there")
def test_a_real_far_field_scan_is_left_alone() -> None:
    dataset = io.read(Data(path=str(SHARED / "siemens.npz.bz2")))
    assert frames.field(dataset, look(dataset)).level == "ok"
