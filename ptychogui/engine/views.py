"""The windows of the frames on the object (a gather and its adjoint), and sub-pixel shifts by Fourier ramps."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor


def views(obj: Tensor, corner: Tensor, window: tuple[int, int]) -> Tensor:
    """The windows (n, ny, nx) of an object (Y, X) whose first pixels lie at `corner` (n, 2)."""
    return cast(Tensor, _Views.apply(obj, corner, window))  # type: ignore[no-untyped-call]


def place(patches: Tensor, corner: Tensor, shape: tuple[int, int]) -> Tensor:
    """The adjoint of `views`: sum patches (n, ny, nx) into a canvas (Y, X)."""
    ny, nx = patches.shape[-2:]
    canvas = torch.zeros(shape, dtype=patches.dtype, device=patches.device)
    if patches.device.type == "cpu":  # slices cost half of a scatter, and add in a fixed order
        into, pieces = canvas.numpy(), patches.detach().resolve_conj().numpy()
        for piece, (y, x) in zip(pieces, corner.tolist(), strict=True):
            into[y : y + ny, x : x + nx] += piece
        return canvas
    inner = torch.arange(ny, device=canvas.device)[:, None] * shape[1] + torch.arange(nx, device=canvas.device)
    index = ((corner[:, 0] * shape[1] + corner[:, 1])[:, None, None] + inner).reshape(-1)
    canvas.view(-1).index_add_(0, index, patches.reshape(-1))
    return canvas


def placed(patches: Tensor, corner: Tensor, shape: tuple[int, int]) -> Tensor:
    """`place`, with `views` as its derivative."""
    return cast(Tensor, _Place.apply(patches, corner, shape))  # type: ignore[no-untyped-call]


class _Views(torch.autograd.Function):
    """`views` with `place` as its derivative; autograd's own would zero a canvas for every window."""

    @staticmethod
    def forward(ctx: Any, obj: Tensor, corner: Tensor, window: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(corner)
        ctx.shape = obj.shape
        unfolded = obj.unfold(0, window[0], 1).unfold(1, window[1], 1)
        return unfolded[corner[:, 0], corner[:, 1]]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (corner,) = ctx.saved_tensors
        return place(gradients[0], corner, ctx.shape), None, None


class _Place(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, patches: Tensor, corner: Tensor, shape: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(corner)
        ctx.window = (patches.shape[-2], patches.shape[-1])
        return place(patches, corner, shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (corner,) = ctx.saved_tensors
        return views(gradients[0], corner, ctx.window), None, None


def shift_ramps(shift: Tensor, window: tuple[int, int], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The separable Fourier ramps (n, ny, 1) and (n, 1, nx) that move a pattern by `shift` (n, 2) pixels."""
    ramps = []
    for axis, n in enumerate(window):
        frequency = torch.fft.fftfreq(n, dtype=torch.float64, device=shift.device)
        if n % 2 == 0:  # the Nyquist frequency has no sign: without this a shifted real array is not real
            frequency[n // 2] = 0.0
        phase = -2 * torch.pi * shift[:, axis, None].double() * frequency
        ramps.append(torch.polar(torch.ones_like(phase), phase).to(dtype))
    return ramps[0][:, :, None], ramps[1][:, None, :]
