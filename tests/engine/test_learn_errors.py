"""What a network is trained by, and what it is judged by."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ptychogui.engine.learn.errors import mse, nrmse, spans
from ptychogui.engine.learn.ptychonet import PtychoNet
from ptychogui.engine.learn.scans import Scans

N = 12
NETWORK = PtychoNet(amplitude=(0.4, 1.0), phase_rad=(-0.9, 0.1))


@pytest.fixture
def scans() -> Scans:
    y, x = torch.arange(N)[:, None] - 5.0, torch.arange(N)[None, :] - 6.5
    probe = torch.polar(torch.exp(-(y.square() + 2 * x.square()) / 8), 0.1 * y * x).to(torch.complex128)
    corner = torch.tensor([[0, 1], [4, 0], [2, 7], [9, 8]])
    return Scans(torch.zeros(1, 4, N, N, dtype=torch.float64), probe / probe.abs().max(), corner, (23, 21))


@pytest.fixture
def truth(scans: Scans) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    size = 0.4 + 0.6 * torch.rand((2, *scans.shape), generator=generator, dtype=torch.float64)
    return torch.polar(size, torch.rand((2, *scans.shape), generator=generator, dtype=torch.float64) - 0.9)


def turned(values: Tensor) -> Tensor:
    return values * torch.polar(torch.tensor([1.0, 1.0]), torch.tensor([0.7, -2.0]))[:, None, None]


def lit(scans: Scans) -> Tensor:
    return scans.illumination >= 0.1 * scans.illumination.max()


def test_a_constant_phase_is_no_error(scans: Scans, truth: Tensor) -> None:
    assert nrmse(turned(truth), truth, scans).max() < 1e-7
    assert mse(turned(truth), truth, scans, NETWORK) < 1e-12


def test_the_judge_sees_lit_pixels_alone(scans: Scans, truth: Tensor) -> None:
    dark = torch.where(lit(scans), truth, 5.0 + 0j)
    assert 0.1 < float(lit(scans).double().mean()) < 0.9
    assert nrmse(dark, truth, scans).max() < 1e-7
    assert nrmse(1.1 * truth, truth, scans) == pytest.approx(torch.full((2,), 0.1, dtype=torch.float64))
    assert mse(dark, truth, scans, NETWORK) > 1  # in training dark pixels count, if little


@pytest.mark.parametrize("part", ["amplitude", "phase"])
def test_amplitude_and_phase_count_by_their_ranges(part: str, scans: Scans, truth: Tensor) -> None:
    """A small error of a hundredth of the range costs the same, whichever of the two it is in."""
    sign = torch.where(torch.arange(truth[0].numel()).reshape(truth[0].shape) % 2 == 0, 1.0, -1.0)
    along, across = spans(NETWORK)
    away: Any = 0.01 * along * sign / truth.abs() if part == "amplitude" else 0.01j * across * sign / truth.abs()
    assert float(mse(truth * (1 + away), truth, scans, NETWORK)) == pytest.approx(1e-4, rel=0.02)


def test_a_range_without_contrast_has_a_finite_weight() -> None:
    along, across = spans(PtychoNet(amplitude=(1.0, 1.0), phase_rad=(0.0, 1.0)))
    assert (along, across) == (0.1, 1.0)
    assert all(math.isfinite(value) for value in spans(PtychoNet(amplitude=(0.2, 0.9), phase_rad=(0.5, 0.5))))


def test_the_loss_has_the_gradient_of_finite_differences(scans: Scans, truth: Tensor) -> None:
    near = (turned(truth) * 1.05 + 0.02j).requires_grad_()
    # the best phase is where the loss does not change with it, so it is taken as constant
    mse(near, truth, scans, NETWORK).backward()
    assert near.grad is not None
    assert torch.isfinite(near.grad.abs()).all()
    assert near.grad.abs().max() > 0
