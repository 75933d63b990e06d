"""What goes wrong with a scan while it is measured, early and in words: pure functions of what has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ptychogui.live.buffer import Buffer
from ptychogui.types import Complex, Mask, Positions, Scan

Kind = Literal["beam", "saturated", "still", "drift", "overlap", "probe"]

_LOOKED_AT = 32
"""Frames of one look, however many have come."""
_RECENT = 8
_KNOWN = 24
"""Frames from which on one knows what is usual."""
_LOST = 0.1
_OFTEN = 0.25
"""The part of the recent frames that must be saturated."""
_BRIGHT = 1 / 8
"""A pixel that is always at the limit is saturated where a neighbour has this part of it, and dead elsewhere."""
_STILL = 0.02
_STANDS = 12
_DRIFTS = 0.5
_LEAST_OVERLAP = 0.5
_ALIKE = 0.8
_AS_BRIGHT = 1.5


@dataclass(frozen=True)
class Alarm:
    """One thing that is wrong, and a sentence that says what, with figures, and what to do."""

    kind: Kind
    sentence: str


@dataclass(frozen=True)
class Look:
    """What was seen of a scan: of some of its frames (n,), in the order in which they came, the total `counts` and how
    many pixels are `saturated`; `seen` is how many frames there were, `limit` the counts that a pixel can show."""

    seen: int = 0
    counts: Positions = field(default_factory=lambda: np.zeros(0))
    saturated: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    limit: float | None = None


def look_at(buffer: Buffer, before: Look | None = None, limit: float | None = None) -> Look:
    """See what has come since `before`: a few frames of it, which takes the same short time whatever the rate.

    `limit` is the largest count of a pixel; without it that of the type of whole counts.
    """
    before = before or Look()
    arrived = buffer.arrived
    numbers = arrived[before.seen :]
    if not len(numbers):
        return before
    if limit is None and buffer.dtype.kind in "ui":
        limit = float(np.iinfo(buffer.dtype).max)
    step = -(-len(numbers) // _LOOKED_AT)
    frames = buffer[numbers[::-step][::-1]]  # the last one is always among them
    mask = np.ones(buffer.begin.shape, np.bool_) if buffer.begin.mask is None else buffer.begin.mask
    counts = np.where(mask, frames, 0).sum((1, 2), dtype=np.float64)
    found = np.zeros(len(frames), np.intp) if limit is None else _saturated(frames, mask, limit)
    return Look(len(arrived), np.concatenate([before.counts, counts]), np.concatenate([before.saturated, found]), limit)


def _saturated(frames: NDArray[Any], mask: Mask, limit: float) -> NDArray[np.intp]:
    """How many pixels of each frame (n,) are at the limit, dead ones left out."""
    at = (frames >= limit) & mask
    if not at.any():
        return np.zeros(len(frames), np.intp)
    mean = np.where(at.all(0), 0.0, frames.mean(0))
    padded = np.pad(mean, 1)
    near = np.max([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]], axis=0)
    dead = at.all(0) & (near < _BRIGHT * limit)
    counted: NDArray[np.intp] = (at & ~dead).sum((1, 2))
    return counted if (~dead & at.any(0)).any() else np.zeros(len(frames), np.intp)


def frames_alarms(seen: Look) -> Iterator[Alarm]:
    """What the frames themselves tell: the beam is lost, the detector saturated."""
    recent, usual = seen.counts[-_RECENT:], float(np.median(seen.counts)) if len(seen.counts) else 0.0
    if len(seen.counts) >= _KNOWN and usual > 0 and recent.max() < _LOST * usual:
        yield Alarm(
            "beam",
            f"The beam seems lost: the last frames have {100 * recent.mean() / usual:.2g} % of the usual counts; look "
            "at the shutter and the beam.",
        )
    often = (seen.saturated[-_KNOWN:] > 0).mean() if len(seen.saturated) >= _RECENT else 0.0
    if often >= _OFTEN:
        yield Alarm(
            "saturated",
            f"The detector is saturated: {100 * often:.0f} % of the frames have pixels at {seen.limit:.0f} counts, "
            f"up to {seen.saturated.max()}; attenuate the beam or count for a shorter time.",
        )


def position_alarms(buffer: Buffer) -> Iterator[Alarm]:
    """What the positions tell: they stand still, or drift away from the planned ones."""
    numbers = np.sort(buffer.arrived)
    if len(numbers) < _KNOWN:
        return
    positions = buffer.positions(numbers)
    if (alarm := standing(positions)) is not None:
        yield alarm
    planned = buffer.begin.positions_m
    if planned is not None:
        known = numbers < len(planned)
        alarm = drifting(planned[numbers[known]], positions[known], "the planned ones")
        if alarm is not None:
            yield alarm


def standing(positions: Positions) -> Alarm | None:
    """Whether positions (n, 2), in the order of the scan, have come to a halt."""
    steps = np.hypot(*np.diff(positions, axis=0).T)
    moved = steps[steps > 0]
    usual = float(np.median(moved)) if len(moved) else 0.0
    if len(steps) < _STANDS or steps[-_STANDS:].max() > _STILL * usual:
        return None
    sentence = f"The positions stand still: the last {_STANDS + 1} frames are all of one place; look at the stage."
    return Alarm("still", sentence)


def drifting(nominal: Positions, found: Positions, beside: str) -> Alarm | None:
    """Whether positions (n, 2), in the order of the scan, move away from the nominal ones by more than half a step."""
    good = np.isfinite(nominal).all(1) & np.isfinite(found).all(1)
    nominal, found = nominal[good], found[good]
    step = Scan(nominal).step_m if len(nominal) >= _KNOWN else 0.0
    if not step > 0:
        return None
    way = found - nominal
    part = max(_RECENT, len(way) // 8)
    drift = float(np.hypot(*(np.median(way[-part:], 0) - np.median(way[:part], 0))))
    if drift < _DRIFTS * step:
        return None
    sentence = f"The positions drift: by now they have moved {drift / step:.2g} steps of the scan away from {beside}."
    return Alarm("drift", sentence)


def overlapping(scan: Scan, probe: Complex, pixel_m: tuple[float, float]) -> Alarm | None:
    """Whether neighbours of a scan share too little of a probe (M, ny, nx)."""
    if len(scan) < _KNOWN:
        return None
    diameter_m = diameter(probe, pixel_m)
    share = scan.overlap(diameter_m) if diameter_m > 0 else 1.0
    if share >= _LEAST_OVERLAP:
        return None
    told = f"share {100 * share:.0f} % of the probe's diameter" if share > 0 else "do not touch each other"
    sentence = f"The overlap is too small: neighbouring positions {told}; make the step smaller or the probe larger."
    return Alarm("overlap", sentence)


def diameter(probe: Complex, pixel_m: tuple[float, float]) -> float:
    """The diameter of the disc that has the area and the power of the bright part of a probe (M, ny, nx)."""
    power = (np.abs(probe).astype(np.float64) ** 2).sum(0)
    power[power < 0.02 * power.max(initial=0)] = 0
    square = float(np.square(power).sum())
    area = float(power.sum()) ** 2 / square if square > 0 else 0.0
    return float(2 * np.sqrt(area * pixel_m[0] * pixel_m[1] / np.pi))


def probe_changed(probe: Complex, before: Complex) -> Alarm | None:
    """Whether a probe (M, ny, nx) differs from that of the scan before, wherever in its window it lies."""
    if probe.shape[1:] != before.shape[1:]:
        return None
    power, usual = (float(np.square(np.abs(one)).sum(dtype=np.float64)) for one in (probe, before))
    if not (power > 0 and usual > 0):
        return None
    ratio = power / usual
    if not 1 / _AS_BRIGHT < ratio < _AS_BRIGHT:
        sentence = f"The probe has changed: it has {100 * ratio:.3g} % of the power of that of the scan before."
        return Alarm("probe", sentence)
    first, second = (np.fft.fft2(one[0].astype(np.complex128)) for one in (probe, before))
    product = first * second.conj()
    norm = np.sqrt(np.square(np.abs(first)).sum() * np.square(np.abs(second)).sum())
    alike = float(np.abs(np.fft.ifft2(product)).max()) * product.size / float(norm)
    if alike >= _ALIKE:
        return None
    sentence = f"The probe has changed: it is alike to that of the scan before by only {100 * alike:.0f} %."
    return Alarm("probe", sentence)
