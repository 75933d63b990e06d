"""Errors against epochs as a picture: one line for each start."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import cycle
from pathlib import Path

from ptychogui.io.files import replacing

Curve = Sequence[Mapping[str, float]]

_WIDTH, _HEIGHT = 820, 400
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 40, 620, 350
_USUAL = {"flat start": "#0072b2", "random start": "#8a8a8a"}
_COLOURS = ("#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Colours that are told apart by all eyes (Okabe & Ito), those of the usual starts always the same."""
_MARKS = (1.0, 2.0, 5.0)


def write_svg(curves: Mapping[str, Curve], quantity: str, title: str, up: str, path: Path) -> None:
    """Write curves of a quantity by their names, its axis logarithmic and called `up`, as SVG."""
    with replacing(path) as temporary:
        temporary.write_text(svg(curves, quantity, title, up), encoding="utf-8")


def svg(curves: Mapping[str, Curve], quantity: str, title: str, up: str) -> str:
    """Curves of a quantity, which is above nothing, by their names as the text of an SVG."""
    lines = {name: [(p["epoch"], math.log10(max(p[quantity], 1e-12))) for p in curve] for name, curve in curves.items()}
    heights = [height for line in lines.values() for _, height in line]
    low, high = min(heights), max(max(heights), min(heights) + 0.1)
    last = max(max(epoch for line in lines.values() for epoch, _ in line), 1.0)

    def at(epoch: float, height: float) -> tuple[float, float]:
        part = (height - low) / (high - low)
        return _LEFT + epoch / last * (_RIGHT - _LEFT), _BOTTOM - part * (_BOTTOM - _TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#16191f">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_RIGHT - _LEFT}" height="{_BOTTOM - _TOP}" fill="none" stroke="#888"/>',
    ]
    for mark in _marks(low, high):
        y = at(0, math.log10(mark))[1]
        parts.append(f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{mark:g}</text>')
    for epoch, anchor in ((0.0, "start"), (last, "end")):
        parts.append(f'<text x="{at(epoch, low)[0]:.1f}" y="{_BOTTOM + 16}" text-anchor="{anchor}">{epoch:g}</text>')
    middle = (_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2
    parts.append(f'<text x="{middle[0]}" y="{_BOTTOM + 32}" text-anchor="middle">epoch</text>')
    turned = f'x="14" y="{middle[1]}" text-anchor="middle" transform="rotate(-90 14 {middle[1]})"'
    parts.append(f"<text {turned}>{escape(up)}</text>")
    others = cycle(_COLOURS)
    for place, (name, line) in enumerate(lines.items()):
        colour, y = _USUAL.get(name) or next(others), _TOP + 14 + 18 * place
        points = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{_RIGHT + 12}" y="{y}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _marks(low: float, high: float) -> list[float]:
    """Round numbers between two powers of ten; one in the middle where there are none."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    found = [first * 10.0**decade for decade in decades for first in _MARKS]
    return [mark for mark in found if low <= math.log10(mark) <= high] or [float(f"{10 ** ((low + high) / 2):.2g}")]
