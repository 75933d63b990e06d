"""The recipes by name."""

from __future__ import annotations

import tomllib
from typing import Annotated

from pydantic import Field

from ptychogui.engine.simulate.deng import Deng
from ptychogui.engine.simulate.far import Electron, SiemensFar, TwoModes
from ptychogui.engine.simulate.guzzi import Guzzi
from ptychogui.engine.simulate.kandel import KandelFar, KandelNear
from ptychogui.engine.simulate.near import GuzziTwinMic, SiemensNear
from ptychogui.engine.simulate.ptychonet import PtychoNetFermat, PtychoNetGrid, PtychoNetMesh
from ptychogui.engine.simulate.recipe import Recipe
from ptychogui.params import InputError, members

AnyRecipe = Annotated[
    SiemensFar
    | SiemensNear
    | TwoModes
    | Electron
    | GuzziTwinMic
    | Deng
    | Guzzi
    | KandelFar
    | KandelNear
    | PtychoNetFermat
    | PtychoNetMesh
    | PtychoNetGrid,
    Field(discriminator="kind"),
]


def recipes() -> dict[str, type[Recipe]]:
    """Every recipe by its name."""
    return {kind: cls for kind, cls in members(AnyRecipe).items() if issubclass(cls, Recipe)}


def from_toml(text: str) -> Recipe:
    """The recipe in a TOML text, by its `kind`. Raises `InputError` where it is none."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"This is not valid TOML: {error}.") from error
    known = recipes()
    if values.get("kind") not in known:
        raise InputError(f"A recipe needs `kind`, one of {', '.join(known)}.")
    return known[values["kind"]].read(values)
