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

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex64]
Real = NDArray[np.float32]
Positions = NDArray[np.float64]
Mask = NDArray[np.bool_]

Origin = Literal["file", "guessed", "user", "default"]
"""Where a value came from; shown beside it wherever it is shown."""

HC_EV_M = 1.239841984332e-6
LONGEST_OF_ELECTRONS_M = 1e-11
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


def wavelength_of_photon_m(energy_eV: float) -> float:
    """The wavelength of light of this photon energy."""
    return HC_EV_M / energy_eV


def wavelength_of_electron_m(kV: float) -> float:
    """The relativistic de Broglie wavelength of electrons accelerated by this voltage in kilovolts."""
    rest_eV, kinetic_eV = 510998.95, kV * 1e3
    return HC_EV_M / math.sqrt(kinetic_eV * (kinetic_eV + 2 * rest_eV))


@dataclass(frozen=True)
class Geometry:
    """The optics between sample and detector; what is not known is None, and then the run works in pixels.

    `detector_pixel_m` (dy, dx) and `shape` (ny, nx) are those of the prepared frames. `given_pixel_m` is the pixel at
    the sample where a file or the user states it; otherwise it follows from the rest. `defocus_m` is counted as each
    field counts it: see `behind_focus_m`.
    """

    shape: tuple[int, int]
    wavelength_m: float | None = None
    distance_m: float | None = None
    detector_pixel_m: tuple[float, float] | None = None
    focus_to_sample_m: float | None = None
    given_pixel_m: tuple[float, float] | None = None
    field: Literal["far", "near"] = "far"
    convergence_rad: float | None = None
    defocus_m: float | None = None

    @property
    def of_electrons(self) -> bool:
        """Whether the wavelength can only be that of electrons (below 10 pm, photons of more than 120 keV)."""
        return self.wavelength_m is not None and self.wavelength_m < LONGEST_OF_ELECTRONS_M

    @property
    def behind_focus_m(self) -> float | None:
        """How far the sample lies behind the focus.

        Of X-rays and light that is the defocus; microscopists of electrons call it positive where the lens is too
        weak and the sample lies before the focus (Kirkland, Advanced Computing in Electron Microscopy).
        """
        if self.defocus_m is None:
            return None
        return -self.defocus_m if self.of_electrons else self.defocus_m

    @property
    def magnification(self) -> float:
        """Fresnel scaling of a cone beam: (focus-to-sample + sample-to-detector) / focus-to-sample.

        Without a focus it is what the pixel at the sample says of a near field, and 1 otherwise.
        """
        if self.focus_to_sample_m is None or self.distance_m is None:
            if self.field == "near" and self.given_pixel_m is not None and self.detector_pixel_m is not None:
                return self.detector_pixel_m[0] / self.given_pixel_m[0]
            return 1.0
        return (self.focus_to_sample_m + self.distance_m) / self.focus_to_sample_m

    @property
    def effective_distance_m(self) -> float | None:
        """The distance of the equivalent parallel beam, z / M."""
        return None if self.distance_m is None else self.distance_m / self.magnification

    @property
    def calibrated(self) -> bool:
        """Whether lengths at the sample are known in metres; if not, one pixel counts as one 'metre'."""
        return self._pixel_m() is not None

    @property
    def pixel_m(self) -> tuple[float, float]:
        """The pixel (dy, dx) at the sample; (1, 1) where nothing is known, so that lengths are pixels."""
        return self._pixel_m() or (1.0, 1.0)

    def _pixel_m(self) -> tuple[float, float] | None:
        if self.given_pixel_m is not None:
            return self.given_pixel_m
        if self.detector_pixel_m is None:
            return None
        if self.field == "near":
            return self.detector_pixel_m[0] / self.magnification, self.detector_pixel_m[1] / self.magnification
        if self.wavelength_m is None or self.distance_m is None:
            return None
        y, x = (self.wavelength_m * self.distance_m / (n * d) for n, d in zip(self.shape, self.detector_pixel_m))
        return y, x

    @property
    def pixel_power(self) -> int:
        """With which power of the unknown distance the pixel at the sample grows; see `at_distance`."""
        if self.field == "far":
            return 1 if self._pixel_m() is not None else 0
        return 0 if self.focus_to_sample_m is None else -1

    def at_distance(self, factor: float) -> Geometry:
        """The same with `factor` times the distance that is least certain.

        That is the one from sample to detector; in a cone beam the one from focus to sample, whose change by 1 / factor
        makes `factor` times the magnification and the effective distance in pixels.
        """
        if self.field == "near" and self.focus_to_sample_m is not None and self.distance_m is not None:
            return replace(self, focus_to_sample_m=self.distance_m / (self.magnification * factor - 1))
        changes: dict[str, Any] = {}
        if self.distance_m is not None:
            changes["distance_m"] = self.distance_m * factor
        if self.field == "far" and self.given_pixel_m is not None:
            changes["given_pixel_m"] = (self.given_pixel_m[0] * factor, self.given_pixel_m[1] * factor)
        return replace(self, **changes)

    @property
    def depth_of_field_m(self) -> float | None:
        """The depth over which the sample counts as thin: 5.2 dx² / λ (Tsai et al., Opt. Express 24, 29089 (2016))."""
        if self.wavelength_m is None or not self.calibrated:
            return None
        return 5.2 * max(self.pixel_m) ** 2 / self.wavelength_m


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

    @property
    def lit(self) -> Complex:
        """The object's slices for a picture: faded to one where hardly any light fell."""
        if self.illumination is None:
            return self.obj.slices
        fade = np.square(np.clip(self.illumination / UNLIT, 0, 1))
        return np.asarray(1 + (self.obj.slices - 1) * fade, np.complex64)
