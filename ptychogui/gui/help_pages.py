"""The pages of help: a few that are written, and those that are made from the declarations of parameters and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib.resources import files

from PyQt6.QtGui import QKeySequence

from ptychogui.gui.actions import ACTIONS, plain
from ptychogui.gui.choice import label_of, range_of, text_of
from ptychogui.gui.edits import paragraphs
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
    "views": "Views",
    "results": "Results",
    "wrong": "When the picture is wrong",
}
"""Pages that lie in resources/help, by their names."""


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
    return [*written, presets, *made, Page("keys", "Keys", keys_html, True)]


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
    rows = [("Ctrl+Z", "Undo"), ("Ctrl+Shift+Z", "Redo")]
    rows += [(key_of(action), plain(action.text)) for action in ACTIONS if key_of(action)]
    cells = "".join(f"<tr><td><b>{escape(_native(key))}</b></td><td>{escape(text)}</td></tr>" for key, text in rows)
    about = "<p><i>Help ▸ Keyboard shortcuts</i> changes them.</p>"
    return f'<h1>Keys</h1>{about}<table cellpadding="4">{cells}</table>'


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
