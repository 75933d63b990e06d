"""The recipes by name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ptychogui.engine.simulate.far import Electron, SiemensFar, TwoModes
from ptychogui.engine.simulate.near import GuzziTwinMic, SiemensNear
from ptychogui.engine.simulate.recipe import Recipe
from ptychogui.params import members

AnyRecipe = Annotated[SiemensFar | SiemensNear | TwoModes | Electron | GuzziTwinMic, Field(discriminator="kind")]


def recipes() -> dict[str, type[Recipe]]:
    """Every recipe by its name."""
    return {kind: cls for kind, cls in members(AnyRecipe).items() if issubclass(cls, Recipe)}
