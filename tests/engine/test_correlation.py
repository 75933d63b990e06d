"""Ring correlation of images whose signal and noise are known, and of what no measurement can tell apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ptychogui.engine.frc import correlated, fade, ring_correlation
from ptychogui.params import RunError
from ptychogui.types import Correlation, Object

SHAPE, PIXEL_M = (176, 151), (2e-8, 3e-8)
CUTOFF_PER_M = 6e6
NOISE = 0.1


def area() -> np.ndarray:
    inside = np.zeros(SHAPE, np.bool_)
    inside[9:160, 21:145] = True
    inside[9:40, 21:60] = False
    return inside


def white(rng: np.random.Generator) -> np.ndarray:
    return (rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE)) / np.sqrt(2)


def pair(seed: int = 3, signal: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Two images with one signal, whose power falls as 1 / (1 + (f / f₀)⁴), and with white noise of their own."""
    rng = np.random.default_rng(seed)
    f = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n, d) for n, d in zip(SHAPE, PIXEL_M)), indexing="ij"))
    image = signal * np.fft.ifft2(np.fft.fft2(white(rng)) / np.sqrt(1 + (f / CUTOFF_PER_M) ** 4))
    return image + np.sqrt(NOISE) * white(rng), image + np.sqrt(NOISE) * white(rng)


def as_object(image: np.ndarray, origin_m: tuple[float, float] = (1e-6, -2e-6)) -> Object:
    return Object(image[None].astype(np.complex64), PIXEL_M, origin_m)


def test_the_curve_is_signal_over_signal_and_noise() -> None:
    found = [ring_correlation(*pair(seed), fade(area()), PIXEL_M) for seed in range(6)]
    f = found[0].spatial_frequency_per_m
    expected = 1 / (1 + NOISE * (1 + (f / CUTOFF_PER_M) ** 4))
    assert f[-1] <= 0.5 / max(PIXEL_M) < f[-1] + 1.5 * (f[1] - f[0])
    mean = replace(found[0], frc=np.mean([c.frc for c in found], axis=0))  # a single ring scatters by 0.04
    assert np.abs(mean.frc - expected)[3:].max() < 0.06
    crossing = CUTOFF_PER_M * (6 / NOISE - 1) ** 0.25
    assert mean.resolution_m(mean.one_seventh) == pytest.approx(0.5 / crossing, rel=0.05)


def test_noise_that_is_not_shared_does_not_correlate() -> None:
    found = [ring_correlation(*pair(seed, signal=0), fade(area()), PIXEL_M) for seed in range(12)]
    curves = np.array([c.frc for c in found])
    assert np.abs(curves.mean(0))[2:].max() < 0.15
    # above three standard deviations of pure noise, whatever the size of the ring
    assert (curves[:, 1:].std(0) < found[0].half_bit[1:] / 3).mean() > 0.9
    assert all(c.resolution_m(c.half_bit) > 8 * max(PIXEL_M) for c in found)


def test_shift_ramp_and_scale_do_not_matter() -> None:
    first, second = (1 + 0.3 * image for image in pair())
    y, x = np.indices(SHAPE)
    moved = np.roll(1.7j * second * np.exp(1j * (0.07 * y - 0.02 * x)), (3, -2), (0, 1))
    plain = correlated(as_object(first), as_object(second), area())
    other = correlated(as_object(first), as_object(moved), area())
    assert other.frc == pytest.approx(plain.frc, abs=1e-3)
    away = as_object(second[5:, 7:], (1e-6 + 5 * PIXEL_M[0], -2e-6 + 7 * PIXEL_M[1]))
    assert correlated(as_object(first), away, area()).frc == pytest.approx(plain.frc, abs=1e-3)


def test_an_image_agrees_with_itself_and_says_that_the_pixel_is_the_limit() -> None:
    first, _ = pair()
    found = correlated(as_object(first), as_object(first), area())
    assert found.frc == pytest.approx(1)
    assert found.reaches_pixel(found.half_bit)
    assert found.resolution_m(found.half_bit) == pytest.approx(max(PIXEL_M), rel=0.02)


def test_a_small_area_tells_nothing() -> None:
    few = np.zeros(SHAPE, np.bool_)
    few[20:33, 30:90] = True
    with pytest.raises(RunError, match="too few pixels"):
        correlated(as_object(pair()[0]), as_object(pair()[1]), few)


def curve(*frc: float) -> Correlation:
    return Correlation(np.arange(1.0, len(frc) + 1), np.array(frc), np.full(len(frc), 0.3), np.full(len(frc), 1 / 7))


@pytest.mark.parametrize(
    ("frc", "frequency", "limited"),
    [
        ((1, 0.9, 0.5, 0.1, 0.1), 3.5, False),
        ((1, 0.2, 0.9, 0.2, 0.2), 3 + 6 / 7, False),  # one ring below is no crossing
        ((1, 0.9, 0.8, 0.7, 0.6), 5, True),
        ((1, 0.9, 0.8, 0.7, 0.2), 4.8, False),
        ((0.1, 0.1, 0.1, 0.1, 0.1), 1, False),
    ],
)
def test_where_a_curve_falls_below_a_criterion(frc: tuple[float, ...], frequency: float, limited: bool) -> None:
    found = curve(*frc)
    assert found.resolution_m(found.half_bit) == pytest.approx(0.5 / frequency)
    assert found.reaches_pixel(found.half_bit) is limited
