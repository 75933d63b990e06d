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


def fitted(trials: Trials, dataset: Dataset) -> Steps:
    """Try orientations, rotations and scales; yields a doubt for each and returns the supposition that fits best.

    Where no orientation stands out as the scan is stated, it is tried again at the scale that fits best.
    """
    stated = trials.stated
    best = yield from _oriented(trials, stated)
    scaled = yield from _rescaled(trials, best or stated)
    if best is None and scaled.scale != 1:
        trials.starts.clear()
        best = yield from _oriented(trials, scaled)
        if best is None and not trials.keeps_overlap:  # frames that share less can always be explained better
            scaled = stated
    yield _orientation(trials, best, scaled.scale)
    yield _scale(trials, dataset, replace(best or stated, scale=scaled.scale))
    return replace(best or stated, scale=scaled.scale)


def _oriented(trials: Trials, base: Guess) -> Generator[Progress, None, Guess | None]:
    """The best orientation and rotation at the scale of `base`; None where none stands out."""
    guesses = [replace(base, flip=flip) for flip in _flips(trials)]
    for number, guess in enumerate(guesses):
        yield Progress(0.2 + 0.3 * number / len(guesses), f"trying orientation {guess.flip}")
        trials.loss(guess)
    if not _stands_out(trials, guesses):
        guesses += [_rotated(guess, turn) for turn in _TURNS_RAD for guess in guesses]
        for number, guess in enumerate(guesses):
            degrees = math.degrees(guess.rotation_rad)
            yield Progress(0.5 + 0.2 * number / len(guesses), f"trying {guess.flip} rotated by {degrees:.0f}°")
            trials.loss(guess)
        if not _stands_out(trials, guesses):
            return None
    best = trials.best(guesses)
    turned = yield from _searched(trials, best, _rotated, math.radians(6), math.radians(3))
    straight = replace(turned, rotation_rad=base.rotation_rad)
    far = abs(turned.rotation_rad - base.rotation_rad) >= _ROTATION_RAD
    return turned if far and _better(trials, turned, straight) else straight


def _rescaled(trials: Trials, base: Guess) -> Generator[Progress, None, Guess]:
    """The scale that fits best; that of `base` where no other is clearly better."""
    guesses = [base]
    for number, scale in enumerate(_SCALES):
        yield Progress(0.8 + 0.1 * number / len(_SCALES), f"trying the scale {scale:g}")
        guesses.append(replace(base, scale=scale))
        trials.loss(guesses[-1])
    lowest = yield from _searched(trials, trials.best(guesses), _scaled, 0.05, 0.025)
    return lowest if abs(math.log(lowest.scale)) > _SCALE and _better(trials, lowest, base) else base


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
        sides = [side for side in (change(best, -step), change(best, step)) if 0.5 < side.scale < 2]
        for side in sides:
            yield Progress(0.75, "trying what lies beside")
            trials.loss(side)
        lower = trials.best([best, *sides])
        step = step / 2 if lower == best else step
        best = lower
    return best


def _orientation(trials: Trials, best: Guess | None, scale: float) -> Doubt:
    stated = replace(trials.stated, scale=scale)
    tried = [replace(stated, flip=flip) for flip in _flips(trials)]
    figures: dict[str, float | str] = {g.flip: round(trials.loss(g), 6) for g in tried if math.isfinite(trials.loss(g))}
    if best is None:
        return Doubt(
            "orientation",
            "doubt",
            "Short runs explain the frames about as well with every orientation of the scan, so none is confirmed: "
            f"check positions, pixel, distance and whether this is a {trials.part.geometry.field} field, or judge the "
            "picture of a run.",
            figures,
        )
    figures |= {"best": best.flip, "rotation_rad": round(best.rotation_rad, 4)}
    fix: dict[str, str | float] = {}
    said = []
    if best.flip != stated.flip:
        fix["data.scan_flip"] = best.flip
        said.append(f"flip {best.flip} instead of {stated.flip}")
    if best.rotation_rad != stated.rotation_rad:
        fix["data.scan_rotation_rad"] = round(best.rotation_rad, 3)
        was = math.degrees(stated.rotation_rad)
        said.append(f"a rotation of {math.degrees(best.rotation_rad):.0f}° instead of {was:.0f}°")
    if not fix:
        text = "The scan lies on the detector as it is stated: every other orientation explains the frames less well"
        half = "" if trials.knows_probe else "; half a turn of the scan would give the same picture, turned"
        return Doubt("orientation", "ok", f"{text}{half}.", figures)
    gain = 1 - trials.loss(best) / trials.loss(stated)
    sentence = (
        f"The frames speak for another orientation of the scan, {' and '.join(said)}: the loss of a short run is "
    )
    return Doubt("orientation", "wrong", f"{sentence}{gain:.0%} lower with it.", figures, fix)


def _scale(trials: Trials, dataset: Dataset, best: Guess) -> Doubt:
    """Whether another scale fits better, and which setting makes it."""
    base = replace(best, scale=1.0)
    figures = {"scale": round(best.scale, 3), "loss": trials.loss(base), "loss_there": trials.loss(best)}
    if best.scale == 1:
        return Doubt("scale", "ok", "Positions, distance and pixel fit each other.", figures)
    gain = 1 - trials.loss(best) / trials.loss(base)
    what = f"The scan seems to be {best.scale:.2f} times as large in pixels as stated"
    why = "distance, pixel or the unit of the positions is wrong"
    if trials.keeps_overlap:
        what, why = f"The distance seems to be {best.scale:.2f} times as large as stated", "check it"
    sentence = f"{what} (the loss of a short run is {gain:.0%} lower so): {why}."
    return Doubt("scale", "doubt", sentence, figures, _of_scale(dataset, best.scale))


def _of_scale(dataset: Dataset, scale: float) -> dict[str, float | list[float]]:
    """The setting that makes the scan so much larger in pixels."""
    data, geometry = Data.read(dataset.data), dataset.geometry
    if geometry.field == "near":
        right = geometry.at_distance(scale)
        if right.focus_to_sample_m is not None:
            return {"data.focus_to_sample_m": _rounded(right.focus_to_sample_m)}
        return {} if right.distance_m is None else {"data.distance_m": _rounded(right.distance_m)}
    if isinstance(data.scan_step_m, tuple):
        return {"data.scan_step_m": [_rounded(step * scale) for step in data.scan_step_m]}
    if data.scan_step_m is not None:
        return {"data.scan_step_m": _rounded(data.scan_step_m * scale)}
    if not geometry.calibrated or data.positions_unit == "px":
        return {}
    if geometry.given_pixel_m is not None or geometry.distance_m is None:
        return {"data.pixel_m": _rounded(geometry.pixel_m[0] / scale)}
    return {"data.distance_m": _rounded(geometry.distance_m / scale)}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
