"""A run in words for the tree: where it comes from, what was noted, and in what it differs from the one before."""

from __future__ import annotations

from ptychogui.gui.opened import Opened, Run
from ptychogui.io.report import quantity
from ptychogui.reproduce import Difference, differences

MOST = 12
"""So many differences are told in a tooltip."""


def counted(epochs: int) -> str:
    """A number of epochs."""
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def told_of(opened: Opened, run: Run) -> str:
    """The lines of the tooltip."""
    lines = [run.title, *([f"goes on from {run.parent}"] if run.parent else [])]
    if run.saved is not None:
        lines.append(str(run.saved))
    if run.notes.text:
        lines.append(run.notes.text)
    return "\n".join([*lines, *_against_the_one_before(opened, run)])


def _against_the_one_before(opened: Opened, run: Run) -> list[str]:
    before = [other for other in opened.runs if other.number < run.number]
    if not before:
        return []
    other = next((other for other in before if run.parent.startswith(other.name)), before[-1])
    found = differences(other.job, run.job)
    if not found:
        return [f"The parameters are those of {other.name}."]
    more = [f"… and {len(found) - MOST} more"] if len(found) > MOST else []
    return [f"Differs from {other.name}:", *(f"    {in_words(difference)}" for difference in found[:MOST]), *more]


def in_words(difference: Difference) -> str:
    """A parameter, its old value and its new one."""
    old, new = (value_text(difference.path, value) for value in (difference.old, difference.new))
    return f"{difference.path}: {old} → {new}"


def value_text(path: str, value: object) -> str:
    """The value of a parameter as people write it; a dash where it is not set."""
    return "—" if value is None else quantity(path, value)
