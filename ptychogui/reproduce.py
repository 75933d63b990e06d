"""A run in words: the command line and the Python script that make it again, and how two jobs differ."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomli_w

from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.file import FromFile
from ptychogui.job import Job
from ptychogui.params import Params
from ptychogui.train import TrainJob


@dataclass(frozen=True)
class Difference:
    """A parameter by its dotted path, and its value in two jobs; None where it is not set, or not known."""

    path: str
    old: object
    new: object


@dataclass(frozen=True)
class Recipe:
    """A job, the file for its result and, where it goes on from one, an earlier result with so many modes."""

    job: Job
    output: str
    start: str = ""
    start_modes: int = 1

    @property
    def whole(self) -> Job:
        """The job with its start in it: what a run in memory goes on from is named as a file."""
        if not self.start:
            return self.job
        begun = self.job.start
        modes = max(begun.modes, self.start_modes) if isinstance(begun, FromData) else None
        modes = begun.modes if isinstance(begun, FromFile) else modes
        return self.job.model_copy(update={"start": FromFile(path=self.start, modes=modes)})

    def command_line(self) -> str:
        """A command for a shell, which sets what differs from the defaults."""
        return shlex.join(["ptychogui", "run", self.job.data.path, "-o", self.output, *_set(self.whole, Job())])

    def python(self) -> str:
        """A Python script, whose job says what differs from the defaults."""
        text = tomli_w.dumps(_said(self.whole)).rstrip()
        quoted = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        return (
            "import ptychogui as pg\n\n"
            f'job = pg.Job.from_toml("""\n{quoted}\n""")\n'
            "result = pg.run(job)\n"
            f"pg.write_result(result, {self.output!r})\n"
        )


def training_command(job: TrainJob, output: str) -> str:
    """A command for a shell that trains the same network, from what differs from the defaults."""
    return shlex.join(["ptychogui", "train", job.data.path, "-o", output, *_set(job, TrainJob())])


def differences(old: Job, new: Job) -> list[Difference]:
    """The parameters in which two jobs differ, stage by stage."""
    a, b = (_flat(_by_stage(job.plain())) for job in (old, new))
    return [
        Difference(path, a.get(path), b.get(path)) for path in dict.fromkeys([*a, *b]) if a.get(path) != b.get(path)
    ]


def toml(value: object) -> str:
    """A value as TOML writes it behind an equals sign, in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(inner) for inner in value) + "]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip()


def _set(params: Params, usual: Params) -> list[str]:
    """The flags that set what differs from the defaults."""
    words, plain = list[str](), _flat(usual.plain())
    for path, value in _flat(_said(params)).items():
        if path != "data.path" and not (path.endswith(".kind") and plain.get(path) == value):
            words += ["--set", f"{path}={toml(value)}"]
    return words


def _said(params: Params) -> dict[str, Any]:
    """What has to be said of parameters: those that are not at their defaults, and of which kind a part is."""
    plain, said = params.plain(), dict[str, Any]()
    for name, info in type(params).model_fields.items():
        value = getattr(params, name)
        if name == "kind":
            said[name] = value
        elif value == info.get_default(call_default_factory=True) or value is None:
            continue
        elif isinstance(value, Params):
            said[name] = _said(value)
        elif isinstance(value, tuple) and any(isinstance(part, Params) for part in value):
            said[name] = [_said(part) for part in value]
        else:
            said[name] = plain[name]
    return said


def _by_stage(values: dict[str, Any]) -> dict[str, Any]:
    """A list of stages as groups with a number, so that each parameter of each can be compared."""
    stages = values.get("solver")
    if not isinstance(stages, list):
        return values
    return values | {"solver": {str(number + 1): stage for number, stage in enumerate(stages)}}


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {before + name: value}
    return flat
