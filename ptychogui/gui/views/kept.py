"""How the user wants to see each kind of picture, kept from one start of the program to the next."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ptychogui.gui.settings import settings


@dataclass(frozen=True)
class Looks:
    """The colour map of a kind of picture ('automatic' leaves it to the view), and whether its legend is shown."""

    map: str = "automatic"
    legend: bool = True


def looks(kind: str) -> Looks:
    """The looks of a kind of picture, such as 'phase'."""
    given = Looks()
    found = {name: kept(f"{kind}/{name}", str(default)) for name, default in asdict(given).items()}
    return Looks(found["map"], found["legend"] == "True")


def keep_looks(kind: str, **changes: Any) -> None:
    """Change some of the looks of a kind of picture."""
    for name, value in asdict(replace(looks(kind), **changes)).items():
        keep(f"{kind}/{name}", str(value))


def kept(name: str, default: str) -> str:
    """One setting of the views."""
    return str(settings().value(f"views/{name}", default))


def keep(name: str, value: str) -> None:
    """Change one setting of the views."""
    settings().setValue(f"views/{name}", value)
