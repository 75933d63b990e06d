"""The unknowns beside object and probe; one file each. Every solver refines them with the same code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ptychogui.engine.refine.affine import AffineUnknown
from ptychogui.engine.refine.background import BackgroundUnknown
from ptychogui.engine.refine.distance import DistanceUnknown
from ptychogui.engine.refine.gain import GainUnknown
from ptychogui.engine.refine.positions import PositionsUnknown
from ptychogui.engine.refine.unknown import Unknown
from ptychogui.params import Params

if TYPE_CHECKING:
    from ptychogui.engine.coarse import Level
    from ptychogui.engine.tangents import Unknowns


_FAR_REDUCTION = 2
"""The largest pixels on which places are refined in the far field."""


class Refine(Params):
    """What is solved together with object and probe; each can be switched on and off, also during a run."""

    positions: PositionsUnknown = PositionsUnknown()
    """The position of every frame."""
    affine: AffineUnknown = AffineUnknown()
    """Scale, rotation and shear of the scan."""
    distance: DistanceUnknown = DistanceUnknown()
    """The distance to the detector."""
    gain: GainUnknown = GainUnknown()
    """The brightness of every frame."""
    background: BackgroundUnknown = BackgroundUnknown()
    """Counts that all frames have."""

    @classmethod
    def nothing(cls) -> Refine:
        """Object and probe alone."""
        return cls.read({name: {"enabled": False} for name in cls.model_fields})

    def active(self, epoch: int) -> dict[str, Unknown]:
        """Those that are refined after `epoch` finished epochs."""
        every: dict[str, Unknown] = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: one for name, one in every.items() if one.enabled and epoch >= one.start}

    @property
    def margin_px(self) -> int:
        """How far frames may move, and the canvas has to reach."""
        return int(self.positions.limit_px) if self.positions.enabled else 0


@dataclass
class Refining:
    """The unknowns at work in a stage: what each keeps, and those that were given up in the run."""

    level: Level
    refine: Refine
    given_up: set[str]
    explores: bool = False
    """Whether the solver's object and probe are no estimates yet, so that nothing else can be read from them."""
    memory: dict[str, Any] = field(default_factory=dict)
    active: dict[str, Unknown] = field(default_factory=dict)

    def open(self, epoch: int) -> None:
        """Begin an epoch: tell the state which gradients are wanted."""
        wanted = self.refine.active(epoch)
        left_out = self.given_up | self._without_meaning(wanted)
        self.active = {name: one for name, one in wanted.items() if name not in left_out}
        for name, one in self.active.items():
            if name not in self.memory:
                self.memory[name] = one.begin(self.level.problem, self.level.state)
        self.level.state.unknowns = frozenset().union(*(one.tangents for one in self.active.values()))

    def _without_meaning(self, wanted: dict[str, Unknown]) -> set[str]:
        """What would only run away: unknowns of which the data say nothing, or which are another one's already.

        In the far field larger pixels are the middle of the patterns, which hardly knows where a frame lay; and there
        the distance is the scale of the scan, which the affine map has too.
        """
        problem = self.level.problem
        if self.explores:
            return set(wanted)
        if problem.geometry.field == "near":
            return set()
        if problem.reduction > _FAR_REDUCTION:
            return {"positions", "affine", "distance"}
        return {"distance"} if "affine" in wanted else set()

    def grow(self) -> None:
        """Go on with more frames."""
        for name, memory in self.memory.items():
            getattr(self.refine, name).grow(self.level.problem, memory)

    def take(self, found: Unknowns | None, pace: float) -> None:
        """Take in what a batch says."""
        if found is not None:
            for name, one in self.active.items():
                one.take(self.level.problem, self.level.state, self.memory[name], found, pace)

    def settle(self, pace: float) -> tuple[str, ...]:
        """End an epoch; returns why unknowns are given up."""
        said = []
        for name, one in self.active.items():
            reason = one.settle(self.level.problem, self.level.state, self.memory[name], pace)
            if reason:
                self.given_up.add(name)
                said.append(reason)
        return tuple(said)
