"""What a first guess is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ptychogui.params import Params

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.types import Dataset, Result


class Guess(NamedTuple):
    """A first guess, so far: `doing` is what is tried next, '' where it is the last; `messages` are for the user."""

    state: State
    doing: str = ""
    messages: tuple[str, ...] = ()


class Start(Params):
    """A start is its parameters plus `state`; one that has to search says by `guesses` how far it is."""

    @abstractmethod
    def state(self, problem: Problem, dataset: Dataset, initial: Result | None, seed: int) -> State:
        """The first guess of object, probe and positions; `initial` is an earlier result, where there is one."""

    def guesses(self, problem: Problem, dataset: Dataset, initial: Result | None, seed: int) -> Iterator[Guess]:
        """One state, again and again, the best so far."""
        yield Guess(self.state(problem, dataset, initial, seed))
