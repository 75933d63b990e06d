"""A training job: everything that makes a network from an experiment, and the file that it becomes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import tomli_w

from ptychogui.engine.learn import AnyNetwork
from ptychogui.engine.learn.training import Training
from ptychogui.engine.learn.unrolled import Unrolled
from ptychogui.engine.start import AnyStart
from ptychogui.engine.start.data import FromData
from ptychogui.io.data import Data
from ptychogui.params import FILE, WEIGHTS, InputError, Params

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.learn.experiment import Experiment
    from ptychogui.engine.learn.trainer import Progress, Trainer
    from ptychogui.engine.learn.weights import Weights
    from ptychogui.types import Dataset, Result


P = TypeVar("P", bound=Params)


class TrainJob(Params):
    """The experiment, the network, and how it is trained."""

    version: Literal[1] = 1
    data: Data = Data()
    """The scan whose probe, positions and counts the network is trained for, or a result of one."""
    start: AnyStart = FromData()
    """Where the probe comes from, unless a result is given."""
    network: AnyNetwork = Unrolled()
    """The architecture; that of `begin` where this is given, but for what is set here."""
    training: Training = Training()
    """Samples, loss and time."""
    begin: Annotated[str, FILE, WEIGHTS] = ""
    """Weights to begin with, which are fine-tuned to this experiment, or a checkpoint to go on from, in the way that it
    was trained but for what is set here."""
    device: str = "auto"
    """Where to train: auto (a graphics card where there is one), cpu, cuda:0."""

    def toml(self) -> str:
        """The job as a TOML text."""
        return tomli_w.dumps(self.plain())

    @classmethod
    def from_toml(cls, text: str) -> TrainJob:
        """Read a job. Raises `InputError` with one sentence where the text or a value is wrong."""
        try:
            return cls.read(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"The job is not valid TOML: {error}.") from error


@dataclass(frozen=True)
class Told:
    """What a card tells of a training beside its job: the file of the experiment, the pictures, and the command."""

    source: str
    images: str
    command: str


class Lesson:
    """A training job at work: what it says on its way, and its weights at any time."""

    def __init__(self, job: TrainJob, experiment: Experiment, trainer: Trainer, told: Told) -> None:
        self.job, self.experiment, self.trainer, self._told = job, experiment, trainer, told

    def run(self) -> Iterator[Progress]:
        """Train; the last report says why it ended."""
        return self.trainer.run()

    def weights(self, *, checkpoint: bool = False) -> Weights:
        """The best weights so far with their card; a checkpoint has the last ones, and what goes on from them."""
        from ptychogui.engine.learn.card import Card
        from ptychogui.engine.learn.weights import Weights

        trainer = self.trainer
        training = self.job.training
        if not checkpoint:  # where the folder lay on this machine tells nobody else anything
            training = training.model_copy(update={"images": Path(training.images).name})
        card = Card(
            network=self.job.network,
            training=training,
            pixel_m=self.experiment.pixel_m,
            counts=self.experiment.counts,
            source=Path(self._told.source).name,
            images=self._told.images,
            command=self._told.command,
            program=f"ptychogui {version('ptychogui')}",
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            device=str(trainer.device),
            steps=max(trainer.step, 1),
            seconds=round(trainer.seconds, 1),
            error=trainer.best if trainer.best_tensors else 0.0,
            mean_error=trainer.mean_error,
        )
        tensors, resume = trainer.tensors(), dict[str, "Tensor"]()
        if checkpoint:
            tensors, resume = trainer.checkpoint(), trainer.resume()
        return Weights(card, self.experiment.probe, tensors, resume)

    def save(self, path: Path, *, checkpoint: bool = False) -> None:
        """Write the weights to a file, which is either whole or untouched. Raises `InputError` where it cannot be."""
        from ptychogui.engine.learn.weights import save
        from ptychogui.io.files import replacing

        with replacing(path) as temporary:
            save(self.weights(checkpoint=checkpoint), temporary, half=not checkpoint)


def lesson(job: TrainJob, source: Dataset | Result, command: str = "") -> Lesson:
    """A training job, ready to begin. Raises `InputError` where it and the scan or the result do not fit."""
    *_, ready = prepared(job, source, command)
    assert isinstance(ready, Lesson)
    return ready


def prepared(job: TrainJob, source: Dataset | Result, command: str = "") -> Iterator[str | Lesson]:
    """What is done to prepare a lesson, and at last the lesson. Raises `InputError` where it cannot be."""
    from ptychogui.engine.device import device_of
    from ptychogui.engine.learn.pictures import from_folder, made
    from ptychogui.engine.learn.shipped import load
    from ptychogui.engine.learn.trainer import Trainer
    from ptychogui.types import Dataset

    begin = load(job.begin) if job.begin else None
    if begin is not None:
        training = _but_for(job.training, begin.card.training) if begin.resume else job.training
        job = job.model_copy(update={"network": _network(begin.card.network, job.network), "training": training})
        command = "\n".join(one for one in (begin.card.command, command) if one)
    if isinstance(source, Dataset):
        name = source.source
        for found in _of_dataset(source, job):
            if isinstance(found, str):
                yield found
    else:
        name, found = source.provenance.get("data", ""), _of_result(source, job.network.pixels)
    assert not isinstance(found, str)
    images = job.training.images
    yield f"Reading the photographs of {images}…" if images else f"Making {job.training.made} pictures…"
    pictures = from_folder(Path(images)) if images else made(job.training.made, job.training.seed)
    said = f"{len(pictures)} pictures {f'of {Path(images).name}' if images else 'made by formula'}"
    trainer = Trainer(job.network, job.training, found, pictures, device_of(job.device))
    if begin is not None:
        trainer.begin_with(begin)
    yield Lesson(job, found, trainer, Told(name, said, command))


def source_of(data: Data) -> Dataset | Result:
    """The scan, or the result, that the path of a training job names."""
    from ptychogui import io

    return io.read_result(data.path) if io.is_result(data.path) else io.read(data)


def _of_dataset(dataset: Dataset, job: TrainJob) -> Iterator[str | Experiment]:
    """What is done to find the probe of a scan, and at last the experiment."""
    import torch

    from ptychogui.engine.learn.experiment import experiment
    from ptychogui.engine.models.thin import Thin
    from ptychogui.engine.problem import problem

    _check_size(dataset.geometry.shape, job.network.pixels)
    yield "Looking at the scan…"
    posed = problem(dataset, Thin(), torch.device("cpu"))
    for guess in job.start.guesses(posed, dataset, None, job.training.seed):
        if guess.doing:
            yield guess.doing
    found = experiment(posed, guess.state, job.network.pixels)
    # a start gives the probe the mean counts of the frames, which the samples have dimmed
    yield replace(found, counts=found.counts / job.network.transmission)


def _of_result(result: Result, pixels: int) -> Experiment:
    import numpy as np
    import torch

    from ptychogui.engine.learn.experiment import of_probe

    if result.geometry.field == "near":
        raise InputError("A network sees far-field patterns only, and this result is of the near field.")
    _check_size(result.probe.modes.shape[-2:], pixels)
    positions_px = result.scan.positions_m / np.array(result.obj.pixel_m)
    return of_probe(torch.from_numpy(result.probe.modes), positions_px, result.obj.pixel_m, pixels)


def _network(before: AnyNetwork, said: AnyNetwork) -> AnyNetwork:
    """The network of weights to begin with, with what is now said to be otherwise than by default.

    Raises `InputError` where another kind of network is asked for.
    """
    if said.kind == before.kind:
        return _but_for(said, before)
    if said == TrainJob().network:
        return before
    raise InputError(f"The weights to begin with are of the kind {before.kind}, not {said.kind}: leave network.kind.")


def _but_for(said: P, before: P) -> P:
    """The parameters of before, with what is now said to be otherwise than by default."""
    usual = type(said)().plain()
    return type(said).read(before.plain() | {name: x for name, x in said.plain().items() if x != usual.get(name)})


def _check_size(shape: tuple[int, ...], pixels: int) -> None:
    """Raise `InputError` where a network could not be given the patterns (ny, nx) for which it is trained."""
    if min(shape) < pixels:
        raise InputError(
            f"The patterns have {shape[0]} × {shape[1]} pixels and the network takes {pixels} × {pixels}: set "
            "network.pixels to a power of two that is not larger than they are."
        )
