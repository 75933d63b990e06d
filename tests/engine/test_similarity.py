"""How alike two images are, beside sums that are written out pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from ptychogui.engine.similarity import nrmse, psnr_dB, ssim


def images() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two smooth images (33, 27) that differ, and a support that is off the centre."""
    rng = np.random.default_rng(5)
    y, x = np.indices((33, 27))
    truth = 2 + np.sin(y / 3.1 + 0.02 * x * x) + 0.4 * np.cos(x / 2.3)
    found = 1.1 * truth - 0.1 + rng.normal(0, 0.15, truth.shape)
    support = np.zeros(truth.shape, np.bool_)
    support[4:30, 1:22] = True
    return found, truth, support


def ssim_at(x: np.ndarray, y: np.ndarray, row: int, column: int, span: float) -> float:
    """Wang et al. (2004), Eq. 13, at one pixel, its window summed by hand."""
    weights = np.array([[np.exp(-(i * i + j * j) / (2 * 1.5**2)) for j in range(-5, 6)] for i in range(-5, 6)])
    weights /= weights.sum()
    window = slice(row - 5, row + 6), slice(column - 5, column + 6)
    a, b = x[window], y[window]
    ma, mb = (weights * a).sum(), (weights * b).sum()
    va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
    both = (weights * (a - ma) * (b - mb)).sum()
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    return (2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))


def test_ssim_is_the_mean_over_windows_inside_the_support() -> None:
    found, truth, support = images()
    span = np.ptp(truth[support])
    inner = [(row, column) for row in range(9, 25) for column in range(6, 17)]
    expected = np.mean([ssim_at(found, truth, *place, span) for place in inner])
    assert 0.3 < expected < 0.97
    assert ssim(found, truth, support) == pytest.approx(expected, rel=1e-10)


def test_ssim_of_an_image_with_itself_is_one_and_of_its_inverse_is_not() -> None:
    _, truth, support = images()
    assert ssim(truth, truth, support) == pytest.approx(1)
    assert ssim(4 - truth, truth, support) < 0
    assert np.isnan(ssim(truth, np.ones_like(truth), support))


def test_what_lies_far_outside_the_support_does_not_matter() -> None:
    found, truth, support = images()
    spoiled = found.copy()
    spoiled[:, 24:] = np.nan
    assert ssim(spoiled, truth, support) == ssim(found, truth, support)
    assert nrmse(spoiled, truth, support) == nrmse(found, truth, support)


def test_nrmse_and_psnr_of_a_known_error() -> None:
    _, truth, support = images()
    found = truth + 0.03j
    peak, level = truth[support].max(), np.sqrt(np.mean(truth[support] ** 2))
    assert nrmse(found, truth, support) == pytest.approx(0.03 / level)
    assert psnr_dB(found, truth, support) == pytest.approx(20 * np.log10(peak / 0.03))
    assert psnr_dB(truth, truth, support) == float("inf")
