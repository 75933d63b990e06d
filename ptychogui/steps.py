"""Good steps and a good batch of a solver, by short runs on a few neighbouring frames.

Kandel et al., Opt. Express 27, 18653 (2019), show such a map of the error over both steps, from whole runs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from ptychogui.engine.start.file import FromFile
from ptychogui.job import Job, Request, iterate, snapshots
from ptychogui.params import Count, Params, RunError
from ptychogui.types import Dataset, Object, Positions, Result, Snapshot, Truth

if TYPE_CHECKING:
    from ptychogui.engine.state import State

_FARTHEST = 10
"""Steps are looked for within a factor of 2 to this power about those of the job."""
_ALIKE = 0.95
"""Losses in this ratio are as good as each other: then the smaller steps are taken, since a whole run is longer."""
_BETTER = 0.9
"""A smaller batch, which takes more time and gains most in so short a run, must bring the loss down to this part."""
_BREAKS_UP = 4
"""Steps of which the double has a loss so many times as large are too near to where the run breaks up."""
_READ = 32


class StepSearch(Params):
    """How the search goes about it."""

    frames: Annotated[Count | None, Field(ge=4)] = None
    """Neighbouring frames, around the middle of the scan, that the short runs use. Unset: an eighth of the scan, but
    24 to 64."""
    epochs: Count | None = None
    """Length of the short runs that judge; a map of the wider surroundings is made with a third of it. The steps
    shrink to the end of each, as those of a whole run do: long runs like smaller steps. Unset: a quarter of the run,
    but 6 to 32."""
    held_out: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """The part of the pixels that the short runs do not see and that judge them, so that noise is not fitted."""
    batches: bool = True
    """Look for the batch, too."""


@dataclass(frozen=True)
class Trial:
    """A short run: its steps, its batch in frames of the whole scan, and how well it foretells what it did not see.

    `loss` is Σ(√I − |Ψ|)² / ΣI over the pixels held out, infinite where the run ran away; `object_nrmse` is the error
    against the truth where the data hold one.
    """

    object_step: float
    probe_step: float
    batch: int
    loss: float
    object_nrmse: float | None
    seconds: float


@dataclass(frozen=True)
class StepMap:
    """The short runs of one length so far, the first being the job's own steps and batch, and the best of them.

    `wide` is the map of shorter runs that told where to look. `share` is the work so far as a part of a whole run's,
    in frames transformed. `ended` is True in the last map.
    """

    solver: str
    epochs: int
    trials: tuple[Trial, ...]
    best: Trial
    share: float
    wide: StepMap | None = None
    ended: bool = False

    @property
    def shown(self) -> tuple[Trial, ...]:
        """The trials of the map: those with the job's own batch."""
        return tuple(trial for trial in self.trials if trial.batch == self.trials[0].batch)

    @property
    def object_steps(self) -> Positions:
        """The object steps (K,) tried, from small to large."""
        return np.unique([trial.object_step for trial in self.shown])

    @property
    def probe_steps(self) -> Positions:
        """The probe steps (L,) tried, from small to large."""
        return np.unique([trial.probe_step for trial in self.shown])

    @property
    def losses(self) -> Positions:
        """The losses (L, K) over probe step and object step, NaN where nothing was tried."""
        return self._map("loss")

    @property
    def object_nrmse(self) -> Positions:
        """The errors (L, K) against the truth, likewise."""
        return self._map("object_nrmse")

    @property
    def settings(self) -> dict[str, float]:
        """What to set of the job's solver, by name; what is to stay as it is, is left out."""
        first = self.trials[0]
        every = ("object_step", "probe_step", "batch")
        return {name: getattr(self.best, name) for name in every if getattr(self.best, name) != getattr(first, name)}

    def _map(self, name: str) -> Positions:
        out = np.full((len(self.probe_steps), len(self.object_steps)), np.nan)
        for trial in self.shown:
            row = np.searchsorted(self.probe_steps, trial.probe_step)
            column = np.searchsorted(self.object_steps, trial.object_step)
            value = getattr(trial, name)
            out[row, column] = np.nan if value is None else value
        return out


def search_steps(
    job: Job, dataset: Dataset, initial: Result | None = None, how: StepSearch | None = None, stage: int = 0
) -> Generator[StepMap, None, None]:
    """Look for the steps and the batch of one stage's solver; yields the map after every short run, `close` to stop.

    `initial` is an earlier result that the run would go on from. Raises `InputError` where job and data do not fit.
    """
    runs = _ShortRuns(job, dataset, initial, how or StepSearch(), stage)
    whole = runs.solver.epochs
    longest = min(runs.how.epochs or min(max(whole // 4, 6), 32), whole)
    wide = _Round(runs, max(1, longest // 3))
    for _ in wide.walk((0, 0), 2, corners=True):
        yield wide.map()
    fine = _Round(runs, longest, wide.map())
    for _ in fine.walk(wide.best, 1, corners=False):
        yield fine.map()
    for _ in fine.walk_batches():
        yield fine.map()
    yield replace(fine.map(), ended=True)


_Place = tuple[int, int]
"""How often both steps are doubled."""


class _Round:
    """Short runs of one length, and where to go on."""

    def __init__(self, runs: _ShortRuns, epochs: int, wide: StepMap | None = None) -> None:
        self.runs, self.epochs, self.wide = runs, epochs, wide
        self.trials: dict[tuple[_Place, int], Trial] = {}

    @property
    def best(self) -> _Place:
        """The steps of the smallest loss, with the batch of the job."""
        return min(self._own, key=lambda place: self._own[place])

    @property
    def steady(self) -> _Place:
        """The smallest steps beside the best that are about as good, none of them next to steps that break up."""
        best, own = self.best, self._own
        near = [place for place in own if max(abs(place[0] - best[0]), abs(place[1] - best[1])) <= 1]
        near = [place for place in near if not self._at_brink(place)] or [best]
        enough = min(own[place] for place in near) / _ALIKE
        return min((place for place in near if own[place] <= enough), key=lambda place: (sum(place), own[place]))

    def _at_brink(self, place: _Place) -> bool:
        own, (i, j) = self._own, place
        return any(own.get(beyond, 0) > _BREAKS_UP * own[place] for beyond in ((i + 1, j), (i, j + 1)))

    @property
    def chosen(self) -> Trial:
        """The trial at the steady steps, or of another batch where that is worth it."""
        own = self.trials[self.steady, self.runs.batch]
        larger = [t for t in self.trials.values() if t.batch > own.batch and t.loss <= own.loss]
        smaller = [t for t in self.trials.values() if t.batch < own.batch and t.loss <= own.loss * _BETTER]
        every = larger or smaller or [own]
        return min(every, key=lambda trial: trial.loss)

    @property
    def _own(self) -> dict[_Place, float]:
        """The losses with the batch of the job."""
        return {place: trial.loss for (place, batch), trial in self.trials.items() if batch == self.runs.batch}

    def map(self) -> StepMap:
        """What there is."""
        done = len(self.trials) * self.runs.share(self.epochs) + (self.wide.share if self.wide else 0)
        return StepMap(self.runs.solver.kind, self.epochs, tuple(self.trials.values()), self.chosen, done, self.wide)

    def walk(self, middle: _Place, stride: int, corners: bool) -> Iterator[None]:
        """Try the job's own steps and what lies around the middle, until the best lies in the middle."""
        yield from self._tried((0, 0), self.runs.batch)
        while True:
            for i in (0, -stride, stride):
                for j in (0, -stride, stride):
                    if corners or not (i and j):
                        yield from self._tried((middle[0] + i, middle[1] + j), self.runs.batch)
            if self.best == middle or max(map(abs, self.best)) >= _FARTHEST:
                return
            middle = self.best

    def walk_batches(self) -> Iterator[None]:
        """Try half and twice the batch with the best steps and with ones as much smaller or larger."""
        if not self.runs.how.batches or self.runs.solver.together:
            return
        i, j = self.steady
        for power in (-1, 1):
            batch = round(self.runs.batch * 2.0**power)
            if self.runs.frames_of(batch) != self.runs.frames_of(self.runs.batch):
                yield from self._tried((i, j), batch)
                yield from self._tried((i + power, j + power), batch)

    def _tried(self, place: _Place, batch: int) -> Iterator[None]:
        if (place, batch) not in self.trials:
            self.trials[place, batch] = self.runs.trial(place, batch, self.epochs)
            yield


class _ShortRuns:
    """Short runs on a few frames, all from the same start and judged by the same pixels."""

    def __init__(self, job: Job, dataset: Dataset, initial: Result | None, how: StepSearch, stage: int) -> None:
        from ptychogui.engine.device import device_of
        from ptychogui.engine.problem import problem

        self.job, self.how, self.solver, self.scan_frames = job, how, job.stages[stage], len(dataset.scan)
        self.batch = self.solver.batch_size(self.scan_frames)
        count = how.frames or min(max(self.scan_frames // 8, 24), 64)
        few, known = _neighbours(dataset, _known(job, initial), count)
        self.seen, unseen = _held_out(few, how.held_out, job.seed)
        self.judge = problem(unseen, job.model, device_of(job.device), room_px=job.refine.margin_px)
        loop = snapshots(job, few, initial=known)
        while isinstance(item := next(loop), Snapshot) and item.doing:
            pass
        begun = loop.send(Request(result=True))
        loop.close()
        assert isinstance(begun, Result)
        self.begun = begun

    def share(self, epochs: int) -> float:
        """The work of a short run as a part of a whole run's."""
        return epochs * len(self.seen.scan) / (self.solver.epochs * self.scan_frames)

    def frames_of(self, batch: int) -> int:
        """The batch of a short run: as many steps in an epoch as the whole scan would have."""
        return min(max(1, round(batch * len(self.seen.scan) / self.scan_frames)), len(self.seen.scan))

    def trial(self, place: _Place, batch: int, epochs: int) -> Trial:
        """Run, and judge the end."""
        object_step, probe_step = self.solver.object_step * 2.0 ** place[0], self.solver.probe_step * 2.0 ** place[1]
        changes = {
            "object_step": object_step,
            "probe_step": probe_step,
            "batch": self.frames_of(batch),
            "epochs": epochs,
            "probe_start": min(self.solver.probe_start, epochs // 4),
        }
        job = self.job.model_copy(update={"solver": self.solver.model_copy(update=changes), "start": FromFile()})
        begun, loss, error = time.perf_counter(), math.inf, None
        with suppress(RunError):  # it ran away
            *_, last = iterate(job, self.seen, self.begun)
            loss = self._loss(last.level.fine)
            error = self._error(last.level.fine) if loss < 1 else None  # a model of no counts at all has the loss 1
        return Trial(object_step, probe_step, batch, loss, error, time.perf_counter() - begun)

    def _loss(self, state: State) -> float:
        """Σ(√I − |Ψ|)² / ΣI over the pixels held out."""
        import torch

        loss, total = self.judge.loss("amplitude"), 0.0
        with torch.no_grad():
            for index in torch.split(torch.arange(len(self.judge), device=self.judge.device), _READ):
                _, waves = self.judge.waves(state, index)
                counts = self.judge.counts_of(state, waves, index)
                total += float(loss.value(counts, self.judge.amplitude(index), self.judge.weight(index)))
        return total / self.judge.counts if math.isfinite(total) else math.inf

    def _error(self, state: State) -> float | None:
        """The object's error against the truth."""
        from ptychogui.engine.truth import object_nrmse

        truth = self.seen.truth
        if truth is None:
            return None
        obj = Object(state.obj.cpu().numpy(), self.begun.obj.pixel_m, state.origin_m)
        return object_nrmse(obj, truth.obj, truth.support)


def _known(job: Job, initial: Result | None) -> Result | None:
    """The result that the job goes on from."""
    from ptychogui import io

    if initial is None and isinstance(job.start, FromFile) and job.start.path:
        return io.read_result(job.start.path)
    return initial


def _neighbours(dataset: Dataset, initial: Result | None, count: int) -> tuple[Dataset, Result | None]:
    """The frames around the middle of the scan, in memory, with what is known of them."""
    places = dataset.scan.positions_m
    away = np.abs(places - np.median(places, 0)).max(1)
    chosen = np.sort(np.argsort(away, kind="stable")[:count])
    scan = replace(dataset.scan, positions_m=places[chosen], angle_rad=None)
    truth = dataset.truth
    if truth is not None:
        truth = _around(truth, truth.positions_m[chosen])
    if initial is not None and len(initial.scan) == len(dataset.scan):
        kept = replace(initial.scan, positions_m=initial.scan.positions_m[chosen], angle_rad=None)
        initial = replace(initial, scan=kept, nominal_m=initial.nominal_m[chosen])
    frames = np.asarray(dataset.frames[chosen], np.float32)
    return replace(dataset, frames=frames, scan=scan, truth=truth), initial


def _around(truth: Truth, positions_m: Positions) -> Truth:
    """A truth that counts between these positions only."""
    rows, columns = (
        (at := origin + np.arange(n) * pixel, (at >= low) & (at <= high))[1]
        for origin, n, pixel, low, high in zip(
            truth.obj.origin_m, truth.support.shape, truth.obj.pixel_m, positions_m.min(0), positions_m.max(0)
        )
    )
    return replace(truth, positions_m=positions_m, support=truth.support & rows[:, None] & columns)


def _held_out(dataset: Dataset, part: float, seed: int) -> tuple[Dataset, Dataset]:
    """The dataset without a random part of its valid pixels, and with nothing but these; at least one of a frame."""
    frames = np.asarray(dataset.frames)
    chance = np.random.default_rng(seed).random(frames.shape)
    chance[~(np.isfinite(frames) & dataset.mask)] = 1
    held = (chance < part) | (chance == chance.min((1, 2), keepdims=True))
    return (
        replace(dataset, frames=np.where(held, np.float32(np.nan), frames)),
        replace(dataset, frames=np.where(held, frames, np.float32(np.nan))),
    )
