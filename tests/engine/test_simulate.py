"""Simulated scans: their counts, their truth, and what the file would say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptychogui.engine.simulate import Recipe, objects, probes, recipes, simulate
from ptychogui.geometry import Geometry
from ptychogui.params import InputError
from ptychogui.types import Dataset

SMALL: dict[str, dict[str, Any]] = {
    "siemens-far": {"shape": (40, 48), "frames": 30, "probe_px": 12.0, "step_px": 3.0, "photons": 1e5},
    "two-modes": {"shape": (48, 40), "frames": 30, "probe_px": 12.0, "step_px": 3.0, "photons": 1e5},
    "siemens-near": {"shape": (48, 40), "scan_shape": (4, 5), "step_px": 4.0, "photons": 1e5},
    "electron": {
        "shape": (48, 40),
        "scan_shape": (4, 5),
        "step_px": 3.0,
        "convergence_rad": 5e-4,
        "defocus_m": 2e-5,
        "photons": 1e5,
    },
    "kandel-2019-far": {
        "shape": (40, 48),
        "scan_shape": (5, 6),
        "step_px": 4.3,
        "object_shape": (44, 36),
        "photons": 1e5,
    },
    "kandel-2019-near": {
        "shape": (96, 80),
        "scan_shape": (4, 5),
        "step_px": 7.3,
        "object_shape": (50, 44),
        "beam_px": 10.0,
        "photons": 1e5,
    },
    "guzzi-2021": {
        "shape": (48, 40),
        "scan_shape": (4, 5),
        "step_px": 8.0,
        "probe_px": 34.0,
        "object_shape": (90, 84),
        "position_error_px": 0.0,
        "distance_error": 0.0,
        "photons": 1e5,
    },
    "deng-gd": {"shape": (48, 40), "scan_shape": (4, 5), "step_px": 4.3, "object_shape": (90, 84), "photons": 1e5},
    "ptychonet-grid": {"shape": (48, 40), "scan_shape": (3, 4), "step_px": 7.3, "sigma_px": 9.0, "photons": 1e5},
    "ptychonet-mesh": {
        "shape": (48, 40),
        "scan_shape": (3, 4),
        "step_px": 11.3,
        "diameter_px": 12.0,
        "object_shape": (84, 90),
        "photons": 1e5,
    },
    "ptychonet-fermat": {
        "shape": (48, 40),
        "frames": 14,
        "diameter_px": 12.0,
        "object_shape": (84, 90),
        "photons": 1e5,
    },
    "guzzi-twinmic": {"shape": (48, 40), "scan_shape": (4, 5), "step_px": 4.0, "photons": 1e5, "dark_count": 4},
}


def small(name: str, **changes: Any) -> Recipe:
    return recipes()[name].read({**SMALL[name], **changes})


@pytest.fixture(params=sorted(SMALL))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_recipe_is_tested_here() -> None:
    assert set(recipes()) == set(SMALL)


def expected(dataset: Dataset, index: int) -> NDArray[np.float64]:
    """The counts of one frame from the truth alone: samples by direct sums over frequencies, transforms by matrices."""
    truth = dataset.truth
    assert truth is not None
    obj, pixel_m = truth.obj.slices[0].astype(np.complex128), np.array(truth.obj.pixel_m)
    centre_px = (truth.positions_m[index] - truth.obj.origin_m) / pixel_m
    ny, nx = truth.probe.shape[1:]
    rows, columns = centre_px[0] + np.arange(ny) - ny // 2, centre_px[1] + np.arange(nx) - nx // 2
    view = _interpolation(rows, obj.shape[0]) @ obj @ _interpolation(columns, obj.shape[1]).T
    geometry = replace(dataset.geometry, distance_m=truth.distance_m)
    fy, fx = _fourier(ny), _fourier(nx)
    spectra = fy @ (truth.probe * view) @ fx.T
    if geometry.field == "near":
        assert geometry.wavelength_m
        assert geometry.effective_distance_m
        v, u = ((np.arange(n) - n // 2) / (n * d) * geometry.wavelength_m for n, d in zip((ny, nx), pixel_m))
        axial = np.sqrt(1 - v[:, None] ** 2 - u[None, :] ** 2) - 1
        transfer = np.exp(2j * np.pi * geometry.effective_distance_m / geometry.wavelength_m * axial)
        spectra = fy.conj().T @ (transfer * spectra) @ fx.conj()
    result: NDArray[np.float64] = np.sum(np.abs(spectra) ** 2, axis=0)
    return result


def _interpolation(places: NDArray[np.float64], n: int) -> NDArray[np.complex128]:
    frequency = np.arange(n) - n // 2
    turns = frequency[None, None, :] * (places[:, None, None] - np.arange(n)[None, :, None]) / n
    result: NDArray[np.complex128] = np.exp(2j * np.pi * turns).sum(-1) / n
    return result


def _fourier(n: int) -> NDArray[np.complex128]:
    """The unitary transform with zero frequency, and place, at index n // 2."""
    k = np.arange(n) - n // 2
    result: NDArray[np.complex128] = np.exp(-2j * np.pi * np.outer(k, k) / n) / np.sqrt(n)
    return result


def test_truth_reproduces_the_frames(name: str) -> None:
    dataset = simulate(small(name, photons=1e9))
    positions = (dataset.scan.positions_m - dataset.scan.positions_m[0]) / dataset.geometry.pixel_m
    assert np.abs(positions - np.rint(positions)).max() > 0.2  # sub-pixel
    for index in (0, 7, len(dataset.scan) - 1):
        want, have = expected(dataset, index), dataset.frames[index]
        noise = np.sqrt(np.maximum(want, 1))
        assert np.abs(have - want).max() < 6.5 * noise.max()
        assert np.mean(((have - want) / noise) ** 2) == pytest.approx(1, abs=0.12)


def test_counts_are_photons_times_transmission(name: str) -> None:
    dataset = simulate(small(name))
    assert dataset.truth is not None
    empty = np.sum(np.abs(dataset.truth.probe) ** 2)
    assert empty == pytest.approx(1e5, rel=1e-4)
    for index in (0, 11):
        total = expected(dataset, index).sum()
        assert 0.2 * empty < total < empty
        assert dataset.frames[index].sum() == pytest.approx(total, abs=6 * np.sqrt(total))


def test_dataset_is_complete(name: str) -> None:
    dataset = simulate(small(name))
    truth = dataset.truth
    assert truth is not None
    n = len(dataset.scan)
    assert dataset.frames.shape == (n, *dataset.geometry.shape)
    assert dataset.frames.dtype == np.float32
    assert np.array_equal(dataset.frames[:], np.rint(dataset.frames[:]))
    assert dataset.mask.shape == dataset.geometry.shape
    assert dataset.mask.all()
    assert dataset.geometry.calibrated
    assert truth.positions_m == pytest.approx(dataset.scan.positions_m)
    assert truth.distance_m == dataset.geometry.distance_m
    assert truth.support.shape == truth.obj.slices.shape[1:]
    assert 0.02 < truth.support.mean() < 0.95
    assert truth.obj.slices.dtype == truth.probe.dtype == np.complex64
    assert {value.name for value in dataset.values} >= {"wavelength", "distance", "detector pixel", "field"}


def test_objects_and_probes_are_complex_and_not_symmetric(name: str) -> None:
    truth = simulate(small(name)).truth
    assert truth is not None
    images = [truth.obj.slices[0], truth.probe[0]]
    if name == "ptychonet-grid":  # the report's beam is a round one with a flat phase
        del images[1]
    for image in images:
        assert np.abs(image.imag).max() > 0.05 * np.abs(image).max()
        for flipped in (image[::-1], image[:, ::-1], image[::-1, ::-1]):
            assert np.linalg.norm(flipped - image) > 0.03 * np.linalg.norm(image)


def test_seed_decides(name: str) -> None:
    first, again, other = (simulate(small(name, seed=seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.frames[:], again.frames[:])
    assert np.array_equal(first.scan.positions_m, again.scan.positions_m)
    assert not np.array_equal(first.frames[:], other.frames[:])


def test_errors_of_the_instrument_are_in_the_dataset_and_not_in_the_truth(name: str) -> None:
    recipe = small(name, position_error_px=2.0, distance_error=0.25)
    dataset, right = simulate(recipe), simulate(small(name))
    truth = dataset.truth
    assert truth is not None
    assert right.truth is not None
    assert truth.positions_m == pytest.approx(right.truth.positions_m)
    assert np.std((dataset.scan.positions_m - truth.positions_m) / truth.obj.pixel_m) == pytest.approx(2, rel=0.35)
    assert right.geometry.distance_m is not None
    assert dataset.geometry.distance_m == pytest.approx(1.25 * right.geometry.distance_m)
    assert truth.distance_m == right.geometry.distance_m
    assert truth.obj.pixel_m == right.geometry.pixel_m


def test_modes_are_orthogonal_with_the_weights_that_were_asked_for() -> None:
    truth = simulate(small("two-modes", weights=(3, 1))).truth
    assert truth is not None
    flat = truth.probe.reshape(2, -1)
    gram = flat.conj() @ flat.T / 1e5
    assert gram == pytest.approx(np.diag([0.75, 0.25]), abs=1e-5)


def test_support_is_where_the_light_was() -> None:
    dataset = simulate(small("siemens-far"))
    truth = dataset.truth
    assert truth is not None
    rows, columns = np.nonzero(truth.support)
    middle_m = np.array([rows.mean(), columns.mean()]) * truth.obj.pixel_m + truth.obj.origin_m
    assert np.abs((middle_m - truth.positions_m.mean(0)) / truth.obj.pixel_m).max() < 2


def test_dark_frames_are_what_a_ccd_gives() -> None:
    recipe = small("guzzi-twinmic", dark_level=500, read_noise=2)
    dark = recipe.dark_frames()
    assert dark is not None
    assert dark.dtype == np.uint16
    assert dark.shape == (4, 48, 40)
    assert dark.mean() == pytest.approx(525, abs=5)
    assert dark.std(axis=0, ddof=1).mean() == pytest.approx(2, abs=0.2)
    assert small("siemens-far").dark_frames() is None


def test_photons_may_be_written_with_an_exponent_and_must_be_positive() -> None:
    assert small("siemens-far").with_value("photons", 1e4).plain()["photons"] == 1e4
    with pytest.raises(InputError, match="photons"):
        small("siemens-far").with_value("photons", -1)
    with pytest.raises(InputError, match="There is no parameter 'photon'"):
        small("siemens-far").with_value("photon", 1)


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("electron", {"convergence_rad": 0.02}, "wider than the detector"),
        ("electron", {"defocus_m": -1e-4}, "wider than the window"),
        ("siemens-far", {"probe_px": 60}, "wider than the window"),
    ],
)
def test_a_beam_that_does_not_fit_is_refused(name: str, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        simulate(small(name, **changes))


@pytest.mark.parametrize("changes", [{"shape": (4, 128)}, {"photons": 1e30}, {"frames": 0}, {"aperture": 0.6}])
def test_values_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(changes))):
        small("siemens-far", **changes)


def test_dead_leaves_hide_what_is_below() -> None:
    y, x = np.mgrid[-20:21.0, -30:31.0]
    first, second = objects.dead_leaves(y, x, 25.0, np.random.default_rng(0))
    for grey in (first, second):
        assert grey.min() >= 0
        assert grey.max() <= 1
        assert grey.std() > 0.1
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.6


def test_angular_spectrum_keeps_power_and_comes_back() -> None:
    rng = np.random.default_rng(1)
    wave = rng.normal(size=(2, 24, 31)) + 1j * rng.normal(size=(2, 24, 31))
    there = probes.angular_spectrum(wave, 1e-9, 2e-3, (1e-6, 1.5e-6))
    assert np.linalg.norm(there) == pytest.approx(np.linalg.norm(wave), rel=1e-12)
    assert probes.angular_spectrum(there, 1e-9, -2e-3, (1e-6, 1.5e-6)) == pytest.approx(wave, abs=1e-11)


def test_focused_probe_has_the_width_of_its_cone() -> None:
    geometry = Geometry((128, 160), 1e-10, 2.0, (80e-6, 60e-6), convergence_rad=9e-4, defocus_m=6e-4)
    light = np.abs(probes.focused(geometry)) ** 2
    y, x = probes.places(geometry.shape)
    inside = np.hypot(y * geometry.pixel_m[0], x * geometry.pixel_m[1]) < 9e-4 * 6e-4
    assert light[inside].sum() > 0.85 * light.sum()
