"""The TOML beside a data file: below what the user says now, above what the file holds."""

from __future__ import annotations

import numpy as np
import pytest

from ptychogui.io import read, sidecar_path, write_sidecar
from ptychogui.io.data import Data
from ptychogui.params import InputError


def test_its_name(tmp_path):
    assert sidecar_path("a/scan.npz.bz2").name == "scan.toml"
    assert sidecar_path("a/scan_1.cxi").name == "scan_1.toml"
    assert sidecar_path("a/folder").name == "folder.toml"


@pytest.mark.parametrize("head", ["", "[data]\n"])
def test_layers(npz, head):
    path = npz(distance_m=1.0, detector_pixel_m=1e-5, wavelength_m=1e-10)
    path.with_suffix(".toml").write_text(head + 'distance_m = "2 m"\ndetector_pixel_m = "20 um"\n')
    dataset = read(Data(path=str(path), detector_pixel_m=3e-5))
    assert dataset.geometry.distance_m == 2.0
    assert dataset.geometry.detector_pixel_m == (3e-5, 3e-5)
    origins = {v.name: v.origin for v in dataset.values}
    assert origins["distance"] == "user"
    assert origins["wavelength"] == "file"


def test_what_is_kept_is_read_again(npz, tmp_path, scan_px):
    path = npz(scan=None)
    np.savetxt(tmp_path / "where.txt", scan_px, header="y_px x_px")
    said = Data(path=str(path), kV=300, pixel_m=5e-10, positions="where.txt", exclude=(1,))
    target = write_sidecar(said, path)
    assert target == tmp_path / "scan.toml"
    assert "path" not in target.read_text()
    assert read(Data(path=str(path))).geometry == read(said).geometry
    np.testing.assert_array_equal(read(Data(path=str(path))).scan.positions_m, read(said).scan.positions_m)


@pytest.mark.parametrize("text", ["distanse_m = 2\n", "distance_m = -1\n", "distance_m =\n", "data = 3\n"])
def test_mistakes_name_the_file(npz, text):
    path = npz()
    path.with_suffix(".toml").write_text(text)
    with pytest.raises(InputError, match=r"scan\.toml"):
        read(Data(path=str(path)))
