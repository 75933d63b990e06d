"""What a first guess is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ptychogui.params import Params

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.types import Dataset, Result


class Start(Params):
    """A start is its parameters plus `state`; one that has to search says by `guesses` how far it is."""

    @abstractmethod
    def state(self, problem: Problem, dataset: Dataset, initial: Result | None, seed: int) -> State:
        """The first guess of object, probe and positions; `initial` is an earlier result, where there is one."""

    def guesses(
        self, problem: Problem, dataset: Dataset, initial: Result | None, seed: int
    ) -> Iterator[tuple[State, str]]:
        """One state, again and again, the best so far, each time with what is tried next; the last time with ''."""
        yield self.state(problem, dataset, initial, seed), ""
