"""What is measured in pictures, against formulas: unwrapped phase, thickness, edges, spectra, the beam."""

import math

import numpy as np
import pytest
from scipy.special import erf

from ptychogui.measure.material import Material, thickness_of_amplitude_m, thickness_of_phase_m
from ptychogui.measure.modes import overlaps, power_shares
from ptychogui.measure.profile import Line, edge, profile
from ptychogui.measure.propagation import beam, fwhm_m, propagated, reach_m
from ptychogui.measure.spectrum import spectrum
from ptychogui.measure.unwrap import unwrapped, without_plane
from ptychogui.params import InputError

SHAPE = (90, 130)
WAVELENGTH_M = 1e-10
PIXEL_M = (4e-9, 5e-9)


def hill(turns: float) -> np.ndarray:
    """A phase of several turns, off the centre, on a slope."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    bump = np.exp(-(((y - 31) / 16) ** 2) - ((x - 84) / 24) ** 2)
    return (2 * np.pi * turns * bump + 0.05 * y - 0.08 * x).astype(np.float32)


def wrapped(phase: np.ndarray) -> np.ndarray:
    return np.angle(np.exp(1j * phase.astype(np.float64))).astype(np.float32)


@pytest.mark.parametrize("turns", [0.3, 1.7, 4.0])
def test_the_unwrapped_phase_is_the_true_one_up_to_whole_turns(turns: float) -> None:
    true = hill(turns)
    found = unwrapped(wrapped(true))
    off = (found - true) / (2 * np.pi)
    np.testing.assert_allclose(off, np.rint(off[0, 0]), atol=1e-5)


def test_noise_outside_the_scan_does_not_spoil_the_inside() -> None:
    rng, true = np.random.default_rng(4), hill(3)
    use = np.zeros(SHAPE, np.bool_)
    use[12:-9, 20:-14] = True
    noisy = np.where(use, true, rng.uniform(-40, 40, SHAPE)).astype(np.float32)
    off = (unwrapped(wrapped(noisy), use) - true)[use] / (2 * np.pi)
    np.testing.assert_allclose(off, np.rint(np.median(off)), atol=1e-5)


def test_a_phase_that_does_not_go_round_stays_as_it_is() -> None:
    phase = (0.1 * hill(1.0)).astype(np.float32)
    np.testing.assert_array_equal(unwrapped(phase), phase)


def test_the_plane_is_taken_away_over_the_used_part() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    use = x > 50
    phase = (0.3 * y - 0.2 * x + 7 + np.where(use, 0, 90)).astype(np.float32)
    np.testing.assert_allclose(without_plane(phase, use)[use], 0, atol=1e-4)


def test_thickness_follows_from_phase_and_from_absorption() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    true_m = 2e-6 * np.exp(-(((y - 31) / 9) ** 2) - ((x - 84) / 12) ** 2)
    true_m[true_m < 1e-10] = 0
    gold = Material(delta=3e-5, beta=2e-6)
    wave_number = 2 * np.pi / WAVELENGTH_M
    phase = (0.4 - wave_number * gold.delta * true_m).astype(np.float32)
    amplitude = (1.3 * np.exp(-wave_number * gold.beta * true_m)).astype(np.float32)
    np.testing.assert_allclose(thickness_of_phase_m(phase, WAVELENGTH_M, gold.delta), true_m, atol=1e-11)
    np.testing.assert_allclose(thickness_of_amplitude_m(amplitude, WAVELENGTH_M, gold.beta), true_m, atol=1e-11)


def test_a_material_must_refract() -> None:
    with pytest.raises(InputError, match="delta"):
        Material.read({"delta": 0})


@pytest.mark.parametrize("sigma_px", [1.5, 4.0])
@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_the_width_of_a_known_edge(sigma_px: float, angle: float) -> None:
    """An error function has a Gaussian slope, of which 2 √(2 ln 2) σ is the full width at half maximum."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] * 5e-9
    sigma_m = sigma_px * 5e-9
    across = (x - 3.1e-7) * math.cos(angle) + (y - 2e-7) * math.sin(angle)
    values = erf(across / (math.sqrt(2) * sigma_m))
    middle, half = np.array([2e-7, 3.1e-7]), 1.6e-7 * np.array([math.sin(angle), math.cos(angle)])
    line = Line(tuple(middle - half), tuple(middle + half), width_m=15e-9)
    found = edge(profile(values, line, (5e-9, 5e-9), (0.0, 0.0)))
    assert found is not None
    assert found.width_m == pytest.approx(2 * math.sqrt(2 * math.log(2)) * sigma_m, rel=0.06)
    assert found.distance_m == pytest.approx(1.6e-7, abs=5e-9)


def test_no_edge_where_nothing_changes_or_the_line_ends() -> None:
    line = Line((2e-8, 1e-8), (2e-8, 4e-7))
    assert edge(profile(np.ones(SHAPE), line, PIXEL_M, (0.0, 0.0))) is None
    steep = np.broadcast_to(np.exp(np.arange(SHAPE[1]) / 9), SHAPE)
    assert edge(profile(steep, line, PIXEL_M, (0.0, 0.0))) is None


def test_a_profile_reads_the_right_places() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    values = 3.0 * y + 100.0 * x
    line = Line((1e-6 + 10 * 4e-9, 2e-6 + 20 * 5e-9), (1e-6 + 40 * 4e-9, 2e-6 + 60 * 5e-9))
    found = profile(values, line, PIXEL_M, (1e-6, 2e-6))
    assert found.values[0] == pytest.approx(2030)
    assert found.values[-1] == pytest.approx(6120)
    assert found.distance_m[-1] == pytest.approx(math.hypot(30 * 4e-9, 40 * 5e-9))
    outside = profile(values, Line((1e-6, 1e-6), (1e-6, 2.1e-6)), PIXEL_M, (1e-6, 2e-6))
    assert np.isnan(outside.values[0])
    assert outside.values[-1] == pytest.approx(2000)


def test_a_line_tells_length_and_angle() -> None:
    line = Line((5e-8, 1e-8), (2e-8, 5e-8))
    assert line.length_m == pytest.approx(5e-8)
    assert math.degrees(line.angle_rad) == pytest.approx(36.87, abs=0.01)


def test_the_spectrum_of_a_grating_and_of_noise() -> None:
    period_m = 13 * PIXEL_M[1]
    grating = np.exp(2j * np.pi * np.arange(SHAPE[1]) * PIXEL_M[1] / period_m)
    found = spectrum(np.broadcast_to(grating, SHAPE), PIXEL_M)
    peak = np.unravel_index(np.argmax(found.power), SHAPE)
    assert peak[0] == SHAPE[0] // 2
    assert (peak[1] - SHAPE[1] // 2) * found.pixel_per_m[1] == pytest.approx(1 / period_m, rel=0.02)
    assert found.frequency_per_m[np.argmax(found.radial)] == pytest.approx(1 / period_m, rel=0.1)
    noise = np.random.default_rng(1).normal(scale=3, size=SHAPE)
    assert np.mean(spectrum(noise, PIXEL_M).radial) == pytest.approx(9, rel=0.1)


def gaussian(waist_m: float, shape: tuple[int, int] = (160, 200)) -> np.ndarray:
    """A Gaussian beam at its waist, off the middle of a window that is not square."""
    y, x = ((np.arange(n) - n // 2) * d for n, d in zip(shape, PIXEL_M))
    return np.exp(-((y[:, None] - 2e-8) ** 2 + (x + 3e-8) ** 2) / waist_m**2).astype(np.complex64)[None]


def test_propagation_widens_a_gaussian_beam_by_its_formula() -> None:
    waist_m = 4e-8
    rayleigh_m = math.pi * waist_m**2 / WAVELENGTH_M
    for z_m in (-1.5 * rayleigh_m, 0.7 * rayleigh_m):
        moved = propagated(gaussian(waist_m), PIXEL_M, WAVELENGTH_M, z_m)
        radius_m = waist_m * math.sqrt(1 + (z_m / rayleigh_m) ** 2)
        high, wide = fwhm_m(np.abs(moved[0]) ** 2, PIXEL_M)
        assert high == pytest.approx(radius_m * math.sqrt(2 * math.log(2)), rel=0.02)
        assert wide == pytest.approx(radius_m * math.sqrt(2 * math.log(2)), rel=0.02)
        assert np.sum(np.abs(moved) ** 2) == pytest.approx(np.sum(np.abs(gaussian(waist_m)) ** 2), rel=1e-4)


@pytest.mark.parametrize("defocus", [-1.2, 0.8])
def test_the_focus_is_found_where_the_beam_came_from(defocus: float) -> None:
    waist_m = 4e-8
    rayleigh_m = math.pi * waist_m**2 / WAVELENGTH_M
    probe = propagated(gaussian(waist_m), PIXEL_M, WAVELENGTH_M, -defocus * rayleigh_m)
    reach = reach_m(probe, PIXEL_M, WAVELENGTH_M)
    assert reach > 1.2 * rayleigh_m
    found = beam(probe, PIXEL_M, WAVELENGTH_M, np.linspace(-reach, reach, 81))
    assert found is not None
    assert found.z_m[found.focus] == pytest.approx(defocus * rayleigh_m, abs=reach / 40)
    np.testing.assert_allclose(2 * found.radius_m[found.focus], waist_m, rtol=0.03)
    assert found.along_y.shape == (81, 160)
    assert found.along_x.shape == (81, 200)
    assert beam(probe, PIXEL_M, WAVELENGTH_M, found.z_m, lambda: True) is None


def test_modes_that_were_mixed_are_not_orthogonal() -> None:
    first = gaussian(4e-8)[0]
    x = np.arange(200) - 94
    second = (first * x).astype(np.complex64)
    np.testing.assert_allclose(overlaps(np.stack([first, second * 3])), np.eye(2), atol=1e-3)
    mixed = overlaps(np.stack([first, first + 0 * second, second]))
    assert mixed[0, 1] == pytest.approx(1)
    assert mixed[0, 2] == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(power_shares(np.stack([2 * first, first])), [0.8, 0.2], rtol=1e-5)
