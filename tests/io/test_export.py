"""Exports: numbers that can be read back, pictures of a sensible size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image
from test_result import result

from ptychogui.geometry import Geometry
from ptychogui.io import export
from ptychogui.io.export import _figures
from ptychogui.io.figure import layout
from ptychogui.io.picture import inside_scan, scanned_area, without_ramp
from ptychogui.params import InputError


def test_everything_is_there(tmp_path):
    whole = result()
    written = export(whole, tmp_path / "new" / "folder")
    names = {path.name for path in written}
    assert names == {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert {"object_phase_0.tif", "object_amplitude_1.png", "probe.png", "positions.csv"} <= names
    level = without_ramp(whole.obj.slices[1], inside_scan(whole.obj, whole.scan))
    folder = tmp_path / "new" / "folder"
    np.testing.assert_allclose(tifffile.imread(folder / "object_amplitude_1.tif"), np.abs(level), rtol=1e-6)
    np.testing.assert_allclose(tifffile.imread(folder / "object_phase_1.tif"), np.angle(level), atol=1e-6)
    table = np.loadtxt(folder / "positions.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(table[:, 1:3], whole.scan.positions_m, rtol=1e-8)
    np.testing.assert_allclose(table[:, 3:], whole.nominal_m, rtol=1e-8)


def test_a_ring_correlation_is_a_table_and_a_picture(tmp_path):
    whole = result()
    export(whole, tmp_path)
    header, *_ = (tmp_path / "frc.csv").read_text().splitlines()
    assert header == "spatial_frequency_per_m,frc,half_bit,one_seventh"
    table = np.loadtxt(tmp_path / "frc.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(table.T, list(vars(whole.correlation).values()), rtol=1e-8)
    picture = np.asarray(Image.open(tmp_path / "frc.png").convert("RGB"), int)
    blue = (picture[..., 2] > picture[..., 0] + 80).nonzero()
    left, right = (blue[0][(blue[1] > low) & (blue[1] < low + 20)].mean() for low in (140, 1120))
    assert right > left + 200  # it falls from 1 to 0.1


def test_a_result_without_one_has_no_curve(tmp_path):
    export(replace(result(), correlation=None), tmp_path)
    assert not list(tmp_path.glob("frc*"))


def test_tiff_knows_its_pixel(tmp_path):
    export(result(), tmp_path)
    with tifffile.TiffFile(tmp_path / "object_phase_0.tif") as tiff:
        assert tiff.imagej_metadata["unit"] == "um"
        numerator, denominator = tiff.pages.first.tags["XResolution"].value
        assert numerator / denominator == pytest.approx(1 / 0.02, rel=1e-3)


def test_tiff_without_a_known_pixel_is_in_pixels(tmp_path):
    whole = result()
    export(replace(whole, geometry=Geometry((14, 17)), obj=replace(whole.obj, pixel_m=(1.0, 1.0))), tmp_path)
    with tifffile.TiffFile(tmp_path / "object_phase_0.tif") as tiff:
        assert tiff.imagej_metadata["unit"] == "pixel"
        numerator, denominator = tiff.pages.first.tags["XResolution"].value
        assert numerator == denominator


def test_pictures_have_square_pixels_on_the_sample(tmp_path):
    whole = result()
    export(whole, tmp_path)
    area = scanned_area(whole.obj, whole.scan, (14, 17))
    rows, columns = (part.stop - part.start for part in area)
    figure = next(f for f in _figures(whole, ["a", "p", "a", "p", "probe"]) if f.title == "Object phase")
    place = layout(figure)
    left, top, right, bottom = place.picture
    assert (right - left) / (bottom - top) == pytest.approx(2 * columns / rows, rel=0.02)
    with Image.open(tmp_path / "object_phase_0.png") as image:
        assert image.size == place.page
        assert max(image.size) >= 512
        assert len(image.getcolors(1 << 20)) > 20
        bar = np.asarray(image.convert("L"))[place.bar[1] : place.bar[3], place.bar[0]]
    assert bar[0] == 255
    assert bar[-1] == 0


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        export(result(), tmp_path / "file" / "folder")
