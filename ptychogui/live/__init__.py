"""Scans while they are measured: sources, one file each, and what comes of them; asyncio, neither torch nor Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptychogui.live.dectris import Dectris
from ptychogui.live.folder import Folder
from ptychogui.live.pva import Pva
from ptychogui.live.replay import Replay
from ptychogui.live.source import Source
from ptychogui.live.stream1 import Stream1
from ptychogui.live.swmr import Swmr
from ptychogui.params import InputError, union

if TYPE_CHECKING:
    AnySource = Dectris | Folder | Pva | Replay | Stream1 | Swmr
else:
    AnySource: Any = union("ptychogui.sources", Dectris, Folder, Pva, Replay, Stream1, Swmr)


def source_of(text: str) -> Source:
    """The source of an address such as `replay:scan.cxi`. Raises `InputError` where it is none."""
    from ptychogui.params import members

    scheme, colon, rest = text.partition(":")
    kinds = members(AnySource).values()
    for cls in kinds:
        assert issubclass(cls, Source)
        if colon and scheme in cls.schemes:
            return cls.of(scheme, rest)
    known = ", ".join(cls.example for cls in kinds if issubclass(cls, Source))
    raise InputError(f"'{text}' is no source: give one such as {known}.")
