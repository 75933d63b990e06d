"""What is common to all positions that a refinement has moved."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ptychogui.gui.views.drift import drift
from ptychogui.gui.views.lengths import Lengths

UM = Lengths(1e-6, "µm")


@pytest.fixture
def nominal() -> np.ndarray:
    return np.random.default_rng(4).uniform((-3e-6, 1e-6), (4e-6, 12e-6), (80, 2))


def test_an_affine_map_is_found(nominal: np.ndarray) -> None:
    angle = 0.02
    rotation = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    across = rotation @ np.array([[1.03, 0.0], [0.01 * 1.03, 0.98]])
    found = drift(nominal, nominal @ across.T + (5e-6, -2e-6))
    assert found is not None
    assert (found.scale_y, found.scale_x) == (pytest.approx(1.03), pytest.approx(0.98))
    assert (found.rotation_rad, found.shear) == (pytest.approx(angle), pytest.approx(0.01))
    assert found.left_m < 1e-12 < found.moved_m
    text = found.text(UM)
    assert all(part in text for part in ("nm", "unevenly", "scale 1.0300 × 0.9800", "rotation +1.15°", "shear +0.01"))


def test_the_rotation_is_that_of_a_scan(nominal: np.ndarray) -> None:
    angle = 0.3
    y, x = nominal.T
    turned = np.stack([x * math.sin(angle) + y * math.cos(angle), x * math.cos(angle) - y * math.sin(angle)], 1)
    found = drift(nominal, turned)
    assert found is not None
    assert found.rotation_rad == pytest.approx(angle)


def test_noise_has_no_common_part(nominal: np.ndarray) -> None:
    found = drift(nominal, nominal + np.random.default_rng(5).normal(0, 1e-10, nominal.shape))
    assert found is not None
    assert found.text(UM).startswith("moved 0.11")
    assert "·" not in found.text(UM)
    assert found.left_m == pytest.approx(1.18e-10, rel=0.2)


def test_where_nothing_has_moved_there_is_no_drift(nominal: np.ndarray) -> None:
    assert drift(nominal, nominal.copy()) is None
    line = nominal * (1, 0)
    assert drift(line, line * 2) is None
    broken = nominal.copy()
    broken[3] = np.nan
    assert drift(nominal, broken * 1.1) is not None
