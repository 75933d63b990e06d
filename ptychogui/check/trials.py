"""Short runs on few frames at low resolution: how well does a supposition about the scan explain the frames?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ptychogui.check.small import small
from ptychogui.check.turns import turned, unturned
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.engine.start.data import FromData
from ptychogui.io.data import Data, Orientation
from ptychogui.job import Job
from ptychogui.params import InputError, RunError
from ptychogui.types import Complex, Dataset, Real, Scan

if TYPE_CHECKING:
    from torch import Tensor

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
    """The loss that a short run ended with, and its probe (1, ny, nx) at low resolution."""

    loss: float
    probe: Complex


@dataclass
class Trials:
    """Short runs of one scan; each supposition is tried once."""

    job: Job
    part: Dataset
    stated: Guess
    padding_px: int
    """The rim around a hologram at low resolution."""
    starts: dict[Orientation, Complex] = field(default_factory=dict)
    """The first guess of the probe for an orientation, where it had to be searched for."""
    done: dict[tuple[Guess, int], Outcome] = field(default_factory=dict)

    @property
    def knows_probe(self) -> bool:
        """Whether the first guess of the probe tells a scan from one that is turned by half a turn."""
        geometry = self.part.geometry
        return geometry.field == "near" or self.part.probe is not None or geometry.behind_focus_m is not None

    @property
    def keeps_overlap(self) -> bool:
        """Whether another scale only means another distance of a parallel beam, which moves no frame."""
        geometry = self.part.geometry
        return geometry.field == "near" and geometry.focus_to_sample_m is None

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
        probe = self.starts.get(guess.flip, self.part.probe)
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
            if not self.knows_probe:
                self.starts.setdefault(guess.flip, self._within(state.probe))
            trial = RPIE(epochs=epochs, batch=int(np.clip(len(few) // _STEPS, 1, 8)))
            for item in iterate(few, state, Plan((trial,), Constraints(), self.job.seed)):
                loss = float(item.loss) if item.whole else loss
        except (InputError, RunError):  # a supposition so far off that it cannot even be tried
            return Outcome(math.inf, np.zeros((1, *dataset.geometry.shape), np.complex64))
        return Outcome(loss, self._within(state.probe))

    def _within(self, probe: Tensor) -> Complex:
        """The modes within the frame."""
        p, whole = self.padding_px, probe.detach().cpu().numpy()
        return np.array(whole[..., p : whole.shape[-2] - p, p : whole.shape[-1] - p], np.complex64)


def padded(runs: Trials, padding_px: int) -> Trials:
    """The same with another rim around the holograms, in pixels of the small frames."""
    return replace(runs, padding_px=padding_px, starts={}, done={})


def trials(job: Job, dataset: Dataset, mean: Real) -> Trials:
    """Choose frames that are neighbours, and make them small; `mean` (ny, nx) is the mean pattern."""
    data = Data.read(dataset.data)
    part, factor = small(dataset, mean)
    padding_px = math.ceil(job.model.padding_px / factor) if part.geometry.field == "near" else 0
    return Trials(job, part, Guess(data.scan_rotation_rad, data.scan_flip), padding_px)
