"""The weights that come with the program."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ptychogui.engine.learn.card import Card
from ptychogui.engine.learn.weights import SUFFIX, Weights, card_of
from ptychogui.engine.learn.weights import load as read
from ptychogui.params import InputError


def shipped() -> dict[str, Card]:
    """The cards of the weights that come with the program, by their names."""
    return {path.stem: card_of(path) for path in _paths()}


def path_of(weights: str) -> Path:
    """The file of weights that a path or a shipped name means. Raises `InputError` where nothing is named."""
    if not weights:
        names = ", ".join(path.stem for path in _paths()) or "none come with this program"
        raise InputError(
            f"start.weights names no network: give a file that 'ptychogui train' wrote, or one of {names}."
        )
    return next((path for path in _paths() if path.stem == weights), Path(weights).expanduser())


def load(weights: str) -> Weights:
    """The weights that a path or a shipped name means. Raises `InputError` where there are none."""
    return read(path_of(weights))


def _paths() -> list[Path]:
    """The files, in the order of their names."""
    folder = Path(str(files("ptychogui.resources") / "networks"))
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
