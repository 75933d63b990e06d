"""Listens to a source, in a loop and a thread of its own, and keeps what comes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from contextlib import aclosing
from typing import Literal

from ptychogui.live.buffer import Buffer
from ptychogui.live.events import Begin, Block, End, Note, Odd, Places
from ptychogui.live.source import Source
from ptychogui.params import InputError

State = Literal["connecting", "waiting", "receiving", "stalled", "ended", "failed", "stopped"]

_STALLED_S = 5.0
"""A scan of which nothing came for so long, and for ten times its usual interval, has stalled."""
_KEPT = 200
"""Sentences that are kept."""


class Receiver:
    """One source, and the scans that came from it, the latest last.

    `start` begins to listen in a thread; `listen` does it in a loop that is running. All else may be asked from any
    thread. Scans that are over stay until `forget`.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.scans: list[Buffer] = []
        self.error = ""
        """Why listening has ended, where it was not stopped."""
        self.said: deque[tuple[float, str, bool]] = deque(maxlen=_KEPT)
        """What the source said: when (`time.time`), the sentence, and whether something is wrong."""
        self._attached = self._stopped = self._done = False
        self._dropped = 0
        """Sentences that are not kept any more."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen in a thread, until `stop`."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self.listen()), name="source", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Detach; waits until everything is closed."""
        self._stopped = True
        loop, task = self._loop, self._task
        if loop is not None and task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)
        if self._thread is not None:
            self._thread.join(timeout_s)

    def forget(self, scan: Buffer) -> None:
        """Let go of a scan and its memory."""
        if scan in self.scans:
            self.scans.remove(scan)

    @property
    def scan(self) -> Buffer | None:
        """The latest scan."""
        return self.scans[-1] if self.scans else None

    @property
    def state(self) -> State:
        """How it is now."""
        scan = self.scan
        if self.error:
            return "failed"
        if self._stopped:
            return "stopped"
        if scan is None:
            return "waiting" if self._attached else "connecting"
        if scan.ended:
            return "ended"
        counters = scan.counters
        usual_s = 10 / counters.rate if counters.rate else 0.0
        return "stalled" if counters.received and counters.age_s > max(_STALLED_S, usual_s) else "receiving"

    @property
    def done(self) -> bool:
        """Whether it listens no more, and nothing went wrong: a source that has only so many scans."""
        return self._done

    def sentences(self, after: int) -> list[str]:
        """What the source has said after so many sentences."""
        return [one[1] for one in list(self.said)[max(0, after - self._dropped) :]]

    def give_up(self, scan: Buffer, why: str) -> None:
        """Let a scan be over, though its source has not said so."""
        scan.end()
        self._say(why, wrong=True)

    async def listen(self) -> None:
        """Keep what the source tells, until the task is cancelled or the source can tell no more."""
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            if self._stopped:
                return
            async with aclosing(self.source.events()) as events:  # type: ignore[type-var]
                async for event in events:
                    self._take(event)
            self._done = True
        except asyncio.CancelledError:
            if not self._stopped:
                raise
        except InputError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 - the border of a source: what has come stays, and the user is told
            self.error = f"The source failed: {error or type(error).__name__}; connect again."
        finally:
            if self.scan is not None and self.error:
                self.scan.end()

    def _take(self, event: object) -> None:
        self._attached, scan = True, self.scan
        match event:
            case Begin():
                if scan is not None:
                    scan.end()
                self.scans.append(Buffer(event))
            case Note():
                self._say(event.sentence, wrong=False)
            case Odd():
                self._say(event.sentence, wrong=True)
                if scan is not None:
                    scan.lose(event.frames)
            case _ if scan is None:
                self._say("Frames came before the scan had begun, and are not kept.", wrong=True)
            case Block():
                scan.put(event)
            case Places():
                scan.place(event)
            case End():
                scan.end()

    def _say(self, sentence: str, *, wrong: bool) -> None:
        if not self.said or self.said[-1][1] != sentence:
            self._dropped += len(self.said) == _KEPT
            self.said.append((time.time(), sentence, wrong))
