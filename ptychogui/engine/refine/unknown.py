"""What every unknown beside object and probe has in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ptychogui.params import LIVE, Index, Params, Positive

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.engine.tangents import Unknowns


class Unknown(Params):
    """An unknown is its parameters plus what it does with a batch and at the end of an epoch; the loop is the solver's.

    `tangents` are the columns that it needs of `ptychogui.engine.tangents`.
    """

    tangents: ClassVar[frozenset[str]]

    enabled: Annotated[bool, LIVE] = False
    """Whether it is refined. Off, what the file says is believed; on, the frames have to say enough to find it."""
    start: Annotated[Index, LIVE] = 5
    """The epoch after which it is refined: object and probe have to be there in outline first."""
    step: Annotated[Positive, LIVE] = 1.0
    """How much of a Gauss-Newton step is taken; more than 1 is quicker, and less steady."""

    @abstractmethod
    def begin(self, problem: Problem, state: State) -> Any:
        """What is kept between batches, made when the refinement starts."""

    def grow(self, problem: Problem, memory: Any) -> None:
        """Take note that frames have come; where something is kept of every frame, it gets room for theirs."""

    @abstractmethod
    def take(self, problem: Problem, state: State, memory: Any, found: Unknowns, pace: float) -> None:
        """Take in what a batch says; may change its frames."""

    @abstractmethod
    def settle(self, problem: Problem, state: State, memory: Any, pace: float) -> str:
        """End an epoch: change what concerns all frames. Returns why it is given up from here on, or nothing."""
