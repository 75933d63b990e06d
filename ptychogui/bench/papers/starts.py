"""Runs on the same samples from every start, and what they come to on the mean."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ptychogui.bench.papers import curves
from ptychogui.bench.papers.begun import Followed, Known, Sample, fitting
from ptychogui.bench.papers.ptychonet import NAME
from ptychogui.bench.papers.trial import Row, Setting
from ptychogui.engine.learn.card import Card
from ptychogui.engine.solvers.base import Solver

LIT = ("lit_amplitude_nrmse", "lit_phase_nrmse")

_log = logging.getLogger(__name__)

Pair = tuple[float, float]


def _unknown(solver: str, start: str, card: Card | None) -> Mapping[str, float]:
    return {}


@dataclass
class Table:
    """Runs on the same `samples` from every start by every solver, and the means of their `quantities` as rows.

    `goal` is what is wanted of a solver's error over the lit part, behind a network: the part of the network's, and of
    the same solver's from the flat start. `paper` gives the paper's figures for a solver, "" for a network
    alone, a start, and the card where this is a network.
    """

    label: str
    samples: Sequence[Sample]
    weights: Sequence[str]
    solvers: Mapping[str, tuple[Solver, ...]]
    quantities: Sequence[str]
    goal: float | None = None
    paper: Callable[[str, str, Card | None], Mapping[str, float]] = _unknown
    starts: Sequence[str] = ("flat", "random")
    cards: dict[str, Card] = field(default_factory=dict)
    runs: dict[tuple[str, str], list[Followed]] = field(default_factory=dict)

    def rows(self, setting: Setting) -> Iterator[Row]:
        """Make the runs, and then their rows; beside a table that is written, a picture of their curves."""
        for number, sample in enumerate(self.samples):
            known = Known(sample)
            if not number:
                self.cards, why = fitting(self.weights, known.problem, known.flat)
                for reason in why:
                    _log.warning("%s: left out. %s", self.label, reason)
            self._run(known, number)
        if setting.beside is not None:
            self._draw(setting.beside)
        for (solver, start), runs in self.runs.items():
            card = self.cards.get(start)
            named = f"network {Path(start).stem}" if card else start
            name = f"{self.label}, {f'{solver} from {named}' if solver else named}"
            paper, curve = self.paper(solver, start, card), _mean_curve(runs)
            seconds = float(np.mean([run.seconds for run in runs]))
            for quantity in self.quantities:
                ours, spread = self._mean(solver, start, quantity)
                goal = self._goal(solver, start, quantity, paper.get(quantity))
                yield Row(NAME, name, quantity, paper.get(quantity), goal, ours, runs[0].epochs, seconds, curve, spread)

    def _run(self, known: Known, seed: int) -> None:
        """All runs on one sample."""
        begun = {"flat": known.flat, "random": known.random(seed)}
        states = {start: begun[start] for start in self.starts}
        for name in self.cards:
            states[name], alone = known.by_network(name)
            self._keep("", name, alone)
        for solver, stages in self.solvers.items():
            for start, state in states.items():
                self._keep(solver, start, known.follow(state, stages))

    def _keep(self, solver: str, start: str, run: Followed) -> None:
        self.runs.setdefault((solver, start), []).append(run)

    def _mean(self, solver: str, start: str, quantity: str) -> Pair:
        """Mean and standard deviation over the samples."""
        values = [run.figures[quantity] for run in self.runs[solver, start]]
        return float(np.mean(values)), float(np.std(values))

    def _goal(self, solver: str, start: str, quantity: str, paper: float | None) -> float | None:
        """A network alone shall be better than the papers', and a solver behind it than either without the other."""
        if start not in self.cards:
            return None
        if not solver:
            return paper
        if self.goal is None or quantity not in LIT:
            return None
        return self.goal * min(self._mean("", start, quantity)[0], self._mean(solver, "flat", quantity)[0])

    def _draw(self, beside: Path) -> None:
        """The curves of every solver, as in figure 3 of Guan & Tsai."""
        for solver in self.solvers:
            drawn = {
                f"network {Path(start).stem}" if start in self.cards else f"{start} start": _mean_curve(runs)
                for (one, start), runs in self.runs.items()
                if one == solver
            }
            stem = f"{beside.stem}-{self.label}-{solver}".replace(", ", "-").replace(" ", "-")
            title = f"{self.label}, {solver}"
            curves.write_svg(drawn, "lit_nrmse", title, "error over the lit part", beside.with_name(f"{stem}.svg"))


def _mean_curve(runs: Sequence[Followed]) -> tuple[dict[str, float], ...]:
    """The mean of curves, which have the same epochs."""
    points = zip(*(run.curve for run in runs), strict=True)
    return tuple({name: float(np.mean([point[name] for point in here])) for name in here[0]} for here in points)
