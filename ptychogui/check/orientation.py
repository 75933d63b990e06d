"""How the scan lies on the detector, by short runs: which way round, how far rotated, and at which scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import numpy as np

from ptychogui.check.doubt import Doubt, Progress
from ptychogui.check.trials import EPOCHS, Guess, Trials
from ptychogui.check.turns import ORIENTATIONS, opposite
from ptychogui.io.data import Data, Orientation
from ptychogui.types import Dataset

Steps = Generator[Doubt | Progress, None, Guess]

_LEAST = 0.03
"""The part by which the loss of a supposition has to be lower before it counts as better."""
_SIGMAS = 4.0
"""It must be so many standard deviations of the others below them, too."""
_TURNS_RAD = [math.radians(angle) for angle in (-30, -15, 15, 30, 45)]
_SCALES = (0.7, 0.8, 0.9, 1.1, 1.25, 1.4)
_ROTATION_RAD, _SCALE = math.radians(2), 0.05
"""Smaller errors of rotation and scale are not worth a word: refinement of positions mends them."""


def orientation(trials: Trials, dataset: Dataset) -> Steps:
    """Try the orientations, then rotation and scale around the best; returns the supposition that fits best."""
    stated = trials.stated
    guesses = [replace(stated, flip=flip) for flip in _flips(trials)]
    for number, guess in enumerate(guesses):
        yield Progress(0.2 + 0.3 * number / len(guesses), f"trying orientation {guess.flip}")
        trials.loss(guess)
    if not _stands_out(trials, guesses):
        turns = [replace(g, rotation_rad=stated.rotation_rad + turn) for turn in _TURNS_RAD for g in guesses]
        for number, guess in enumerate(turns):
            degrees = math.degrees(guess.rotation_rad)
            yield Progress(
                0.5 + 0.2 * number / len(turns), f"trying orientation {guess.flip} rotated by {degrees:.0f}°"
            )
            trials.loss(guess)
        guesses += turns
    best = trials.best(guesses)
    if not _stands_out(trials, guesses):
        yield _undecided(trials, guesses)
        return stated
    if not trials.knows_probe and opposite(best.flip) == stated.flip:
        best = replace(best, flip=stated.flip)
    trials.probe = trials.outcome(best).start
    yield Progress(0.7, "trying rotations")
    turned = yield from _searched(trials, best, _rotated, math.radians(6), math.radians(1))
    straight = replace(turned, rotation_rad=stated.rotation_rad)
    rotated = abs(turned.rotation_rad - stated.rotation_rad) >= _ROTATION_RAD and _better(trials, turned, straight)
    best = turned if rotated else straight
    yield _orientation(trials, guesses, best)
    return (yield from _scale(trials, dataset, best))


def _flips(trials: Trials) -> list[Orientation]:
    """The orientations that can be told from each other, with that of the file first."""
    own = trials.stated.flip
    flips: list[Orientation] = [own]
    for flip in ORIENTATIONS:
        if flip not in flips and (trials.knows_probe or opposite(flip) not in flips):
            flips.append(flip)
    return flips


def _stands_out(trials: Trials, guesses: Sequence[Guess]) -> bool:
    """Whether one supposition explains the frames clearly better than the others do.

    Of those that only differ by a rotation, neighbours of the best may be nearly as good.
    """
    losses = np.sort([trials.loss(guess) for guess in guesses])
    losses = losses[np.isfinite(losses)]
    if len(losses) < 2:
        return len(losses) == 1
    others = losses[len(losses) // 4 + 1 :] if len(losses) > 8 else losses[1:]
    least = max(_LEAST * losses[0], _SIGMAS * float(np.std(others)))
    return bool(others[0] - losses[0] > least)


def _better(trials: Trials, guess: Guess, than: Guess) -> bool:
    """Whether the one explains the frames better than the other also after twice as long a run."""
    if guess == than or trials.loss(guess) > (1 - _LEAST) * trials.loss(than):
        return False
    return trials.loss(guess, 2 * EPOCHS) < (1 - _LEAST) * trials.loss(than, 2 * EPOCHS)


def _rotated(guess: Guess, by_rad: float) -> Guess:
    return replace(guess, rotation_rad=guess.rotation_rad + by_rad)


def _scaled(guess: Guess, by: float) -> Guess:
    return replace(guess, scale=guess.scale * math.exp(by))


def _searched(
    trials: Trials, best: Guess, change: Callable[[Guess, float], Guess], step: float, finest: float
) -> Generator[Progress, None, Guess]:
    """Walk downhill in steps that halve, to `finest`."""
    while step >= finest:
        sides = [change(best, -step), change(best, step)]
        for side in sides:
            yield Progress(0.75, "trying what lies beside")
            trials.loss(side)
        lower = trials.best([best, *sides])
        step = step / 2 if lower == best else step
        best = lower
    return best


def _orientation(trials: Trials, guesses: Sequence[Guess], best: Guess) -> Doubt:
    stated = trials.stated
    straight = [guess for guess in guesses if guess.rotation_rad == stated.rotation_rad]
    figures: dict[str, float | str] = {guess.flip: round(trials.loss(guess), 6) for guess in straight}
    figures |= {"best": best.flip, "rotation_rad": round(best.rotation_rad, 4)}
    if best == stated:
        text = "The scan lies on the detector as it is stated: every other orientation explains the frames less well"
        half = "" if trials.knows_probe else "; half a turn of the scan would give the same picture, turned"
        return Doubt("orientation", "ok", f"{text}{half}.", figures)
    fix: dict[str, str | float] = {}
    said = []
    if best.flip != stated.flip:
        fix["data.scan_flip"] = best.flip
        said.append(f"flip {best.flip} instead of {stated.flip}")
    if best.rotation_rad != stated.rotation_rad:
        fix["data.scan_rotation_rad"] = round(best.rotation_rad, 3)
        was = math.degrees(stated.rotation_rad)
        said.append(f"a rotation of {math.degrees(best.rotation_rad):.0f}° instead of {was:.0f}°")
    gain = 1 - trials.loss(best) / trials.loss(stated)
    sentence = (
        f"The frames speak for another orientation of the scan, {' and '.join(said)}: the loss of a short run is "
    )
    return Doubt("orientation", "wrong", f"{sentence}{gain:.0%} lower with it.", figures, fix)


def _undecided(trials: Trials, guesses: Sequence[Guess]) -> Doubt:
    best = trials.best(guesses)
    figures: dict[str, float | str] = {"stated": trials.loss(trials.stated), "best": trials.loss(best)}
    return Doubt(
        "orientation",
        "doubt",
        "Short runs explain the frames about as well with every orientation of the scan, so none is confirmed: "
        "check positions, pixel and distance, or judge the picture of a run.",
        figures,
    )


def _scale(trials: Trials, dataset: Dataset, best: Guess) -> Steps:
    """Try other scales of the positions; where one fits clearly better, tell which setting makes it."""
    for number, scale in enumerate(_SCALES):
        yield Progress(0.8 + 0.1 * number / len(_SCALES), f"trying the scale {scale:g}")
        trials.loss(replace(best, scale=scale))
    lowest = trials.best([best, *(replace(best, scale=scale) for scale in _SCALES)])
    lowest = yield from _searched(trials, lowest, _scaled, 0.05, 0.025)
    figures = {"scale": round(lowest.scale, 3), "loss": trials.loss(best), "loss_there": trials.loss(lowest)}
    if abs(math.log(lowest.scale)) <= _SCALE or not _better(trials, lowest, best):
        yield Doubt("scale", "ok", "Positions, distance and pixel fit each other.", figures)
        return best
    gain = 1 - trials.loss(lowest) / trials.loss(best)
    yield Doubt(
        "scale",
        "doubt",
        f"The scan seems to be {lowest.scale:.2f} times as large in pixels as stated (the loss of a short run is "
        f"{gain:.0%} lower so): distance, pixel or the unit of the positions is wrong.",
        figures,
        _of_scale(dataset, lowest.scale),
    )
    return lowest


def _of_scale(dataset: Dataset, scale: float) -> dict[str, float | list[float]]:
    """The setting that makes the scan so much larger in pixels."""
    data, geometry = Data.read(dataset.data), dataset.geometry
    if data.scan_step_m is not None:
        step = data.scan_step_m
        return {
            "data.scan_step_m": [_rounded(s * scale) for s in step]
            if isinstance(step, tuple)
            else _rounded(step * scale)
        }
    if geometry.field == "near" and geometry.focus_to_sample_m is not None:
        focus_m = geometry.at_distance(scale).focus_to_sample_m
        return {} if focus_m is None else {"data.focus_to_sample_m": _rounded(focus_m)}
    if not geometry.calibrated or data.positions_unit == "px":
        return {}
    if geometry.given_pixel_m is not None or geometry.distance_m is None:
        return {"data.pixel_m": _rounded(geometry.pixel_m[0] / scale)}
    if geometry.field == "far":
        return {"data.distance_m": _rounded(geometry.distance_m / scale)}
    return {}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
