"""How a batch is shared out among threads."""

from __future__ import annotations

from contextlib import closing

import pytest
import torch

from ptychogui.engine import crew
from ptychogui.engine.crew import Crew, shards
from ptychogui.engine.state import State


def state(frames: int, window: tuple[int, int]) -> State:
    places = torch.rand(frames, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 40
    probe = torch.zeros(2, *window, dtype=torch.complex64)
    return State.at(torch.ones(1, 90, 100, dtype=torch.complex64), probe, places, (0.0, 0.0))


@pytest.mark.parametrize(
    ("frames", "window", "sizes"), [(9, (20, 24), [5, 4]), (6, (20, 24), [4, 2]), (3, (20, 24), [3])]
)
def test_every_thread_takes_its_share(frames, window, sizes):
    parts = shards(state(frames, window), torch.arange(frames), 2)
    assert [len(part.index) for part in parts] == sizes
    assert torch.cat([part.index for part in parts]).tolist() == list(range(frames))


def test_a_share_is_smaller_where_its_waves_would_take_much_memory(monkeypatch):
    one = state(50, (20, 24))
    monkeypatch.setattr(crew, "_WAVES_BYTES", 7 * 2 * 20 * 24 * 8)
    parts = shards(one, torch.arange(50), 2)
    assert [len(part.index) for part in parts] == [7] * 7 + [1]
    assert len({(part.begin, part.shape) for part in parts}) == 1


def test_what_the_threads_say_comes_in_order():
    one = state(30, (20, 24))
    with closing(Crew(torch.device("cpu"))) as workers:
        for count in (1, 2, 5):
            parts = shards(one, torch.arange(30), count)
            assert list(workers.run(lambda part: part.index.tolist(), parts)) == [p.index.tolist() for p in parts]
