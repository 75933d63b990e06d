"""What every penalty has in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, NamedTuple

from ptychogui.params import LIVE, NonNegative, Params

if TYPE_CHECKING:
    from torch import Tensor


class Term(NamedTuple):
    """A penalty R (0-d) of values z, its gradient ∂R/∂z* and a weight w that is at least its curvature.

    With that weight, a step of gradient / w never makes R larger.
    """

    value: Tensor
    gradient: Tensor
    weight: Tensor


class Penalty(Params):
    """A penalty is its parameters plus the term that it adds to the loss; `Penalties` scales it to the scan."""

    enabled: Annotated[bool, LIVE] = False
    """Whether it is added to the loss. It helps where the data leave something open, and costs detail where it is
    too strong."""
    strength: Annotated[NonNegative, LIVE] = 0.01
    """Its weight against the data: with 1 a pixel listens to both alike. Too strong, it rules the picture."""

    @abstractmethod
    def term(self, values: Tensor) -> Term:
        """The penalty of complex values (…, ny, nx), at strength 1."""
