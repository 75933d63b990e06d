"""One run of an experiment, and what the table says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ptychogui.engine.simulate import Recipe, recipes, simulate
from ptychogui.job import Job, Request, snapshots
from ptychogui.presets import preset
from ptychogui.types import Dataset, Result, Scan

_POINTS = 12
_TESTED = Path("natural/bsds500_test")
_PHOTOGRAPHS = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Setting:
    """How an experiment is made: at the paper's size or small, with which folder of photographs and which networks.

    `beside` is the table's file, beside which pictures are written; without it, none are.
    """

    full: bool = False
    images: Path | None = None
    weights: tuple[str, ...] = ()
    beside: Path | None = None

    @property
    def seeds(self) -> range:
        """The seeds of the data."""
        return range(5 if self.full else 1)

    def pair(self, first: str, second: str) -> tuple[str, str] | None:
        """Two photographs of the folder; without a folder, none."""
        return None if self.images is None else (str(self.images / first), str(self.images / second))

    def tested(self, count: int) -> list[tuple[str, str] | None]:
        """Pairs of the photographs that no network is trained on, in a folder beside the other one; or none at all."""
        return list(_pairs(self.images and self.images.parent / _TESTED, count)) or [None] * count

    def standard(self, count: int) -> list[tuple[str, str]]:
        """At most so many pairs of the folder's photographs, all different."""
        return _pairs(self.images, count)


@dataclass(frozen=True)
class Wanted:
    """A quantity of the table, what the paper has for it, and what the project wants."""

    quantity: str
    paper: float | None = None
    goal: float | None = None


@dataclass(frozen=True)
class Row:
    """A line of the table. `curve` has the run's figures on its way, each with its `epoch`; `spread` is the standard
    deviation where `ours` is a mean."""

    experiment: str
    run: str
    quantity: str
    paper: float | None
    goal: float | None
    ours: float
    epochs: int
    seconds: float
    curve: tuple[Mapping[str, float], ...] = ()
    spread: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run has come to: its figures at the end and on its way."""

    result: Result
    curve: tuple[Mapping[str, float], ...]

    @property
    def figures(self) -> dict[str, float]:
        """The figures at the end; `loss` is that of the last epoch."""
        return _figures(self.result)

    def first_below(self, quantity: str, limit: float) -> int | None:
        """The first epoch seen at which a quantity was below a limit."""
        return next((int(point["epoch"]) for point in self.curve if point.get(quantity, limit) < limit), None)


@dataclass(frozen=True)
class Trial:
    """A run: its data, the preset and the fields of the job that differ from it, and what is wanted of it.

    `from_truth` begins with the positions and the distance with which the data were made.
    """

    name: str
    recipe: Recipe
    job: Mapping[str, object]
    wanted: tuple[Wanted, ...]
    preset: str = "default"
    from_truth: bool = False

    def run(self) -> Outcome:
        """Simulate the data and run the job to its end; where nothing is wanted, without figures on the way."""
        dataset = data_of(self.recipe)
        if self.from_truth:
            dataset = _corrected(dataset)
        job = preset(self.preset).apply(Job())
        if self.preset == "default":  # the papers' positions are known, and they have no background
            job = job.with_value("refine.positions.enabled", False).with_value("refine.background.enabled", False)
        for path, value in self.job.items():
            job = job.with_value(path, value)
        return run(job, dataset, points=_POINTS if self.wanted else 0)

    def rows(self, experiment: str, outcome: Outcome) -> Iterator[Row]:
        """The table's lines of an outcome."""
        figures = outcome.figures
        epochs, seconds = len(outcome.result.loss), figures["seconds"]
        for want in self.wanted:
            ours = figures.get(want.quantity, float("nan"))
            yield Row(experiment, self.name, want.quantity, want.paper, want.goal, ours, epochs, seconds, outcome.curve)


def _pairs(folder: Path | None, count: int) -> list[tuple[str, str]]:
    """At most so many pairs of the photographs of a folder, in the order of their names."""
    if folder is None or not folder.is_dir():
        return []
    found = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in _PHOTOGRAPHS)
    return list(zip(found[::2], found[1::2]))[:count]


def recipe(name: str, **values: Any) -> Recipe:
    """A recipe by its name; what is None stays as the recipe has it."""
    return recipes()[name].read({key: value for key, value in values.items() if value is not None})


@lru_cache(maxsize=1)
def data_of(recipe: Recipe) -> Dataset:
    """The data of a recipe; those of the last one are kept, as several runs follow each other on the same data."""
    return simulate(recipe)


def run(job: Job, dataset: Dataset, points: int = _POINTS) -> Outcome:
    """Run a job, and take its figures at the end and as many times on the way."""
    epochs = sum(stage.epochs for stage in job.stages)
    curve: list[dict[str, float]] = []
    loop, request, due = snapshots(job, dataset), None, 1.0
    last: Result | None = None
    while True:
        try:
            item = loop.send(request)
        except StopIteration:
            break
        request = None
        if isinstance(item, Result):
            last = item
            curve.append(_figures(item) | {"epoch": len(item.loss)})
        elif points and not item.ended and len(item.loss) >= due:
            request, due = Request(result=True), len(item.loss) + epochs / points
    assert last is not None
    return Outcome(last, tuple(curve))


def _figures(result: Result) -> dict[str, float]:
    found = {name: float(value) for name, value in result.metrics.items()}
    return found | ({"loss": float(result.loss[-1])} if len(result.loss) else {})


def _corrected(dataset: Dataset) -> Dataset:
    assert dataset.truth is not None
    right = replace(dataset, scan=Scan(dataset.truth.positions_m))
    return right.with_geometry(distance_m=dataset.truth.distance_m)
