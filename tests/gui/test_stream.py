"""A generator beside the window: its latest item arrives, it can be stopped, and its errors are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator

import pytest
from PyQt6.QtCore import QCoreApplication, QThread

from ptychogui.gui.stream import Stream
from ptychogui.gui.tasks import Tasks
from ptychogui.params import InputError

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def stream(qapp: QCoreApplication) -> Iterator[Stream[int]]:
    tasks = Tasks()
    yield Stream(tasks)
    tasks.close()


def test_the_last_item_arrives_in_the_thread_of_the_window(stream: Stream[int], until: Until) -> None:
    seen: list[int | None] = []
    threads: list[object] = []
    stream.changed.connect(lambda: (seen.append(stream.item), threads.append(QThread.currentThread())))
    stream.start(lambda: (i for i in range(20_000)))
    until(lambda: not stream.running)
    assert seen[-1] == stream.item == 19_999
    assert len(seen) < 20_000
    assert set(threads) == {QCoreApplication.instance().thread()}  # type: ignore[union-attr]


def test_it_can_be_stopped_and_closes_its_generator(stream: Stream[int], until: Until) -> None:
    closed = threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            for i in range(1_000_000):
                time.sleep(0.001)
                yield i
        finally:
            closed.set()

    stream.start(endless)
    until(lambda: stream.item)
    stream.stop()
    assert stream.stopping
    until(lambda: not stream.running)
    assert closed.is_set()
    assert stream.stopped
    assert stream.item
    stream.start(lambda: (i for i in (7,)))
    until(lambda: not stream.running)
    assert stream.item == 7
    assert not stream.stopped


def test_its_error_is_told_and_what_came_before_is_kept(stream: Stream[int], until: Until) -> None:
    def failing() -> Generator[int, None, None]:
        yield 3
        raise InputError("It does not fit.")

    stream.start(failing)
    until(lambda: not stream.running)
    assert (stream.item, stream.problem) == (3, "It does not fit.")
