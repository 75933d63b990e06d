"""A training beside the window: its reports with their curves, and its best weights kept on the way."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ptychogui.io import places
from ptychogui.reproduce import training_command
from ptychogui.train import Lesson, TrainJob, prepared
from ptychogui.types import Dataset, Result

if TYPE_CHECKING:
    from ptychogui.engine.learn.trainer import Example, Progress

SUFFIX = ".safetensors"


def folder() -> Path:
    """Where the networks of a person are kept; it may not be there yet."""
    return places.config_folder() / "networks"


@dataclass(frozen=True)
class Taught:
    """How far a training is: its latest report, the curves up to it, and where its best weights are kept."""

    doing: str
    progress: Progress | None = None
    steps: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()
    kept: Path | None = None

    def later(self, progress: Progress) -> Taught:
        """The same with one more report, whose example has the phase of its truth."""
        return replace(
            self,
            doing="",
            progress=replace(progress, example=_alike(progress.example)),
            steps=(*self.steps, progress.step),
            losses=(*self.losses, progress.loss),
            errors=(*self.errors, progress.error),
        )


class Course:
    """One training; what `run` and `go_on` give is gone through in a thread, all else is called from anywhere."""

    def __init__(self, job: TrainJob, source: Dataset | Result, name: str) -> None:
        self.job, self._source, self._name = job, source, name
        self.lesson: Lesson | None = None
        self._stopping = False
        self._taught = Taught("Looking at the experiment and its pictures…")

    def stop(self) -> None:
        """End after the step at work."""
        self._stopping = True
        if self.lesson is not None:
            self.lesson.trainer.stopping = True

    @property
    def share(self) -> float:
        """The part of the training that is over."""
        return min(self.lesson.trainer.share, 1.0) if self.lesson is not None else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until it ends, if it goes on as so far; None before the first step."""
        if self.lesson is None or self.share <= 0:
            return None
        return self.lesson.trainer.seconds * (1 - self.share) / self.share

    def run(self) -> Generator[Taught, None, None]:
        """Train, and keep the weights whenever they are better than before and than the mean of all samples.

        Raises `InputError` where job and experiment do not fit, and `RunError` where the training runs away.
        """
        taught = self._taught
        yield taught
        for item in prepared(self.job, self._source, training_command(self.job, self._name + SUFFIX)):
            if self._stopping:
                return
            if isinstance(item, str):
                yield replace(taught, doing=item)
            else:
                self.lesson = item
                yield replace(taught, doing="The first steps…")
                yield from self._train(taught, item)

    def go_on(self) -> Generator[Taught, None, None]:
        """What takes a training that was stopped up again, as if it had not been; from now on it may be stopped."""
        assert self.lesson is not None
        self._stopping = self.lesson.trainer.stopping = False
        return self._train(self._taught, self.lesson)

    def _train(self, taught: Taught, lesson: Lesson) -> Generator[Taught, None, None]:
        for progress in lesson.run():
            taught = taught.later(progress)
            if (progress.better or progress.ended) and lesson.trainer.best < progress.mean_error:
                taught = replace(taught, kept=taught.kept or _free(self._name))
                self.keep(taught.kept)
            self._taught = taught
            yield taught

    def keep(self, path: Path | None = None) -> Path:
        """Write the best weights so far into a file, or into the folder of networks; returns the file.

        Raises `InputError` where it cannot be written.
        """
        assert self.lesson is not None
        path = path or _free(self._name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lesson.save(path)
        return path


def _free(name: str) -> Path:
    """A name in the folder of networks that replaces no file."""
    path, number = folder() / f"{name}{SUFFIX}", 2
    while path.exists():
        path, number = folder() / f"{name}-{number}{SUFFIX}", number + 1
    return path


def _alike(example: Example) -> Example:
    """The example with what was found turned by the one phase that no pattern tells."""
    turn = np.angle(np.vdot(example.found, example.truth))
    return replace(example, found=example.found * np.complex64(np.exp(1j * turn)))
