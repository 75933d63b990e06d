"""Designing a target: the field makes the picture, the solvers improve on the paper's, and files hold it."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from ptychogui.cli import main
from ptychogui.engine.design import Design, Iteration, design
from ptychogui.engine.simulate.photographs import leaves
from ptychogui.engine.simulate.probes import angular_spectrum
from ptychogui.params import InputError
from ptychogui.types import Real

SHAPE = (64, 80)


@pytest.fixture(scope="module")
def target() -> Real:
    return leaves(SHAPE, np.random.default_rng(5)).astype(np.float32)


def last(params: Design, target: Real) -> Iteration:
    *_, end = design(params, target)
    return end


@pytest.mark.parametrize("free", ["amplitude", "phase", "both"])
@pytest.mark.parametrize("solver", ["gd", "adam", "lbfgs"])
def test_field_makes_the_picture(solver: str, free: str, target: Real) -> None:
    params = Design.read({"solver": solver, "free": free})
    end = last(params, target)
    wave = angular_spectrum(end.field[None].astype(complex), params.wavelength_m, params.distance_m, (4e-6, 4e-6))
    assert np.abs(wave[0]) ** 2 == pytest.approx(end.picture, abs=1e-4)
    error = np.mean((end.picture - target) ** 2)
    assert 10 ** (-end.psnr_dB[-1] / 10) == pytest.approx(error, rel=1e-3, abs=1e-12)  # rounding is at 10⁻¹³
    assert end.psnr_dB[-1] > end.psnr_dB[0] + 2
    assert len(end.psnr_dB) == end.number + 1 == 31


def test_only_what_is_free_changes(target: Real) -> None:
    mask, modulator = last(Design(free="amplitude"), target).field, last(Design(free="phase"), target).field
    assert np.abs(mask.imag).max() == 0
    assert mask.real.min() >= 0
    assert np.ptp(np.abs(modulator)) < 1e-5


@pytest.mark.parametrize("free", ["amplitude", "phase"])
def test_adam_and_lbfgs_beat_the_paper_s_descent(free: str, target: Real) -> None:
    psnr = {s: last(Design.read({"solver": s, "free": free}), target).psnr_dB[-1] for s in ("gd", "adam", "lbfgs")}
    assert psnr["lbfgs"] > psnr["gd"] + 3
    assert psnr["adam"] > psnr["gd"] + 1


def test_a_design_stops_when_it_gains_nothing_more_or_is_closed(target: Real) -> None:
    end = last(Design(free="amplitude", iterations=400, least_gain_dB=0.5), target)
    assert 11 <= end.number < 400
    assert end.psnr_dB[-1] - end.psnr_dB[-11] < 0.5
    run = design(Design(), target)
    assert [next(run).number for _ in range(3)] == [0, 1, 2]
    run.close()


@pytest.mark.parametrize("wrong", [np.zeros((4, 5)), np.full((4, 5), np.nan), -np.ones((4, 5)), np.ones((2, 4, 5))])
def test_a_target_has_to_be_a_picture(wrong: Real) -> None:
    with pytest.raises(InputError, match="target"):
        next(design(Design(), wrong.astype(np.float32)))


def test_command_line_writes_field_and_pictures(
    tmp_path: Path, target: Real, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray((target * 255).astype(np.uint8)).save(tmp_path / "t.png")
    arguments = ["design", str(tmp_path / "t.png"), "-o", str(tmp_path / "a.h5"), "--set", "free=phase", "--json"]
    assert main(arguments) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["iterations"] == 30
    assert figures["psnr_dB"] == figures["psnr_dB_30"] > 20
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["field"].shape == file["target"].shape == SHAPE
        assert file["field"].attrs["pixel_m"] == 4e-6
        field = file["field"][:]
    grey = np.asarray(Image.open(tmp_path / "a_phase.png"), np.float64) / 255 * 2 * np.pi - np.pi
    assert grey == pytest.approx(np.angle(field), abs=0.03)
    assert (tmp_path / "a_amplitude.png").exists()
    assert (tmp_path / "a_picture.png").exists()
    tiff = str(tmp_path / "b.tif")
    assert main(["design", str(tmp_path / "t.png"), "-o", tiff, "--solver", "adam", "--set", "iterations=3"]) == 0
    assert tifffile.imread(tiff).shape == (3, *SHAPE)
    assert "after 3 iterations" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (["t.png", "-o", "a.txt"], "is no place for a design"),
        (["missing.png", "-o", "a.h5"], "is no picture that can be read"),
        (["t.png", "-o", "a.h5", "--solver", "magic"], "solver is 'magic'"),
        (["t.png", "-o", "no/a.h5"], "cannot be written"),
    ],
)
def test_bad_wishes_are_refused(
    extra: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save("t.png")
    assert main(["design", *extra]) == 2
    assert sentence in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["t.png"]
