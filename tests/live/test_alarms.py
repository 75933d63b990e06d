"""What goes wrong with a scan is said early, with figures, and only where it is so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptychogui.live.alarms import (
    Look,
    drifting,
    frames_alarms,
    look_at,
    overlapping,
    position_alarms,
    probe_changed,
    standing,
)
from ptychogui.live.buffer import Buffer
from ptychogui.live.events import Begin, Block
from ptychogui.types import Complex, Positions, Scan

SHAPE = (12, 18)


def frames(count: int, seed: int = 1) -> NDArray[np.uint16]:
    """Frames (n, ny, nx) of a bright spot beside the middle."""
    y, x = np.ogrid[:12, :18]
    spot = 300 * np.exp(-((y - 5) ** 2 + (x - 8) ** 2) / 12)
    return np.random.default_rng(seed).poisson(spot, (count, *SHAPE)).astype(np.uint16)


def places(count: int) -> Positions:
    """A scan line by line, with a little irregularity."""
    number = np.arange(count)
    return np.stack([number // 8, number % 8], 1) * 1e-6 + np.random.default_rng(3).normal(0, 5e-8, (count, 2))


def filled(values: NDArray[np.uint16], positions: Positions, planned: Positions | None = None) -> Buffer:
    buffer = Buffer(Begin(SHAPE, np.dtype(np.uint16), positions_m=planned))
    buffer.put(Block(np.arange(len(values)), values, positions))
    return buffer


def seen(values: NDArray[np.uint16]) -> Look:
    """A buffer looked at in three parts."""
    buffer = Buffer(Begin(SHAPE, np.dtype(np.uint16)))
    look = Look()
    for numbers in np.array_split(np.arange(len(values)), 3):
        buffer.put(Block(numbers, values[numbers], places(len(values))[numbers]))
        look = look_at(buffer, look)
    return look


def kinds(values: NDArray[np.uint16]) -> list[str]:
    return [alarm.kind for alarm in frames_alarms(seen(values))]


def test_a_beam_that_is_lost_is_told_and_a_dark_place_is_not() -> None:
    good = frames(60)
    assert not kinds(good)
    lost = good.copy()
    lost[-12:] //= 40
    (alarm,) = frames_alarms(seen(lost))
    assert alarm.kind == "beam"
    assert "%" in alarm.sentence
    dim = good.copy()
    dim[-12:] //= 3
    assert not kinds(dim)
    blinked = good.copy()
    blinked[20:28] = 0
    assert not kinds(blinked), "it has come back"


def test_looking_takes_a_few_frames_however_many_have_come() -> None:
    buffer = filled(frames(500), places(500))
    look = look_at(buffer)
    assert look.seen == 500
    assert len(look.counts) <= 32
    assert look_at(buffer, look) is look
    np.testing.assert_allclose(look.counts[-1], buffer[np.array([499])].sum())


def test_a_saturated_detector_is_told_and_dead_pixels_are_not() -> None:
    limit = np.iinfo(np.uint16).max
    dead = frames(40)
    dead[:, 11, 17] = limit
    dead[:, 0:2, 0] = limit
    assert not kinds(dead)
    full = dead.copy()
    full[:, 4:7, 7:10] = limit  # always, but the beam is bright beside it
    full[:, 3, 8] = limit // 2
    assert kinds(full) == ["saturated"]
    at_times = frames(40)
    at_times[::2, 5, 8] = limit
    assert kinds(at_times) == ["saturated"]
    given = filled(frames(40), places(40))
    (alarm,) = frames_alarms(look_at(given, None, 200.0))
    assert alarm.kind == "saturated"
    assert "200" in alarm.sentence


def test_positions_that_stand_still_are_told() -> None:
    assert standing(places(50)) is None
    halted = places(50)
    halted[-14:] = halted[-14]
    alarm = standing(halted)
    assert alarm is not None
    assert alarm.kind == "still"
    assert [one.kind for one in position_alarms(filled(frames(50), halted))] == ["still"]
    assert standing(np.zeros((50, 2))) is not None


def test_positions_that_drift_from_the_plan_are_told() -> None:
    planned = places(64)
    away = planned + np.linspace(0, 2e-6, 64)[:, None] * (0.3, 1.0)
    assert drifting(planned, planned + 4e-6, "the plan") is None, "a common shift is nothing"
    alarm = drifting(planned, away, "the plan")
    assert alarm is not None
    assert "the plan" in alarm.sentence
    found = list(position_alarms(filled(frames(64), away, planned)))
    assert [one.kind for one in found] == ["drift"]
    assert not list(position_alarms(filled(frames(64), planned, planned)))


def gauss(width_px: float, at: tuple[float, float] = (20.0, 30.0)) -> Complex:
    y, x = np.ogrid[:48, :56]
    wave = np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / (2 * width_px**2)) * np.exp(0.02j * (x - at[1]) ** 2)
    return (100 * wave / np.linalg.norm(wave)).astype(np.complex64)[None]


def test_an_overlap_that_is_too_small_is_told() -> None:
    pixel = (1e-7, 1e-7)
    assert overlapping(Scan(places(64)), gauss(12.0), pixel) is None
    alarm = overlapping(Scan(places(64)), gauss(3.0), pixel)
    assert alarm is not None
    assert "overlap" in alarm.sentence


def test_another_probe_is_told_and_one_that_moved_is_not() -> None:
    before = gauss(6.0)
    assert probe_changed(before * np.exp(1j).astype(np.complex64), before) is None
    assert probe_changed(gauss(6.0, (24.0, 25.0)), before) is None
    wider = probe_changed(gauss(14.0), before)
    assert wider is not None
    assert wider.kind == "probe"
    brighter = probe_changed(2 * before, before)
    assert brighter is not None
    assert "400 %" in brighter.sentence
