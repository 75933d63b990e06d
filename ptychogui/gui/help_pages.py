"""The pages of help: a few that are written, and those that are made from the declarations of parameters and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib import import_module
from importlib.resources import files

from PyQt6.QtGui import QKeySequence

from ptychogui.gui.actions import EVERY_ACTION, plain
from ptychogui.gui.choice import label_of, range_of, text_of
from ptychogui.gui.edits import paragraphs
from ptychogui.gui.forms import GROUPS
from ptychogui.gui.shortcuts import key_of
from ptychogui.job import Job
from ptychogui.params import Entry, Params, entries, members
from ptychogui.presets import PRESETS

WRITTEN = {
    "start": "From a scan to a picture",
    "opening": "Opening files",
    "preparation": "Preparing the frames",
    "scan": "The scan",
    "preflight": "The lights beside Run",
    "running": "Running",
    "networks": "Networks as a start",
    "views": "Views",
    "results": "Results",
    "wrong": "When the picture is wrong",
}
"""Pages that lie in resources/help, by their names."""


FORMS = {
    "simulation": ("Simulation", ("ptychogui.gui.simulate_dialog.Simulation",)),
    "layout": (
        "Scan layout",
        ("ptychogui.gui.layout_panel.Planned", "ptychogui.layout.figures.Exposure", "ptychogui.layout.affine.Affine"),
    ),
    "steps": ("Step sizes", ("ptychogui.steps.StepSearch",)),
    "train": ("Training a network", ("ptychogui.train.TrainJob",)),
    "design": ("Designing a target", ("ptychogui.engine.design.Design",)),
    "material": ("Material", ("ptychogui.measure.material.Material",)),
}
"""Pages about the fields of dialogs: their titles, and the classes of their values, loaded when a page is read."""


@dataclass(frozen=True)
class Page:
    """A page by its name; `text` gives its Markdown, or its HTML where it is made."""

    name: str
    title: str
    text: Callable[[], str]
    is_html: bool = False


def pages() -> list[Page]:
    """Every page in the order of the list."""
    written = [Page(name, title, partial(_written, name)) for name, title in WRITTEN.items()]
    groups = [e for e in entries(Job) if members(e.type) or _inner(e) is not None]
    made = [Page(f"parameters.{e.name}", f"Parameters: {e.name}", partial(group_html, e), True) for e in groups]
    presets = Page("presets", "Presets", presets_html, True)
    forms = [Page(name, title, partial(_form_html, name, title), True) for name, (title, _) in FORMS.items()]
    return [*written, presets, *made, *forms, Page("keys", "Keys", keys_html, True)]


def page_of_form(kind: type[Params]) -> str:
    """The page that tells of the fields of a form with such values; '' for those of the job."""
    if kind.__name__ == "Data":
        return "parameters.data"
    return next((name for name, (_, kinds) in FORMS.items() if f"{kind.__module__}.{kind.__name__}" in kinds), "")


def form_kinds(name: str) -> list[type[Params]]:
    """The classes whose fields a page of `FORMS` tells of."""
    found = []
    for path in FORMS[name][1]:
        module, _, kind = path.rpartition(".")
        found.append(getattr(import_module(module), kind))
    return found


def _form_html(name: str, title: str) -> str:
    return f"<h1>{escape(title)}</h1>" + "".join(
        f"{paragraphs(kind.__doc__ or '')}{_fields_html(kind, name, frozenset())}" for kind in form_kinds(name)
    )


def _written(name: str) -> str:
    return (files("ptychogui.resources") / "help" / f"{name}.md").read_text(encoding="utf-8")


def _inner(entry: Entry) -> type[Params] | None:
    kind = entry.type
    return kind if isinstance(kind, type) and issubclass(kind, Params) else None


def group_html(entry: Entry) -> str:
    """A group of parameters: what it is for, and every field of it with its help."""
    head = f"<h1>{label_of(entry.name)}</h1>{paragraphs(entry.help)}"
    union, inner = members(entry.type), _inner(entry)
    if union:
        return head + "".join(_union_html(union, entry.name))
    return head + (_fields_html(inner, entry.name, frozenset()) if inner is not None else "")


def _union_html(union: dict[str, type[Params]], path: str) -> Iterator[str]:
    """Fields that all members share stand once, at the top."""
    shared = frozenset.intersection(*(frozenset((e.name, e.help) for e in entries(m)) for m in union.values()))
    first = next(iter(union.values()))
    if len(union) > 1 and shared:
        yield f'<h2><a name="{path}.kind"></a>In all of them</h2>'
        yield "".join(_field_html(e, f"{path}.{e.name}") for e in entries(first) if (e.name, e.help) in shared)
    for kind, member in union.items():
        yield f'<h2><a name="{path}.kind.{kind}"></a>{kind}</h2>{paragraphs(member.__doc__ or "")}'
        yield _fields_html(member, path, shared if len(union) > 1 else frozenset())


def _fields_html(params: type[Params], path: str, told: frozenset[tuple[str, str]]) -> str:
    out = []
    for entry in entries(params):
        if entry.name in GROUPS and (members(entry.type) or _inner(entry) is not None):
            continue  # it has a page of its own
        inner, here = _inner(entry), f"{path}.{entry.name}"
        if members(entry.type):
            out.append(f"<h2>{label_of(entry.name)}</h2>{paragraphs(entry.help)}")
            out += _union_html(members(entry.type), here)
        elif inner is not None:
            out.append(f"<h2>{label_of(entry.name)}</h2>{paragraphs(inner.__doc__ or entry.help)}")
            out.append(_fields_html(inner, here, frozenset()))
        elif (entry.name, entry.help) not in told:
            out.append(_field_html(entry, here))
    return "".join(out)


def _field_html(entry: Entry, path: str) -> str:
    facts = [f"Unit {entry.unit}" if entry.unit else "", f"Range {range_of(entry)}" if range_of(entry) else ""]
    facts += ["May be left unset" if entry.default in (None, ()) else f"Default {_usual(entry)}"]
    line = " · ".join(fact for fact in facts if fact)
    title = f'<h4><a name="{path}"></a>{escape(label_of(entry.name))}</h4>'
    return f"{title}{paragraphs(entry.help)}<p><small>{escape(line)} · <code>{escape(path)}</code></small></p>"


def _usual(entry: Entry) -> str:
    if isinstance(entry.default, bool):
        return "on" if entry.default else "off"
    return text_of(entry.default, entry.unit)


def presets_html() -> str:
    """What each preset is for, and how one's own are kept."""
    rows = "".join(f"<h4>{escape(name)}</h4><p>{escape(preset.text)}</p>" for name, preset in PRESETS.items())
    own = (
        "<p>A preset sets solver, refinement and what ends a run, some also the number of probe modes; data, device "
        "and seed stay. It is one step of undo.</p><p><b>Your own:</b> <i>Edit ▸ Presets</i> keeps the parameters of "
        "the open file under a name, and writes a preset into a TOML file for others. On the command line "
        "<code>run FILE -o RESULT.h5 --preset NAME</code> takes the same names, and the path of such a file. With the "
        "values of the instrument a preset also fills in energy, distance, pixels, step and orientation.</p>"
    )
    return f"<h1>Presets</h1>{own}{rows}"


def keys_html() -> str:
    """The keys as they are now."""
    rows = [(key_of(action), plain(action.text)) for action in EVERY_ACTION if key_of(action)]
    cells = "".join(f"<tr><td><b>{escape(_native(key))}</b></td><td>{escape(text)}</td></tr>" for key, text in rows)
    about = "<p><i>Help ▸ Keyboard shortcuts</i> changes them.</p>"
    return f'<h1>Keys</h1>{about}<table cellpadding="4">{cells}</table>'


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
