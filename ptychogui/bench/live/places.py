"""Sources at addresses of their own on this machine."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from ptychogui.live import AnySource, source_of
from ptychogui.live.replay import Replay
from ptychogui.live.source import Source
from ptychogui.params import InputError, members

_PORT = re.compile(r":\d+$")


def targets(kind: str | None = None) -> list[type[Source]]:
    """Every source that can be sent to, or the one of this kind. Raises `InputError` where there is none such."""
    kinds = {name: cls for name, cls in members(AnySource).items() if issubclass(cls, Source) and cls is not Replay}
    if kind is not None and kind not in kinds:
        raise InputError(f"There is no source '{kind}' that can be sent to: choose one of {', '.join(kinds)}.")
    return [cls for name, cls in kinds.items() if kind in (None, name)]


def kind_of(cls: type[Source]) -> str:
    """The name by which a source is chosen."""
    return str(cls.model_fields["kind"].default)


def here(cls: type[Source], folder: Path) -> Source:
    """A source like its example, at a free port, a place in the folder, or a name that nobody else has."""
    scheme, _, rest = cls.example.partition(":")
    if _PORT.search(rest):
        rest = _PORT.sub(f":{_free_port()}", rest)
    elif "/" in rest:
        rest = str(folder / Path(rest).name)
    else:
        rest = f"{rest}:{folder.name}:{_free_port()}"
    return source_of(f"{scheme}:{rest}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
