"""The real Siemens star with every third, fifth and eighth frame only: the start of a network against a flat one."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ptychogui import io
from ptychogui.bench.papers import curves
from ptychogui.bench.papers.begun import Followed, fitting, follow
from ptychogui.bench.papers.ptychonet import NAME
from ptychogui.bench.papers.trial import Row, Setting
from ptychogui.comparison import Comparison, compare
from ptychogui.engine import report
from ptychogui.engine.constraints import Constraints
from ptychogui.engine.device import device_of
from ptychogui.engine.frc import correlated
from ptychogui.engine.metrics import r_factor
from ptychogui.engine.models.thin import Thin
from ptychogui.engine.problem import Problem, problem
from ptychogui.engine.solvers.adam import Adam
from ptychogui.engine.solvers.base import Plan, Solver
from ptychogui.engine.solvers.dm import DM
from ptychogui.engine.solvers.lbfgs import LBFGS
from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.ptychonet import FromNetwork
from ptychogui.engine.state import State
from ptychogui.engine.stopping import copied
from ptychogui.frc import well_lit
from ptychogui.io.data import Data
from ptychogui.io.figure import Figure, write_png
from ptychogui.io.picture import percentile_range
from ptychogui.job import Job, run
from ptychogui.types import Dataset, Mask, Result

_log = logging.getLogger(__name__)

SCAN = Path("../shared/data/siemens.npz.bz2")
_EVERY = (3, 5, 8)
_ORDINAL = {3: "rd"}
_QUANTITIES = ("left_out_r_factor", "nrmse", "ssim_phase", "frc_mean")
_GAP_PX = 6


def rows(setting: Setting, weights: Sequence[str]) -> Iterator[Row]:
    """Judged by the frames that no run has seen, and by the reconstruction from all frames.

    Positions and the probe to begin with are those of the reconstruction from all frames, so that object and start are
    what differs; the probe is refined, positions and background are not.
    """
    if not SCAN.is_file():
        _log.warning("There is no %s, so the table is without the real scan.", SCAN)
        return
    scan = io.read(Data(path=str(SCAN)))
    epochs = 100 if setting.full else 20
    whole = run(Job().with_value("solver.epochs", epochs), scan)
    yield Row(
        NAME,
        "siemens, all frames",
        "r_factor",
        None,
        None,
        whole.metrics["r_factor"],
        epochs,
        whole.metrics["seconds"],
    )
    stages: dict[str, tuple[Solver, ...]] = {
        "adam": (Adam(epochs=epochs),),
        "dm+lbfgs": (DM(epochs=round(0.8 * epochs)), LBFGS(epochs=round(0.2 * epochs))),
    }
    for every in _EVERY:
        yield from _of(Thinned(scan, whole, every), stages, weights, setting)


@dataclass
class Thinned:
    """Every so many frames of a scan, and the others as a judge, beside the result `whole` of all of them."""

    scan: Dataset
    whole: Result
    every: int

    def __post_init__(self) -> None:
        index = np.arange(0, len(self.scan.scan), self.every)
        better = replace(self.scan, scan=self.whole.scan, probe=self.whole.probe.modes)
        self.dataset = better.part(index)
        self.problem: Problem = problem(self.dataset, Thin(), device_of("auto"))
        place = self.whole.scan.positions_m / self.whole.obj.pixel_m
        corner = place - np.array(self.problem.window) // 2 - np.array(self.flat.origin_m) / self.whole.obj.pixel_m
        room = np.array(self.flat.obj.shape[-2:]) - self.problem.window
        others = np.setdiff1d(np.flatnonzero(((corner >= 0) & (corner <= room)).all(1)), index)
        self.others: Problem = problem(better.part(others), Thin(), self.problem.device)
        self.corner: NDArray[np.float64] = corner[others]

    @cached_property
    def flat(self) -> State:
        """The probe of the whole scan, and an object that is one everywhere."""
        return self._begun(FromData(find_defocus=False))

    def by_network(self, weights: str) -> State:
        """The same probe, and what a network sees. Raises `InputError` where it cannot be given these patterns."""
        return self._begun(FromNetwork(weights=weights, find_defocus=False))

    def left_out(self, state: State) -> dict[str, float]:
        """The R-factor of the frames that were left out."""
        place = torch.from_numpy(self.corner).to(state.position_px)
        return {"left_out_r_factor": r_factor(self.others, State.at(state.obj, state.probe, place, state.origin_m))}

    def judged(self, state: State) -> dict[str, float]:
        """All figures; the ring correlation as its mean over all rings, which is 1 where both are the same."""
        found, result = self.beside(state), self._result(state)
        rings = correlated(self.whole.obj, result.obj, self._area).frc
        more = {"nrmse": found.nrmse, "ssim_phase": found.ssim_phase, "frc_mean": float(rings.mean())}
        return self.left_out(state) | more

    def beside(self, state: State) -> Comparison:
        """A state over the result of all frames."""
        return compare(self.whole, self._result(state))

    @cached_property
    def _area(self) -> Mask:
        return well_lit(self.whole)

    def _result(self, state: State) -> Result:
        nothing = np.zeros(0, np.float32)
        return report.result(self.problem, state, self.dataset, nothing, "", {}, 0.0, measured=False)

    def _begun(self, start: FromData | FromNetwork) -> State:
        *_, (state, *_) = start.guesses(self.problem, self.dataset, None, 0)
        return state


def _of(
    thinned: Thinned, stages: Mapping[str, tuple[Solver, ...]], weights: Sequence[str], setting: Setting
) -> Iterator[Row]:
    """The rows of one thinned scan; a network shall be better than the flat start."""
    label = f"siemens, every {thinned.every}{_ORDINAL.get(thinned.every, 'th')}"
    cards, why = fitting(weights, thinned.problem, thinned.flat)
    for reason in why:
        _log.warning("%s: left out. %s", label, reason)
    states = {"flat": thinned.flat}
    for name in cards:
        begun = time.perf_counter()
        states[f"network {Path(name).stem}"] = state = thinned.by_network(name)
        seconds = time.perf_counter() - begun
        alone = Followed(thinned.judged(state), (), 0, seconds)
        yield from _rows(f"{label}, network {Path(name).stem}", alone, {})
    for solver, chosen in stages.items():
        ended = {start: copied(state) for start, state in states.items()}
        runs = {
            start: follow(thinned.problem, state, Plan(chosen, Constraints()), thinned.left_out, thinned.judged)
            for start, state in ended.items()
        }
        for start, outcome in runs.items():
            goals = {} if start == "flat" else runs["flat"].figures
            yield from _rows(f"{label}, {solver} from {start}", outcome, goals)
        if setting.beside is not None:
            path = setting.beside.with_name(f"{setting.beside.stem}-siemens-{thinned.every}-{solver}")
            seen = {start: thinned.beside(state) for start, state in ended.items()}
            write_png(_pictures(seen, f"{label}, {solver}"), path.with_suffix(".png"))
            drawn = {"flat start" if start == "flat" else start: outcome.curve for start, outcome in runs.items()}
            up = "R of the frames left out"
            curves.write_svg(drawn, "left_out_r_factor", f"{label}, {solver}", up, path.with_suffix(".svg"))


def _rows(name: str, found: Followed, goals: Mapping[str, float]) -> Iterator[Row]:
    for quantity in _QUANTITIES:
        ours = found.figures[quantity]
        yield Row(NAME, name, quantity, None, goals.get(quantity), ours, found.epochs, found.seconds, found.curve)


def _pictures(seen: Mapping[str, Comparison], title: str) -> Figure:
    """Phases beside each other: of all frames, and from every start, in the range of the first."""
    first = next(iter(seen.values()))
    wanted = np.angle(first.first)
    low, high = percentile_range(wanted[first.support])
    shown = []
    for phase in (wanted, *(wanted + one.phase_difference for one in seen.values())):
        shown += [np.clip((phase - low) / (high - low), 0, 1), np.ones((len(phase), _GAP_PX))]
    grey = (255 * np.concatenate(shown[:-1], axis=1)).astype(np.uint8)
    bar = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    ends = f"{low:.3g}".replace("-", "−"), f"{high:.3g} rad".replace("-", "−")
    words = f"{title}: all frames | {' | '.join(f'from {name}' for name in seen)}"
    return Figure("phase", words, np.repeat(grey[..., None], 3, axis=-1), first.pixel_m, False, bar, ends)
