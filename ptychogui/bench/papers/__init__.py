"""The papers' experiments: their figures, ours, epochs and seconds."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from ptychogui.bench.papers import deng, design, guzzi, kandel, near, ptychonet, steps
from ptychogui.bench.papers.trial import Row, Setting
from ptychogui.io.files import check_writable, replacing
from ptychogui.params import InputError


class Experiment(Protocol):
    """A file of an experiment; its first line says what it is."""

    NAME: str

    def rows(self, setting: Setting) -> Iterator[Row]:
        """The table's lines, as they are found."""


EXPERIMENTS: dict[str, Experiment] = {one.NAME: one for one in (deng, design, guzzi, kandel, steps, near, ptychonet)}

_IMAGES = Path("../shared/data/images/standard")
_COLUMNS = ("experiment", "run", "quantity", "paper", "goal", "ours", "spread", "epochs", "seconds", "full")
_SMALL = "Small versions, for which scans of fewer frames tell less: papers and goals are of the full size (--full)."
_SUFFIXES = (".csv", ".json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which experiments, how large, with which photographs, and where the table is written."""
    names = ", ".join(EXPERIMENTS)
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"one of {names}; without one, all of them")
    parser.add_argument(
        "--full", action="store_true", help="at the paper's size and with five seeds, which takes hours"
    )
    parser.add_argument(
        "--images", metavar="DIR", help=f"folder of the papers' photographs; {_IMAGES} where it is there, or by formula"
    )
    parser.add_argument(
        "--weights",
        nargs="+",
        default=(),
        metavar="W.safetensors",
        help="networks for ptychonet; those that come with the program, where none are given",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="table to write, .csv or .json, which has curves as well; ptychonet puts pictures beside it",
    )


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Make the experiments; the table is written anew with every line, so that what there is outlives an end."""
    if options.name is not None and options.name not in EXPERIMENTS:
        raise InputError(f"There is no experiment '{options.name}': choose one of {', '.join(EXPERIMENTS)}.")
    output = Path(options.output) if options.output else None
    if output is not None:
        if output.suffix not in _SUFFIXES:
            raise InputError(f"{output} is no place for a table: give a file that ends in .csv or .json.")
        check_writable(output)
    if options.images is not None and not Path(options.images).is_dir():
        raise InputError(f"There is no folder {options.images} of photographs; leave --images out for made ones.")
    images = Path(options.images) if options.images else (_IMAGES if _IMAGES.is_dir() else None)
    _check_weights(options.weights)
    setting = Setting(options.full, images, tuple(options.weights), output)
    found: list[dict[str, Any]] = []
    for name in [options.name] if options.name else EXPERIMENTS:
        for row in EXPERIMENTS[name].rows(setting):
            found.append(_plain(row, setting.full))
            if sys.stderr.isatty():
                sys.stderr.write(_line(found[-1]) + "\n")
            if output is not None:
                _write(found, output)
    return found


def _check_weights(weights: Sequence[str]) -> None:
    """Raises `InputError` where one is no network: at once, not after hours."""
    if weights:
        import torch

        from ptychogui.engine.learn.shipped import load

        for name in weights:
            load(name).network(torch.device("cpu"))


def _plain(row: Row, full: bool) -> dict[str, Any]:
    """A row for JSON, which knows no figure that is not a number."""
    return asdict(row) | {"full": full, "ours": row.ours if math.isfinite(row.ours) else None}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text."""
    names = f"{'experiment':<18} {'run':<44} {'quantity':<24}"
    head = f"{names}{'paper':>9}{'goal':>9}{'ours':>10}{'±':>10}{'epochs':>8}{'s':>9}"
    small = [] if all(row["full"] for row in rows) else [_SMALL]
    return "\n".join([head, *map(_line, rows), *small])


def _line(row: dict[str, Any]) -> str:
    figures = (row[name] for name in ("paper", "goal", "ours", "spread"))
    paper, goal, ours, spread = ("" if figure is None else f"{figure:.4g}" for figure in figures)
    return (
        f"{row['experiment']:<18} {row['run']:<44} {row['quantity']:<24}{paper:>9}{goal:>9}{ours:>10}{spread:>10}"
        f"{row['epochs']:>8}{row['seconds']:>9.1f}"
    )


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    with replacing(path) as temporary:
        if path.suffix == ".json":
            temporary.write_text(json.dumps(rows, indent=1), encoding="utf-8")
            return
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, _COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
