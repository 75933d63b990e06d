"""The tables of PtychoNet, tiny: what is compared is alike, what the figures mean, and what is left out."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from ptychogui.bench.papers import curves, learned, thinned
from ptychogui.bench.papers.begun import Known
from ptychogui.bench.papers.learned import Cells, Size
from ptychogui.bench.papers.starts import LIT
from ptychogui.bench.papers.trial import Row, Setting
from ptychogui.engine.simulate import recipes, simulate
from ptychogui.engine.simulate.ptychonet import PtychoNetFermat, PtychoNetGrid
from ptychogui.engine.solvers.dm import DM
from ptychogui.job import Job, run
from ptychogui.train import TrainJob, lesson

TINY = Size(objects=2, share=0.03, side=32)
SAMPLE = PtychoNetGrid(shape=(32, 36), scan_shape=(3, 4), step_px=8, sigma_px=7.5, amplitude=(0.6, 1.0), seed=3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An unrolled network that has hardly learned anything."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    values = {
        "network": {"kind": "unrolled", "pixels": 32, "channels": 4, "looks": 2},
        "training": {"steps": 3, "made": 8, "frames": 4},
        "start": {"kind": "data", "find_defocus": False},
    }
    course = lesson(TrainJob.read(values), Known(SAMPLE).dataset)
    for _ in course.run():
        pass
    course.save(path)
    return str(path)


def figures(rows: list[Row]) -> dict[tuple[str, str], Row]:
    return {(row.run, row.quantity): row for row in rows}


def test_the_truth_has_no_error_whatever_its_phase() -> None:
    known = Known(SAMPLE)
    state = known.flat
    y, x = np.rint(known.judge.origin_px - np.array(state.origin_m) / known.problem.geometry.pixel_m).astype(int)
    ny, nx = known.judge.truth.shape
    state.obj[0, y : y + ny, x : x + nx] = torch.from_numpy(known.judge.truth * np.exp(0.7j))
    found = known.judged(state)
    assert max(value for name, value in found.items() if "nrmse" in name) < 1e-5
    assert found["ssim"] == pytest.approx(1)
    assert found["lit_psnr_dB"] > 80
    state.obj *= 1.1  # no scale is fitted
    found = known.judged(state)
    assert found["lit_amplitude_nrmse"] == pytest.approx(0.1, rel=1e-4)
    assert found["phase_nrmse"] < 1e-5


def test_whole_is_every_window_and_lit_is_less() -> None:
    judge = Known(SAMPLE).judge
    rows, columns = np.flatnonzero(judge.whole.any(1)), np.flatnonzero(judge.whole.any(0))
    assert (len(rows), len(columns)) == (2 * 8 + 32, 3 * 8 + 36)
    assert judge.whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert judge.lit.sum() < judge.whole.sum()
    assert not (judge.lit & ~judge.whole).any()


def test_psnr_is_of_pictures_from_black_to_white() -> None:
    known = Known(SAMPLE)
    state, truth = known.flat, known.judge.truth
    state.obj[:] = 0.8
    found = known.judged(state)
    area = known.judge.whole
    turn = np.angle(np.vdot(truth[area], np.full(area.sum(), 0.8)))
    grey = 1 + np.array([0.5 - 1, -turn / (np.pi / 3)])
    amplitude, phase = (np.abs(truth[area]) - 0.6) / 0.4, 1 + np.angle(truth[area]) / (np.pi / 3)
    wanted = [-10 * np.log10(np.mean((part - g) ** 2)) for part, g in zip((amplitude, phase), grey)]
    assert found["psnr_dB"] == pytest.approx(np.mean(wanted), rel=1e-4)


def test_runs_know_the_probe_and_leave_their_start_as_it_was() -> None:
    known = Known(SAMPLE)
    begun = known.random(5)
    before = begun.obj.clone()
    outcome = known.follow(begun, (DM(epochs=17),))
    assert torch.equal(begun.obj, before)
    assert torch.equal(before, known.random(5).obj)
    assert [point["epoch"] for point in outcome.curve] == [*range(11), 15, 17]
    assert outcome.curve[-1]["lit_nrmse"] == pytest.approx(outcome.figures["lit_nrmse"])
    assert outcome.figures["lit_nrmse"] < 0.5 * outcome.curve[0]["lit_nrmse"]
    assert outcome.epochs == 17


def test_a_table_has_every_start_and_what_is_wanted(weights: str, tmp_path: Path) -> None:
    setting = Setting(beside=tmp_path / "t.json")
    rows = figures(list(learned.grid(setting, TINY, [weights], 40)))
    alone = "40 px, network tiny"
    runs = {f"40 px, {solver} from {start}" for solver in TINY.solvers for start in ("flat", "random", "network tiny")}
    assert {run for run, _ in rows} == runs | {alone}
    assert rows[alone, "amplitude_nrmse"].paper == rows[alone, "amplitude_nrmse"].goal == 0.0846
    assert rows["40 px, dm from network tiny", "phase_nrmse"].paper == 0.2736
    assert rows["40 px, dm from flat", "phase_nrmse"].paper is None
    for quantity in LIT:
        flat, behind = rows["40 px, dm from flat", quantity], rows["40 px, dm from network tiny", quantity]
        assert behind.goal == pytest.approx(0.5 * min(flat.ours, rows[alone, quantity].ours))
        assert flat.goal is None
        assert behind.epochs == flat.epochs == 3
        assert behind.spread is not None
        assert behind.spread > 0
    first = rows["40 px, dm from network tiny", "ssim"].curve[0]
    assert first["lit_amplitude_nrmse"] == pytest.approx(rows[alone, "lit_amplitude_nrmse"].ours)
    drawn = ElementTree.parse(tmp_path / "t-40-px-dm+lbfgs.svg")
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 3


def test_the_paper_s_difference_map_begins_by_chance(weights: str) -> None:
    size = replace(TINY, objects=1, share=0.005)
    mesh = figures(list(learned.mesh(Setting(), size, [weights])))
    assert mesh["mesh, dm from random", "psnr_dB"].paper == 9.507
    assert mesh["mesh, dm from flat", "psnr_dB"].paper is None
    assert mesh["mesh, network tiny", "ssim"].paper == 0.7228
    flat, alone = mesh["mesh, dm+lbfgs from flat", LIT[0]], mesh["mesh, network tiny", LIT[0]]
    assert mesh["mesh, dm+lbfgs from network tiny", LIT[0]].goal == min(flat.ours, alone.ours)
    spiral = figures(list(learned.fermat(Setting(), size, [weights])))
    assert {run for run, _ in spiral} == {
        "fermat, network tiny",
        "fermat, dm from random",
        "fermat, dm from network tiny",
    }
    assert spiral["fermat, network tiny", "psnr_dB"].paper == 15.60


def test_a_network_that_does_not_fit_is_left_out(weights: str, caplog: pytest.LogCaptureFixture) -> None:
    size = replace(TINY, objects=1, side=16)
    with caplog.at_level(logging.WARNING):
        rows = list(learned.mesh(Setting(), size, [weights]))
    assert {row.run.partition(" from ")[2] for row in rows} == {"flat", "random"}
    assert "mesh: left out." in caplog.text
    assert list(learned.passes(Setting(), size, [weights])) == []


def test_other_kinds_of_images(weights: str, tmp_path: Path) -> None:
    for name in ("a.png", "b.bmp", "c.png"):
        Image.fromarray(np.random.default_rng(len(name)).integers(0, 255, (40, 50), np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    setting = Setting(images=tmp_path)
    assert setting.standard(3) == [(str(tmp_path / "a.png"), str(tmp_path / "b.bmp"))]
    assert setting.tested(2) == [None, None]
    rows = list(learned.transfer(setting, replace(TINY, objects=1), [weights]))
    assert {row.run.partition(" px")[0] for row in rows} == {"cells, 40", "standard, 40"}
    truth = Known(Cells.read(SAMPLE.plain())).judge.truth
    assert np.abs(truth).min() == pytest.approx(0.6, abs=0.05)
    assert np.median(np.abs(truth)) > 0.75  # most of the picture is bright around them
    assert np.abs(truth - Known(SAMPLE).judge.truth).max() > 0.1


def test_photographs_to_test_with_lie_beside_the_others(tmp_path: Path) -> None:
    beside = tmp_path / "natural" / "bsds500_test"
    beside.mkdir(parents=True)
    for name in ("3.jpg", "1.jpg", "2.jpg", "4.jpg", "5.jpg"):
        (beside / name).touch()
    pairs = Setting(images=tmp_path / "standard").tested(20)
    assert pairs == [(str(beside / a), str(beside / b)) for a, b in (("1.jpg", "2.jpg"), ("3.jpg", "4.jpg"))]


def test_a_pass_is_timed_beside_an_epoch_of_epie(weights: str) -> None:
    (row,) = learned.passes(Setting(), TINY, [weights])
    assert row.goal == 1
    assert row.ours > 0
    assert len(Known(learned._of_discs(PtychoNetFermat(), TINY)).problem) == 354


def test_thinned_scan_is_judged_by_the_frames_that_are_left_out(weights: str, tmp_path: Path) -> None:
    values = {"shape": (32, 32), "frames": 60, "probe_px": 14.0, "step_px": 2.5, "photons": 1e5}
    scan = simulate(recipes()["siemens-far"].read(values))
    whole = run(Job().with_value("solver.epochs", 12).with_value("start.find_defocus", False), scan)
    third = thinned.Thinned(scan, whole, 3)
    assert len(third.problem) == 20
    assert 20 < len(third.others) <= 40
    setting = Setting(beside=tmp_path / "t.json")
    rows = figures(list(thinned._of(third, {"dm": (DM(epochs=12),)}, [weights], setting)))
    label = "siemens, every 3rd, dm from"
    flat, behind = (rows[f"{label} {start}", "left_out_r_factor"] for start in ("flat", "network tiny"))
    assert behind.goal == flat.ours
    assert flat.ours < flat.curve[0]["left_out_r_factor"]
    assert 0 < rows[f"{label} flat", "nrmse"].ours < 0.5
    assert 0 < rows[f"{label} flat", "frc_mean"].ours < 1
    assert rows["siemens, every 3rd, network tiny", "ssim_phase"].epochs == 0
    with Image.open(tmp_path / "t-siemens-3-dm.png") as picture:
        assert picture.width > 2 * picture.height
    assert (tmp_path / "t-siemens-3-dm.svg").is_file()


def test_without_the_scan_its_rows_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(thinned.rows(Setting(), [])) == []
    assert "the table is without the real scan" in caplog.text


def test_curve_that_goes_nowhere_is_drawn() -> None:
    drawn = curves.svg({"a < b": [{"epoch": 0.0, "nrmse": 0.3}]}, "nrmse", "title", "error")
    assert "a &lt; b" in drawn
    ElementTree.fromstring(drawn)
