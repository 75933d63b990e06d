"""Good steps and a good batch of a solver, by short runs on a few neighbouring frames."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptychogui.options import add_job, job_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ptychogui.steps import StepMap, Trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run that the steps are for, and how the search goes about it."""
    add_job(parser)
    parser.add_argument("--frames", metavar="N", help="neighbouring frames that the short runs use")
    parser.add_argument("--no-batch", action="store_true", help="leave the batch as it is")
    parser.add_argument("-o", "--output", metavar="J.toml", help="write the job with these steps, for `run --job`")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Look for the steps of the job's first stage.

    Raises `InputError` where the options, the job and the data do not fit.
    """
    from ptychogui import io
    from ptychogui.io.files import replacing
    from ptychogui.params import parse_setting
    from ptychogui.steps import StepSearch, search_steps

    if options.output:
        io.check_writable(options.output)
    job = job_of(options)
    how = StepSearch(batches=not options.no_batch)
    if options.frames:
        how = how.with_value(*parse_setting(f"frames={options.frames}"))
    found = _last(search_steps(job, io.read(job.data), how=how))
    for name, value in found.settings.items():
        job = job.with_value(f"solver.{name}", value)
    if options.output:
        with replacing(Path(options.output)) as temporary:
            temporary.write_text(job.toml(), encoding="utf-8")
    assert found.wide is not None
    return {
        "solver": found.solver,
        "best": _plain(found.best),
        "settings": [f"solver.{name}={value:g}" for name, value in found.settings.items()],
        "share_of_a_run": round(found.share, 3),
        "rounds": [
            {"epochs": one.epochs, "trials": [_plain(trial) for trial in one.trials]} for one in (found.wide, found)
        ],
    }


def table(found: dict[str, Any]) -> str:
    """The maps of the losses over both steps, of the errors where the truth is known, and what to set."""
    lines, runs = [], 0
    for one in found["rounds"]:
        runs += len(one["trials"])
        own = one["trials"][0]["batch"]
        shown = [trial for trial in one["trials"] if trial["batch"] == own]
        lines.append(f"{found['solver']}, {one['epochs']} epochs, batch {own}: loss on pixels held out")
        lines += _map(shown, "loss")
        if any(trial["object_nrmse"] is not None for trial in shown):
            lines += ["error of the object against the truth", *_map(shown, "object_nrmse")]
        lines.append("")
        for t in one["trials"]:
            if t["batch"] != own:
                steps = f"object step {t['object_step']:.4g}, probe step {t['probe_step']:.4g}"
                lines.append(f"batch {t['batch']}, {steps}: loss {_text(t['loss'])}")
    said = " ".join(f"--set {setting}" for setting in found["settings"])
    lines.append(f"{runs} short runs, {found['share_of_a_run']:.0%} of the work of a whole run")
    lines.append(f"use: {said}" if said else "The steps and the batch are good as they are.")
    return "\n".join(lines)


def _plain(trial: Trial) -> dict[str, Any]:
    """A short run as JSON can hold it: its loss is None where it ran away."""
    return {**asdict(trial), "loss": trial.loss if math.isfinite(trial.loss) else None}


def _map(trials: list[dict[str, Any]], name: str) -> list[str]:
    """A figure over probe step (down) and object step (across); a dot where nothing was tried."""
    across = sorted({trial["object_step"] for trial in trials})
    at = {(trial["probe_step"], trial["object_step"]): trial[name] for trial in trials}
    lines = [f"{'probe, object:':>14}" + "".join(f"{step:>10.4g}" for step in across)]
    for down in sorted({trial["probe_step"] for trial in trials}):
        texts = [_text(at[down, step]) if (down, step) in at else "." for step in across]
        lines.append(f"{down:>14.4g}" + "".join(f"{text:>10}" for text in texts))
    return lines


def _text(value: float | None) -> str:
    """A loss or an error; a loss of 1 and more is that of no model at all, and there is no error then."""
    return f"{value:.4g}" if value is not None and value < 1 else "broke up"


def _last(maps: Iterable[StepMap]) -> StepMap:
    """The finished map; a terminal shows how the search goes on."""
    from tqdm import tqdm

    found = None
    with tqdm(unit=" short runs", disable=not sys.stderr.isatty()) as bar:
        for found in maps:
            best = found.best
            said = f"object {best.object_step:.4g}, probe {best.probe_step:.4g}, batch {best.batch}: {best.loss:.4g}"
            bar.set_postfix_str(said, refresh=False)
            bar.update(len(found.trials) - bar.n)
    assert found is not None
    return found
