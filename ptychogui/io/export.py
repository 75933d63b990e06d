"""Exporting a result for other programs and for people: pictures, tables, other formats, and a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from ptychogui.io import correlation, cxi_result, files
from ptychogui.io.figure import Figure, write_png, write_svg
from ptychogui.io.picture import inside_scan, percentile_range, scanned_area, without_ramp
from ptychogui.io.report import write_report
from ptychogui.io.result import write_result
from ptychogui.params import InputError
from ptychogui.types import Complex, Mask, Real, Result

FORMATS = {
    "tiff": "TIFF: amplitude and phase of the whole object as numbers, with the size of a pixel",
    "png": "PNG: pictures with scale bar and colour bar",
    "svg": "SVG: the same, with texts that can be edited",
    "csv": "CSV: positions, loss and ring correlation as tables",
    "hdf5": "HDF5: the whole result, as this program opens it",
    "cxi": "CXI: object, probe and positions for other programs",
    "report": "Report: one HTML page with pictures, curves, figures, parameters and provenance",
}
"""What can be written, by its name on the command line, and what it is."""
USUAL = ("tiff", "png", "csv")


@dataclass(frozen=True)
class File:
    """One file of an export: its name, and what writes it to a path."""

    name: str
    write: Callable[[Path], object]


def export(
    result: Result,
    folder: Path | str,
    formats: Sequence[str] = USUAL,
    figures: Sequence[Figure] | None = None,
    command: str = "",
) -> tuple[Path, ...]:
    """Write a result in these `FORMATS` into a folder, which is made where it is missing; returns the files.

    `figures` are the pictures for PNG, SVG and the report; phase, amplitude and probe in grey where none are given.
    `command` is what the report says of how to run it again. Raises `InputError` where it cannot be written.
    """
    folder = Path(folder)
    written = []
    chosen = planned(result, formats, figures, command)
    files.check_folder(folder)
    for file in chosen:
        file.write(folder / file.name)
        written.append(folder / file.name)
    return tuple(written)


def planned(
    result: Result, formats: Sequence[str] = USUAL, figures: Sequence[Figure] | None = None, command: str = ""
) -> list[File]:
    """The files of an export. Raises `InputError` where there is no such format."""
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(f"There is no format '{unknown[0]}': choose from {', '.join(FORMATS)}.")
    pictures = _Pictures(result, figures)
    found: list[File] = []
    if "tiff" in formats:
        found += _tiffs(result)
    for name, write in (("png", write_png), ("svg", write_svg)):
        if name in formats:
            found += [File(f"{stem}.{name}", partial(pictures.write, write, stem)) for stem in pictures.names]
    if "csv" in formats:
        found.append(File("positions.csv", partial(_positions, result)))
        found.append(File("loss.csv", partial(_loss, result)))
    if result.correlation is not None:
        known = result.geometry.calibrated
        found += [File("frc.csv", partial(correlation.table, result.correlation))] if "csv" in formats else []
        found += [File("frc.png", partial(correlation.picture, result.correlation, known))] if "png" in formats else []
    if "hdf5" in formats:
        found.append(File("result.h5", partial(write_result, result)))
    if "cxi" in formats:
        found.append(File("result.cxi", partial(cxi_result.write, result)))
    if "report" in formats:
        found.append(File("report.html", lambda path: write_report(result, pictures.all(), command, path)))
    return found


class _Pictures:
    """The figures of an export, those of the result itself made only when they are written."""

    def __init__(self, result: Result, given: Sequence[Figure] | None) -> None:
        self._result, self._given = result, given
        slices = range(len(result.obj.slices))
        ends = [f"_{number}" for number in slices] if len(slices) > 1 else [""]
        own = [f"object_{part}{end}" for end in ends for part in ("amplitude", "phase")]
        self.names = [figure.name for figure in given] if given is not None else [*own, "probe"]
        self.all = cache(self._all)

    def _all(self) -> list[Figure]:
        return list(self._given) if self._given is not None else _figures(self._result, self.names)

    def write(self, write: Callable[[Figure, Path], object], name: str, path: Path) -> None:
        """Write the figure of a name."""
        write(next(figure for figure in self.all() if figure.name == name), path)


def _figures(result: Result, names: Sequence[str]) -> list[Figure]:
    """Amplitude and phase of the scanned area of every slice, and the probe's modes."""
    area = scanned_area(result.obj, result.scan, (result.probe.modes.shape[-2], result.probe.modes.shape[-1]))
    inside = inside_scan(result.obj, result.scan)
    found, waiting = [], iter(names)
    for lit in result.lit:
        flat = without_ramp(lit, inside)[area]
        for title, part, unit in (("Object amplitude", np.abs, ""), ("Object phase", np.angle, "rad")):
            found.append(_grey(result, next(waiting), title, part(flat), inside[area], unit))
    modes = np.concatenate(list(result.probe.modes), axis=1)
    bar = hue_and_brightness(np.exp(1j * np.linspace(-np.pi, np.pi, 128))[:, None])[:, 0]
    colours, known = hue_and_brightness(modes), result.geometry.calibrated
    found.append(Figure(next(waiting), "Probe", colours, result.probe.pixel_m, known, bar, ("−π", "π rad")))
    return found


def _grey(result: Result, name: str, title: str, values: Real, inside: Mask, unit: str) -> Figure:
    """Over the range of most values between the positions."""
    low, high = percentile_range(values[inside] if inside.any() else values)
    grey = (np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    bar = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    ends = f"{low:.3g}".replace("-", "−"), f"{high:.3g} {unit}".replace("-", "−").strip()
    colours = np.repeat(grey[..., None], 3, axis=-1)
    return Figure(name, title, colours, result.obj.pixel_m, result.geometry.calibrated, bar, ends)


def hue_and_brightness(image: Complex) -> NDArray[np.uint8]:
    """A complex image (Y, X) as colours (Y, X, 3): the phase as hue, the amplitude as brightness."""
    amplitude = np.abs(image)
    brightness = np.clip(amplitude / max(float(np.percentile(amplitude, 99.8)), 1e-30), 0, 1)
    shift = np.array([0, 2, 4]) * np.pi / 3
    hue = 0.5 + 0.5 * np.cos(np.angle(image)[..., None] - shift)
    colours: NDArray[np.uint8] = (255 * brightness[..., None] * hue).astype(np.uint8)
    return colours


def _tiffs(result: Result) -> list[File]:
    """Amplitude and phase of every slice, without the phase ramp."""

    @cache
    def flat(number: int) -> Complex:
        return without_ramp(result.obj.slices[number], inside_scan(result.obj, result.scan))

    def write(number: int, part: Callable[[Complex], Real], path: Path) -> None:
        _tiff(part(flat(number)), result, path)

    found = []
    for number in range(len(result.obj.slices)):
        end = f"_{number}" if len(result.obj.slices) > 1 else ""
        for name, part in (("amplitude", np.abs), ("phase", np.angle)):
            found.append(File(f"object_{name}{end}.tif", partial(write, number, part)))
    return found


def _tiff(values: Real, result: Result, path: Path) -> None:
    """The whole object as ImageJ reads it, with its pixel in µm where that is known."""
    known = result.geometry.calibrated
    y, x = (pixel * 1e6 if known else 1.0 for pixel in result.obj.pixel_m)
    with files.replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            values.astype(np.float32),
            imagej=True,
            resolution=(1 / x, 1 / y),
            metadata={"unit": "um" if known else "pixel", "axes": "YX"},
        )


def _positions(result: Result, path: Path) -> None:
    """Refined and nominal positions in metres, one line for each frame."""
    table = np.column_stack([np.arange(len(result.scan)), result.scan.positions_m, result.nominal_m])
    _table(table, ["%d", "%.9e", "%.9e", "%.9e", "%.9e"], "index,y_m,x_m,nominal_y_m,nominal_x_m", path)


def _loss(result: Result, path: Path) -> None:
    """The loss of every epoch."""
    table = np.column_stack([np.arange(1, len(result.loss) + 1), result.loss])
    _table(table, ["%d", "%.9e"], "epoch,loss", path)


def _table(values: NDArray[np.float64], formats: list[str], header: str, path: Path) -> None:
    with files.replacing(path) as temporary:
        np.savetxt(temporary, values, delimiter=",", fmt=formats, header=header, comments="")
