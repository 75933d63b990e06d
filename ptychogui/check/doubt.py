"""What a check says: a sentence, the figures behind it, and the settings that would mend it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import tomli_w

from ptychogui.job import Job

Level = Literal["ok", "doubt", "wrong"]


@dataclass(frozen=True)
class Doubt:
    """One thing that was looked at.

    `level` is 'ok' where nothing is to be done, 'doubt' where the picture would suffer, 'wrong' where there would be
    none. `fix` maps fields of the Job to the values that mend it; it is empty where no setting can. `action` is what
    else helps, of what the program can do: train or fine_tune.
    """

    name: str
    level: Level
    sentence: str
    figures: Mapping[str, float | str] = field(default_factory=dict)
    fix: Mapping[str, Any] = field(default_factory=dict)
    action: str = ""


@dataclass(frozen=True)
class Progress:
    """How much of the preflight is done, 0 to 1, and what is looked at now."""

    done: float
    doing: str


def fixed(job: Job, doubts: Iterable[Doubt]) -> Job:
    """The job with every fix applied."""
    for doubt in doubts:
        for path, value in doubt.fix.items():
            job = job.with_value(path, value)
    return job


def settings(doubt: Doubt) -> list[str]:
    """The fix as one `PATH=VALUE` for each setting, as `run --set` reads it."""
    return [f"{path}={_value(value)}" for path, value in doubt.fix.items()]


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return tomli_w.dumps({"v": value}).partition("=")[2].strip()
