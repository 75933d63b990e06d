"""What a person may choose in a form: every field of a Params, in order, with its text and its reading."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin

from pydantic import ValidationError

from ptychogui.params import (
    Entry,
    InputError,
    Params,
    entries,
    format_quantity,
    members,
    parse_quantity,
    switched,
)

Path = tuple[str | int, ...]
P = TypeVar("P", bound=Params)

_SUFFIX = re.compile(r"_(m|eV|rad|s|px|dB)$")
_IN_NAME = ("px", "dB")
_TRAILING_UNIT = re.compile(r"\s*[^\d\s.]+$")
_SPLIT = re.compile(r"\s*[,;×]\s*|(?<=\d)\s*x\s*(?=\d)")


@dataclass(frozen=True)
class Choice:
    """One field at a place in a tree of Params, as a row of a form needs it.

    `standard` is the value that a reset restores. A choice with `union` is the `kind` of the Params at `path`; a
    `heading` is no field, only the name of the group that follows. `active` is False inside a group that is switched
    off.
    """

    path: Path
    entry: Entry
    value: Any
    standard: Any
    label: str
    help: str
    level: int = 0
    union: Mapping[str, type[Params]] = field(default_factory=dict)
    heading: bool = False
    active: bool = True

    @property
    def name(self) -> str:
        """The dotted path that a person types on the command line."""
        return ".".join(str(part) for part in (*self.path, *(["kind"] if self.union else [])))

    @property
    def changed(self) -> bool:
        """Whether the value is not the one that a reset restores."""
        return not self.heading and bool(self.value != self.standard)

    @property
    def unit(self) -> str:
        """The unit of the number; where the annotation has none, the suffix of the name says it."""
        if self.entry.unit or self.union:
            return self.entry.unit
        suffix = _SUFFIX.search(self.entry.name)
        return suffix[1] if suffix and suffix[1] not in _IN_NAME else ""

    @property
    def live(self) -> bool:
        """Whether a change takes effect in a running job."""
        return "live" in self.entry.marks or self.entry.name == "epochs"


def label_of(name: str) -> str:
    """The name of a field as people read it: in words, without its unit, which stands beside the number.

    Pixels and decibels stand beside no number, so that they stay in the name.
    """
    words = "voltage" if name == "kV" else _SUFFIX.sub("", name).replace("_", " ")
    unit = next((f" ({unit})" for unit in _IN_NAME if name.endswith(f"_{unit}")), "")
    return words[:1].upper() + words[1:] + unit


def choices(params: Params) -> list[Choice]:
    """Every field of a Params and of the Params inside it, in the order of their declaration."""
    try:
        standard: Params | None = type(params)()
    except ValidationError:
        standard = None
    return list(_walk(params, standard, (), 0, True))


def _walk(params: Params, standard: Params | None, path: Path, level: int, active: bool) -> Iterator[Choice]:
    for entry in entries(type(params)):
        value, here = getattr(params, entry.name), (*path, entry.name)
        usual = getattr(standard, entry.name) if type(standard) is type(params) else entry.default
        union = members(entry.type)
        if union and isinstance(value, tuple):
            for i, stage in enumerate(value):
                same = usual[i] if isinstance(usual, tuple) and i < len(usual) else None
                label = f"{label_of(entry.name)} {i + 1}"
                yield from _group(entry, union, stage, same, (*here, i), label, level, active)
        elif "drawn" in entry.marks:
            continue  # a dialog of its own changes it
        elif union or isinstance(value, Params):
            yield from _group(entry, union, value, usual, here, label_of(entry.name), level, active)
        elif entry.name != "enabled" or not path:
            yield Choice(here, entry, value, usual, label_of(entry.name), entry.help, level, active=active)


def _group(
    entry: Entry,
    union: Mapping[str, type[Params]],
    value: Params | None,
    usual: Any,
    path: Path,
    label: str,
    level: int,
    active: bool,
) -> Iterator[Choice]:
    """The heading of a Params inside a Params (its kind, or the switch that enables it), then its fields."""
    about = _summary(type(value)) or entry.help if value is not None else entry.help
    switch = next((e for e in entries(type(value)) if e.name == "enabled"), None) if value is not None else None
    on = active
    if len(union) + entry.optional > 1:
        kind = getattr(value, "kind", None)
        standard_kind = getattr(usual, "kind", None if entry.optional else kind)
        yield Choice(path, entry, kind, standard_kind, label, about, level, union=union, active=active)
    elif switch is None:
        yield Choice(path, entry, None, None, label, about, level, heading=True, active=active)
    if switch is not None:
        standard = getattr(usual, "enabled", switch.default)
        now = getattr(value, "enabled", switch.default)
        yield Choice((*path, "enabled"), switch, now, standard, label, about, level, active=active)
        on = active and bool(now)
    if value is not None:
        yield from _walk(value, usual if isinstance(usual, Params) else None, path, level + 1, on)


def _summary(params: type[Params]) -> str:
    return (params.__doc__ or "").strip()


def replaced(params: P, choice: Choice, value: Any) -> P:
    """A copy of the whole tree with the value of one choice replaced.

    Raises `InputError` where the value does not fit.
    """
    if choice.union:
        current = _at(params, choice.path)
        old = current.plain() if isinstance(current, Params) else {}
        new = switched(dict(choice.union), old, str(value), choice.entry.name) if value is not None else None
        value = choice.union[str(value)].read(new) if new is not None else None
    return cast(P, _replaced(params, choice.path, value))


def _at(params: Any, path: Path) -> Any:
    for part in path:
        params = params[part] if isinstance(part, int) else getattr(params, part)
    return params


def _replaced(params: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    part, *rest = path
    inner = _replaced(_at(params, (part,)), tuple(rest), value)
    if isinstance(params, tuple):
        return tuple(inner if i == part else stage for i, stage in enumerate(params))
    return type(params).read({**dict(params), part: inner})


def text_of(value: Any, unit: str) -> str:
    """A value as a form writes it; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return ", ".join(text_of(part, unit) for part in value)
    if isinstance(value, float) and unit == "rad" and value and _is_whole(10 * math.degrees(value)):
        return f"{math.degrees(value):.6g} deg"
    if isinstance(value, float):
        return format_quantity(value, unit)
    return f"{value} {unit}" if unit else str(value)


def _is_whole(number: float) -> bool:
    """Whether a number is whole but for rounding; angles that are whole tenths of a degree are written in degrees."""
    return abs(number - round(number)) < 1e-9


def value_of(text: str, choice: Choice) -> Any:
    """Read what a person typed for this choice.

    Raises `InputError` where it cannot be read; whether it is in range is the Params' business.
    """
    text, kind = text.strip(), choice.entry.type
    if not text and choice.entry.optional:
        return None
    if kind is str:
        return text
    several = [t for t in (kind, *get_args(kind)) if get_origin(t) is tuple]
    if several and _scalars(kind) and not _SPLIT.search(text):
        return _number(text, choice, _scalars(kind)[0])
    if several:
        inner = get_args(several[0])[0]
        parts = [part for part in _SPLIT.split(text) if part]
        return tuple(_number(part, choice, inner) for part in (_with_unit(parts) if choice.unit else parts))
    return _number(text, choice, kind)


def _with_unit(parts: list[str]) -> list[str]:
    """Numbers of a list; a unit that stands only behind the last one is that of all: `3 × 4 nm`."""
    unit = _TRAILING_UNIT.search(parts[-1]) if parts else None
    bare = unit is not None and not any(_TRAILING_UNIT.search(part) for part in parts[:-1])
    return [part + unit[0] for part in parts[:-1]] + parts[-1:] if unit is not None and bare else parts


def _scalars(kind: Any) -> list[Any]:
    """The plain numbers of a union such as float | tuple[float, float]."""
    return [] if get_origin(kind) is tuple else [t for t in get_args(kind) if get_origin(t) is not tuple]


def _number(text: str, choice: Choice, kind: Any) -> float | int:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if not text:
        raise InputError("A value is needed here.")
    number = parse_quantity(text, choice.unit)
    return int(number) if kind is int and number.is_integer() else number


def range_of(entry: Entry) -> str:
    """The range of a number in words; empty where any number will do."""
    if entry.minimum is not None and entry.maximum is not None:
        return f"from {entry.minimum:g} to {entry.maximum:g}"
    if entry.minimum is not None:
        return f"from {entry.minimum:g}"
    return f"up to {entry.maximum:g}" if entry.maximum is not None else ""
