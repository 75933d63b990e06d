"""`ptychogui train`: a network learns an experiment."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptychogui.cli.arguments import Commands, add_command, add_set, text_of, told_of
from ptychogui.params import InputError, parse_setting

if TYPE_CHECKING:
    from tqdm import tqdm

    from ptychogui.train import Lesson, TrainJob


def add(commands: Commands) -> None:
    """The parser of this command."""
    train = add_command(commands, "train", _train, "Train a network for an experiment, as a start of its scans.")
    train.add_argument("file", nargs="?", help="a scan or a result: its probe, positions and counts are trained for")
    train.add_argument("-o", "--output", metavar="W.safetensors", help="where the weights are written")
    train.add_argument("--list", action="store_true", help="list the networks that come with the program")
    train.add_argument("--show", metavar="W.safetensors", help="print the card of a file of weights")
    train.add_argument("--job", metavar="J.toml", help="a training job to begin with")
    train.add_argument("--network", metavar="KIND", help="one of " + ", ".join(_kinds()))
    train.add_argument("--images", metavar="DIR", help="folder of photographs; without it, pictures made by formula")
    train.add_argument("--minutes", metavar="N", type=float, help="how long; 10 unless said")
    train.add_argument(
        "--from", dest="begin", metavar="W.safetensors", help="fine-tune these, or go on from a checkpoint"
    )
    train.add_argument("--device", help="auto, cpu or cuda:0")
    train.add_argument("--json", action="store_true", help="print the card's figures as one line of JSON")
    add_set(train, "network.width=32 or training.loss=dse")
    train.epilog = _parameters()


def _kinds() -> list[str]:
    from ptychogui.engine.learn import AnyNetwork
    from ptychogui.params import members

    return sorted(members(AnyNetwork))


def _parameters() -> str:
    """Every parameter of a training job with its help, made from the declarations."""
    from ptychogui.params import described
    from ptychogui.train import TrainJob

    lines = ["parameters for --set (PATH, default, help):"]
    for path, default, text in described(TrainJob):
        if path.startswith(("network", "training", "begin")):
            lines.append(f"  {path} = {default}")
            lines += [f"      {line.strip()}" for line in text.splitlines()]
    return "\n".join(lines)


def _train(options: argparse.Namespace) -> int:
    from ptychogui.engine.learn.shipped import path_of, shipped
    from ptychogui.engine.learn.weights import SUFFIX, card_of

    if options.list:
        for name, card in shipped().items():
            print(f"{name:<24}{card.network.kind}, {card.network.pixels} px, error {card.error:.3f}, {card.images}")
        return 0
    if options.show:
        print(card_of(path_of(options.show)).toml(), end="")
        return 0
    if not options.file or not options.output:
        raise InputError("Name a scan and an output, as `train scan.cxi -o network.safetensors`; --help tells more.")
    output = Path(options.output)
    if output.suffix != SUFFIX:
        raise InputError(f"{output} is no place for weights: give a file that ends in {SUFFIX}.")
    command = shlex.join(["ptychogui", *options.arguments])
    return _learn(_job(options), output, command, as_json=options.json)


def _job(options: argparse.Namespace) -> TrainJob:
    from ptychogui.train import TrainJob

    job = TrainJob()
    if options.job:
        with told_of(options.job):
            job = TrainJob.from_toml(text_of(options.job))
    settings = [("network.kind", options.network), ("begin", options.begin), ("device", options.device)]
    if options.images:
        settings.append(("training.images", str(Path(options.images).expanduser().absolute())))
    if options.minutes is not None:
        settings.append(("training.seconds", 60.0 * options.minutes))
    settings += [parse_setting(setting) for setting in options.set]
    for path, value in settings:
        if value is not None:
            job = job.with_value(path, value)
    return job.with_value("data.path", str(Path(options.file).expanduser().absolute()))


def _learn(job: TrainJob, output: Path, command: str, *, as_json: bool) -> int:
    from tqdm import tqdm

    from ptychogui.io.files import check_writable
    from ptychogui.train import Lesson, prepared, source_of

    check_writable(output)
    checkpoint = output.with_name(f"{output.stem}.checkpoint{output.suffix}")
    with tqdm(total=100, unit="%", disable=not sys.stderr.isatty()) as bar:
        for item in prepared(job, source_of(job.data), command):
            if isinstance(item, Lesson):
                lesson = item
            else:
                bar.set_postfix_str(item)
        ended = _followed(lesson, checkpoint, bar)
    lesson.save(output)
    if ended != "stopped":
        checkpoint.unlink(missing_ok=True)
    card = lesson.weights().card
    if as_json:
        names = ("steps", "seconds", "error", "mean_error", "device", "images")
        print(json.dumps({name: getattr(card, name) for name in names} | {"ended": ended}))
    else:
        print(f"{output}: {card.steps} steps, error {card.error:.4g}, of the mean of all samples {card.mean_error:.4g}")
    return 130 if ended == "stopped" else 0


def _followed(lesson: Lesson, checkpoint: Path, bar: tqdm[Any]) -> str:
    """Train, with a checkpoint after every report; Ctrl-C stops. Returns why it ended."""
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        lesson.trainer.stopping = True
        signal.signal(signal.SIGINT, before)  # a second Ctrl-C does not wait

    signal.signal(signal.SIGINT, stop)
    try:
        for progress in lesson.run():
            bar.set_postfix_str(f"error {progress.error:.4f} ({progress.mean_error:.4f})", refresh=False)
            bar.update(round(100 * progress.share) - bar.n)
            lesson.save(checkpoint, checkpoint=True)
        return progress.ended
    finally:
        signal.signal(signal.SIGINT, before)
