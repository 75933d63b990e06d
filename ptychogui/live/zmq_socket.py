"""ZeroMQ sockets, read and written in a thread: asyncio's loop on Windows cannot watch them, and a thread is faster."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ptychogui.live.events import Note, Odd
from ptychogui.live.packed import LARGEST_BYTES
from ptychogui.params import InputError

if TYPE_CHECKING:
    import zmq

T = TypeVar("T")
Pattern = Literal["sub", "pull"]
Parts = list[bytes]

_AT_ONCE = 256
"""The most messages of one socket that are read at once."""
_AT_ONCE_BYTES = 2**26
_WAIT_MS = 100
"""So long a thread waits before it looks whether it is to end."""
_LINGER_MS = 5000
"""So long a sender that is done waits until all is with the receivers."""
_MENDED_S = 1.0
"""So long after it was lost, ZeroMQ has begun to restore a connection, if it ever will."""
_ADDRESS = re.compile(r"(?:tcp:)?(?://)?([\w.\-]*|\*):(\d{1,5})/?")


def tcp(address: str) -> str:
    """`host:port` as ZeroMQ writes it; without a host it is this machine. Raises `InputError` where it is neither."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None or not 0 < int(match[2]) < 2**16:
        raise InputError(f"'{address}' is no address of a stream: give a host and a port, such as 127.0.0.1:31001.")
    return f"tcp://{match[1] or '127.0.0.1'}:{int(match[2])}"


@dataclass(frozen=True)
class Inlet:
    """A stream to listen to."""

    address: str
    pattern: Pattern


@dataclass(frozen=True)
class Arrived:
    """Messages that came from the inlet of this number, in their order."""

    inlet: int
    messages: list[Parts]


async def arriving(inlets: Sequence[Inlet], queue: int) -> AsyncIterator[Arrived | Note | Odd]:
    """Listen to streams until the task is cancelled; then every socket is closed and no thread is left.

    `queue` messages of each may wait here until they are read.
    """
    import zmq

    context, stop = zmq.Context(), threading.Event()
    try:
        listener = _Listener(context, inlets, queue)
        for inlet in inlets:
            yield Note(f"Waiting for {inlet.address}.")
        while True:
            for one in await _in_thread(listener.read, stop):
                yield one
    finally:
        context.destroy(linger=0)


class _Line:
    """One stream: its socket, and the monitor that says how the connection is."""

    def __init__(self, context: zmq.Context[Any], inlet: Inlet, queue: int) -> None:
        import zmq

        self.inlet = inlet
        self.socket = context.socket(zmq.SUB if inlet.pattern == "sub" else zmq.PULL)
        self.socket.rcvhwm, self.socket.maxmsgsize = queue, LARGEST_BYTES
        if inlet.pattern == "sub":
            self.socket.subscribe(b"")
        self.monitor = self.socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED
        )
        try:
            self.socket.connect(inlet.address)
        except zmq.ZMQError as error:
            raise InputError(f"{inlet.address} is nothing to listen to ({error}): give a host and a port.") from error
        self._greeted = False
        self._lost_at: float | None = None
        """When the connection was lost, until ZeroMQ tries again by itself."""

    def happened(self) -> list[Note | Odd]:
        """What the monitor has to tell."""
        import zmq
        from zmq.utils.monitor import recv_monitor_message

        event = recv_monitor_message(self.monitor)["event"]
        self._lost_at = time.monotonic() if event == zmq.EVENT_DISCONNECTED else None
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._greeted = True
            return [Note(f"Connected to {self.inlet.address}.")]
        if event == zmq.EVENT_DISCONNECTED and self._greeted:
            return [Note(f"The connection to {self.inlet.address} was lost; waiting for it to come back.")]
        return []

    def mended(self) -> list[Note | Odd]:
        """Connect again where ZeroMQ does not by itself, as after a message that breaks its rules."""
        import zmq

        if self._lost_at is None or time.monotonic() - self._lost_at < _MENDED_S:
            return []
        with suppress(zmq.ZMQError):
            self.socket.disconnect(self.inlet.address)
        self.socket.connect(self.inlet.address)
        self._lost_at, greeted, self._greeted = None, self._greeted, False
        if greeted:
            return [Odd(f"{self.inlet.address} sent what breaks the rules of ZeroMQ, or too large a message.")]
        other = "pull" if self.inlet.pattern == "sub" else "sub"
        return [Odd(f"{self.inlet.address} answers, but not to a {self.inlet.pattern} socket: try pattern={other}.")]


class _Listener:
    """All streams of a source, for one thread at a time."""

    def __init__(self, context: zmq.Context[Any], inlets: Sequence[Inlet], queue: int) -> None:
        import zmq

        self._lines, self._poller = [_Line(context, inlet, queue) for inlet in inlets], zmq.Poller()
        for line in self._lines:
            self._poller.register(line.socket, zmq.POLLIN)
            self._poller.register(line.monitor, zmq.POLLIN)

    def read(self) -> list[Arrived | Note | Odd]:
        """What is there; waits a little where there is nothing. The last stream comes first: positions, then frames."""
        ready = {socket for socket, _ in self._poller.poll(_WAIT_MS)}
        found: list[Arrived | Note | Odd] = []
        for number, line in reversed(list(enumerate(self._lines))):
            if line.socket in ready:
                found.append(Arrived(number, _drained(line.socket)))
            else:
                found += line.mended()
            if line.monitor in ready:
                found += line.happened()
        return found


def _drained(socket: zmq.Socket[bytes]) -> list[Parts]:
    import zmq

    messages: list[Parts] = []
    size = 0
    while len(messages) < _AT_ONCE and size < _AT_ONCE_BYTES:
        try:
            parts = socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            break
        size += sum(map(len, parts))
        messages.append(parts)
    return messages


async def _in_thread(work: Callable[[], T], stop: threading.Event) -> T:
    """Work in a thread, to its end where the task is cancelled: a socket must not be closed while it is used."""
    done = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([done])
        raise


class Outlets:
    """Sockets that send: to all who subscribe, or each message to one of those who pull."""

    def __init__(self, sockets: Sequence[zmq.Socket[bytes]], stop: threading.Event) -> None:
        self._sockets, self._stop = sockets, stop

    async def subscribed(self) -> None:
        """Wait until somebody listens to every one of them."""
        import zmq

        def wait(socket: zmq.Socket[bytes]) -> None:
            while not self._stop.is_set() and not socket.poll(_WAIT_MS, zmq.POLLIN):
                pass

        for socket in self._sockets:
            if socket.type == zmq.XPUB:
                await _in_thread(lambda socket=socket: wait(socket), self._stop)  # type: ignore[misc]

    async def send(self, outlet: int, messages: Sequence[Parts]) -> None:
        """Send messages; waits where nobody pulls, or a subscriber cannot keep up."""
        import zmq

        socket = self._sockets[outlet]

        def work() -> None:
            for parts in messages:
                while not self._stop.is_set():
                    try:
                        socket.send_multipart(parts, zmq.NOBLOCK)
                        break
                    except zmq.Again:
                        socket.poll(_WAIT_MS, zmq.POLLOUT)

        await _in_thread(work, self._stop)


@asynccontextmanager
async def outlets(inlets: Sequence[Inlet], queue: int) -> AsyncIterator[Outlets]:
    """The other sides of some inlets, on their addresses. Raises `InputError` where one is taken or not ours."""
    import zmq

    context, stop = zmq.Context(), threading.Event()
    linger = 0
    try:
        sockets = []
        for inlet in inlets:
            socket = context.socket(zmq.XPUB if inlet.pattern == "sub" else zmq.PUSH)
            socket.sndhwm = queue
            if inlet.pattern == "sub":
                socket.setsockopt(zmq.XPUB_NODROP, 1)
            try:
                socket.bind(inlet.address)
            except zmq.ZMQError as error:
                raise InputError(f"Nothing can be sent from {inlet.address} ({error}): choose another port.") from error
            sockets.append(socket)
        yield Outlets(sockets, stop)
        linger = _LINGER_MS
    finally:
        await asyncio.to_thread(context.destroy, linger)
