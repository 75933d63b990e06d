"""The vocabulary of every form, file and flag: parameters are declared once, as fields of `Params`."""

from __future__ import annotations

import math
import re
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo


class InputError(ValueError):
    """Bad input, told in one sentence: what is wrong, where, and what to do."""


class RunError(RuntimeError):
    """A run that failed, told in one sentence: what happened, and what to try."""


@dataclass(frozen=True)
class Unit:
    """The SI unit of a number; people may write it with any prefix (`35 nm`, `12.4 keV`)."""

    symbol: str


@dataclass(frozen=True)
class Mark:
    """How a form treats a field: `essential` is shown first, `live` takes effect in a running job, `file` and `folder`
    are chosen, `weights` may also be the name of a network, `drawn` is edited in a picture and has no row."""

    name: Literal["essential", "live", "file", "folder", "weights", "drawn"]


ESSENTIAL = Mark("essential")
LIVE = Mark("live")
FILE = Mark("file")
FOLDER = Mark("folder")
WEIGHTS = Mark("weights")
DRAWN = Mark("drawn")

_PREFIX = {"": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}
_OTHER = {
    ("Å", "m"): 1e-10,
    ("\u212b", "m"): 1e-10,  # the other Å of Unicode, which some keyboards write
    ("A", "m"): 1e-10,
    ("cm", "m"): 1e-2,
    ("deg", "rad"): math.pi / 180,
    ("°", "rad"): math.pi / 180,
    ("V", "kV"): 1e-3,
    ("keV", "kV"): 1.0,  # as people call the energy of electrons
    ("min", "s"): 60.0,
    ("h", "s"): 3600.0,
}
_NO_PREFIX = ("kV", "px")
"""Units that hold a prefix already, or take none."""
_ANGSTROM_M = 1e-10
_ALMOST = 0.9999999
"""What is rounded up to the next prefix has it."""
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s]*)\s*")


def parse_quantity(text: str, unit: str) -> float:
    """Read a number with an optional unit, as people write it, into SI.

    Raises `InputError` where the text is no number or its unit is not one of `unit`.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        example = f" with a unit such as '{format_quantity(1.5, unit)}'" if unit else ""
        raise InputError(f"'{text}' is not a number{example}")
    number, given = float(match[1]), match[2]
    if not given:
        return number
    if (given, unit) in _OTHER:
        return _scaled(number, _OTHER[given, unit])
    if given == unit:
        return number
    if unit and unit not in _NO_PREFIX and given.endswith(unit) and given[: -len(unit)] in _PREFIX:
        return _scaled(number, _PREFIX[given[: -len(unit)]])
    raise InputError(f"'{given}' in '{text}' is not a unit of {unit or 'a plain number'}")


def _scaled(number: float, factor: float) -> float:
    """A product without the noise of its last digit, so that 4.65 Å is 4.65e-10 in a file."""
    return float(f"{number * factor:.15g}")


def format_quantity(value: float, unit: str) -> str:
    """Write an SI number with the prefix that people expect (`3.5e-08, 'm'` gives `35 nm`, and 4.65e-10 `4.65 Å`)."""
    if not unit or unit in _NO_PREFIX or not value or not math.isfinite(value):
        return f"{value:.6g} {unit}".strip()
    if unit == "m" and _ANGSTROM_M * _ALMOST <= abs(value) < 10 * _ANGSTROM_M * _ALMOST:
        return f"{value / _ANGSTROM_M:.6g} Å"
    for prefix in ("G", "M", "k", "", "m", "µ", "n", "p"):
        if abs(value) >= _PREFIX[prefix] * _ALMOST:
            return f"{value / _PREFIX[prefix]:.6g} {prefix}{unit}"
    return f"{value:.6g} {unit}"


def _quantity(unit: str) -> BeforeValidator:
    def read(value: object) -> object:
        if isinstance(value, list | tuple):
            return [read(part) for part in value]
        return parse_quantity(value, unit) if isinstance(value, str) else value

    return BeforeValidator(read)


def _whole(value: object) -> object:
    """`1e6` serves as an integer wherever one is wanted."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Length = Annotated[float, Unit("m"), _quantity("m"), Field(gt=0)]
SignedLength = Annotated[float, Unit("m"), _quantity("m")]
Step = Annotated[float | tuple[float, float], Unit("m"), _quantity("m")]
Energy = Annotated[float, Unit("eV"), _quantity("eV"), Field(gt=0)]
Kilovolts = Annotated[float, Unit("kV"), _quantity("kV"), Field(gt=0)]
Angle = Annotated[float, Unit("rad"), _quantity("rad")]
Seconds = Annotated[float, Unit("s"), _quantity("s"), Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, BeforeValidator(_whole), Field(ge=1)]
Index = Annotated[int, BeforeValidator(_whole), Field(ge=0)]


class Params(BaseModel):
    """A frozen set of parameters: range and unit in the annotation, help in the docstring under the field."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True, allow_inf_nan=False
    )

    @classmethod
    def read(cls, values: Mapping[str, object]) -> Self:
        """Make one from plain values; raises `InputError` with one sentence where they do not fit."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(explain(error, cls)) from error

    def plain(self) -> dict[str, Any]:
        """The values as plain data for a file; unset (None) values are left out, as TOML has no null."""
        return self.model_dump(mode="json", exclude_none=True)

    def with_value(self, path: str, value: object) -> Self:
        """A copy with one field changed, named by its dotted path (`solver.alpha`).

        Raises `InputError` where there is no such field or the value does not fit.
        """
        return self.read(_changed(type(self), self.plain(), path.split("."), value, path))


@dataclass(frozen=True)
class Entry:
    """One field of a Params, as a form, a flag or a help page needs it."""

    name: str
    type: Any
    """The bare type: float, int, bool, str, a Literal, a tuple, a Params, or a union of Params with `kind`."""
    optional: bool
    default: Any
    help: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: tuple[Any, ...]
    marks: frozenset[str]


def entries(params: type[Params]) -> Iterator[Entry]:
    """Every field of a Params in the order of its declaration; `kind` and `version`, which nobody edits, left out."""
    for name, info in params.model_fields.items():
        if name not in ("kind", "version"):
            yield _entry(name, info)


def _entry(name: str, info: FieldInfo) -> Entry:
    inner, metadata = _without_none(info.annotation), list(info.metadata)
    while get_origin(inner) is Annotated:
        inner, *more = get_args(inner)
        metadata += [m for part in more for m in (part.metadata if isinstance(part, FieldInfo) else [part])]
    lows = [getattr(m, side) for m in metadata for side in ("gt", "ge") if hasattr(m, side)]
    highs = [getattr(m, side) for m in metadata for side in ("lt", "le") if hasattr(m, side)]
    optional = type(None) in get_args(info.annotation)
    return Entry(
        name=name,
        type=inner,
        optional=optional,
        default=info.get_default(call_default_factory=True),
        help=info.description or "",
        unit=next((m.symbol for m in metadata if isinstance(m, Unit)), ""),
        minimum=lows[0] if lows else None,
        maximum=highs[0] if highs else None,
        choices=get_args(inner) if get_origin(inner) is Literal else (),
        marks=frozenset(m.name for m in metadata if isinstance(m, Mark)),
    )


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _without_none(annotation: Any) -> Any:
    if _is_union(annotation) and type(None) in get_args(annotation):
        rest = tuple(a for a in get_args(annotation) if a is not type(None))
        return rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007
    return annotation


def members(annotation: Any) -> dict[str, type[Params]]:
    """The Params classes of a discriminated union by their `kind`; empty for any other type."""
    found: dict[str, type[Params]] = {}
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if _is_union(annotation):
        for part in get_args(annotation):
            found |= members(part)
    elif isinstance(annotation, type) and issubclass(annotation, Params) and "kind" in annotation.model_fields:
        found[str(annotation.model_fields["kind"].default)] = annotation
    return found


def _changed(cls: type[Params], values: dict[str, Any], path: list[str], value: object, whole: str) -> dict[str, Any]:
    name, *rest = path
    if name not in cls.model_fields:
        raise InputError(f"There is no parameter '{whole}': {cls.__name__} has {', '.join(cls.model_fields)}.")
    if not rest:
        return {**values, name: value}
    inner = _without_none(cls.model_fields[name].annotation)
    union = members(inner)
    current = values.get(name)
    if union and isinstance(current, list):  # stages: a change means every one of them
        return {**values, name: [_inside(union, stage, rest, value, whole) for stage in current]}
    if union:
        return {**values, name: _inside(union, current or {}, rest, value, whole)}
    if isinstance(inner, type) and issubclass(inner, Params):
        return {**values, name: _changed(inner, current or {}, rest, value, whole)}
    raise InputError(f"There is no parameter '{whole}': '{name}' is a single value.")


def _inside(
    union: dict[str, type[Params]], current: dict[str, Any], rest: list[str], value: object, whole: str
) -> dict[str, Any]:
    if rest == ["kind"]:
        return switched(union, current, str(value), whole.removesuffix(".kind"))
    return _changed(union[current["kind"]], current, rest, value, whole)


def switched(union: dict[str, type[Params]], current: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    """Another member of a union, keeping the values that the user had changed and that both have."""
    if kind not in union:
        raise InputError(f"There is no {name} '{kind}': choose one of {', '.join(sorted(union))}.")
    old, new = union.get(str(current.get("kind"))), union[kind]
    kept = {
        key: given
        for key, given in current.items()
        if old and key in new.model_fields and _same(old, new, key) and given != old.model_fields[key].default
    }
    return {"kind": kind, **kept}


def _same(old: type[Params], new: type[Params], name: str) -> bool:
    """Whether a parameter means the same in two classes: a step of 1 of one solver is not a step of 1 of another."""
    return bool(old.model_fields[name].default == new.model_fields[name].default)


def described(params: type[Params], before: str = "") -> Iterator[tuple[str, str, str]]:
    """Every parameter under a Params: its dotted path, its default and its help; of a union its members' pages."""
    for entry in entries(params):
        path = f"{before}{entry.name}"
        union = members(entry.type)
        if union:
            pages = [f"\n-- {kind} --\n{cleandoc(member.__doc__ or '')}" for kind, member in union.items()]
            yield f"{path}.kind", str(entry.default.kind), "\n".join([f"one of {', '.join(union)}", *pages])
            for kind, member in union.items():
                yield from ((p, d, f"({kind}) {h}") for p, d, h in described(member, f"{path}."))
        elif isinstance(entry.type, type) and issubclass(entry.type, Params):
            yield from described(entry.type, f"{path}.")
        else:
            unit = f" [{entry.unit}]" if entry.unit else ""
            yield path, "(unset)" if entry.default is None else f"{entry.default}{unit}", entry.help


def parse_setting(text: str) -> tuple[str, object]:
    """Split `PATH=VALUE`; VALUE is TOML, and a bare word is a string. Raises `InputError` without an `=`."""
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise InputError(f"'{text}' is not a setting: write PATH=VALUE, for example solver.epochs=50.")
    try:
        return path.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return path.strip(), value.strip()


def explain(error: ValidationError, params: type[Params]) -> str:
    """One sentence for what pydantic found wrong in values for `params`: the one that lies deepest, or the first."""
    # a value that may be one thing or another is wrong as each of them; the one that was meant was read the furthest
    first = max(error.errors(include_url=False), key=lambda found: len(found["loc"]))
    path, expected = _place(params, first["loc"])
    where = ".".join(path) or "The job"
    given, context = first.get("input"), first.get("ctx", {})
    match first["type"]:
        case "extra_forbidden":
            return (
                f"There is no parameter '{'.'.join([*path, str(first['loc'][-1])])}'; check its spelling with --help."
            )
        case "value_error":
            return f"{where}: {str(context['error']).rstrip('.')}."
        case "union_tag_invalid":
            return f"There is no {where} '{context.get('tag')}': choose one of {', '.join(members(expected))}."
        case "union_tag_not_found":
            return f"{where} has no kind: give {where}.kind as one of {', '.join(members(expected))}."
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{where} is {given!r}, but it is a group of parameters: set each by its name, as {where}.NAME."
        case "missing":
            return f"{where} is {given!r}, but more values are required."
        case _:
            message = (
                first["msg"].replace("Input should", "it should").replace("a valid tuple", "a list such as [1, 2]")
            )
            return f"{where} is {given!r}, but {message[0].lower()}{message[1:]}."


def _place(params: type[Params], location: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """The path that a person types, without the tags that pydantic adds for unions, and the type that is wanted."""
    current: Any = params
    path: list[str] = []
    for part in location:
        if isinstance(current, type) and issubclass(current, Params) and part in current.model_fields:
            current = _without_none(current.model_fields[str(part)].annotation)
            path.append(str(part))
        elif isinstance(part, int) and get_origin(current) is tuple:
            current = get_args(current)[0]
        elif part in members(current):
            current = members(current)[str(part)]
    return path, current


def union(group: str, *own: type[Params]) -> Any:
    """The type of a field that holds one of our classes, or one that a package registers in the entry-point group."""
    from importlib.metadata import entry_points

    every = (*own, *(point.load() for point in entry_points(group=group)))
    return Annotated[Union[every], Field(discriminator="kind")] if len(every) > 1 else every[0]  # noqa: UP007
