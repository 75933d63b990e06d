"""Layouts of a scan: counts, steps and figures known by hand, and their way through forms, files and flags."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ptychogui.cli import main
from ptychogui.engine.simulate import from_toml, recipes, simulate
from ptychogui.io.data import Data
from ptychogui.io.layout import written
from ptychogui.io.position_table import paired_by_name, paired_by_number, paired_in_order, read_table
from ptychogui.io.positions import centred_m, free_name, write_positions
from ptychogui.io.reading import read
from ptychogui.io.text import read_positions
from ptychogui.io.writing import write
from ptychogui.layout import AnyLayout, AnyPattern, Listed, Pattern
from ptychogui.layout.affine import Affine
from ptychogui.layout.concentric import Concentric
from ptychogui.layout.fermat import Fermat, spiral
from ptychogui.layout.figures import Exposure, coverage_of, figures, shared_area, step_m
from ptychogui.layout.lissajous import Lissajous
from ptychogui.layout.random import Random
from ptychogui.layout.raster import Raster, jittered
from ptychogui.layout.snake import Snake
from ptychogui.params import InputError, members, parse_setting

PATTERNS = {kind: cls for kind, cls in members(AnyPattern).items() if issubclass(cls, Pattern)}
FIELD_M = (6e-6, 9e-6)


@pytest.mark.parametrize("kind", PATTERNS)
def test_a_pattern_fills_its_field_evenly(kind: str) -> None:
    pattern = PATTERNS[kind].read({"step_m": 0.5e-6, "field_m": FIELD_M})
    points = pattern.points_m()
    assert len(points) == pytest.approx(pattern.density_points, rel=0.2)
    assert (np.abs(points) <= np.array(FIELD_M) / 2 * 1.000001).all()
    assert np.ptp(points, axis=0) == pytest.approx(FIELD_M, rel=0.12)
    assert 0.25e-6 < step_m(points) <= 0.51e-6


@pytest.mark.parametrize("kind", PATTERNS)
def test_seed_jitter_outline_and_affine_map(kind: str) -> None:
    plain = PATTERNS[kind].read({"step_m": 0.5e-6, "field_m": FIELD_M})
    shaken = plain.with_value("jitter", 0.2)
    assert np.array_equal(shaken.points_m(), shaken.points_m())
    assert not np.array_equal(shaken.points_m(), shaken.with_value("seed", 1).points_m())
    moved = shaken.points_m() - plain.points_m()
    assert moved.std() == pytest.approx(0.1e-6, rel=0.15)
    oval = plain.with_value("outline", "ellipse").points_m()
    assert np.hypot(*(2 * oval / FIELD_M).T).max() <= 1.000001
    assert len(oval) == (np.hypot(*(2 * plain.points_m() / FIELD_M).T) <= 1).sum()
    turned = plain.with_value("rotation_rad", "90 deg").points_m()
    y, x = plain.points_m().T
    assert turned == pytest.approx(np.stack([x, -y], 1), abs=1e-15)


def test_points_that_are_known_by_hand() -> None:
    values = {"step_m": 1.0, "field_m": (1.0, 2.0)}
    rows = [(-0.5, -1), (-0.5, 0), (-0.5, 1), (0.5, -1), (0.5, 0), (0.5, 1)]
    assert Raster.read(values).points_m() == pytest.approx(np.array(rows))
    assert Snake.read(values).points_m() == pytest.approx(np.array([*rows[:3], *rows[:2:-1]]))
    circles = Concentric.read({"step_m": 1.0, "field_m": (4.0, 4.0), "outline": "ellipse"}).points_m()
    assert len(circles) == 1 + 6 + 13
    assert sorted({round(float(r), 9) for r in np.hypot(*circles.T)}) == [0, 1, 2]
    assert np.hypot(*spiral(400, 5.0).T).max() == pytest.approx(5 * math.sqrt(399.5 / math.pi))
    grid = jittered((3, 4), (5.0, 7.0), 0.0, np.random.default_rng(0))
    assert (grid[0], grid[4] - grid[0]) == (pytest.approx([-5, -10.5]), pytest.approx([5, 0]))
    lattice = Random(step_m=1e-6, field_m=(2e-5, 1e-5), apart=0.6).points_m()
    assert len(lattice) == 200
    distance = np.linalg.norm(lattice[:, None] - lattice[None], axis=2) + np.eye(200)
    assert distance.min() >= 0.6e-6


def test_a_lissajous_curve_never_runs_back_on_itself() -> None:
    for frequencies in ((3, 5), (4, 5), (6, 10), None):
        pattern = Lissajous(step_m=0.3e-6, field_m=FIELD_M, frequencies=frequencies)
        assert len(np.unique(np.rint(pattern.points_m() / 0.05e-6), axis=0)) > 0.95 * len(pattern.points_m())
    assert Lissajous(frequencies=(6, 10)).rates == (3, 5)


def test_the_affine_map_is_the_one_of_a_drift() -> None:
    from ptychogui.gui.views.drift import drift

    points = Random(field_m=FIELD_M, step_m=0.5e-6).points_m()
    found = drift(points, Affine(scale=(1.03, 0.98), shear=0.01, rotation_rad=0.02).mapped(points))
    assert found is not None
    assert (found.scale_y, found.scale_x) == (pytest.approx(1.03), pytest.approx(0.98))
    assert (found.rotation_rad, found.shear) == (pytest.approx(0.02), pytest.approx(0.01))


def test_too_many_points_are_refused() -> None:
    with pytest.raises(InputError, match="larger step"):
        Raster(step_m=1e-9).points_m()


def test_figures_that_are_known_by_hand() -> None:
    points = Raster(step_m=1e-6, field_m=(9e-6, 19e-6)).points_m()
    exposure = Exposure(probe_m=4e-6, photons=1e5, dwell_s=0.2, move_s=0.1, frame_shape=(64, 100), bytes_per_pixel=4)
    found = figures(points, exposure)
    assert (found.points, found.step_m) == (200, pytest.approx(1e-6))
    assert found.overlap == pytest.approx(0.75)
    # a lens of two discs: 2/π (acos u − u √(1 − u²)), here u = 1/4
    assert found.shared_area == pytest.approx(0.685, abs=5e-4)
    assert (found.seconds, found.file_bytes) == (pytest.approx(200 * 0.2 + 199 * 0.1), 200 * 64 * 100 * 4)
    rounded = 9 * 19 + 2 * 2 * (9 + 19) + math.pi * 4  # nearly the rectangle with a rim of a radius
    assert found.lit_m2 == pytest.approx(rounded * 1e-12, rel=0.04)
    assert found.dose_per_m2 == pytest.approx(200 * 1e5 / (rounded * 1e-12), rel=0.04)
    unknown = figures(points, Exposure())
    assert (unknown.overlap, unknown.lit_m2, unknown.dose_per_m2) == (None, None, None)
    assert (shared_area(0.0), shared_area(1.0), shared_area(1.7)) == (pytest.approx(1), 0, 0)


def test_coverage_counts_the_probes() -> None:
    coverage = coverage_of(np.array([[0.0, 0.0], [0.0, 1e-6], [5e-6, 3e-6]]), 2e-6)
    assert coverage is not None
    assert coverage.count.max() == pytest.approx(2)
    assert coverage.count.sum() * coverage.cell_m**2 == pytest.approx(3 * math.pi * 1e-12, rel=0.02)
    y, x = (round((place - origin) / coverage.cell_m) for place, origin in zip((0, 0.5e-6), coverage.origin_m))
    assert coverage.count[y, x] == pytest.approx(2)
    assert coverage_of(np.zeros((0, 2)), 1e-6) is None


@pytest.mark.parametrize("kind", members(AnyLayout))
def test_a_layout_goes_through_flags_and_files(kind: str) -> None:
    recipe = recipes()["siemens-far"]().with_value("scan.kind", kind)
    setting = "scan.positions_m=[[0, 1e-7], [2e-7, 3e-7]]" if kind == "listed" else "scan.step_m=0.2 um"
    recipe = recipe.with_value(*parse_setting(setting))
    lines = ["kind = 'siemens-far'", "[scan]", *(f"{k} = {_toml(v)}" for k, v in recipe.plain()["scan"].items())]
    assert from_toml("\n".join(lines)) == recipe
    assert isinstance(recipe, type(recipe))


def _toml(value: object) -> str:
    return repr(value) if not isinstance(value, bool) else str(value).lower()


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_takes_a_layout(name: str) -> None:
    recipe = recipes()[name]()
    pixel_m = recipe.scene(np.random.default_rng(0)).geometry.pixel_m
    layout = Fermat(step_m=6 * pixel_m[0], field_m=(40 * pixel_m[0], 60 * pixel_m[0]))
    placed = recipe.read({**recipe.plain(), "scan": layout.plain()})
    scene = placed.scene(np.random.default_rng(0))
    assert scene.positions_px * pixel_m == pytest.approx(layout.points_m())
    wide = recipe.read({**recipe.plain(), "scan": {"kind": "raster", "field_m": (1.0, 1.0), "step_m": 0.1}})
    with pytest.raises(InputError, match="step and field that suit a pixel"):
        wide.scene(np.random.default_rng(0))


def test_simulated_frames_stand_where_the_layout_says() -> None:
    values = {"shape": (24, 32), "probe_px": 8.0, "photons": 1e4}
    layout = Listed(positions_m=((0.0, 2e-7), (1e-7, -1e-7), (-3e-7, 0.0)))
    dataset = simulate(recipes()["siemens-far"].read({**values, "scan": layout.plain()}))
    assert dataset.scan.positions_m == pytest.approx(layout.points_m())
    assert dataset.frames.shape == (3, 24, 32)


def test_simulate_takes_positions_from_a_table(tmp_path: Path) -> None:
    table, out = tmp_path / "p.csv", tmp_path / "d.cxi"
    table.write_text("x_um,y_um\n10,0\n10.2,0\n10.4,0.1\n")
    small = ["--set", "shape=[24, 32]", "--set", "probe_px=8"]
    assert main(["simulate", "siemens-far", "-o", str(out), "--positions", str(table), *small]) == 0
    found = read(Data(path=str(out))).scan.positions_m
    assert found == pytest.approx(np.array([[-0.05, -0.2], [-0.05, 0], [0.05, 0.2]]) * 1e-6)
    table.write_text("x,y\n10,0\n10.2,0\n10.4,0.1\n")
    assert main(["simulate", "siemens-far", "-o", str(out), "--positions", str(table)]) == 2


def test_positions_written_are_read_back(tmp_path: Path) -> None:
    positions = np.random.default_rng(2).uniform(-4e-6, 9e-6, (17, 2))
    first = free_name(tmp_path / "scan.cxi")
    write_positions(first, positions, "m", range(17))
    listing = read_positions(first)
    assert listing.values == pytest.approx(positions, rel=1e-11)
    assert (listing.unit, listing.columns, listing.columns_doubt) == ("m", "yx", "")
    assert free_name(tmp_path / "scan.cxi").name == "scan_positions_2.csv"
    write_positions(tmp_path / "b.csv", positions * 1e9, "nm")
    middle = (positions.min(0) + positions.max(0)) / 2
    assert centred_m(read_positions(tmp_path / "b.csv")) == pytest.approx(positions - middle, abs=1e-17)


def test_a_table_is_paired_with_frames(tmp_path: Path) -> None:
    path, frames = tmp_path / "t.csv", np.array([0, 2, 3, 5])
    path.write_text("number;y_mm;x_mm\n3;0,1;0,2\n4;0,3;0,4\n9;0,5;0,6\n")
    table = read_table(path)
    assert table.listing.unit == "mm"
    assert table.listing.values[1] == pytest.approx([0.3, 0.4])
    assert table.numbers is not None
    assert list(paired_by_number(table.numbers, frames)) == [2, 3, -1], "they count from 1"
    path.write_text("# a scan\nname, x_um, y_um\nrun/B_10.TIF, 1, 2\nrun/A_3.tif, 3, 4\nrun/C_1.tif, 5, 6\n")
    table = read_table(path)
    assert table.names == ("run/B_10.TIF", "run/A_3.tif", "run/C_1.tif")
    assert table.listing.values[0] == pytest.approx([2, 1])
    names = ("c_1.tiff", "x.tiff", "a_3.tiff", "b_10.tiff", "y.tiff", "z.tiff")
    assert list(paired_by_name(table.names, frames, names)) == [3, 2, 0]
    assert list(paired_by_name(("img 2", "img 5", "img 4"), frames, ())) == [2, 5, -1]
    assert list(paired_by_name(("left", "right"), frames, ())) == [-1, -1]
    assert list(paired_in_order(6, frames)) == [0, 2, 3, 5, -1, -1]
    path.write_text("frame y_nm x_nm\n2 20 21\n0 0 1\n1 10 11\n")
    table = read_table(path)
    assert table.numbers is None, "they are all there, so the rows are in the order of the frames"
    assert list(table.listing.values[:, 0]) == [0, 10, 20]


@pytest.mark.parametrize("calibrated", [True, False])
def test_edited_positions_are_read_back_as_they_were_edited(tmp_path: Path, calibrated: bool) -> None:
    dataset = simulate(recipes()["siemens-far"].read({"shape": (24, 32), "probe_px": 8.0, "frames": 12}))
    if not calibrated:
        np.savez(tmp_path / "scan.npz", data=dataset.frames, scan=dataset.scan.positions_m / dataset.geometry.pixel_m)
    else:
        write(dataset, tmp_path / "scan.cxi")
    path = tmp_path / ("scan.cxi" if calibrated else "scan.npz")
    data = Data(path=str(path), scan_rotation_rad=0.4, scan_flip="tx", crop=16, exclude=(5,), zero_frequency="centre")
    before = read(data)
    assert before.geometry.calibrated == calibrated
    numbers = np.delete(np.arange(12), 5)
    stood = dict(zip(numbers.tolist(), before.scan.positions_m))
    keep = np.array([9, 0, 3, 4, 11])
    edited = np.array([stood[n] for n in keep]) + np.random.default_rng(3).normal(size=(5, 2)) * before.scan.step_m
    told = written(data, before.geometry, stood, keep, edited)
    assert told.exclude == (1, 2, 5, 6, 7, 8, 10)
    assert (told.scan_rotation_rad, told.scan_flip) == (0.0, "none")
    after = read(told)
    assert after.positions_known
    assert after.scan.positions_m == pytest.approx(edited[np.argsort(keep)], rel=1e-12)
    assert not [value for value in after.values if value.name == "positions" and value.doubt]
    back = read(told.model_copy(update={"exclude": (5,)}))
    assert back.scan.positions_m[1] == pytest.approx(stood[1], rel=1e-12), "the table keeps where it stood"
    again = written(told, before.geometry, stood, keep, edited)
    assert again.positions != told.positions
