"""PtychoNet: networks alone, and as the start of solvers, on photographs that no network was trained on."""

from __future__ import annotations

from collections.abc import Iterator

from ptychogui.bench.papers.trial import Row, Setting

NAME = "ptychonet"


def rows(setting: Setting) -> Iterator[Row]:
    """Sections 4 and 5, other kinds of images, the time of a network's pass, and a real scan that is thinned."""
    from ptychogui.bench.papers import learned

    yield from learned.rows(setting)
