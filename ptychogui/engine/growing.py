"""A reconstruction that begins while the scan is still running, and takes its frames in as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ptychogui.engine.coarse import level
from ptychogui.engine.crew import Crew
from ptychogui.engine.problem import Problem
from ptychogui.engine.refine import Refining
from ptychogui.engine.solvers.base import Iterate, Plan, Turn
from ptychogui.engine.start.canvas import MARGIN_PX
from ptychogui.engine.state import State
from ptychogui.engine.stopping import Stopping
from ptychogui.params import InputError
from ptychogui.types import Dataset, Feed, Positions

ENOUGH = 32
"""Frames from which on more than object and probe is refined."""
_ROOM = 0.3
"""By how much more than it must the canvas grows, so that it need not do so often."""
_LARGEST_PX = 2**28
"""Pixels of a canvas beyond which a position is a mistake."""
_TRAILING = 0.5
"""The part of the frames that may wait for their first turn before the user is told."""
_FEW_PX = 1e-6
_FOR_EVER = 10**9


def grow(
    problem: Problem, state: State, plan: Plan, feed: Feed, taken: Callable[[Dataset], None]
) -> Generator[Iterate, Plan | None, int]:
    """Run the first stage of a plan on what has come so far, until the feed has ended and every frame had its turn.

    Frames that had fewer turns are taken sooner, so that a new corner catches up with the rest; an epoch is as many
    turns as there are frames. Nothing begins anew when frames come. Yields and takes what `iterate` does, and tells
    `taken` of every longer scan; returns how many turns every frame had at least since the probe was free. A solver
    that needs all frames at once is replaced by Adam.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    cover(problem, state, feed.planned_m, 0.0)
    with closing(Crew(problem.device)) as crew:
        begun = level(problem, state, 1)
        given_up: set[str] = set()
        live = _live(plan, len(problem))
        turn = Turn(begun, crew, live.stages[0], Refining(begun, live.refine, given_up), live.penalties)
        turn.watch.told = True  # a curve that rests while frames are waited for says nothing
        turns = torch.zeros(len(problem), dtype=torch.float64)
        pace = _Pace()
        epoch, free = 0, False
        while True:
            if not free and len(problem) >= ENOUGH:
                free = True
                turns.zero_()  # those with a probe that was held have not brought the picture near
            live = _live(plan, len(problem))
            turn.change(live, 0)
            turn.refining.open(epoch if len(problem) >= ENOUGH else 0)
            loss, seen = torch.zeros((), device=problem.device), 0
            while seen < len(problem):
                if (more := feed.more(len(problem))) is not None:
                    turn.grow(wider=take(problem, state, more))
                    taken(more)
                turns = torch.nn.functional.pad(turns, (0, len(problem) - len(turns)))
                index = _next(turns, turn.solver.batch_size(len(problem)), generator)
                step_loss, said = turn.advance(index.to(problem.device))
                turns[index] += 1
                loss, seen = loss + step_loss, seen + len(index)
                messages = said + pace.note(len(index), turns, feed)
                share = problem.counts * seen / len(problem)
                changed = yield Iterate(epoch, begun, loss / share, False, messages)
                if changed is not None:
                    plan = changed
                    live = _live(plan, len(problem))
                    turn.change(live, 0)
            turn.finish_epoch()
            loss = loss / (problem.counts * seen / len(problem))
            messages = turn.settle(live, epoch, float(loss))
            epoch += 1
            changed = yield Iterate(epoch, begun, loss, True, messages)
            if changed is not None:
                plan = changed
            if feed.ended and bool((turns > 0).all()) and feed.more(len(problem)) is None:
                return int(turns.min()) if free else 0


def cover(problem: Problem, state: State, positions_m: Positions | None, room: float) -> bool:
    """Make the canvas large enough for frames at these positions (n, 2), and by a part `room` of it larger.

    Returns whether it had to be. Raises `InputError` for positions that are so far away that they must be wrong.
    """
    if positions_m is None or not len(positions_m):
        return False
    at = _on_canvas(problem, state, positions_m)
    size = np.array(state.obj.shape[-2:])
    margin = MARGIN_PX + problem.room_px
    before = np.maximum(np.ceil(margin - at.min(0)), 0)
    behind = np.maximum(np.ceil(at.max(0) + state.window + margin - size), 0)
    if not (before.any() or behind.any()):
        return False
    before, behind = (np.where(side > 0, side + np.round(room * size), 0).astype(int) for side in (before, behind))
    ny, nx = (int(n) for n in size + before + behind)
    if ny * nx > _LARGEST_PX:
        raise InputError(
            f"A frame lies so far away that the object would have {ny} × {nx} pixels: check the positions' unit."
        )
    wide = torch.ones((len(state.obj), ny, nx), dtype=state.obj.dtype, device=state.obj.device)
    y, x = (int(n) for n in before)
    wide[:, y : y + int(size[0]), x : x + int(size[1])] = state.obj
    moved = torch.from_numpy(before.astype(np.float64)).to(state.nominal_px)
    state.obj = wide
    state.nominal_px = state.nominal_px + moved
    state.move_to(state.position_px + moved)
    dy, dx = problem.geometry.pixel_m
    state.origin_m = (state.origin_m[0] - y * dy, state.origin_m[1] - x * dx)
    return True


def take(problem: Problem, state: State, dataset: Dataset) -> bool:
    """Take in the frames by which a scan has grown; returns whether the canvas grew too.

    They lie where the scan says, moved and stretched as the frames before were by what was refined. Raises
    `InputError` for frames that cannot be used.
    """
    known = len(problem)
    positions_m = dataset.scan.positions_m
    grown = cover(problem, state, positions_m[known:], _ROOM)
    at = _on_canvas(problem, state, positions_m)
    moved = state.nominal_px.cpu().numpy() - at[:known]
    new = at[known:] + (_affine(at[:known], moved, at[known:]) if np.abs(moved).max(initial=0) > _FEW_PX else 0)
    problem.take(dataset)
    place = torch.from_numpy(new).to(state.nominal_px)
    here = state.position_px
    state.nominal_px = torch.cat([state.nominal_px, place])
    if state.gain is not None:
        state.gain = torch.cat([state.gain, state.gain.new_ones(len(place))])
    state.move_to(torch.cat([here, state.inside(place)]))
    return grown


def _live(plan: Plan, frames: int) -> Plan:
    """The first stage alone, with steps that do not shrink, and no end of its own; few frames move only the object."""
    from ptychogui.engine.solvers.adam import Adam

    first = plan.stage(0)
    if first.together:
        first = Adam()
    values: dict[str, object] = {"epochs": _FOR_EVER, "final_step": 1.0, "reduction": 1}
    if frames < ENOUGH:  # a probe that fits them alone is not the one of the scan
        values["probe_start"] = _FOR_EVER
    first = first.model_copy(update=values)
    return replace(plan, stages=(first,), stop=Stopping(held_out=0))


def _next(turns: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """So many frames (b,), those that had fewer turns more likely."""
    weight = 1 / (1 + turns - turns.min())
    return torch.multinomial(weight, min(size, len(turns)), generator=generator)


def _on_canvas(problem: Problem, state: State, positions_m: Positions) -> Positions:
    """Where windows at these positions (n, 2) begin on the canvas, in pixels."""
    middle = np.array(problem.window) // 2
    at: Positions = (positions_m - np.array(state.origin_m)) / np.array(problem.geometry.pixel_m) - middle
    return at


def _affine(at: Positions, moved: Positions, wanted: Positions) -> Positions:
    """What an affine map, the least that makes `moved` (n, 2) of `at` (n, 2), makes of `wanted` (m, 2).

    Along directions in which no frames lie yet it makes nothing.
    """
    centre = at.mean(0)
    scale = max(float(np.abs(at - centre).max(initial=0)), 1.0)
    columns, asked = (np.concatenate([np.ones((len(x), 1)), (x - centre) / scale], 1) for x in (at, wanted))
    found = np.linalg.lstsq(columns, moved, rcond=1e-6)[0]
    out: Positions = asked @ found
    return out


class _Pace:
    """How fast frames are worked in, beside how fast they come."""

    def __init__(self) -> None:
        self._begun, self._done, self._told = time.monotonic(), 0, False

    def note(self, frames: int, turns: Tensor, feed: Feed) -> tuple[str, ...]:
        """Count frames that had a turn; says once that many wait for their first one."""
        self._done += frames
        waiting = int((turns == 0).sum())
        if self._told or feed.ended or waiting < max(_TRAILING * len(turns), ENOUGH):
            return ()
        self._told = True
        rate = self._done / max(time.monotonic() - self._begun, 1e-9)
        return (
            f"Frames come faster than this machine works them in ({rate:.0f} a second): {waiting} wait for their turn. "
            "None is lost, and all are used in the end.",
        )
