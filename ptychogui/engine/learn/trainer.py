"""The training of a network: samples, steps, looks at samples that were not trained on."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ptychogui.engine.learn.errors import mse, nrmse
from ptychogui.engine.learn.experiment import Experiment
from ptychogui.engine.learn.layers import middle
from ptychogui.engine.learn.network import Network
from ptychogui.engine.learn.pictures import samples
from ptychogui.engine.learn.scans import Scans
from ptychogui.engine.learn.training import Training
from ptychogui.engine.learn.weights import Weights
from ptychogui.params import InputError, RunError

_REPORTS = 50
"""Looks at the validation samples during a training."""
_FIRST = 0.004
"""The part of a training after which the first report comes."""
_JUDGED = 8
"""Samples that judge the network, of each of so many layouts."""
_LAYOUTS = 3
_EARLIER = 0.6
"""How much less each earlier picture of a network counts than the one behind it."""
_LEAST_ERROR = 1e-6
_STEEPEST = 1.0
"""Longer gradients are cut to this length."""
_LEAST_RATE = 0.01
_WARM_UP = 0.02
_BETTER = 0.998
"""The part of the best error that a look has to be below to be better."""
_BRIGHT = 1e9
"""Counts of a frame whose noise does not matter any more."""


@dataclass(frozen=True)
class Example:
    """A sample that was not trained on: one of its patterns (n, n) as amplitude, zero frequency in the centre, the
    truth and what the network sees (Y, X)."""

    pattern: NDArray[np.float32]
    truth: NDArray[np.complex64]
    found: NDArray[np.complex64]


@dataclass(frozen=True)
class Progress:
    """How far a training is. `error` and `mean_error` are of samples that were not trained on, see `Card`."""

    step: int
    seconds: float
    share: float
    """The part of the time or of the steps that is over."""
    loss: float
    """The mean loss since the last report."""
    error: float
    mean_error: float
    learning_rate: float
    example: Example
    better: bool
    """Whether no earlier error was smaller."""
    ended: str = ""
    """Why the training ended: time, steps, plateau or stopped."""


class Trainer:
    """A network in training."""

    def __init__(
        self, network: Network, training: Training, experiment: Experiment, pictures: Tensor, device: torch.device
    ) -> None:
        """`pictures` (M, 256, 256) uint8 are what samples are made of; the last of them are kept from training.

        Raises `InputError` where the pictures are too few.
        """
        if len(pictures) < 2:
            raise InputError("One picture is not enough to train and to judge a network: give more.")
        held = min(max(1, round(training.held_out * len(pictures))), len(pictures) - 1)
        torch.manual_seed(training.seed)
        self.network, self.training, self.experiment, self.device = network, training, experiment, device
        shuffled = pictures[torch.randperm(len(pictures), generator=torch.Generator().manual_seed(training.seed))]
        self.pictures, self.kept = shuffled[held:].to(device), shuffled[:held].to(device)
        self.layers = network.build().to(device)
        self.adam = torch.optim.Adam(
            self.layers.parameters(), lr=training.learning_rate, betas=(training.momentum, 0.999)
        )
        self.probe = experiment.probe.to(device)
        self.generator = torch.Generator().manual_seed(training.seed + 1)
        self.step, self.seconds, self.best, self.stale = 0, 0.0, math.inf, 0
        self.best_tensors: dict[str, Tensor] = {}
        self.mean_error = math.inf
        self.stopping = False
        """Set, from any thread, to end the training after the step at work, with a last report."""

    def begin_with(self, weights: Weights) -> None:
        """Go on from weights; with what a checkpoint holds beside them, exactly where its training was.

        Raises `InputError` where they are of another architecture, or a checkpoint lacks something.
        """
        held = weights.network(self.device).state_dict()  # which finds weights that are not those of their card
        try:
            self.layers.load_state_dict(held)
        except RuntimeError as error:
            raise InputError(
                "The weights to begin with are of another architecture than the one to be trained: leave its widths "
                "and channels as they are on the card, or train from the beginning."
            ) from error
        if not weights.resume:
            return
        try:
            self._go_on(weights.resume)
        except (KeyError, ValueError, RuntimeError) as error:
            raise InputError("The checkpoint lacks what a training goes on from: begin with whole weights.") from error

    def _go_on(self, held: dict[str, Tensor]) -> None:
        """Be where a training was, by what `resume` has kept of it."""
        self.step, self.stale = int(held["step"]), int(held["stale"])
        self.seconds, self.best = float(held["seconds"]), float(held["best"])
        self.generator.set_state(held["generator"].to(torch.uint8))
        names = [name for name, _ in self.layers.named_parameters()]
        moments = {
            place: {key: held[f"{key}.{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
            for place, name in enumerate(names)
            if f"exp_avg.{name}" in held
        }
        self.adam.load_state_dict(self.adam.state_dict() | {"state": moments})
        self.best_tensors = {name.removeprefix("best."): value for name, value in held.items() if name[:5] == "best."}

    def tensors(self) -> dict[str, Tensor]:
        """The network's tensors at its best look."""
        return self.best_tensors or self._copy()

    def resume(self) -> dict[str, Tensor]:
        """What a checkpoint holds so that the training can go on as if it had not been stopped."""
        numbers = {"step": self.step, "stale": self.stale, "seconds": self.seconds, "best": self.best}
        out = {name: torch.tensor(value, dtype=torch.float64) for name, value in numbers.items()}
        out["generator"] = self.generator.get_state()
        state = self.adam.state_dict()["state"]
        for place, (name, _) in enumerate(self.layers.named_parameters()):
            out |= {f"{key}.{name}": value for key, value in state.get(place, {}).items()}
        return out | {f"best.{name}": value for name, value in self.best_tensors.items()}

    def checkpoint(self) -> dict[str, Tensor]:
        """The network's tensors as they are now."""
        return self._copy()

    def run(self) -> Iterator[Progress]:
        """Train, and report about fifty times; the last report says why it ended.

        Raises `RunError` where the loss is no number any more.
        """
        judges = [self._judge(seed) for seed in range(_LAYOUTS)]
        self.mean_error = self._mean_error(judges)
        losses: list[Tensor] = []
        due, begun = self._due(), time.monotonic() - self.seconds
        while True:
            losses.append(self._advance())
            self.step, self.seconds = self.step + 1, time.monotonic() - begun
            if self.share >= due or self.stopping:
                due = self._due()
                report = self._report(judges, losses)
                self.seconds = time.monotonic() - begun  # a look takes time too; what is done with it does not count
                yield report
                if report.ended:
                    return
                losses, begun = [], time.monotonic() - self.seconds

    @property
    def share(self) -> float:
        """The part of the training that is over."""
        if self.training.steps is not None:
            return self.step / self.training.steps
        return self.seconds / max(self.training.seconds, 1e-9)

    def _due(self) -> float:
        """The share at which the next report comes; the first comes early, so that there is something to see."""
        return _FIRST if self.share < _FIRST else (math.floor(self.share * _REPORTS) + 1) / _REPORTS

    def _rate(self) -> float:
        """The learning rate: a short rise, then half a cosine down to a hundredth."""
        share = min(self.share, 1.0)
        rise = min(1.0, (share + 1e-3) / _WARM_UP)
        fall = _LEAST_RATE + (1 - _LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))
        return self.training.learning_rate * rise * fall

    def _advance(self) -> Tensor:
        """One step; returns its loss (0-d)."""
        for group in self.adam.param_groups:
            group["lr"] = self._rate()
        self.layers.train()
        scans, truth = self._scans(self.pictures, self.training.batch, self.generator)
        found = self._found(scans, float(torch.rand((), generator=self.generator)))
        errors = [self._error(obj, truth, scans) for obj in found]
        loss = torch.zeros((), device=self.device)
        for age, error in enumerate(reversed(errors)):
            loss = loss + _EARLIER**age * error
        if not found[0].requires_grad:  # late looks are wanted to mend as large a part of what is left as early ones
            loss = (loss - _EARLIER**age * error) / error.clamp_min(_LEAST_ERROR)
        self.adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        length = nn.utils.clip_grad_norm_(self.layers.parameters(), _STEEPEST)
        if torch.isfinite(length):  # a sample on which all looks go astray teaches nothing
            self.adam.step()
        return loss.detach()

    def _error(self, obj: Tensor, truth: Tensor, scans: Scans) -> Tensor:
        """What the training makes small (0-d)."""
        error = mse(obj, truth, scans, self.network)
        return error + self.training.weight * scans.misfit(obj) if self.training.loss == "dse" else error

    def _found(self, scans: Scans, late: float = 0.0) -> list[Tensor]:
        half = self.training.mixed and has_half(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            pictures: list[Tensor] = self.layers(scans, late)
        return pictures

    def _scans(self, pictures: Tensor, count: int, generator: torch.Generator) -> tuple[Scans, Tensor]:
        """Samples of one layout and their truth (B, Y, X)."""
        corner, shape = self._layout(generator)
        network = self.network
        truth = samples(pictures, count, shape, network.amplitude, network.phase_rad, generator)
        probe = self._defocused(generator)
        scans = Scans(truth.real.new_empty(0), probe, corner, shape)
        amplitudes = scans.waves(truth).abs()
        counts = self.experiment.counts if self.training.counts is None else self.training.counts
        if 0 < counts < _BRIGHT:
            scale = counts / scans.light.sum()
            noise = torch.Generator(self.device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
            amplitudes = (torch.poisson(amplitudes.square() * scale, generator=noise) / scale).sqrt()
        return Scans(amplitudes, probe, corner, shape), truth

    def _defocused(self, generator: torch.Generator) -> Tensor:
        """The probe (n, n), as far out of focus as chance will have it; its largest amplitude is 1."""
        if not self.training.variety:
            return self.probe
        waves = torch.fft.fft2(self.probe)
        power, turn = waves.abs().square(), torch.zeros_like(waves.real)
        chance = 2 * torch.rand(2, generator=generator) - 1
        for axis, amount in enumerate(chance.tolist()):
            square = torch.fft.fftfreq(waves.shape[axis], device=self.device).square()
            square = square[:, None] if axis == 0 else square[None, :]
            turn = turn + self.training.variety * amount * square / ((power * square).sum() / power.sum())
        wave: Tensor = torch.fft.ifft2(waves * torch.polar(torch.ones_like(turn), turn))
        return wave / wave.abs().max()

    def _layout(self, generator: torch.Generator) -> tuple[Tensor, tuple[int, int]]:
        """Corners (N, 2) of neighbouring frames, stretched, and the canvas that holds their windows."""
        positions, n = self.experiment.positions_px, self.network.pixels
        chance = torch.rand(2, generator=generator).tolist()
        around = positions[int(chance[0] * len(positions))]
        low, high = (math.log(factor) for factor in self.training.stretch)
        stretch = math.exp(low + chance[1] * (high - low))
        nearest = np.argsort(np.square(positions - around).sum(1), kind="stable")[: self.training.frames]
        corner = np.rint((positions[nearest] - positions[nearest].min(0)) * stretch).astype(int)
        ny, nx = (int(value) + n for value in corner.max(0))
        return torch.from_numpy(corner).to(self.device), (ny, nx)

    def _judge(self, seed: int) -> tuple[Scans, Tensor]:
        return self._scans(self.kept, _JUDGED, torch.Generator().manual_seed(1000 + seed))

    def _mean_error(self, judges: list[tuple[Scans, Tensor]]) -> float:
        flat = middle(self.network.amplitude, self.network.phase_rad)
        return _mean([nrmse(torch.full_like(truth, flat), truth, scans) for scans, truth in judges])

    def _report(self, judges: list[tuple[Scans, Tensor]], losses: list[Tensor]) -> Progress:
        """Judge the network, and keep it where it is better than before."""
        every = torch.stack(losses)
        loss = float(every[torch.isfinite(every)].mean())
        if not math.isfinite(loss):
            raise RunError(f"The training ran away in step {self.step}: take a smaller training.learning_rate.")
        self.layers.eval()
        with torch.no_grad():
            found = [self._found(scans)[-1] for scans, _ in judges]
            error = _mean([nrmse(obj, truth, scans) for obj, (scans, truth) in zip(found, judges)])
        better = error < self.best
        self.stale = 0 if error < _BETTER * self.best else self.stale + 1
        if better:
            self.best, self.best_tensors = error, self._copy()
        scans, truth = judges[0]
        pattern = torch.fft.fftshift(scans.amplitudes[0, 0]).cpu().numpy()
        example = Example(pattern, truth[0].cpu().numpy(), found[0][0].cpu().numpy())
        ended = ""
        if self.share >= 1:
            ended = "steps" if self.training.steps is not None else "time"
        elif self.stale >= self.training.patience:
            ended = "plateau"
        elif self.stopping:
            ended = "stopped"
        return Progress(
            self.step,
            self.seconds,
            min(self.share, 1.0),
            loss,
            error,
            self.mean_error,
            self._rate(),
            example,
            better,
            ended,
        )

    def _copy(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.layers.state_dict().items()}


def _mean(errors: list[Tensor]) -> float:
    return float(torch.cat(errors).mean())


def has_half(device: torch.device) -> bool:
    """Whether a device is faster in half precision: on processors derivatives of convolutions take twice as long."""
    return device.type != "cpu"
