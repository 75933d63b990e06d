"""Short runs on few frames at low resolution: how well does a supposition about the scan explain the frames?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.check.turns import turned, unturned
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.engine.start.data import FromData
from ptychogui.io.data import Data, Orientation
from ptychogui.job import Job
from ptychogui.params import InputError, RunError
from ptychogui.types import Complex, Dataset, Geometry, Mask, Real, Scan

if TYPE_CHECKING:
    from torch import Tensor

_FRAMES, _FEWEST = 160, 48
_PIXELS = 160 * 64**2
"""Pixels of the frames that are looked at; few frames leave the probe so free that it explains anything."""
_SIDES = (64, 96, 128, 192, 256)
_INSIDE = 0.9
"""The part of the counts that a far field's window has to hold."""
_LARGEST_HOLOGRAM = 128
EPOCHS = 12
_STEPS = 20
"""Steps of an epoch, at least, where there are so many frames."""


@dataclass(frozen=True)
class Guess:
    """A supposition: how the scan is turned against the detector, and how much larger it is in pixels.

    The scale of a near field is that of its uncertain distance; see `Geometry.at_distance`.
    """

    rotation_rad: float
    flip: Orientation
    scale: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """The loss that a short run ended with, and its probe (1, ny, nx) at low resolution, before and after."""

    loss: float
    start: Complex
    probe: Complex


@dataclass
class Trials:
    """Short runs of one scan; each supposition is tried once."""

    job: Job
    part: Dataset
    stated: Guess
    padding_px: int
    """The rim around a hologram at low resolution."""
    probe: Complex | None = None
    """The first guess of the probe, once a trial has found it; None: found anew each time."""
    done: dict[tuple[Guess, int], Outcome] = field(default_factory=dict)

    @property
    def knows_probe(self) -> bool:
        """Whether the first guess of the probe tells a scan from one that is turned by half a turn."""
        geometry = self.part.geometry
        return geometry.field == "near" or self.part.probe is not None or geometry.behind_focus_m is not None

    def loss(self, guess: Guess, epochs: int = EPOCHS) -> float:
        """How badly a supposition explains the frames; infinite where a run with it is not possible."""
        return self.outcome(guess, epochs).loss

    def outcome(self, guess: Guess, epochs: int = EPOCHS) -> Outcome:
        """What a short run with this supposition ends with."""
        if (guess, epochs) not in self.done:
            self.done[guess, epochs] = self._run(guess, epochs)
        return self.done[guess, epochs]

    def best(self, guesses: Iterable[Guess]) -> Guess:
        """The supposition that explains the frames best."""
        return min(guesses, key=self.loss)

    def supposed(self, guess: Guess) -> Dataset:
        """The low-resolution scan as it would be."""
        positions_m = unturned(self.part.scan.positions_m, self.stated.rotation_rad, self.stated.flip)
        positions_m = turned(positions_m, guess.rotation_rad, guess.flip)
        geometry = self.part.geometry
        if geometry.field == "near":
            geometry = geometry.at_distance(guess.scale)
        else:
            positions_m = positions_m * guess.scale
        probe = self.part.probe if self.probe is None else self.probe
        return replace(self.part, scan=Scan(positions_m), geometry=geometry, probe=probe)

    def _run(self, guess: Guess, epochs: int) -> Outcome:
        from ptychogui.engine.constraints import Constraints
        from ptychogui.engine.device import device_of
        from ptychogui.engine.problem import problem
        from ptychogui.engine.solvers.base import Plan, iterate

        dataset, loss = self.supposed(guess), math.inf
        model = self.job.model.with_value("padding_px", self.padding_px)
        try:
            few = problem(dataset, model, device_of(self.job.device))
            state = FromData().state(few, dataset, None, self.job.seed)
            start = self._within(state.probe)
            trial = RPIE(epochs=epochs, batch=int(np.clip(len(few) // _STEPS, 1, 8)))
            for item in iterate(few, state, Plan((trial,), Constraints(), self.job.seed)):
                loss = float(item.loss) if item.whole else loss
        except (InputError, RunError):  # a supposition so far off that it cannot even be tried
            nothing = np.zeros((1, *dataset.geometry.shape), np.complex64)
            return Outcome(math.inf, nothing, nothing)
        return Outcome(loss, start, self._within(state.probe))

    def _within(self, probe: Tensor) -> Complex:
        """The modes within the frame."""
        p, whole = self.padding_px, probe.detach().cpu().numpy()
        return np.array(whole[..., p : whole.shape[-2] - p, p : whole.shape[-1] - p], np.complex64)


def padded(runs: Trials, padding_px: int) -> Trials:
    """The same with another rim around the holograms, in pixels of the small frames."""
    return replace(runs, padding_px=padding_px, probe=None, done={})


def trials(job: Job, dataset: Dataset) -> Trials:
    """Choose frames that are neighbours, and make them small."""
    data = Data.read(dataset.data)
    part, factor = _small(dataset)
    padding_px = math.ceil(job.model.padding_px / factor) if part.geometry.field == "near" else 0
    return Trials(job, part, Guess(data.scan_rotation_rad, data.scan_flip), padding_px)


def _small(dataset: Dataset) -> tuple[Dataset, int]:
    """Neighbouring frames around the middle of the scan, the far field's cropped, holograms binned by a factor."""
    far = dataset.geometry.field == "far"
    first = _near_middle(dataset, 16)
    mean = np.nan_to_num(np.asarray(dataset.frames[first], np.float64)).mean(0)
    if far:
        shape, factor = _window(mean), 1
    else:
        factor = -(-min(dataset.geometry.shape) // _LARGEST_HOLOGRAM)
        ny, nx = (n // factor for n in dataset.geometry.shape)
        shape = (ny, nx)
    count = int(np.clip(_PIXELS // math.prod(shape), _FEWEST, _FRAMES))
    chosen = _near_middle(dataset, count)
    frames: Real = np.asarray(dataset.frames[chosen], np.float32)
    frames, mask = (_cut(frames, shape), _cut(dataset.mask, shape)) if far else _binned(frames, dataset.mask, factor)
    usable = (np.isfinite(frames) & mask).any((1, 2))
    part = replace(
        dataset,
        frames=frames[usable],
        mask=mask,
        geometry=_geometry(dataset.geometry, shape, factor),
        scan=Scan(dataset.scan.positions_m[chosen][usable]),
        probe=None if dataset.probe is None else _low_passed(dataset.probe, shape),
        truth=None,
    )
    return part, factor


def _near_middle(dataset: Dataset, count: int) -> NDArray[np.intp]:
    positions_m = dataset.scan.positions_m
    away = np.square(positions_m - np.median(positions_m, 0)).sum(1)
    chosen: NDArray[np.intp] = np.sort(np.argsort(away, kind="stable")[:count])
    return chosen


def _window(mean: NDArray[np.float64]) -> tuple[int, int]:
    """The sides of the smallest window around the middle that holds most of the counts."""
    shape = mean.shape[0], mean.shape[1]
    for side in _SIDES:
        window = min(side, shape[0]), min(side, shape[1])
        if _cut(mean, window).sum() >= _INSIDE * mean.sum():
            return window
    return min(_SIDES[-1], shape[0]), min(_SIDES[-1], shape[1])


def _cut(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """The middle (index n // 2) of arrays (…, ny, nx)."""
    y, x = (n // 2 - m // 2 for n, m in zip(values.shape[-2:], shape))
    return values[..., y : y + shape[0], x : x + shape[1]]


def _binned(frames: Real, mask: Mask, factor: int) -> tuple[Real, Mask]:
    def sums(values: NDArray[Any]) -> NDArray[Any]:
        ny, nx = (n // factor for n in values.shape[-2:])
        cut = values[..., : ny * factor, : nx * factor]
        return np.asarray(cut.reshape(*values.shape[:-2], ny, factor, nx, factor).sum((-3, -1)))

    return sums(frames), sums(mask.astype(int)) == factor**2


def _geometry(geometry: Geometry, shape: tuple[int, int], factor: int) -> Geometry:
    """The geometry of the small frames; the pixel at the sample stays as it was said, but coarser."""
    detector = geometry.detector_pixel_m
    if geometry.field == "near":
        given = geometry.given_pixel_m
        return replace(
            geometry,
            shape=shape,
            detector_pixel_m=None if detector is None else (detector[0] * factor, detector[1] * factor),
            given_pixel_m=None if given is None else (given[0] * factor, given[1] * factor),
        )
    y, x = (pixel * n / m for pixel, n, m in zip(geometry.pixel_m, geometry.shape, shape))
    small = replace(geometry, shape=shape, given_pixel_m=(y, x))
    return small if geometry.calibrated else replace(small, convergence_rad=None, defocus_m=None)


def _low_passed(probe: Complex, shape: tuple[int, int]) -> Complex:
    """Modes (M, ny, nx) on a coarser grid of the same window."""
    axes = (-2, -1)
    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe, axes), norm="ortho"), axes)
    wave = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(_cut(spectrum, shape), axes), norm="ortho"), axes)
    return wave.astype(np.complex64)
