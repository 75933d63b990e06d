"""The vocabulary: quantities, changes by path, sentences about bad values, and what every parameter must have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import pytest
import tomli_w

from ptychogui.engine.models import AnyModel
from ptychogui.engine.simulate import recipes
from ptychogui.engine.solvers import AnySolver
from ptychogui.engine.start import AnyStart
from ptychogui.job import Job
from ptychogui.params import (
    Entry,
    InputError,
    Params,
    described,
    entries,
    format_quantity,
    members,
    parse_quantity,
    parse_setting,
)


@dataclass(frozen=True)
class Place:
    """A field of the job: its dotted path, the job in which it exists, and what is known of it."""

    path: str
    job: Job
    entry: Entry
    owner: type[Params]


def places(job: Job, params: type[Params], before: str = "") -> Iterator[Place]:
    """Every field of a job, in every member of every union."""
    for entry in entries(params):
        path = f"{before}{entry.name}"
        for kind, member in members(entry.type).items():
            yield from places(job.with_value(f"{path}.kind", kind), member, f"{path}.")
        if isinstance(entry.type, type) and issubclass(entry.type, Params):
            if not members(entry.type):
                yield from places(job, entry.type, f"{path}.")
        elif not members(entry.type):
            yield Place(path, job, entry, params)


PLACES = list(places(Job(), Job))
NAMES = ", ".join(members(AnySolver))


def each(chosen: list[Place]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", chosen, ids=[f"{p.owner.__name__}-{p.path}" for p in chosen])


def another(entry: Entry) -> Any:
    """A value that fits and is not the default."""
    kind, default = entry.type, entry.default
    if entry.choices:
        return next(choice for choice in entry.choices if choice != default)
    if kind is bool:
        return not default
    if kind is int:
        return (default or 0) + 3
    if kind is float:
        return 0.625 if entry.maximum == 1 else 1.75 * (default or 2.5e-3)
    if kind is str:
        return "yxn" if entry.name == "axes" else "somewhere else"
    parts = next(t for t in (kind, *get_args(kind)) if get_origin(t) is tuple)
    return (2, 5) if "int" in str(get_args(parts)[0]) else (1.5, 2.25)


def value_at(job: Job, path: str) -> Any:
    found: Any = job
    for name in path.split("."):
        found = getattr(found, name)
    return found


def test_the_job_has_all_that_a_user_may_set() -> None:
    paths = {place.path for place in PLACES}
    assert {"solver.alpha", "solver.friction", "start.modes", "start.path", "data.energy_eV", "seed"} <= paths
    assert {f"constraints.{name}.enabled" for name in ("probe_power", "orthogonal_modes")} <= paths
    assert len(PLACES) > 70


@each(PLACES)
def test_every_field_has_a_help_that_is_a_sentence(place: Place) -> None:
    assert re.match(r"\S.*[.:)]$", place.entry.help, re.DOTALL), place.entry.help


@each([place for place in PLACES if "drawn" not in place.entry.marks])
def test_every_field_goes_through_path_file_and_flag(place: Place) -> None:
    value = another(place.entry)
    changed = place.job.with_value(place.path, value)
    assert value_at(changed, place.path) == value
    assert changed != place.job
    assert Job.from_toml(changed.toml()) == changed
    flag = tomli_w.dumps({"value": value}).removeprefix("value = ").strip().replace("\n", "")
    path, read = parse_setting(f"{place.path}={flag}")
    assert place.job.with_value(path, read) == changed


@each([place for place in PLACES if place.entry.unit and place.entry.type is float])
def test_every_quantity_may_be_written_with_its_unit(place: Place) -> None:
    text = format_quantity(another(place.entry), place.entry.unit)
    path, read = parse_setting(f"{place.path}={text}")
    assert isinstance(read, str)
    assert value_at(place.job.with_value(path, read), path) == pytest.approx(another(place.entry))


@each([place for place in PLACES if place.entry.type in (int, float)])
def test_every_range_is_kept(place: Place) -> None:
    low, high = place.entry.minimum, place.entry.maximum
    for value in ([] if low is None else [low - 1]) + ([] if high is None else [high + 1]) + ["banana"]:
        with pytest.raises(InputError, match=rf"^{re.escape(place.path)}\b.*[^.]\.$") as caught:
            place.job.with_value(place.path, value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("union", [AnySolver, AnyStart, AnyModel], ids=["solver", "start", "model"])
def test_every_member_of_a_union_explains_itself(union: Any) -> None:
    for kind, member in members(union).items():
        assert member.__doc__
        assert "__doc__" in vars(member)
        assert member.model_fields["kind"].default == kind
        assert member.__doc__.splitlines()[0].endswith((".", ":", ",")) or len(member.__doc__.splitlines()) > 1


@pytest.mark.parametrize("kind", members(AnySolver))
def test_every_solver_names_its_paper(kind: str) -> None:
    assert re.search(r"\b(19|20)\d\d\b", members(AnySolver)[kind].__doc__ or "")


@pytest.mark.parametrize("name", recipes())
def test_recipes_have_help_for_every_field(name: str) -> None:
    for entry in entries(recipes()[name]):
        assert entry.help.endswith((".", ")")), f"{name}.{entry.name}"


def test_help_lists_every_path_once_for_each_member() -> None:
    listed = [path for path, _, help in described(Job) if help]
    assert {place.path for place in PLACES} <= set(listed)
    assert "solver.kind" in listed


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("35 nm", "m", 35e-9),
        ("35nm", "m", 35e-9),
        ("4.65 Å", "m", 4.65e-10),
        ("0.979A", "m", 0.979e-10),
        ("178.7e-9", "m", 178.7e-9),
        ("2 cm", "m", 0.02),
        ("3 µm", "m", 3e-6),
        ("3 μm", "m", 3e-6),
        ("3 um", "m", 3e-6),
        ("-13.5 µm", "m", -13.5e-6),
        ("1 m", "m", 1.0),
        ("12.4 keV", "eV", 12400.0),
        ("8.7E3", "eV", 8700.0),
        ("36 deg", "rad", 0.6283185307179586),
        ("36°", "rad", 0.6283185307179586),
        ("1.03 mrad", "rad", 1.03e-3),
        (" .5 s ", "s", 0.5),
        ("7", "", 7.0),
    ],
)
def test_quantities_are_read_as_people_write_them(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("35 parsec", "m"),
        ("", "m"),
        ("nm", "m"),
        ("3 keV", "m"),
        ("1,5 m", "m"),
        ("1.2.3", "m"),
        ("5 nm", ""),
        ("nan", "m"),
    ],
)
def test_what_is_no_quantity_is_refused(text: str, unit: str) -> None:
    with pytest.raises(InputError):
        parse_quantity(text, unit)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.5e-8, "m", "35 nm"),
        (1e-9, "m", "1 nm"),
        (9.79e-11, "m", "97.9 pm"),
        (4.65e-10, "m", "4.65 Å"),
        (12400.0, "eV", "12.4 keV"),
        (-1.35e-5, "m", "-13.5 µm"),
        (0.0, "m", "0 m"),
        (0.25, "", "0.25"),
        (1e-15, "m", "1e-15 m"),
    ],
)
def test_quantities_are_written_as_people_read_them(value: float, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"sead": 1}, "There is no parameter 'sead'; check its spelling with --help."),
        (
            {"solver": {"kind": "rpie", "alhpa": 0.1}},
            "There is no parameter 'solver.alhpa'; check its spelling with --help.",
        ),
        ({"constraints": {"foo": {}}}, "There is no parameter 'constraints.foo'; check its spelling with --help."),
        ({"seed": -1}, "seed is -1, but it should be greater than or equal to 0."),
        ({"data": {"energy_eV": -5}}, "data.energy_eV is -5, but it should be greater than 0."),
        ({"data": {"energy_eV": "5 parsec"}}, "data.energy_eV: 'parsec' in '5 parsec' is not a unit of eV."),
        ({"data": {"energy_eV": float("nan")}}, "data.energy_eV is nan, but it should be a finite number."),
        ({"data": {"field": "middle"}}, "data.field is 'middle', but it should be 'far' or 'near'."),
        ({"data": {"scan_shape": [3]}}, "data.scan_shape is [3], but more values are required."),
        ({"data": {"exclude": [1, -2]}}, "data.exclude is -2, but it should be greater than or equal to 0."),
        ({"data": {"exclude": 3}}, "data.exclude is 3, but it should be a list such as [1, 2]."),
        ({"solver": {"kind": "foo"}}, f"There is no solver 'foo': choose one of {NAMES}."),
        ({"solver": {"alpha": 0.1}}, f"solver has no kind: give solver.kind as one of {NAMES}."),
        (
            {"solver": "rpie"},
            "solver is 'rpie', but it is a group of parameters: set each by its name, as solver.NAME.",
        ),
        ({"solver": {"kind": "rpie", "alpha": 3}}, "solver.alpha is 3, but it should be less than or equal to 1."),
        (
            {"solver": [{"kind": "epie"}, {"kind": "rpie", "alpha": 3}]},
            "solver.alpha is 3, but it should be less than or equal to 1.",
        ),
        (
            {"solver": [{"kind": "epie"}, {"kind": "foo"}]},
            f"There is no solver 'foo': choose one of {NAMES}.",
        ),
        ({"start": {"kind": "dta"}}, "There is no start 'dta': choose one of data, file, ptychonet."),
        (
            {"constraints": {"probe_power": {"counts": 0}}},
            "constraints.probe_power.counts is 0, but it should be greater than 0.",
        ),
        ({"version": 2}, "version is 2, but it should be 1."),
    ],
)
def test_bad_values_are_told_in_one_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Job.read(values)
    assert str(caught.value) == sentence


def test_a_job_without_a_solver_is_refused() -> None:
    with pytest.raises(InputError, match=r"^solver is "):
        Job.read({"solver": []})


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("foo", "There is no parameter 'foo': Job has version, data, "),
        ("data.foo", "There is no parameter 'data.foo': Data has path, "),
        ("solver.alpha", "There is no parameter 'solver.alpha': EPIE has kind, epochs, "),
        ("seed.x", "There is no parameter 'seed.x': 'seed' is a single value."),
        ("solver.kind.x", "There is no parameter 'solver.kind.x': 'kind' is a single value."),
        ("", "There is no parameter '': Job has "),
    ],
)
def test_paths_that_lead_nowhere_are_refused(path: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Job().with_value("solver.kind", "epie").with_value(path, 1)
    assert str(caught.value).startswith(sentence)


def test_another_kind_keeps_what_was_changed_and_both_have() -> None:
    job = Job().with_value("solver.kind", "rpie").with_value("solver.epochs", 7).with_value("solver.alpha", 0.3)
    other = job.with_value("solver.kind", "mpie").solver
    assert (other.kind, other.epochs, other.alpha) == ("mpie", 7, 0.3)
    adam = job.with_value("solver.kind", "adam").solver
    assert (adam.epochs, adam.object_step) == (7, Job().with_value("solver.kind", "adam").solver.object_step)
    assert "alpha" not in adam.plain()
    with pytest.raises(
        InputError, match=rf"^There is no solver 'foo': choose one of {', '.join(sorted(members(AnySolver)))}\.$"
    ):
        job.with_value("solver.kind", "foo")


def test_a_change_of_stages_is_one_of_every_stage() -> None:
    job = Job.read({"solver": [{"kind": "rpie"}, {"kind": "adam", "epochs": 5}]})
    assert [stage.epochs for stage in job.with_value("solver.epochs", 9).stages] == [9, 9]
    assert [stage.kind for stage in job.with_value("solver.kind", "epie").stages] == ["epie", "epie"]
    with pytest.raises(InputError, match=r"There is no parameter 'solver\.alpha': Adam has"):
        job.with_value("solver.alpha", 0.5)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=1", 1),
        ("a.b=1e6", 1e6),
        ("a.b=true", True),
        ("a.b=[3, 4]", [3, 4]),
        ("a.b='x y'", "x y"),
        ("a.b=near", "near"),
        ("a.b=35 nm", "35 nm"),
        (" a.b = 2", 2),
        ("a.b=x=y", "x=y"),
        ("a.b=C:/scan 1.cxi", "C:/scan 1.cxi"),
    ],
)
def test_settings_are_toml_and_bare_words_are_strings(text: str, value: Any) -> None:
    assert parse_setting(text) == ("a.b", value)


@pytest.mark.parametrize("text", ["alpha", "=3", " =3"])
def test_a_setting_without_a_path_or_value_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a setting: write PATH=VALUE"):
        parse_setting(text)


def test_a_scan_step_may_have_a_unit_and_be_two() -> None:
    assert Job().with_value("data.scan_step_m", "31.25 Å").data.scan_step_m == pytest.approx(3.125e-9)
    assert Job().with_value("data.scan_step_m", ["3 nm", 4e-9]).data.scan_step_m == pytest.approx((3e-9, 4e-9))


def test_an_exponent_serves_as_a_whole_number() -> None:
    assert Job().with_value("seed", 1e6).seed == 1_000_000
    with pytest.raises(InputError, match="seed"):
        Job().with_value("seed", 1.5)


def test_params_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Job().seed = 3


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("data.energy_eV", "12.4 keV", 12400),
        ("data.kV", "80 kV", 80),
        ("data.kV", "80000 V", 80),
        ("data.kV", "0.3 MeV", None),
        ("data.defocus_m", "-35 nm", -35e-9),
        ("data.pixel_m", "4.65 Å", 4.65e-10),
        ("data.pixel_m", "4.65 \u212b", 4.65e-10),
        ("data.distance_m", "0.3 mm", 0.3e-3),
        ("data.convergence_rad", "1.03 mrad", 1.03e-3),
        ("data.scan_rotation_rad", "36°", 0.6283185),
    ],
)
def test_units_are_read_as_people_write_them_in_flags_and_files(path: str, text: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(InputError, match="is not a unit of kV"):
            Job().with_value(*parse_setting(f"{path}={text}"))
        return
    job = Job().with_value(*parse_setting(f"{path}={text}"))
    assert value_at(job, path) == pytest.approx(value)
    assert len(repr(value_at(job, path))) <= 18  # no 4.6500000000000005e-10 in a file
    assert job == Job.from_toml(f'{path} = "{text}"')
