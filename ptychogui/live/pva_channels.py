"""Channels of EPICS PVAccess, watched: what they send waits here until the loop comes for it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import psutil

from ptychogui.params import InputError

_AT_ONCE = 256
"""The most updates that are handed over at once."""
_QUIET_S = 1.0
"""After so long without an update, this is told."""
_AGAIN_S = 2.0
"""A channel that is gone is looked for anew so often: by itself p4p waits ever longer."""
_WHERE = ("EPICS_PVA_ADDR_LIST", "EPICS_PVA_AUTO_ADDR_LIST", "EPICS_PVA_NAME_SERVERS")


def library() -> Any:
    """The module p4p. Raises `InputError` where it is not installed."""
    try:
        import p4p
    except ImportError as error:
        raise InputError("Source pva needs p4p, which is not installed: pip install 'ptychogui[live]'.") from error
    return p4p


def told_where(hosts: str) -> str:
    """Where channels are looked for, in words."""
    if hosts == "auto":
        return "in the networks of this computer"
    if hosts or any(os.environ.get(name) for name in _WHERE):
        return f"at {hosts or 'the addresses of EPICS_PVA_ADDR_LIST'}"
    return "on this computer; give `hosts` to look elsewhere (auto: in its networks)"


def _configuration(hosts: str) -> dict[str, str]:
    if hosts == "auto":
        return {"EPICS_PVA_AUTO_ADDR_LIST": "YES"}
    if hosts or not any(os.environ.get(name) for name in _WHERE):
        return {"EPICS_PVA_ADDR_LIST": hosts or _own_addresses(), "EPICS_PVA_AUTO_ADDR_LIST": "NO"}
    return {}


def _own_addresses() -> str:
    """Every address of this computer: some servers on it do not hear what is sent to 127.0.0.1."""
    known = {one.address for every in psutil.net_if_addrs().values() for one in every if one.family == socket.AF_INET}
    return " ".join(sorted(known | {"127.0.0.1"}))


@dataclass(frozen=True)
class Update:
    """One value of a channel; None where the channel is gone, with what its server said of that."""

    channel: str
    value: Any
    said: str = ""


class Channels:
    """Some channels by their names, looked for at `hosts`; each may let `queue` updates wait at its server.

    p4p's threads put updates down here and wake the loop once for all that come until it looks.
    """

    def __init__(self, names: Sequence[str], hosts: str, queue: int) -> None:
        library()
        from p4p.client.raw import Context

        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._lock = threading.Lock()
        self._waiting: list[Update] = []
        self._monitors: dict[str, Any] = {}
        self._request = f"record[queueSize={queue}]"
        self._gone_since: dict[str, float] = {}
        try:
            self._context = Context("pva", conf=_configuration(hosts), useenv=True, nt=False)
        except (RuntimeError, ValueError) as error:
            raise InputError(f"EPICS cannot look for channels at '{hosts}' ({error}); check hosts.") from error
        for name in names:
            self._open(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            monitors = list(self._monitors.values())
            self._monitors.clear()
        for monitor in monitors:
            monitor.close()
        self._context.close()

    async def updates(self) -> AsyncIterator[list[Update]]:
        """What has come, in the order in which it did; an empty list where nothing has for a while."""
        while True:
            try:
                async with asyncio.timeout(_QUIET_S):
                    await self._wake.wait()
            except TimeoutError:
                yield []
            self._wake.clear()
            with self._lock:
                updates, self._waiting = self._waiting, []
                long_gone = [name for name, since in self._gone_since.items() if time.monotonic() - since > _AGAIN_S]
            for first in range(0, len(updates), _AT_ONCE):
                yield updates[first : first + _AT_ONCE]
                await asyncio.sleep(0)
            for name in long_gone:
                self._reopen(name)

    def _open(self, name: str) -> None:
        with self._lock:
            self._gone_since[name] = time.monotonic()
        monitor = self._context.monitor(name, lambda: self._take(name), self._request)
        with self._lock:
            self._monitors[name] = monitor
        self._take(name)  # what came before it was known

    def _reopen(self, name: str) -> None:
        with self._lock:
            monitor = self._monitors.pop(name)
        monitor.close()
        self._context.disconnect(name)
        self._open(name)

    def _take(self, name: str) -> None:
        """Empty the queue of a channel; called by threads of p4p, so that it never runs over here."""
        with self._lock:
            monitor = self._monitors.get(name)
            if monitor is None:
                return
            first = not self._waiting
            while (update := monitor.pop()) is not None:
                self._waiting.append(self._update(name, update))
            if first and self._waiting:
                self._loop.call_soon_threadsafe(self._wake.set)

    def _update(self, name: str, update: Any) -> Update:
        if isinstance(update, Exception):
            self._gone_since.setdefault(name, time.monotonic())
            from p4p.client.raw import RemoteError

            return Update(name, None, str(update) if isinstance(update, RemoteError) else "")
        self._gone_since.pop(name, None)
        return Update(name, update)
