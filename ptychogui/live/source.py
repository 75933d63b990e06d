"""What a source is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar, Self

from ptychogui.params import Params

if TYPE_CHECKING:
    from ptychogui.live.events import Event
    from ptychogui.live.replayed import Replayed


class Source(Params):
    """A source is its parameters plus `events`, and `send`, which speaks the same protocol from the other side.

    On the command line it is one word: a scheme, a colon, and an address (`swmr:/data/scan.h5`). What a user should
    know before connecting is its `caution`.
    """

    schemes: ClassVar[tuple[str, ...]]
    """What may stand before the colon."""
    example: ClassVar[str]
    """An address as a user would write it, for help and for the form."""
    caution: ClassVar[str] = ""

    @classmethod
    @abstractmethod
    def of(cls, scheme: str, rest: str) -> Self:
        """The source of an address. Raises `InputError` with one sentence where it is none."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The address, as `of` reads it."""

    @abstractmethod
    def events(self) -> AsyncIterator[Event]:
        """Attach, and tell what comes, scan after scan, until the task is cancelled; then everything is closed.

        It outlives a sender that dies and comes back, tells garbage as `Odd`, and goes on. Frames come in blocks of as
        many as there are at once. Raises `InputError` where it can never succeed: an address that is none, or a
        library that is not installed, with the line that installs it.
        """

    @abstractmethod
    async def send(self, scan: Replayed) -> None:
        """Serve a scan by the real protocol, as a detector would; a rehearsal for users, the simulator for tests.

        Binds to loopback unless the address says otherwise. Raises `InputError` where this source cannot be sent to.
        """
