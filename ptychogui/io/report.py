"""A report of a result on one HTML page that holds everything: pictures, curves, figures, parameters, provenance."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ptychogui.io import files
from ptychogui.io.figure import Figure, embedded, png
from ptychogui.params import format_quantity
from ptychogui.types import Positions, Result

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 560, 240, 64, 14, 12, 34
_STYLE = """
:root { color-scheme: light dark; --text: #1c2230; --dim: #626b7b; --line: #d5dae2; --page: #ffffff; --mark: #2a63d6; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ef; --dim: #9aa3b2; --line: #3a404d; --page: #16191f; --mark: #6f9bff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 2em auto;
  max-width: 1100px; padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.1em; margin: 2em 0 .5em; }
p.lead, .dim { color: var(--dim); }
.pictures { display: flex; flex-wrap: wrap; gap: 12px; }
.pictures img { max-height: 420px; max-width: 100%; border: 1px solid var(--line); background: #fff; }
.parameters { columns: 3 300px; font-size: 13px; } .parameters div { break-inside: avoid; overflow-wrap: anywhere; }
table { border-collapse: collapse; } td, th { padding: 2px 18px 2px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); } td { overflow-wrap: anywhere; }
pre { background: color-mix(in srgb, var(--line) 30%, var(--page)); padding: 10px; white-space: pre-wrap;
  overflow-wrap: anywhere; } summary { cursor: pointer; }
svg text { fill: var(--dim); font-size: 11px; } svg .frame { stroke: var(--line); fill: none; }
svg .curve { stroke: var(--mark); fill: none; stroke-width: 1.8; } svg .limit { stroke: var(--dim); fill: none;
  stroke-dasharray: 5 4; }
"""
_UNITS = {"_m": "m", "_eV": "eV", "_rad": "rad", "_s": "s"}


def write_report(result: Result, figures: Sequence[Figure], command: str, path: Path) -> None:
    """Write the report. Raises `InputError` where the path cannot be written."""
    with files.replacing(path) as temporary:
        temporary.write_text(report(result, figures, command), encoding="utf-8")


def report(result: Result, figures: Sequence[Figure], command: str = "") -> str:
    """The page as a text; `command` is what makes the result again, if that is known."""
    name = Path(result.provenance.get("data", "") or "result").name
    parts = [
        f"<h1>{escape(name)}</h1>",
        f'<p class="lead">{escape(_lead(result))}</p>',
        _notes(result),
        '<div class="pictures">',
        *(f'<img alt="{escape(f.title)}" title="{escape(f.title)}" src="{embedded(png(f))}">' for f in figures),
        "</div>",
        "<h2>Loss</h2>" + _loss(result) if len(result.loss) > 1 else "",
        "<h2>Fourier ring correlation</h2>" + _correlation(result) if result.correlation is not None else "",
        "<h2>Figures</h2>" + _table(_figures(result)),
        "<h2>Warnings</h2>" + "".join(f"<p>{escape(line)}</p>" for line in result.warnings) if result.warnings else "",
        f"<h2>How to make it again</h2><pre>{escape(command)}</pre>" if command else "",
        f"<h2>Parameters</h2>{_parameters(result.job)}",
        "<h2>Provenance</h2>" + _table((key, value) for key, value in result.provenance.items() if value),
    ]
    head = f'<meta charset="utf-8"><title>{escape(name)}</title><style>{_STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _lead(result: Result) -> str:
    known = result.geometry.calibrated
    pixel = format_quantity(float(f"{result.obj.pixel_m[1]:.4g}"), "m") if known else ""
    shape = " × ".join(str(n) for n in result.obj.slices.shape[1:])
    return ", ".join(
        part
        for part in (
            f"{len(result.scan)} frames",
            f"object of {shape} pixels" + (f" of {pixel}" if pixel else ""),
            f"{len(result.loss)} epochs",
            result.provenance.get("ended", "").replace("T", " "),
        )
        if part
    )


def _notes(result: Result) -> str:
    stars, text = result.notes.stars, result.notes.text
    rated = f'<p title="{stars} of 5">{"★" * stars}{"☆" * (5 - stars)}</p>' if stars else ""
    return rated + (f"<p>{escape(text)}</p>" if text else "")


def _figures(result: Result) -> Iterable[tuple[str, str]]:
    """Metrics and refined unknowns that are one number."""
    for name, value in result.metrics.items():
        yield name, quantity(name, float(value))
    for name, array in result.unknowns.items():
        if np.ndim(array) == 0:
            yield name, quantity(name, float(array))


def quantity(name: str, value: object) -> str:
    """The value of a parameter as people write it; the end of its name says the unit."""
    unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(quantity(name, part) for part in value) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and unit:
        return format_quantity(float(f"{value:.6g}"), unit)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _parameters(job: str) -> str:
    """The job in columns, and as TOML to copy; only the text where it is no TOML."""
    text = f"<details><summary>as TOML</summary><pre>{escape(job)}</pre></details>"
    try:
        flat = dict(_flat(tomllib.loads(job)))
    except tomllib.TOMLDecodeError:
        return text
    said = ((name, quantity(name, value)) for name, value in flat.items() if value != [])
    lines = (f"<div>{escape(name)} <b>{escape(value)}</b></div>" for name, value in said)
    return f'<div class="parameters">{"".join(lines)}</div>{text}'


def _flat(values: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, stage in enumerate(value, 1):
                yield from _flat(stage, f"{before}{name}.{number}.")
        else:
            yield before + name, value


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = (f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _loss(result: Result) -> str:
    """The loss on a logarithmic axis."""
    use = np.isfinite(result.loss) & (result.loss > 0)
    if use.sum() < 2:
        return "<p>The loss is no number.</p>"
    epochs: Positions = np.flatnonzero(use).astype(np.float64) + 1
    values: Positions = np.log10(result.loss[use].astype(np.float64))
    low, high = float(values.min()), float(values.max())
    decades = [d for d in range(math.floor(low), math.ceil(high) + 1) if low <= d <= high]
    marks = [float(d) for d in decades] if len(decades) > 1 else [low, high]
    labels = [(mark, f"{10**mark:.2g}") for mark in marks]
    return _plot(epochs, [("curve", values)], labels, "epoch", "loss", (low, max(high, low + 1e-6)))


def _correlation(result: Result) -> str:
    found = result.correlation
    assert found is not None
    known = result.geometry.calibrated
    x = np.asarray(found.spatial_frequency_per_m * (1e-6 if known else 1.0), np.float64)
    curves = [("curve", found.frc), ("limit", found.half_bit), ("limit", found.one_seventh)]
    unit = "spatial frequency (1/µm)" if known else "spatial frequency (1/px)"
    return _plot(x, curves, [(v, f"{v:g}") for v in (0.0, 0.5, 1.0)], unit, "correlation", (-0.1, 1.05))


def _plot(
    x: Positions,
    curves: Sequence[tuple[str, Positions]],
    marks: Sequence[tuple[float, str]],
    across: str,
    up: str,
    span: tuple[float, float],
) -> str:
    """Curves as an SVG in the page, with a frame, a few numbers and the names of the axes."""
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    first, last = float(x[0]), float(x[-1])

    def at(a: float, b: float) -> tuple[float, float]:
        part = (a - first) / max(last - first, 1e-30)
        height = (b - span[0]) / max(span[1] - span[0], 1e-30)
        return _LEFT + part * (right - _LEFT), bottom - min(max(height, 0), 1) * (bottom - _TOP)

    drawn = [f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" height="{bottom - _TOP}"/>']
    for name, values in curves:
        points = " ".join("{:.1f},{:.1f}".format(*at(a, b)) for a, b in zip(x, values) if math.isfinite(b))
        drawn.append(f'<polyline class="{name}" points="{points}"/>')
    for value, text in marks:
        drawn.append(f'<text x="{_LEFT - 6}" y="{at(first, value)[1] + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for value, anchor in ((first, "start"), (last, "end")):
        place = f'x="{at(value, span[0])[0]:.1f}" y="{bottom + 15}" text-anchor="{anchor}"'
        drawn.append(f"<text {place}>{value:.4g}</text>")
    drawn.append(f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 4}" text-anchor="middle">{escape(across)}</text>')
    middle = (_TOP + bottom) / 2
    turned = f'x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})"'
    drawn.append(f"<text {turned}>{escape(up)}</text>")
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{"".join(drawn)}</svg>'
