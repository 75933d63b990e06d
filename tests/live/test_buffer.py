"""What comes of a scan is kept and counted, in whatever order and however wrong it comes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ptychogui.io.raw import Listing
from ptychogui.live.buffer import Buffer, Counters
from ptychogui.live.events import Begin, Block, Places
from ptychogui.live.track import Track

SHAPE = (6, 9)
rng = np.random.default_rng(6)
FRAMES = rng.poisson(40, (300, *SHAPE)).astype(np.uint16)
WHERE = np.cumsum(rng.normal(0.7, 0.4, (300, 2)), axis=0) * 1e-6


def begin(**more: object) -> Begin:
    return Begin(SHAPE, np.dtype(np.uint16), **more)  # type: ignore[arg-type]


def block(*numbers: int, **more: object) -> Block:
    index = np.array(numbers, np.intp)
    return Block(index, FRAMES[index], WHERE[index], **more)  # type: ignore[arg-type]


def counted(buffer: Buffer) -> dict[str, int]:
    """All counters that are not 0."""
    timed = {"rate": 0.0, "age_s": 0.0}
    said = dataclasses.asdict(dataclasses.replace(buffer.counters, **timed))
    return {name: value for name, value in said.items() if value}


def check_whole(buffer: Buffer, numbers: np.ndarray) -> None:
    np.testing.assert_array_equal(buffer.arrived, numbers)
    np.testing.assert_array_equal(buffer[buffer.arrived], FRAMES[numbers])
    np.testing.assert_array_equal(buffer.positions(buffer.arrived), WHERE[numbers])


def test_frames_come_shuffled_doubled_and_with_gaps() -> None:
    buffer = Buffer(begin(frames=10))
    buffer.put(block(0, 1, 4))
    buffer.put(block(3, 3, 1))
    buffer.put(block(7))
    assert counted(buffer) == {
        "received": 5, "ready": 5, "expected": 10, "missing": 3, "late": 1, "doubled": 2
    }  # fmt: skip
    check_whole(buffer, np.array([0, 1, 4, 3, 7]))
    np.testing.assert_array_equal(buffer[3], FRAMES[3])
    np.testing.assert_array_equal(buffer[1:4:2], FRAMES[1:4:2])
    buffer.lose(2)
    buffer.end()
    assert (buffer.ended, buffer.counters.missing, buffer.counters.lost) == (True, 5, 2)


def test_more_frames_come_than_there_was_room_for() -> None:
    buffer = Buffer(begin())
    order = rng.permutation(300)
    for some in np.split(order, 10):
        buffer.put(block(*some.tolist()))
    assert buffer.counters.received == 300
    assert buffer.counters.missing == 0
    assert buffer.counters.late > 200
    np.testing.assert_array_equal(np.sort(buffer.arrived), np.arange(300))
    np.testing.assert_array_equal(buffer[buffer.arrived], FRAMES[buffer.arrived])
    assert buffer.shape[0] >= 300
    assert buffer.shape[1:] == SHAPE


@pytest.mark.parametrize(
    "wrong",
    [
        Block(np.array([5, 6]), FRAMES[:2, :, :-1]),
        Block(np.array([5, 6]), FRAMES[:3]),
        Block(np.array([5, 6]), FRAMES[:2].astype(np.complex64)),
        Block(np.array([5, 6]), FRAMES[:2].astype(np.float32) / 3),
        Block(np.array([5, 6]), FRAMES[:2], WHERE[:3]),
        Block(np.array([5, 6]), FRAMES[:2], time_s=np.zeros(1)),
        Block(np.array([-1, 2**62]), FRAMES[:2]),
        Block(np.array([10**6, 10**9]), FRAMES[:2], WHERE[:2]),
    ],
    ids=["shape", "count", "complex", "fractions", "positions", "times", "beyond", "far"],
)
def test_what_cannot_be_is_refused_and_nothing_else_is_lost(wrong: Block) -> None:
    buffer = Buffer(begin())
    buffer.put(block(0, 1))
    buffer.put(wrong)
    buffer.place(Places(WHERE[:2], numbers=np.array([-7, 2**40])))
    buffer.put(block(2))
    assert counted(buffer) == {"received": 3, "ready": 3, "refused": 2}
    check_whole(buffer, np.arange(3))


def test_without_room_frames_are_refused_and_counted() -> None:
    buffer = Buffer(begin(frames=10**12))
    buffer.room = 4
    buffer.put(block(*range(6)))
    assert counted(buffer) == {"received": 4, "ready": 4, "refused": 2, "expected": 10**12}
    check_whole(buffer, np.arange(4))


@pytest.mark.parametrize("dtype", [np.uint32, np.int32, np.int64])
def test_wide_counts_take_the_room_of_narrow_ones_until_one_is_wide(dtype: type) -> None:
    buffer = Buffer(Begin(SHAPE, np.dtype(dtype)))
    high = FRAMES[:4].astype(dtype)
    high[3, 2, 1] = 2**31 - 1
    buffer.put(Block(np.arange(3), high[:3], WHERE[:3]))
    narrow = buffer[:3]
    buffer.put(Block(np.array([3]), high[3:], WHERE[3:4]))
    assert narrow.dtype == buffer.dtype == dtype
    np.testing.assert_array_equal(narrow, high[:3])
    np.testing.assert_array_equal(buffer[buffer.arrived], high)


def test_counts_of_another_type_are_saturated_and_never_wrap() -> None:
    buffer = Buffer(begin())
    wide = np.full((1, *SHAPE), 70_000, np.uint32)
    buffer.put(Block(np.array([0]), wide, WHERE[:1]))
    buffer.put(Block(np.array([1]), np.full((1, *SHAPE), -3, np.int16), WHERE[:1]))
    assert (buffer[0] == 65_535).all()
    assert (buffer[1] == 0).all()


def test_positions_by_number_come_before_and_after_their_frames() -> None:
    buffer = Buffer(begin())
    buffer.place(Places(WHERE[:3], numbers=np.arange(3)))
    buffer.put(Block(np.array([1, 4]), FRAMES[[1, 4]]))
    assert (buffer.counters.received, buffer.counters.ready) == (2, 1)
    nowhere = np.full((1, 2), np.nan)
    buffer.place(Places(nowhere, numbers=np.array([4])))
    assert buffer.counters.ready == 1
    buffer.place(Places(WHERE[3:6], numbers=np.arange(3, 6)))
    check_whole(buffer, np.array([1, 4]))


@pytest.mark.parametrize("frames_first", [True, False])
def test_positions_by_time_are_joined_between_those_before_and_behind(frames_first: bool) -> None:
    time_s = np.arange(20) * 0.1
    # the stage moves on a line, the frames are taken between two of its readings
    line = np.stack([3 * time_s, -2 * time_s + 1], 1)
    exposed = np.array([0.02, 0.55, 1.03, 1.85, 1.95])
    frames = Block(np.arange(5), FRAMES[:5], time_s=exposed)
    shuffled = rng.permutation(20)
    places = [Places(line[some], time_s=time_s[some]) for some in np.split(shuffled, 4)]
    odd = Places(np.full((1, 2), np.nan), time_s=np.array([np.nan]))
    buffer = Buffer(begin())
    for event in (frames, odd, *places) if frames_first else (odd, *places, frames):
        buffer.put(event) if isinstance(event, Block) else buffer.place(event)
    assert sorted(buffer.arrived) == [0, 1, 2, 3]  # the next reading may be nearer to the last frame
    buffer.end()
    assert sorted(buffer.arrived) == [0, 1, 2, 3, 4]
    known = np.stack([3 * exposed, -2 * exposed + 1], 1)[:4]
    if not frames_first:
        np.testing.assert_allclose(buffer.positions(np.arange(4)), known, atol=1e-12)
    np.testing.assert_allclose(buffer.positions(np.array([4])), line[-1:])


def test_a_frame_of_another_clock_gets_no_position() -> None:
    track = Track()
    assert np.isnan(track.at(np.array([1.0]))).all()
    track.add(np.arange(100.0), np.ones((100, 2)))
    assert np.isfinite(track.at(np.array([-1.0, 0.5, 99.0]))).all()
    assert np.isnan(track.at(np.array([-1e6, 1e6, 100.5]))).all()
    assert np.isnan(track.at(np.array([-1e6, 1e6]), to_the_end=True)).all()
    assert np.isfinite(track.at(np.array([100.5]), to_the_end=True)).all()


def test_planned_positions_are_those_of_frames_without_their_own() -> None:
    buffer = Buffer(begin(frames=8, positions_m=WHERE[:8]))
    buffer.put(Block(np.array([2, 0]), FRAMES[[2, 0]]))
    buffer.put(Block(np.array([5]), FRAMES[[5]], WHERE[[6]]))
    assert buffer.arrived.tolist() == [0, 2, 5]
    np.testing.assert_array_equal(buffer.positions(buffer.arrived), WHERE[[0, 2, 6]])
    np.testing.assert_array_equal(buffer.planned, np.arange(8))


def test_positions_from_the_user_come_before_those_of_the_source() -> None:
    buffer = Buffer(begin())
    buffer.put(block(0, 1))
    buffer.plan(Listing(WHERE[:4, ::-1] * 1e6, "um", "of the plan", "xy"))
    buffer.put(block(3))
    raw = buffer.raw(buffer.arrived)
    assert raw.positions is not None
    assert (raw.positions.unit, raw.positions.columns) == ("um", "xy")
    np.testing.assert_array_equal(raw.positions.values, WHERE[[0, 1, 3], ::-1] * 1e6)
    np.testing.assert_array_equal(raw.frames[:], FRAMES[[0, 1, 3]])


def test_the_rate_is_that_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("ptychogui.live.buffer.time.monotonic", lambda: now[0])
    buffer = Buffer(begin())
    assert buffer.counters == Counters()
    for number in range(40):
        buffer.put(block(number))
        now[0] += 0.1
    assert buffer.counters.rate == pytest.approx(10, rel=0.1)
    assert buffer.counters.age_s == pytest.approx(0.1)
    now[0] += 60
    assert (buffer.counters.rate, round(buffer.counters.age_s)) == (0, 60)
