"""The other side of EPICS PVAccess: channels with frames and positions, as the program of a detector serves them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.live.replayed import Replayed
from ptychogui.params import InputError

if TYPE_CHECKING:
    from p4p.server.raw import SharedPV

_INTERFACES = "EPICS_PVAS_INTF_ADDR_LIST"
_SUBSCRIBED_S = 0.5
"""A client that has found a channel has subscribed to it after so long; nobody tells when it has."""
_LINGER_S = 3.0
"""So long clients are given to take what waits for them when all is sent, unless they leave before."""
_FASTEST_S = 1e-6
"""Between the time stamps of two frames, where no rate is given."""
_UNION = {2: "ushortValue", 4: "uintValue"}
_COLUMNS = [("uniqueId", "i"), ("y", "d"), ("x", "d"), ("scan", "i")]


async def serve(scan: Replayed, name: str, positions: str, first: int) -> None:
    """Serve a scan as channel `name`, its positions in its attributes or as a table in channel `positions`.

    Begins when each channel has a client, and ends when they have got everything. Raises `InputError` where nothing can
    be served at the addresses of EPICS_PVAS_INTF_ADDR_LIST; without it that is loopback only.
    """
    from p4p.nt import NTNDArray, NTTable
    from p4p.wrapper import Value

    table = NTTable(_COLUMNS).type
    kinds = {name: NTNDArray.buildType()} | ({positions: table} if positions else {})
    empty = {one: Value(kind, {}) for one, kind in kinds.items()}
    async with _serving(empty) as (pvs, clients):
        for one in clients:
            await one.here.wait()
        await asyncio.sleep(_SUBSCRIBED_S)
        begun = int(time.time())
        for number in range(begun, begun + scan.times):
            if positions:
                pvs[positions].post(Value(table, _rows(scan, number, first)))
            await _post(scan, pvs[name], _attributes(scan, number), first, by_frame=not positions)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                for one in clients:
                    await one.gone.wait()


@asynccontextmanager
async def _serving(values: Mapping[str, Any]) -> AsyncIterator[tuple[dict[str, SharedPV], list[_Clients]]]:
    """Channels with these values, and what is known of the clients of each."""
    from p4p.server import Server
    from p4p.server.raw import SharedPV

    clients = [_Clients() for _ in values]
    pvs = {name: SharedPV(handler=one, initial=value) for one, (name, value) in zip(clients, values.items())}
    where = os.environ.get(_INTERFACES) or "127.0.0.1"
    try:
        server = Server(providers=[pvs], conf={_INTERFACES: where})
    except (RuntimeError, ValueError) as error:
        raise InputError(f"Nothing can be served at {where} ({error}); check {_INTERFACES}.") from error
    try:
        yield pvs, clients
    finally:
        server.stop()
        for pv in pvs.values():
            pv.close()


class _Clients:
    """Tells when a channel has its first client, and when its last one has left; called by threads of p4p."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.here, self.gone = asyncio.Event(), asyncio.Event()

    def onFirstConnect(self, _: object) -> None:
        self._loop.call_soon_threadsafe(self._turn, self.here, self.gone)

    def onLastDisconnect(self, _: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._turn, self.gone, self.here)

    def _turn(self, true: asyncio.Event, false: asyncio.Event) -> None:
        true.set()
        false.clear()


async def _post(scan: Replayed, pv: SharedPV, attributes: dict[str, Any], first: int, *, by_frame: bool) -> None:
    begun = time.time()
    interval_s = 1 / scan.rate if scan.rate else _FASTEST_S
    async for numbers, frames in scan.blocks():
        for number, frame in zip(numbers.tolist(), frames):
            y, x = scan.positions_m[number].tolist()
            said = attributes | ({"y": y, "x": x} if by_frame else {})
            pv.post(array_value(frame, first + number, begun + number * interval_s, said))
        await asyncio.sleep(0)


def _attributes(scan: Replayed, number: int) -> dict[str, Any]:
    """What is told with every frame; values by the names of the fields of `Data`."""
    found = {name: np.asarray(value) if isinstance(value, tuple) else value for name, value in scan.found().items()}
    return {"ColorMode": 0, "scan": number, "frames": len(scan), "positions_unit": scan.positions_unit} | found


def array_value(frame: NDArray[Any], unique_id: int, time_s: float, attributes: Mapping[str, Any]) -> Any:
    """A frame (ny, nx) of 16 or 32 bit as areaDetector posts it."""
    from p4p.nt import NTNDArray
    from p4p.wrapper import Value

    seconds, part = divmod(time_s, 1)
    stamp = {"secondsPastEpoch": int(seconds), "nanoseconds": int(part * 1e9)}
    return Value(
        NTNDArray.buildType(),
        {
            "value": (_UNION[frame.itemsize], frame.ravel()),
            "codec": {"name": ""},
            "compressedSize": frame.nbytes,
            "uncompressedSize": frame.nbytes,
            "uniqueId": unique_id,
            "dataTimeStamp": stamp,
            "timeStamp": stamp,
            "dimension": [{"size": n, "fullSize": n, "binning": 1} for n in reversed(frame.shape)],
            "attribute": [{"name": name, "value": value} for name, value in attributes.items()],
        },
    )


def _rows(scan: Replayed, number: int, first: int) -> dict[str, Any]:
    """The positions of all frames, as the content of an NTTable."""
    count = len(scan)
    columns = {
        "uniqueId": np.arange(first, first + count, dtype=np.int32),
        "y": scan.positions_m[:, 0],
        "x": scan.positions_m[:, 1],
        "scan": np.full(count, number, np.int32),
    }
    return {"labels": list(columns), "value": columns}
