"""The papers' simulations: their photographs, their numbers, and that their truth explains their frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from ptychogui import io
from ptychogui.engine.losses import intensity
from ptychogui.engine.models.thin import Thin
from ptychogui.engine.problem import problem
from ptychogui.engine.simulate import photographs, probes, recipes, simulate
from ptychogui.engine.state import State
from ptychogui.io.data import Data
from ptychogui.params import InputError
from ptychogui.types import Dataset

WHOLE: dict[str, dict[str, Any]] = {
    "kandel-2019-far": {"shape": (40, 48), "scan_shape": (4, 5), "step_px": 4, "object_shape": (44, 36)},
    "kandel-2019-near": {"shape": (96, 80), "scan_shape": (4, 5), "step_px": 8, "object_shape": (50, 44)},
    "guzzi-2021": {"shape": (48, 40), "scan_shape": (3, 4), "step_px": 8, "probe_px": 34, "jitter": 0.0},
    "deng-gd": {"shape": (48, 40), "scan_shape": (3, 4), "step_px": 6, "object_shape": (90, 84)},
}


def noise_in(dataset: Dataset, padding_px: int = 0) -> NDArray[np.float64]:
    """How far the frames are from what the engine's model says of the truth, in standard deviations."""
    truth = dataset.truth
    assert truth is not None
    right = dataset.with_geometry(distance_m=truth.distance_m)
    task = problem(right, Thin(padding_px=padding_px), torch.device("cpu"), torch.float64)
    edge = ((0, 0), (padding_px, padding_px), (padding_px, padding_px))
    pixel_m, middle = np.array(truth.obj.pixel_m), np.array(truth.probe.shape[1:]) // 2
    obj = np.pad(truth.obj.slices, edge, constant_values=1).astype(complex)
    begin = (truth.positions_m - np.array(truth.obj.origin_m)) / pixel_m - middle
    probe = torch.from_numpy(np.pad(truth.probe, edge).astype(complex))
    state = State.at(torch.from_numpy(obj), probe, torch.from_numpy(begin), (0.0, 0.0))
    index = torch.arange(len(task))
    want = intensity(task.waves(state, index)[1]).numpy()
    p = padding_px
    want = want[:, p : p + dataset.geometry.shape[0], p : p + dataset.geometry.shape[1]]
    counts = np.asarray(dataset.frames[:], np.float64)
    if dataset.geometry.field == "far":
        counts = np.fft.ifftshift(counts, (-2, -1))
    return np.asarray((counts - want) / np.sqrt(np.maximum(want, 1)))


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_truth_is_a_fixed_point_of_the_engine(name: str) -> None:
    away = noise_in(simulate(recipes()[name].read({**WHOLE[name], "photons": 1e9})))
    assert np.abs(away).max() < 7
    assert np.mean(away**2) == pytest.approx(1, abs=0.08)


def test_padding_is_that_of_the_model() -> None:
    values = {**WHOLE["guzzi-2021"], "padding_px": 9, "photons": 1e9}
    dataset = simulate(recipes()["guzzi-2021"].read(values))
    assert np.mean(noise_in(dataset, 9) ** 2) == pytest.approx(1, abs=0.08)
    assert np.mean(noise_in(dataset) ** 2) > 100


def test_table_of_guzzi_is_wrong_by_what_the_paper_says() -> None:
    dataset = simulate(recipes()["guzzi-2021"]())
    truth = dataset.truth
    assert truth is not None
    assert dataset.frames.shape == (121, 128, 128)
    assert dataset.geometry.distance_m == pytest.approx(0.13)
    assert truth.distance_m == 0.1
    error = (dataset.scan.positions_m - truth.positions_m) / truth.obj.pixel_m
    assert np.std(error) == pytest.approx(10, rel=0.1)
    assert np.ptp(truth.positions_m, axis=0) + 128 * 200e-6 / 512 == pytest.approx(200e-6, rel=0.1)


def test_far_field_of_kandel_has_the_paper_s_numbers() -> None:
    dataset = simulate(recipes()["kandel-2019-far"]())
    truth = dataset.truth
    assert truth is not None
    assert dataset.frames.shape == (484, 64, 64)
    assert truth.obj.pixel_m[0] == pytest.approx(591e-9, rel=0.002)
    assert np.ptp(truth.positions_m, axis=0) / truth.obj.pixel_m == pytest.approx(126)
    assert truth.support.sum() == 128**2
    inside = truth.obj.slices[0][truth.support]
    assert np.abs(inside).min() == pytest.approx(0.2, abs=1e-6)
    assert np.angle(inside).max() == pytest.approx(np.pi / 2, abs=1e-6)
    assert (truth.obj.slices[0][~truth.support] == 1).all()
    assert dataset.probe is not None
    assert np.sum(np.abs(dataset.probe) ** 2) == pytest.approx(1e6, rel=1e-4)
    aperture = simulate(recipes()["kandel-2019-far"].read({"guess_m": 0, "scan_shape": (2, 2)})).probe
    assert aperture is not None
    assert (np.abs(aperture[0]) > 0.5 * np.abs(aperture).max()).sum() == 11**2  # 7 µm in pixels of 591 nm: 11.8


def test_waves_behind_a_slit_are_those_of_free_space() -> None:
    wavelength_m, width_m, distance_m = 1.4e-10, 349 * 20e-9, 0.15
    x = (np.arange(2**17) - 2**16) * 20e-9  # so wide that its repetitions hardly reach the slit
    slit = (np.abs(x) < width_m / 2).astype(complex)
    wave = probes.angular_spectrum(slit[None], wavelength_m, distance_m, (1.0, 20e-9))[0]
    near = np.abs(x) < 20e-6
    found = probes.slit(x[near], width_m, wavelength_m, distance_m)
    assert np.linalg.norm(found - wave[near]) < 0.01 * np.linalg.norm(found)


def test_photographs_are_averaged_cut_and_stretched(tmp_path: Path) -> None:
    grey = np.linspace(40, 200, 24 * 36).reshape(24, 36).round().astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    found = photographs.photograph(str(tmp_path / "a.png"), (8, 10))
    mean = grey[:, 3:33].reshape(8, 3, 10, 3).mean((1, 3))
    assert found == pytest.approx((mean - mean.min()) / np.ptp(mean), abs=1e-6)
    values = {**WHOLE["kandel-2019-far"], "object_images": [str(tmp_path / "a.png"), str(tmp_path / "a.png")]}
    truth = simulate(recipes()["kandel-2019-far"].read(values)).truth
    assert truth is not None
    inside = truth.obj.slices[0][truth.support].astype(complex)
    assert np.angle(inside) == pytest.approx((np.abs(inside) - 0.2) / 0.8 * np.pi / 2, abs=1e-5)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 60), np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:300])
    (tmp_path / "text.png").write_bytes(b"no picture")
    for name in ("half.png", "text.png", "missing.png"):
        with pytest.raises(InputError, match="is no picture that can be read"):
            photographs.photograph(str(tmp_path / name), (8, 8))
    Image.fromarray(np.full((4, 5), np.nan, np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(InputError, match="no numbers"):
        photographs.photograph(str(tmp_path / "nan.tif"))


def test_pictures_by_formula_are_like_photographs() -> None:
    grey = photographs.leaves((96, 128), np.random.default_rng(0))
    assert grey.min() == 0
    assert grey.max() == 1
    assert grey.std() > 0.12
    power = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.fftfreq(128)[None, :])
    low, high = (power[(frequency > f) & (frequency < 1.5 * f)].mean() for f in (0.04, 0.2))
    assert 30 < low / high < 1000  # 1/f², as that of photographs, would be 25 times as strong, and disc edges add more


def test_guess_and_support_are_in_the_file(tmp_path: Path) -> None:
    dataset = simulate(recipes()["kandel-2019-far"].read(WHOLE["kandel-2019-far"]))
    io.write(dataset, tmp_path / "a.cxi")
    again = io.read(Data(path=str(tmp_path / "a.cxi")))
    assert again.truth is not None
    assert dataset.truth is not None
    assert dataset.probe is not None
    assert again.probe == pytest.approx(dataset.probe)
    assert np.array_equal(again.truth.support, dataset.truth.support)
