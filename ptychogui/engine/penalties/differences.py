"""Differences of neighbours, and the transpose of taking them."""

from __future__ import annotations

import torch
from torch import Tensor


def differences(values: Tensor) -> tuple[Tensor, Tensor]:
    """To the pixel below and to the right, (…, ny, nx) each; nothing across the edge."""
    down, right = torch.zeros_like(values), torch.zeros_like(values)
    down[..., :-1, :] = values[..., 1:, :] - values[..., :-1, :]
    right[..., :, :-1] = values[..., :, 1:] - values[..., :, :-1]
    return down, right


def divergence(down: Tensor, right: Tensor) -> Tensor:
    """Minus the transpose of `differences`, of two fields (…, ny, nx) that are zero at the lower and right edge."""
    out = down + right
    out[..., 1:, :] -= down[..., :-1, :]
    out[..., :, 1:] -= right[..., :, :-1]
    return out
