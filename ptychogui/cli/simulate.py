"""`ptychogui simulate`: a scan by formula."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from ptychogui.cli.arguments import Commands, add_command, add_set, text_of, told_of
from ptychogui.params import InputError, parse_setting

if TYPE_CHECKING:
    from ptychogui.engine.simulate import Recipe


def add(commands: Commands) -> None:
    """The parser of this command."""
    simulate = add_command(commands, "simulate", _simulate, "Make a scan by formula, with its truth in the file.")
    simulate.add_argument("recipe", nargs="?", help="a recipe's name, or a TOML file with `kind` and parameters")
    simulate.add_argument("-o", "--output", metavar="DATA.cxi", help="where the data are written")
    simulate.add_argument("--list", action="store_true", help="list the recipes")
    simulate.add_argument("--positions", metavar="FILE.csv", help="stand the probe where this file says, in its units")
    add_set(simulate, "photons=1e5")


def _simulate(options: argparse.Namespace) -> int:
    from ptychogui.engine import simulate

    known = simulate.recipes()
    if options.list:
        for name, kind in known.items():
            print(f"{name:<18}{(kind.__doc__ or '').splitlines()[0]}")
        return 0
    if not options.recipe or not options.output:
        raise InputError("Name a recipe and an output, as `simulate siemens-far -o d.cxi`; --list shows the recipes.")
    if options.recipe in known:
        recipe = known[options.recipe]()
    elif Path(options.recipe).is_file():
        with told_of(options.recipe):
            recipe = simulate.from_toml(text_of(options.recipe))
    else:
        names = ", ".join(known)
        raise InputError(f"There is no recipe '{options.recipe}': choose one of {names}, or give a TOML file.")
    for setting in options.set:
        recipe = recipe.with_value(*parse_setting(setting))
    if options.positions:
        recipe = recipe.with_value("scan", listed(Path(options.positions)))
    if Path(options.recipe).is_file() and recipe.dark_frames() is not None:
        from ptychogui import io

        beside = io.sidecar_path(options.output)
        if beside.exists() and beside.samefile(options.recipe):
            raise InputError(f"{beside} would be replaced by the description of the data; give another folder.")
    write(recipe, Path(options.output))
    return 0


def write(recipe: Recipe, output: Path) -> None:
    """Simulate a recipe into a file, or into a folder where its instrument writes one.

    Raises `InputError` where it cannot be written there.
    """
    for _ in writing(recipe, output):
        pass


def writing(recipe: Recipe, output: Path) -> Generator[float, None, None]:
    """What `write` does, in steps: yields the part of the frames that is done; closed early, it leaves nothing."""
    from ptychogui import io
    from ptychogui.engine.simulate import simulating

    dark = recipe.dark_frames()
    if dark is None:
        io.check_target(output)
        dataset = yield from simulating(recipe)
        steps = io.writing_steps(dataset, output)
    else:
        io.check_folder(output)
        dataset = yield from simulating(recipe)
        steps = io.folder_steps(dataset, dark, output)
    for _ in steps:
        yield 1.0


def listed(path: Path) -> dict[str, object]:
    """The layout, as plain values, that a text file with positions holds; around the middle of its field.

    Raises `InputError` where the file does not name a length as its unit.
    """
    from ptychogui.io.positions import centred_m
    from ptychogui.io.text import read_positions

    return {"kind": "listed", "positions_m": centred_m(read_positions(path)).tolist()}
