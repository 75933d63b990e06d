"""Runs with a known probe from one first guess or another, judged against the truth on their way."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from ptychogui.bench.papers.trial import data_of
from ptychogui.engine.constraints import Constraints
from ptychogui.engine.constraints.probe_power import ProbePower
from ptychogui.engine.device import device_of
from ptychogui.engine.learn.card import Card
from ptychogui.engine.learn.experiment import experiment
from ptychogui.engine.learn.fit import Fit, doubts
from ptychogui.engine.learn.shipped import load
from ptychogui.engine.models.thin import Thin
from ptychogui.engine.problem import Problem, problem
from ptychogui.engine.similarity import ssim
from ptychogui.engine.simulate.ptychonet import PtychoNetFermat, PtychoNetGrid, PtychoNetMesh
from ptychogui.engine.solvers.base import Plan, Solver, iterate
from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.ptychonet import FromNetwork
from ptychogui.engine.state import State
from ptychogui.engine.stopping import copied
from ptychogui.types import Complex, Dataset, Mask, Truth

_log = logging.getLogger(__name__)

Sample = PtychoNetFermat | PtychoNetGrid | PtychoNetMesh
Pair = tuple[float, float]
Curve = tuple[Mapping[str, float], ...]

_EVERY, _THEN = 10, 5
"""Epochs that are all on a curve, and the step after them."""


@dataclass(frozen=True)
class Judge:
    """A truth (Y, X), where light falls, and where any window reaches; `ranges` are of amplitude and phase."""

    truth: Complex
    lit: Mask
    whole: Mask
    origin_px: NDArray[np.float64]
    ranges: tuple[Pair, Pair]

    @classmethod
    def of(cls, dataset: Dataset, ranges: tuple[Pair, Pair]) -> Judge:
        """The judge of a simulated scan; lit is where the illumination has a tenth of its maximum."""
        truth = dataset.truth
        assert truth is not None
        origin_px = np.array(truth.obj.origin_m) / truth.obj.pixel_m
        return cls(truth.obj.slices[0], truth.support, _reached(truth, origin_px), origin_px, ranges)

    def errors(self, state: State, pixel_m: Pair) -> dict[str, float]:
        """NRMSE of a state's object over the whole and over the lit part, both after the best phase there.

        ‖f e^{iα} − t‖ / ‖t‖, of the amplitudes alone ‖|f| − |t|‖ / ‖t‖, of the phases ‖arg(f e^{iα} t*)‖ / ‖arg t‖. No
        scale is fitted: with a known probe there is none to choose.
        """
        found = self._found(state, pixel_m)
        return _errors("", found[self.whole], self.truth[self.whole]) | _errors(
            "lit_", found[self.lit], self.truth[self.lit]
        )

    def figures(self, state: State, pixel_m: Pair) -> dict[str, float]:
        """The errors, and PSNR and SSIM of the pictures of amplitude and phase, which are averaged.

        Guan & Tsai do not say how they scale their pictures. Here the range of the samples, as amplitude 0.5 to 1, is
        that from black, 0, to white, 1; what lies outside is cut off, as in a picture, and the PSNR is −10 log₁₀ of the
        mean square, 20 log₁₀(1 / RMSE).
        """
        found, out = self._found(state, pixel_m), self.errors(state, pixel_m)
        for name, area in (("", self.whole), ("lit_", self.lit)):
            greys, wanted = self._greys(_turned(found, self.truth, area)), self._greys(self.truth)
            squares = [float(np.mean(np.square(grey - want)[area])) for grey, want in zip(greys, wanted)]
            out[f"{name}psnr_dB"] = float(np.mean([-10 * math.log10(max(square, 1e-30)) for square in squares]))
            out[f"{name}ssim"] = float(np.mean([ssim(grey, want, area) for grey, want in zip(greys, wanted)]))
        return out

    def _found(self, state: State, pixel_m: Pair) -> Complex:
        """The object on the pixels of the truth."""
        y, x = np.rint(self.origin_px - np.array(state.origin_m) / pixel_m).astype(int)
        ny, nx = self.truth.shape
        found: Complex = state.obj[0].cpu().numpy()[y : y + ny, x : x + nx]
        return found

    def _greys(self, image: Complex) -> list[NDArray[np.float64]]:
        phase = np.angle(self.truth) + np.angle(image * self.truth.conj())  # beside the true one, not on its own
        parts = zip((np.abs(image), phase), self.ranges)
        return [np.clip((part - low) / (high - low), 0, 1).astype(np.float64) for part, (low, high) in parts]


@dataclass(frozen=True)
class Followed:
    """A run that has come to its end: its figures there and on its way, and its seconds without those for figures."""

    figures: Mapping[str, float]
    curve: Curve
    epochs: int
    seconds: float


class Known:
    """A simulated scan with its known probe, of which runs can be begun."""

    def __init__(self, sample: Sample) -> None:
        self.dataset, self.photons = data_of(sample), sample.photons
        self.problem: Problem = problem(self.dataset, Thin(), device_of("auto"))
        self.judge = Judge.of(self.dataset, (sample.amplitude, sample.phase_rad))

    def judged(self, state: State) -> dict[str, float]:
        """All figures of a state."""
        return self.judge.figures(state, self.problem.geometry.pixel_m)

    def errors(self, state: State) -> dict[str, float]:
        """Those that are quickly found."""
        return self.judge.errors(state, self.problem.geometry.pixel_m)

    @cached_property
    def flat(self) -> State:
        """An object that is the same everywhere, as bright as the frames say."""
        start = FromData(find_defocus=False)
        return self._begun(start)

    def random(self, seed: int) -> State:
        """An object of numbers by chance: amplitudes from 0 to 1, all phases."""
        state, generator = copied(self.flat), torch.Generator().manual_seed(seed)
        size, turn = torch.rand((2, *state.obj.shape), generator=generator)
        state.obj = torch.polar(size, 2 * math.pi * turn).to(state.obj)
        return state

    def by_network(self, weights: str) -> tuple[State, Followed]:
        """What a network sees, and this as a run of no epochs.

        Raises `InputError` where it cannot be given these patterns.
        """
        begun = time.perf_counter()
        state = self._begun(FromNetwork(weights=weights, counts=self.photons, find_defocus=False))
        seconds = time.perf_counter() - begun
        return state, Followed(self.judged(state), (self.errors(state) | {"epoch": 0.0},), 0, seconds)

    def plan(self, stages: Sequence[Solver]) -> Plan:
        """Solvers that know the probe and its power."""
        known = tuple(stage.with_value("probe_start", 10**9) for stage in stages)
        off = {"enabled": False}
        values = {"probe_power": {"counts": self.photons}, "probe_centred": off, "raster_pathology": off}
        return Plan(known, Constraints.read(values))

    def follow(self, state: State, stages: Sequence[Solver]) -> Followed:
        """Run solvers from a state, which stays as it is."""
        return follow(self.problem, copied(state), self.plan(stages), self.errors, self.judged)

    def _begun(self, start: FromData | FromNetwork) -> State:
        *_, (state, *_) = start.guesses(self.problem, self.dataset, None, 0)
        ProbePower(counts=self.photons).apply(self.problem, state)
        return state


def follow(
    given: Problem,
    state: State,
    plan: Plan,
    errors: Callable[[State], dict[str, float]],
    judged: Callable[[State], dict[str, float]],
) -> Followed:
    """Run a plan on a state, with its errors on its way and its figures at the end."""
    curve, epoch, seconds = [errors(state) | {"epoch": 0.0}], 0, 0.0
    begun = time.perf_counter()
    for item in iterate(given, state, plan):
        epoch = item.epoch
        if item.whole and (epoch <= _EVERY or epoch % _THEN == 0 or epoch == plan.epochs):
            float(item.loss)  # a graphics card may still be at it
            seconds += time.perf_counter() - begun
            curve.append(errors(state) | {"epoch": float(epoch)})
            begun = time.perf_counter()
    return Followed(judged(state), tuple(curve), epoch, seconds)


def fitting(weights: Sequence[str], given: Problem, state: State) -> tuple[dict[str, Card], list[str]]:
    """The cards of those networks, by what names them, that a scan may be given to, and why the others may not."""
    found, why = {}, []
    for name in weights:
        held = load(name)
        seen = experiment(given, state, held.card.network.pixels)
        every = [*doubts(Fit.of(held, seen, given.window))]
        fatal = [doubt.text for doubt in every if doubt.fatal]
        if fatal:
            why.append(f"{name}: {fatal[0]}")
            continue
        found[name] = held.card
        for doubt in every:
            _log.warning("%s: %s", name, doubt.text)
    return found, why


def _reached(truth: Truth, origin_px: NDArray[np.float64]) -> Mask:
    mask = np.zeros(truth.support.shape, np.bool_)
    ny, nx = truth.probe.shape[-2:]
    corners = np.rint(truth.positions_m / np.array(truth.obj.pixel_m) - origin_px).astype(int) - (ny // 2, nx // 2)
    for y, x in corners:
        mask[y : y + ny, x : x + nx] = True
    return mask


def _turned(found: Complex, truth: Complex, area: Mask | slice = slice(None)) -> Complex:
    """With the constant phase that fits best over an area."""
    turned: Complex = found * np.exp(-1j * np.angle(np.vdot(truth[area], found[area]))).astype(np.complex64)
    return turned


def _errors(name: str, found: Complex, truth: Complex) -> dict[str, float]:
    turned, power = _turned(found, truth), float(np.linalg.norm(truth))
    return {
        f"{name}nrmse": float(np.linalg.norm(turned - truth)) / power,
        f"{name}amplitude_nrmse": float(np.linalg.norm(np.abs(turned) - np.abs(truth))) / power,
        f"{name}phase_nrmse": float(np.linalg.norm(np.angle(turned * truth.conj())) / np.linalg.norm(np.angle(truth))),
    }
