"""The nouns of the program, numpy only.

Conventions, stated here and nowhere else:

- axes are (…, y, x) and positions (y, x); everything is SI inside, with the unit as a suffix: `_m`, `_eV`, `_rad`,
  `_px`, `_s`; units are for people, at the edges only
- solvers work in complex64 and float32; positions, and tests, in float64
- transforms are `fft2(norm="ortho")`; zero frequency lies in the corner inside the engine, in the centre (index n // 2)
  in files and views
- the exit wave is ψ_j(r) = P(r) · O(r + r_j); frames are counts; Σ|P|² over all modes starts as the mean counts per
  frame
- a position is where the centre of the frame's window (index n // 2) lies on the object
- the R-factor is Σ|√I − |Ψ|| / Σ√I over valid pixels, with Ψ summed over modes in intensity
- a gradient means ∂L/∂z*; torch's `.grad` of a real loss is twice that
- a sub-pixel shift belongs to the object view
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ptychogui.geometry import Geometry

Complex = NDArray[np.complex64]
Real = NDArray[np.float32]
Positions = NDArray[np.float64]
Mask = NDArray[np.bool_]

Origin = Literal["file", "guessed", "user", "default"]
"""Where a value came from; shown beside it wherever it is shown."""

UNLIT = 0.02
"""The part of the strongest illumination below which pictures of the object fade to one: the data say nothing there,
and the noise would hide the picture."""


class Frames(Protocol):
    """A stack of frames (N, ny, nx) that may lie on disk; indexing reads."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, ny, nx)"""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the counts."""
        ...

    def __getitem__(self, index: Any, /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class ChosenFrames:
    """The frames `numbers` (n,) of a stack, in this order; read when they are asked for."""

    source: Frames
    numbers: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ny, nx)"""
        return len(self.numbers), *self.source.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the counts."""
        return self.source.dtype

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        return self.source[self.numbers[index]]


@dataclass(frozen=True)
class Scan:
    """Where the probe stood: `positions_m` (N, 2) as (y, x) on the sample."""

    positions_m: Positions
    angle_rad: Positions | None = None

    def __len__(self) -> int:
        return len(self.positions_m)

    @property
    def bounds_m(self) -> tuple[Positions, Positions]:
        """The lowest and the highest (y, x)."""
        return self.positions_m.min(0), self.positions_m.max(0)

    @property
    def step_m(self) -> float:
        """The median distance to the nearest neighbour; 0 for a single position."""
        from scipy.spatial import KDTree

        if len(self) < 2:
            return 0.0
        distances = np.asarray(KDTree(self.positions_m).query(self.positions_m, k=2)[0])
        return float(np.median(distances[:, 1]))

    def overlap(self, probe_diameter_m: float) -> float:
        """Linear overlap of neighbours, 1 − step / diameter; negative where the discs do not touch."""
        return 1 - self.step_m / probe_diameter_m


@dataclass(frozen=True)
class Probe:
    """Modes (M, ny, nx) at the sample plane, with zero frequency's twin, the middle, at index n // 2."""

    modes: Complex
    pixel_m: tuple[float, float]


@dataclass(frozen=True)
class Object:
    """Slices (S, Y, X); `origin_m` is the (y, x) of the first pixel's centre in the coordinates of the scan."""

    slices: Complex
    pixel_m: tuple[float, float]
    origin_m: tuple[float, float]


@dataclass(frozen=True)
class Truth:
    """What a simulated file knows of itself; `support` is where the object counts in an error."""

    obj: Object
    probe: Complex
    positions_m: Positions
    support: Mask
    distance_m: float | None = None
    """The true sample-to-detector distance, which the geometry may state wrongly."""


@dataclass(frozen=True)
class Value:
    """One thing that a reader understood, for `info` and the import card."""

    name: str
    text: str
    origin: Origin
    doubt: str = ""


@dataclass(frozen=True)
class Dataset:
    """A scan ready for a run: frames (N, ny, nx) as float32 counts, zero frequency in the centre, NaN where invalid.

    `mask` is (ny, nx), True = use. `scan`, `geometry` and `frames` are already prepared (cropped, binned, flipped).
    `positions_known` is False where no file and no user gave positions. `probe` (M, ny, nx) is a start that the file
    holds. `values` says where each thing came from, `warnings` what was mended on the way. `data` is what was said of
    the file when it was read, as plain values of `ptychogui.io.data.Data`, so that it can be read again.
    """

    frames: Frames
    mask: Mask
    scan: Scan
    geometry: Geometry
    source: str = ""
    format: str = ""
    positions_known: bool = True
    probe: Complex | None = None
    truth: Truth | None = None
    values: tuple[Value, ...] = ()
    warnings: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    def with_geometry(self, **changes: Any) -> Dataset:
        """A copy with some fields of the geometry changed."""
        return replace(self, geometry=replace(self.geometry, **changes))

    def part(self, index: NDArray[np.intp]) -> Dataset:
        """The same scan with the frames `index` (n,) only, and without its truth."""
        angle = None if self.scan.angle_rad is None else self.scan.angle_rad[index]
        scan = Scan(self.scan.positions_m[index], angle)
        return replace(self, frames=ChosenFrames(self.frames, np.asarray(index)), scan=scan, truth=None)


class Feed(Protocol):
    """A scan that is still being measured."""

    @property
    def planned_m(self) -> Positions | None:
        """Where all frames are going to be, (N, 2), as far as that is known; the object gets room for them."""
        ...

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        ...

    def more(self, known: int) -> Dataset | None:
        """The scan so far, where it has more than `known` frames; those that it had before stay as they were."""
        ...


@dataclass(frozen=True)
class Pattern:
    """One frame beside what the model says of it, both (ny, nx) counts with zero frequency in the centre."""

    index: int
    measured: Real
    model: Real


@dataclass(frozen=True)
class Snapshot:
    """What a window needs to show a running job: plain data, no larger than a screen.

    `preview` (Y, X) is the object's scanned area reduced to at most 1024²; `preview_pixel_m` and `preview_origin_m`
    place it. `loss` has one value for each finished epoch. `whole` is True at the end of an epoch; `ended` says why a
    run is over, empty while it goes on. `stage` is the place in the job of the solver at work.
    """

    epoch: int
    epochs: int
    whole: bool
    preview: Complex
    preview_pixel_m: tuple[float, float]
    preview_origin_m: tuple[float, float]
    probe: Complex
    positions_m: Positions
    loss: Real
    pattern: Pattern | None
    seconds: float
    seconds_per_epoch: float
    device: str
    memory_bytes: int
    messages: tuple[str, ...] = ()
    ended: str = ""
    unknowns: Mapping[str, float] = field(default_factory=dict)
    """Figures of refined unknowns: `distance_m` or `focus_to_sample_m`, `distance_change` as a part of what was given,
    `gain_spread` as a standard deviation, `background` in mean counts of a pixel."""
    stage: int = 0
    stage_epochs: tuple[int, ...] = ()
    """How many epochs each stage has finished, up to the one at work."""
    doing: str = ""
    """What is found out before the first epoch; empty from then on."""


@dataclass(frozen=True)
class Correlation:
    """The Fourier ring correlation (K,) of reconstructions from the two halves of the frames, ring by ring.

    `half_bit` (K,) and `one_seventh` (K,) are the criteria; where the curve falls below one, the halves no longer
    agree. The last ring is that of the shortest period that the pixel can show.
    """

    spatial_frequency_per_m: Positions
    frc: Positions
    half_bit: Positions
    one_seventh: Positions

    def resolution_m(self, criterion: Positions) -> float:
        """Half the period at which the curve first stays below a criterion for two rings, between rings by a line.

        It is the pixel where the curve never does; then `reaches_pixel` is True, and the pixel, not the data, is the
        limit.
        """
        above = self.frc - criterion
        place = self._crossing(above)
        if place is None:
            return float(0.5 / self.spatial_frequency_per_m[-1])
        if place == 0:
            return float(0.5 / self.spatial_frequency_per_m[0])
        part = above[place - 1] / (above[place - 1] - above[place])
        low, high = self.spatial_frequency_per_m[place - 1 : place + 1]
        return float(0.5 / (low + part * (high - low)))

    def reaches_pixel(self, criterion: Positions) -> bool:
        """Whether the curve never falls below a criterion."""
        return self._crossing(self.frc - criterion) is None

    @staticmethod
    def _crossing(above: Positions) -> int | None:
        below = above < 0
        twice = below & np.append(below[1:], True)
        return int(np.argmax(twice)) if twice.any() else None


@dataclass(frozen=True)
class Notes:
    """What a person says of a result: `stars` from 1 to 5, 0 where it is not rated, and a text."""

    stars: int = 0
    text: str = ""


@dataclass(frozen=True)
class Result:
    """A finished or stopped run: what is kept in a file, exported, or the start of the next run.

    `scan` holds the refined positions, `nominal_m` (N, 2) those that the run began with. `job` is TOML.
    `illumination` (Y, X) is Σ|P|² of all frames on the object, its strongest 1. `frame_r_factor` (N,) is the R-factor
    of each frame, which is high where a position or the frame itself is wrong.
    """

    obj: Object
    probe: Probe
    scan: Scan
    nominal_m: Positions
    geometry: Geometry
    loss: Real
    metrics: Mapping[str, float]
    job: str
    provenance: Mapping[str, str]
    unknowns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    illumination: Real | None = None
    frame_r_factor: Real | None = None
    correlation: Correlation | None = None
    """How far the halves of the data agree, where that was asked for."""
    notes: Notes = Notes()
    """What a person says of it."""

    @property
    def lit(self) -> Complex:
        """The object's slices for a picture: faded to one where hardly any light fell."""
        if self.illumination is None:
            return self.obj.slices
        dark = self.illumination < UNLIT
        fade = np.square(np.maximum(self.illumination[dark] / UNLIT, 0))
        lit = np.array(self.obj.slices, np.complex64)
        lit[:, dark] = 1 + (lit[:, dark] - 1) * fade
        return lit
