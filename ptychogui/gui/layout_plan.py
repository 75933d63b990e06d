"""What an editor of layouts begins with: the scan of a file, the one of a recipe, or a pattern."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ptychogui.check.scan import diameter_m
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.preview import Preview
from ptychogui.gui.views.lengths import UNCALIBRATED_M, Lengths, lengths
from ptychogui.gui.views.picture import Picture, levels_of
from ptychogui.gui.views.scanned import scan_map
from ptychogui.gui.views.shown_object import shown_object
from ptychogui.io.data import Data
from ptychogui.io.geometry import coarser
from ptychogui.io.picture import without_ramp
from ptychogui.io.prepare import PreparedFrames
from ptychogui.io.raw import Raw
from ptychogui.layout import AnyPattern, Layout
from ptychogui.layout.base import Points
from ptychogui.layout.fermat import Fermat
from ptychogui.layout.figures import Exposure
from ptychogui.types import Dataset, Result, Snapshot

if TYPE_CHECKING:
    from ptychogui.engine.simulate import Recipe

Pictures = Mapping[str, Picture]
NO_FRAMES = np.zeros(0, np.intp)


@dataclass(frozen=True, eq=False)
class Plan:
    """Points with the numbers of their frames in the file (none where there is no file), and what is known of them.

    `pictures` makes, in a thread, what the points can be drawn over. `refined_m` is where a run has found them.
    """

    title: str
    positions_m: Points
    frames: NDArray[np.intp] = field(default_factory=lambda: NO_FRAMES)
    pixel_m: float = 1e-9
    known: Exposure = field(default_factory=Exposure)
    refined_m: Points | None = None
    layout: Layout | None = None
    table_pixel: tuple[float, float] = (1e-9, 1e-9)
    """What a pixel (y, x) in a table of positions is: one at the sample before cropping and binning."""
    names: tuple[str, ...] = ()
    """What the files of the frames are called, where each frame has its own."""
    pictures: Callable[[], Pictures] | None = None

    @property
    def calibrated(self) -> bool:
        """Whether lengths are metres, and not pixels."""
        return self.pixel_m < UNCALIBRATED_M

    @property
    def unit(self) -> Lengths:
        """The unit in which the points read best."""
        return _unit_of(self.positions_m, self.pixel_m)


def plan_of_pattern(pattern: AnyPattern | None = None) -> Plan:
    """A plan without a file."""
    pattern = pattern or Fermat(step_m=0.5e-6)
    return Plan("a new scan", pattern.points_m(), layout=pattern)


def plan_of_file(opened: Opened, run: Run | None, probe_m: float | None) -> Plan | None:
    """The plan of an open file, with what its selected run has found; None without data.

    `probe_m` is the diameter of the probe where a run does not tell it.
    """
    dataset = opened.dataset
    if dataset is None:
        return None
    result = run.result if run is not None else None
    snapshot = run.snapshot if run is not None else None
    pixel_m, preview = dataset.geometry.pixel_m, opened.preview
    probe = result.probe.modes if result is not None else snapshot.probe if snapshot is not None else dataset.probe
    if probe is not None and np.abs(probe).max() > 0:
        probe_m = diameter_m(probe, pixel_m)
    counts = float(np.nanmean(preview.total_counts)) if preview is not None and preview.done else None
    known = Exposure(
        probe_m=probe_m or None, photons=counts or None, frame_shape=(dataset.frames.shape[1], dataset.frames.shape[2])
    )
    refined = result.scan.positions_m if result is not None else None
    refined = snapshot.positions_m if snapshot is not None and result is None else refined
    if refined is not None and refined.shape != dataset.scan.positions_m.shape:
        refined = None

    return Plan(
        opened.title,
        dataset.scan.positions_m,
        frame_numbers(dataset),
        min(pixel_m),
        known,
        refined,
        table_pixel=_table_pixel(opened.job.data, dataset),
        names=frame_names(dataset),
        pictures=partial(_pictures, dataset, preview, result, snapshot),
    )


def _pictures(dataset: Dataset, preview: Preview | None, result: Result | None, snapshot: Snapshot | None) -> Pictures:
    """What the points of a file can be drawn over: its object, where a run has one, and the counts of its frames."""
    made, unit = {}, _unit_of(dataset.scan.positions_m, min(dataset.geometry.pixel_m))
    shown = shown_object(result, snapshot)
    if shown is not None:
        flat = np.angle(without_ramp(shown.image, None)).astype(np.float32)
        made["Object phase"] = Picture(flat, shown.pixel_m, shown.origin_m, unit, "rad", levels=levels_of(flat))
    where = scan_map(dataset.scan)
    if preview is not None and where is not None:
        values = where.of(preview.total_counts)
        levels = levels_of(np.nan_to_num(values, nan=float(np.nanmedian(values))))
        made["Total counts"] = Picture(
            values, where.pixel_m, where.origin_m, unit, "counts", "viridis", levels, gaps=True
        )
    return made


def _unit_of(positions_m: Points, pixel_m: float) -> Lengths:
    """The unit in which positions (N, 2) read best."""
    extent = float(np.ptp(positions_m, axis=0).max()) if len(positions_m) else 0.0
    return lengths(max(extent, 10 * pixel_m), pixel_m)


def _table_pixel(data: Data, dataset: Dataset) -> tuple[float, float]:
    frames, (dy, dx) = dataset.frames, dataset.geometry.pixel_m
    if not isinstance(frames, PreparedFrames):
        return dy, dx
    far = dataset.geometry.field == "far"
    more_y, more_x = coarser(Raw(frames.source), data, dataset.geometry.shape, far)
    return dy / more_y, dx / more_x


def frame_numbers(dataset: Dataset) -> NDArray[np.intp]:
    """The numbers (N,) that the frames of a dataset have in their file."""
    frames = dataset.frames
    return frames.numbers if isinstance(frames, PreparedFrames) else np.arange(frames.shape[0])


def frame_names(dataset: Dataset) -> tuple[str, ...]:
    """The names of the files of all frames in the folder, where each has its own; else none."""
    from ptychogui.io.tiff import FileFrames

    source = dataset.frames.source if isinstance(dataset.frames, PreparedFrames) else dataset.frames
    if isinstance(source, FileFrames) and all(count == 1 for count in source.counts):
        return tuple(image.name for image in source.images)
    return ()


def plan_of_recipe(recipe: Recipe) -> Plan:
    """The plan of a recipe, as it stands; takes a moment, so it runs in a thread. Raises `InputError`."""
    scene = recipe.scene(np.random.default_rng(recipe.seed))
    pixel_m = scene.geometry.pixel_m
    known = Exposure(
        probe_m=diameter_m(scene.probe.astype(np.complex64), pixel_m), photons=recipe.photons, frame_shape=recipe.shape
    )
    positions_m = scene.positions_px * pixel_m
    return Plan(recipe.name, positions_m, pixel_m=min(pixel_m), known=known, layout=recipe.scan, table_pixel=pixel_m)
