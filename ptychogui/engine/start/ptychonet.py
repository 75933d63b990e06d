"""A network's picture as a first guess."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from ptychogui.engine.start.base import Guess
from ptychogui.engine.start.guessed import Guessed
from ptychogui.params import ESSENTIAL, FILE, WEIGHTS, Positive

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.types import Dataset, Result


class FromNetwork(Guessed):
    """The object that a trained network sees in the patterns, and the probe as the data or the file say it. For scans
    with little overlap, and to begin near the end; what follows is the same as from any start."""

    kind: Literal["ptychonet"] = "ptychonet"
    weights: Annotated[str, FILE, WEIGHTS, ESSENTIAL] = ""
    """The network: a file of weights (.safetensors) that `ptychogui train` wrote, or the name of one that comes with
    the program. One trained for another probe sees what is not there."""
    counts: Positive | None = None
    """Counts of a frame without a sample, which set the brightness of the picture; unset: the sample is as bright as
    those of the training. Wrong: the network sees a sample too dark or too bright."""
    any_probe: bool = False
    """Give it the patterns also where its training knew another probe. Off: such a run is not begun."""

    def guesses(self, problem: Problem, dataset: Dataset, initial: Result | None, seed: int) -> Iterator[Guess]:
        """The state with the best probe so far; at last with the network's picture as its object.

        Raises `InputError` where there are no weights, or none that fit.
        """
        from ptychogui.engine.learn.guess import checked, picture, refuse_size
        from ptychogui.engine.learn.shipped import load

        weights = load(self.weights)
        refuse_size(problem, weights)  # before the search for a probe, which takes its time
        for guess in super().guesses(problem, dataset, initial, seed):
            state = guess.state
            if guess.doing:
                yield guess
        yield Guess(state, "Giving the patterns to the network…")
        counts = self.counts or problem.mean_counts / weights.card.network.transmission
        state.probe = state.probe * (counts / problem.measured_power(state.probe)).sqrt()
        said = checked(problem, state, weights, any_probe=self.any_probe)
        state.obj[0] = picture(problem, state, weights)
        yield Guess(state, messages=said)
