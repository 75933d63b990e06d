"""`ptychogui run`: a scan becomes a result."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ptychogui.cli.arguments import Commands, add_command, add_job, job_of

if TYPE_CHECKING:
    from ptychogui.job import Job
    from ptychogui.types import Dataset, Result, Snapshot


def add(commands: Commands) -> None:
    """The parser of this command."""
    run = add_command(commands, "run", _run, "Reconstruct a scan and write the result.")
    add_job(run)
    run.add_argument("-o", "--output", required=True, metavar="RESULT.h5", help="where the result is written")
    run.add_argument("--frc", action="store_true", help="run on either half of the frames too, and tell the resolution")
    run.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    run.epilog = _parameters()


def _parameters() -> str:
    """Every parameter of a job with its help, made from the declarations."""
    from ptychogui.job import Job
    from ptychogui.params import described

    lines = ["parameters for --set (PATH, default, help):"]
    for path, default, text in described(Job):
        lines.append(f"  {path} = {default}")
        lines += [f"      {line.strip()}" for line in text.splitlines()]
    return "\n".join(lines)


def _run(options: argparse.Namespace) -> int:
    from ptychogui import io
    from ptychogui.types import Result

    io.check_result_target(options.output, options.file)
    job = job_of(options)
    dataset = io.read(job.data)
    job = job.with_value("data.path", dataset.source)
    result, messages, interrupted, pace = None, [*dataset.warnings], False, 0.0
    for item in _items(job, dataset, options.frc):
        if isinstance(item, Result):
            result = item
            if math.isfinite(result.metrics["r_factor"]):  # a run that ran away replaces nothing
                io.write_result(result, options.output)
        else:
            messages += item.messages
            interrupted = item.ended == "stopped"
            pace = item.seconds_per_epoch if result is None else pace
    assert result is not None
    if options.json:
        print(json.dumps(_figures(result, dataset, messages, pace)))
    else:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in result.metrics.items())
        print(f"{options.output}: {len(result.loss)} epochs, {figures}")
    return 130 if interrupted else 0


def _items(job: Job, dataset: Dataset, frc: bool) -> Iterator[Snapshot | Result]:
    """The snapshots and results of a run, with a progress bar; Ctrl-C asks the run to stop and keeps what there is."""
    from tqdm import tqdm

    from ptychogui.frc import snapshots_of_all
    from ptychogui.job import Request, snapshots
    from ptychogui.types import Snapshot

    before = signal.getsignal(signal.SIGINT)
    stopping: list[bool] = []

    def stop(*_: object) -> None:
        stopping.append(True)
        signal.signal(signal.SIGINT, before)  # a second Ctrl-C does not wait

    signal.signal(signal.SIGINT, stop)
    loop = snapshots_of_all(job, dataset) if frc else snapshots(job, dataset)
    try:
        with tqdm(total=sum(s.epochs for s in job.stages), unit="epoch", disable=not sys.stderr.isatty()) as bar:
            item = next(loop)
            for warning in dataset.warnings:
                tqdm.write(f"ptychogui: {warning}", file=sys.stderr)
            while True:
                if isinstance(item, Snapshot):
                    for message in item.messages:
                        tqdm.write(f"ptychogui: {message}", file=sys.stderr)
                    if len(item.loss):
                        bar.set_postfix_str(f"loss {item.loss[-1]:.4g}", refresh=False)
                    if item.epochs != bar.total:
                        bar.reset(item.epochs)
                    bar.update(item.epoch - bar.n)
                yield item
                item = loop.send(Request(stop=True) if stopping else None)
    except StopIteration:
        return
    finally:
        signal.signal(signal.SIGINT, before)


def _figures(result: Result, dataset: Dataset, messages: list[str], seconds_per_epoch: float) -> dict[str, Any]:
    """What `--json` prints of a run."""
    epochs, metrics = len(result.loss), dict(result.metrics)
    return {
        "epochs": epochs,
        "loss": float(result.loss[-1]) if epochs else None,
        "r_factor": metrics.pop("r_factor"),
        "seconds": round(metrics.pop("seconds"), 3),
        "seconds_per_epoch": round(seconds_per_epoch, 4),
        "device": result.provenance["device"],
        "frames": len(result.scan),
        "frame_shape": list(dataset.geometry.shape),
        "object_shape": list(result.obj.slices.shape),
        "pixel_m": list(result.obj.pixel_m) if dataset.geometry.calibrated else None,
        "modes": len(result.probe.modes),
        "warnings": messages,
        **metrics,
    }
