"""The command line; the same parameters as in the window, by the same names."""

from __future__ import annotations

import argparse
import json
import logging
import math
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ptychogui.params import InputError, RunError, parse_setting

if TYPE_CHECKING:
    from ptychogui.job import Job
    from ptychogui.types import Dataset, Result, Snapshot

_COMMANDS = ("run", "info", "simulate", "convert", "export", "bench")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments; returns the exit code.

    0 on success, 2 for bad input, 1 for a failed run, 130 on Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that has no λ shows a question mark
            stream.reconfigure(errors="replace")
    try:
        if arguments and arguments[0] in _COMMANDS:
            options = _parser().parse_args(arguments)
            command: Callable[[argparse.Namespace], int] = options.command
            return command(options)
        return _window(arguments)
    except (InputError, RunError) as error:
        if debug:
            raise
        print(f"ptychogui: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        return 1
    except Exception as error:  # the border of the program: a sentence instead of a traceback
        if debug:
            raise
        said = " ".join(str(error).split())
        print(f"ptychogui: {type(error).__name__}: {said} (--debug tells more).", file=sys.stderr)
        return 1


def _window(arguments: list[str]) -> int:
    from importlib.metadata import version

    parser = _Parser(prog="ptychogui", description=_ABOUT, formatter_class=_Formatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="data or result files to open in the window")
    parser.add_argument("--screenshot", metavar="DIR", help="open FILE, run five epochs, save every dock as PNG, end")
    parser.add_argument("--version", action="version", version=f"ptychogui {version('ptychogui')}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    from ptychogui.gui import app

    return app.main(options.files, options.screenshot)


_ABOUT = f"""From a ptychographic scan to a picture. Without a command, the window opens.

Commands: {", ".join(_COMMANDS)}; `ptychogui COMMAND --help` tells more."""


_Formatter = argparse.RawDescriptionHelpFormatter


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence, where argparse would print its usage and end the program."""
        raise InputError(f"{message[0].upper()}{message[1:]}; `{self.prog} --help` tells more.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ptychogui", description=_ABOUT, formatter_class=_Formatter)
    commands = parser.add_subparsers(required=True)

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, formatter_class=_Formatter)
        sub.set_defaults(command=command)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        return sub

    def add_set(sub: argparse.ArgumentParser, example: str) -> None:
        sub.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help=f"for example {example}")

    run = add("run", _run, "Reconstruct a scan and write the result.")
    run.add_argument("file", help="data file or folder, or a result to go on from")
    run.add_argument("-o", "--output", required=True, metavar="RESULT.h5", help="where the result is written")
    run.add_argument("--job", metavar="J.toml", help="a job to begin with")
    run.add_argument("--solver", metavar="KIND", help="one of " + ", ".join(_solvers()))
    run.add_argument("--epochs", metavar="N", help="how often every frame is used")
    run.add_argument("--device", help="auto, cpu or cuda:0")
    run.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    add_set(run, "solver.object_step=0.01 or data.energy_eV=8700")
    run.epilog = _parameters()

    info = add("info", _info, "Tell what the reader understood, value by value, and its doubts.")
    info.add_argument("file", help="data or result file")
    info.add_argument("--json", action="store_true", help="print it as one line of JSON")
    add_set(info, "data.energy_eV=8700")

    simulate = add("simulate", _simulate, "Make a scan by formula, with its truth in the file.")
    simulate.add_argument("recipe", nargs="?", help="a recipe's name, or a TOML file with `kind` and parameters")
    simulate.add_argument("-o", "--output", metavar="DATA.cxi", help="where the data are written")
    simulate.add_argument("--list", action="store_true", help="list the recipes")
    add_set(simulate, "photons=1e5")

    convert = add("convert", _convert, "Write a data file in another format; the suffix of OUT chooses it.")
    convert.add_argument("file", metavar="IN", help="data file")
    convert.add_argument("output", metavar="OUT", help="file to write")
    add_set(convert, "data.bin=2")

    export = add("export", _export, "Write a result as TIFF, PNG and CSV.")
    export.add_argument("file", metavar="RESULT.h5", help="result file")
    export.add_argument("output", metavar="DIR", help="folder to write to")

    bench = add("bench", _bench, "Measure the engine on this machine.")
    bench.add_argument("what", choices=("engine",), help="engine: passes an epoch for every solver")
    bench.add_argument("file", nargs="?", help="data file; without one, a simulated scan of 516 frames of 128²")
    bench.add_argument("--json", action="store_true", help="print it as one line of JSON")
    return parser


def _solvers() -> list[str]:
    from ptychogui.engine.solvers import AnySolver
    from ptychogui.params import members

    return sorted(members(AnySolver))


def _parameters() -> str:
    """Every parameter of a job with its help, made from the declarations."""
    from ptychogui.job import Job
    from ptychogui.params import described

    lines = ["parameters for --set (PATH, default, help):"]
    for path, default, text in described(Job):
        lines.append(f"  {path} = {default}")
        lines += [f"      {line.strip()}" for line in text.splitlines()]
    return "\n".join(lines)


def _job(options: argparse.Namespace) -> Job:
    """The job of the options: of a file or of the result to go on from, then what the options say, in their order."""
    from ptychogui import io
    from ptychogui.job import Job

    job, path = Job(), str(Path(options.file).expanduser().absolute())
    known = io.read_result(path) if io.is_result(path) else None
    if getattr(options, "job", None):
        with _told_of(options.job):
            job = Job.from_toml(_text(options.job))
    elif known is not None:
        job = Job.from_toml(known.job)
    if known is not None:
        job = job.with_value("start", {"kind": "file", "path": path})
    for place, name in (("solver.kind", "solver"), ("solver.epochs", "epochs"), ("device", "device")):
        given = getattr(options, name, None)
        if given is not None:
            job = job.with_value(place, given if name != "epochs" else parse_setting(f"epochs={given}")[1])
    for setting in options.set:
        job = job.with_value(*parse_setting(setting))
    for name in ("positions", "dark", "mask"):
        named = getattr(job.data, name)
        if named and Path(named).exists():
            job = job.with_value(f"data.{name}", str(Path(named).absolute()))
    return job.with_value("data.path", path)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError("This is no text file, so it is no TOML either; check the name.") from error
    except OSError as error:
        raise InputError(f"The file cannot be read: {error.strerror}.") from error


@contextmanager
def _told_of(path: str) -> Iterator[None]:
    """What is wrong inside is told with the name of the file that it is wrong in."""
    try:
        yield
    except InputError as error:
        raise InputError(f"In {path}: {error}") from error


def _run(options: argparse.Namespace) -> int:
    from ptychogui import io
    from ptychogui.types import Result

    io.check_result_target(options.output, options.file)
    job = _job(options)
    dataset = io.read(job.data)
    job = job.with_value("data.path", dataset.source)
    result, messages, interrupted = None, [*dataset.warnings], False
    for item in _items(job, dataset):
        if isinstance(item, Result):
            result = item
            if math.isfinite(result.metrics["r_factor"]):  # a run that ran away replaces nothing
                io.write_result(result, options.output)
        else:
            messages += item.messages
            interrupted = item.ended == "stopped"
    assert result is not None
    if options.json:
        print(json.dumps(_figures(result, dataset, messages)))
    else:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in result.metrics.items())
        print(f"{options.output}: {len(result.loss)} epochs, {figures}")
    return 130 if interrupted else 0


def _items(job: Job, dataset: Dataset) -> Iterator[Snapshot | Result]:
    """The snapshots and results of a run, with a progress bar; Ctrl-C asks the run to stop and keeps what there is."""
    from tqdm import tqdm

    from ptychogui.job import Request, snapshots
    from ptychogui.types import Snapshot

    before = signal.getsignal(signal.SIGINT)
    stopping: list[bool] = []

    def stop(*_: object) -> None:
        stopping.append(True)
        signal.signal(signal.SIGINT, before)  # a second Ctrl-C does not wait

    signal.signal(signal.SIGINT, stop)
    loop = snapshots(job, dataset)
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
                    bar.update(item.epoch - bar.n)
                yield item
                item = loop.send(Request(stop=True) if stopping else None)
    except StopIteration:
        return
    finally:
        signal.signal(signal.SIGINT, before)


def _figures(result: Result, dataset: Dataset, messages: list[str]) -> dict[str, Any]:
    """What `--json` prints of a run."""
    epochs, metrics = len(result.loss), dict(result.metrics)
    seconds = metrics.pop("seconds")
    return {
        "epochs": epochs,
        "loss": float(result.loss[-1]) if epochs else None,
        "r_factor": metrics.pop("r_factor"),
        "seconds": round(seconds, 3),
        "seconds_per_epoch": round(seconds / max(epochs, 1), 4),
        "device": result.provenance["device"],
        "frames": len(result.scan),
        "frame_shape": list(dataset.geometry.shape),
        "object_shape": list(result.obj.slices.shape),
        "pixel_m": list(result.obj.pixel_m) if dataset.geometry.calibrated else None,
        "modes": len(result.probe.modes),
        "warnings": messages,
        **metrics,
    }


def _info(options: argparse.Namespace) -> int:
    from ptychogui import io

    if io.is_result(options.file):
        return _info_of_result(options)
    dataset = io.read(_job(options).data, need_scan=False)
    if options.json:
        values = {v.name: {"value": v.text, "origin": v.origin, "doubt": v.doubt} for v in dataset.values}
        about = {"file": dataset.source, "frames": dataset.frames.shape, "geometry": asdict(dataset.geometry)}
        print(json.dumps(about | {"values": values, "warnings": dataset.warnings}))
        return 0
    width = max(len(value.name) for value in dataset.values)
    for value in dataset.values:
        print(f"{value.name:<{width}}  {value.text}  [{value.origin}]")
        if value.doubt:
            print(f"{'':<{width}}  ? {value.doubt}")
    for warning in dataset.warnings:
        print(f"! {warning}")
    return 0


def _info_of_result(options: argparse.Namespace) -> int:
    from ptychogui import io

    result = io.read_result(options.file)
    about = {
        "file": options.file,
        "epochs": len(result.loss),
        "object_shape": list(result.obj.slices.shape),
        "probe_shape": list(result.probe.modes.shape),
        "pixel_m": list(result.obj.pixel_m) if result.geometry.calibrated else None,
        "loss": float(result.loss[-1]) if len(result.loss) else None,
        "metrics": dict(result.metrics),
        "provenance": dict(result.provenance),
    }
    if options.json:
        print(json.dumps(about | {"job": result.job}))
        return 0
    for name, value in about.items():
        print(f"{name}: {value}")
    print(result.job)
    return 0


def _simulate(options: argparse.Namespace) -> int:
    from ptychogui import io
    from ptychogui.engine import simulate

    known = simulate.recipes()
    if options.list:
        for name, kind in known.items():
            print(f"{name:<16}{(kind.__doc__ or '').splitlines()[0]}")
        return 0
    if not options.recipe or not options.output:
        raise InputError("Name a recipe and an output, as `simulate siemens-far -o d.cxi`; --list shows the recipes.")
    if options.recipe in known:
        recipe = known[options.recipe]()
    elif Path(options.recipe).is_file():
        with _told_of(options.recipe):
            recipe = simulate.from_toml(_text(options.recipe))
    else:
        names = ", ".join(known)
        raise InputError(f"There is no recipe '{options.recipe}': choose one of {names}, or give a TOML file.")
    for setting in options.set:
        recipe = recipe.with_value(*parse_setting(setting))
    dark = recipe.dark_frames()
    if dark is None:
        io.check_target(options.output)
        io.write(simulate.simulate(recipe), options.output)
    else:
        beside = io.sidecar_path(options.output)
        if beside.exists() and Path(options.recipe).exists() and beside.samefile(options.recipe):
            raise InputError(f"{beside} would be replaced by the description of the data; give another folder.")
        io.check_folder(options.output)
        io.write_folder(simulate.simulate(recipe), dark, Path(options.output))
    return 0


def _convert(options: argparse.Namespace) -> int:
    from ptychogui import io

    io.check_target(options.output)
    dataset = io.read(_job(options).data)
    if Path(options.output).exists() and Path(options.output).samefile(dataset.source):
        raise InputError(f"{options.output} is the file that is read; give the new one another name.")
    for warning in dataset.warnings:
        print(f"ptychogui: {warning}", file=sys.stderr)
    io.write(dataset, options.output)
    return 0


def _export(options: argparse.Namespace) -> int:
    from ptychogui import io

    for path in io.export(io.read_result(options.file), options.output):
        print(path)
    return 0


def _bench(options: argparse.Namespace) -> int:
    from ptychogui import bench

    rows = bench.engine(options.file)
    print(json.dumps(rows) if options.json else bench.table(rows))
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(main())
