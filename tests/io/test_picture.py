import numpy as np
import pytest

from ptychogui.io.picture import inside_scan, percentile_range, scale_bar_m, scanned_area, without_ramp
from ptychogui.types import Object, Scan


def test_ramp_and_mean_phase_are_removed() -> None:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:70, :111]
    image = (rng.uniform(0.7, 1, y.shape) * np.exp(1j * (0.11 * y - 0.23 * x + 2.0))).astype(np.complex64)
    phase = np.angle(without_ramp(image))
    assert np.abs(phase).max() < 1e-3
    assert without_ramp(image).dtype == np.complex64


def test_a_large_image_is_flattened_from_a_sample() -> None:
    y, x = np.mgrid[:900, :1100].astype(np.float32)
    image = np.exp(1j * (0.01 * y + 0.02 * x)).astype(np.complex64)
    image[5, 7] = np.nan
    assert np.nanmax(np.abs(np.angle(without_ramp(image)))) < 2e-3


def test_range_leaves_out_outliers_and_what_is_not_finite() -> None:
    image = np.linspace(1, 2, 10_000, dtype=np.float32).reshape(50, 200)
    image[0, 0], image[1, 1], image[2, 2] = 1e9, np.nan, np.inf
    low, high = percentile_range(image)
    assert 1 < low < 1.02
    assert 1.98 < high < 2.001
    assert percentile_range(np.full((3, 4), np.nan)) == (0, 1)
    low, high = percentile_range(np.full((3, 4), 7.0))
    assert low == 7 < high


@pytest.mark.parametrize(("width", "length", "text"), [(1e-6, 2e-7, "200 nm"), (4.1e-3, 1e-3, "1 mm")])
def test_scale_bar_is_round(width: float, length: float, text: str) -> None:
    assert scale_bar_m(width) == (pytest.approx(length), text)


def test_scanned_area_lies_around_the_positions() -> None:
    obj = Object(np.ones((1, 200, 300), np.complex64), (2e-9, 1e-9), (-100e-9, -50e-9))
    scan = Scan(np.array([[0.0, 0.0], [100e-9, 120e-9]]))
    assert scanned_area(obj, scan, (40, 80)) == (slice(40, 111), slice(30, 191))


def test_only_what_was_scanned_tells_the_ramp() -> None:
    y, x = np.mgrid[:90, :120]
    image = np.ones((90, 120), np.complex64)
    use = (y > 20) & (x > y)
    image[use] = np.exp(1j * (0.2 * y + 0.1 * x))[use]
    flat = without_ramp(image, use)
    assert np.abs(np.angle(flat[use])).max() < 0.01


def test_noise_and_steps_leave_no_ramp() -> None:
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:150, :200]
    image = np.exp(1j * (0.005 * y - 0.004 * x + 0.6 * (x // 20 % 3 == 0) + rng.normal(0, 0.4, y.shape)))
    phase = np.angle(without_ramp(image.astype(np.complex64)))
    slopes = np.polyfit(y.ravel(), phase.ravel(), 1)[0], np.polyfit(x.ravel(), phase.ravel(), 1)[0]
    np.testing.assert_allclose(slopes, 0, atol=2e-4)


def test_inside_lies_what_the_positions_enclose() -> None:
    corners = np.array([[0.0, 10.0], [10.0, 0.0], [20.0, 10.0], [10.0, 20.0], [9.0, 11.0]]) * 1e-9
    obj = Object(np.ones((1, 30, 50), np.complex64), (1e-9, 0.5e-9), (-2e-9, 0.0))
    inside = inside_scan(obj, Scan(corners))
    assert inside[12, 20]
    assert not inside[3, 2]
    assert inside.sum() == pytest.approx(400, rel=0.1)
