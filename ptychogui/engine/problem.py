"""The measured amplitudes on a device, beside the model that has to explain them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ptychogui.engine.held_out import HeldOut
from ptychogui.engine.losses import Loss, LossKind, intensity, loss_of
from ptychogui.engine.models import AnyModel
from ptychogui.engine.models.thin import Exit
from ptychogui.engine.optics import Propagator, propagator
from ptychogui.engine.state import State
from ptychogui.geometry import Geometry
from ptychogui.params import InputError
from ptychogui.types import Dataset

_AT_ONCE_BYTES = 2**21
_SAMPLE = 16
FEW_COUNTS = 100.0
"""Counts for each pixel of the object below which its noise is a tenth of the light."""


@dataclass
class Problem:
    """Amplitudes √counts (N, ny, nx) in the propagator's order, zero where invalid, and what explains them.

    `valid` is (ny, nx) or (N, ny, nx) with 1 where a pixel counts, None where all do. `padding_px` is the rim in which
    the wave is computed but not measured.
    """

    model: AnyModel
    propagator: Propagator
    geometry: Geometry
    amplitudes: Tensor
    valid: Tensor | None
    padding_px: int
    room_px: int = 0
    """How far a frame may be moved on the canvas."""
    reduction: int = 1
    """How many of the scan's own pixels make one of these, along a side."""
    held_out: HeldOut | None = None
    """The pixels that no solver sees."""

    given: Geometry = field(init=False)
    """The geometry as it was before anything was refined."""

    store: Tensor = field(init=False)
    """What the amplitudes are the first part of; there may be room for more."""

    def __post_init__(self) -> None:
        self.given = self.geometry
        self.store = self.amplitudes

    def __len__(self) -> int:
        return len(self.amplitudes)

    @property
    def device(self) -> torch.device:
        """Where the amplitudes lie."""
        return self.amplitudes.device

    @property
    def dtype(self) -> torch.dtype:
        """The complex type of waves, object and probe."""
        return torch.complex128 if self.amplitudes.dtype == torch.float64 else torch.complex64

    @property
    def window(self) -> tuple[int, int]:
        """The shape of a view and of the probe: the frame and its padding."""
        ny, nx = self.amplitudes.shape[-2:]
        return ny + 2 * self.padding_px, nx + 2 * self.padding_px

    @cached_property
    def counts(self) -> float:
        """All counts in valid pixels."""
        return sum(float(part.double().square().sum()) for part in torch.split(self.amplitudes, at_once(self.window)))

    @cached_property
    def typical_counts(self) -> float:
        """Σm² / Σm of the counts m: those of a typical bright pixel."""
        squares = sum(float(part.double().pow(4).sum()) for part in torch.split(self.amplitudes, at_once(self.window)))
        return squares / self.counts if self.counts else 1.0

    @property
    def mean_counts(self) -> float:
        """The mean counts of a frame."""
        return self.counts / len(self)

    @cached_property
    def counted(self) -> bool:
        """Whether the frames hold whole numbers, as counts are; those in other units are no measure of noise."""
        some = self.amplitudes[:_SAMPLE].double().square()
        return bool(((some - some.round()).abs() < 0.01).all())

    def few_counts(self, obj: Tensor) -> bool:
        """Whether there are so few counts for each pixel of the object (S, Y, X) that noise is soon fitted."""
        return self.counts < FEW_COUNTS * obj[0].numel() and self.counted

    def measured_power(self, probe: Tensor) -> Tensor:
        """Σ |P|² of the modes (M, ny, nx) within the frame; what lies in the padding is not counted."""
        p = self.padding_px
        inner = probe[..., p : probe.shape[-2] - p, p : probe.shape[-1] - p]
        return (inner.real.square() + inner.imag.square()).sum()

    def amplitude(self, index: Tensor) -> Tensor:
        """The measured amplitudes (b, ny, nx) of some frames, on the whole window."""
        return self._padded(self.amplitudes[index])

    def weight(self, index: Tensor) -> Tensor | None:
        """1 where a solver may use a pixel of these frames (b, ny, nx) and 0 elsewhere; None where it may use all."""
        valid = self.valid_pixels(index)
        if self.held_out is None:
            return valid
        return self.held_out.hidden(self.amplitudes.new_ones(()) if valid is None else valid, index)

    def valid_pixels(self, index: Tensor) -> Tensor | None:
        """1 where a pixel of these frames was measured, else 0, (ny, nx) or (b, ny, nx); None where all were."""
        if self.valid is None:
            return None
        chosen = self.valid[index] if self.valid.ndim == 3 else self.valid
        return self._padded(chosen.to(self.amplitudes.dtype))

    def on_window(self, counts: NDArray[Any]) -> Tensor:
        """Counts (ny, nx) as a file has them, zero frequency in the centre, in the order and shape of the window."""
        ordered = np.array(_ordered(counts, self.geometry.field == "far"))
        return self._padded(torch.from_numpy(ordered).to(self.amplitudes))

    def _padded(self, values: Tensor) -> Tensor:
        p = self.padding_px
        return torch.nn.functional.pad(values, (p, p, p, p)) if p else values

    def waves(self, state: State, index: Tensor) -> tuple[Exit, Tensor]:
        """The exit waves of some frames and their waves at the detector; differentiable."""
        exit = self.model.exit(state, index)
        return exit, self.propagator.forward(exit.waves, exit.ramps, state.transfer)

    def counts_of(self, state: State, waves: Tensor, index: Tensor) -> Tensor:
        """The counts (b, ny, nx) that a state says of some frames, from their waves; differentiable."""
        counts = intensity(waves)
        if state.gain is not None:
            counts = counts * state.gain[index].to(counts.dtype)[:, None, None]
        return counts if state.background is None else counts + state.background

    def loss(self, kind: LossKind) -> Loss:
        """The loss of a name, scaled to these counts."""
        return loss_of(kind, self.typical_counts)

    def take(self, dataset: Dataset) -> None:
        """Take in the frames by which a scan has grown; those before are not read again. Raises `InputError`."""
        known, total = len(self), len(dataset.scan)
        if total > len(self.store):
            grown = self.store.new_empty((max(total, len(self.store) * 3 // 2), *self.store.shape[1:]))
            grown[:known] = self.amplitudes
            self.store = grown
        broken = _read(dataset, self.store[known:total], known)
        self.amplitudes = self.store[:total]
        if broken is not None or (self.valid is not None and self.valid.ndim == 3):
            self._take_valid(dataset, broken, known)
        for name in ("counts", "typical_counts", "counted"):
            self.__dict__.pop(name, None)

    def _take_valid(self, dataset: Dataset, broken: NDArray[np.bool_] | None, known: int) -> None:
        """From now on every frame has valid pixels of its own."""
        mask = torch.from_numpy(_ordered(dataset.mask, dataset.geometry.field == "far").copy()).to(self.device)
        every = mask.expand(len(self), -1, -1).clone()
        if self.valid is not None and self.valid.ndim == 3:
            every[:known] = self.valid
        if broken is not None:
            every[known:] &= ~torch.from_numpy(broken).to(self.device)
        self.valid = every

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Every frame once, in a random order, `size` at a time."""
        yield from torch.split(torch.randperm(len(self), generator=generator).to(self.device), size)


def problem(
    dataset: Dataset, model: AnyModel, device: torch.device, real: torch.dtype = torch.float32, room_px: int = 0
) -> Problem:
    """Read a dataset's frames onto a device.

    Raises `InputError` where a frame has no valid pixel or the optics are not known.
    """
    far = dataset.geometry.field == "far"
    padding_px = 0 if far else model.padding_px
    ny, nx = dataset.geometry.shape
    window = (ny + 2 * padding_px, nx + 2 * padding_px)
    optics = propagator(dataset.geometry, window, device, _complex(real))
    amplitudes = torch.empty(dataset.frames.shape, dtype=real, device=device)
    broken = _read(dataset, amplitudes, 0)
    mask = _ordered(dataset.mask, far)
    valid: Tensor | None = None
    if broken is not None:
        valid = torch.from_numpy(mask & ~broken).to(device)
    elif padding_px or not mask.all():
        valid = torch.from_numpy(mask).to(device=device, dtype=real)
    return Problem(model, optics, dataset.geometry, amplitudes, valid, padding_px, room_px)


def _read(dataset: Dataset, amplitudes: Tensor, first: int) -> NDArray[np.bool_] | None:
    """Read the frames from `first` on into `amplitudes` (n, ny, nx).

    Returns where they hold no number (n, ny, nx), if anywhere. Raises `InputError` for a frame without a valid pixel.
    """
    far = dataset.geometry.field == "far"
    mask = _ordered(dataset.mask, far)
    broken: NDArray[np.bool_] | None = None
    count = at_once(dataset.geometry.shape)
    for begin in range(0, len(amplitudes), count):
        part = slice(begin, min(begin + count, len(amplitudes)))
        counts = _ordered(np.asarray(dataset.frames[first + part.start : first + part.stop], np.float64), far)
        finite = np.isfinite(counts)
        if not finite.all():
            broken = np.zeros(tuple(amplitudes.shape), np.bool_) if broken is None else broken
            broken[part] = ~finite
        usable = finite & mask
        if not usable.any((1, 2)).all():
            frame = first + begin + int(np.argmin(usable.any((1, 2))))
            raise InputError(f"Frame {frame} of {dataset.source} has no valid pixel: leave it out with data.exclude.")
        amplitudes[part] = torch.from_numpy(np.sqrt(np.where(usable, np.maximum(counts, 0), 0)))
    return broken


def at_once(shape: tuple[int, ...]) -> int:
    """How many arrays of a shape are worked on at once where all frames are gone through: 2 MB of complex64."""
    return max(1, _AT_ONCE_BYTES // (8 * math.prod(shape)))


def _complex(real: torch.dtype) -> torch.dtype:
    return torch.complex128 if real == torch.float64 else torch.complex64


def _ordered(values: NDArray[Any], far: bool) -> NDArray[Any]:
    """Zero frequency to the corner for the far field; a near field's detector plane is an image and stays."""
    return np.fft.ifftshift(values, (-2, -1)) if far else values
