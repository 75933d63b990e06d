"""A batch split among the cores: each takes its frames through the whole step, which keeps them in its own cache.

Letting torch split every single operation instead costs a barrier each time, and half of the speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from ptychogui.engine.state import State

P = TypeVar("P")
T = TypeVar("T")

_SMALLEST = 4
"""Frames below which a share is not worth a thread."""
_WAVES_BYTES = 2**22
"""Waves that a thread works on at once; a step holds some ten arrays of their size."""


@dataclass(frozen=True)
class Shard:
    """Some frames of a batch, and the part of the canvas that the whole batch touches: first pixel and shape."""

    index: Tensor
    begin: tuple[int, int]
    shape: tuple[int, int]


def shards(state: State, index: Tensor, count: int, whole: bool = False) -> list[Shard]:
    """Split the frames `index` (b,) on one common part of the canvas, or the `whole`: for each of `count` threads one
    shard, or several where the waves would take much memory.
    """
    corner = state.corner[index]
    if corner.device.type == "cpu" and not whole:
        (y, x), (y1, x1) = corner.amin(0).tolist(), corner.amax(0).tolist()
        (ny, nx) = state.window
        begin, shape = (y, x), (y1 - y + ny, x1 - x + nx)
    else:  # the extent would have to be waited for
        begin, shape = (0, 0), (state.obj.shape[-2], state.obj.shape[-1])
    share = max(_SMALLEST, -(-len(index) // count))
    if corner.device.type == "cpu":
        share = min(share, max(_SMALLEST, _WAVES_BYTES // (state.probe.nelement() * state.probe.element_size())))
    return [Shard(part, begin, shape) for part in torch.split(index, share)]


class Crew:
    """The threads that work on shards; on an accelerator there is only one shard, and none are needed."""

    def __init__(self, device: torch.device) -> None:
        self.size = torch.get_num_threads() if device.type == "cpu" else 1
        self._pool: ThreadPoolExecutor | None = None

    def run(self, work: Callable[[P], T], parts: list[P]) -> Iterator[T]:
        """Do the work on every part at once; the results come in the order of the parts, as they are ready."""
        if len(parts) == 1:
            return iter([work(parts[0])])
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.size, "crew", initializer=lambda: torch.set_num_threads(1))
        return self._pool.map(work, parts)

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown()
