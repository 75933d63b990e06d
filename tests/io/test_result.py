"""A result file restores the result wholly, shows its object by default, and is whole or not there."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from ptychogui.geometry import Geometry
from ptychogui.io import check_writable, is_result, read, read_result, write_result
from ptychogui.io.data import Data
from ptychogui.params import InputError
from ptychogui.types import Correlation, Notes, Object, Probe, Result, Scan


def result(job: str = "version = 1\n") -> Result:
    rng = np.random.default_rng(7)

    def wave(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)

    positions = rng.normal(size=(9, 2)) * 1e-7
    return Result(
        obj=Object(wave(2, 40, 53), (1e-8, 2e-8), (-2e-7, 3e-7)),
        probe=Probe(wave(3, 14, 17), (1e-8, 2e-8)),
        scan=Scan(positions, rng.normal(size=9)),
        nominal_m=positions + 1e-9,
        geometry=Geometry((14, 17), 1e-10, 2.0, (5e-5, 6e-5), 3e-3, (1e-8, 2e-8), "near", 1e-3, -2e-6),
        loss=np.linspace(1, 0.2, 12, dtype=np.float32),
        metrics={"r_factor": 0.12, "seconds": 3.5},
        job=job,
        provenance={"version": "0.1", "device": "cpu", "note": "µ"},
        unknowns={"distance_m": np.array(2.01), "background": rng.normal(size=(14, 17))},
        warnings=("one pixel", "the émigré frame"),
        frame_r_factor=rng.uniform(size=9).astype(np.float32),
        correlation=Correlation(*np.linspace((1e6, 1.0, 0.7, 1 / 7), (2.5e7, 0.1, 0.2, 1 / 7), 31).T),
        notes=Notes(4, "sharp at the rim, µ"),
    )


def same(a: object, b: object) -> None:
    if is_dataclass(a):
        for field in fields(a):
            same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b


def test_round_trip(tmp_path):
    write_result(result(), tmp_path / "r.h5")
    same(result(), read_result(tmp_path / "r.h5"))
    assert is_result(tmp_path / "r.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["r.h5"]


def test_layout_and_default_picture(tmp_path):
    write_result(result(), tmp_path / "r.h5")
    with h5py.File(tmp_path / "r.h5") as file:
        assert {"object", "probe", "positions_m", "loss", "unknowns", "metrics", "job", "provenance"} <= set(file)
        picture = file[file.attrs["default"]]
        assert picture.attrs["NX_class"] == "NXdata"
        signal = picture[picture.attrs["signal"]]
        assert signal == file["object"]
        assert [len(picture[axis]) for axis in picture.attrs["axes"][1:]] == list(signal.shape[1:])


def test_curves_of_different_lengths_are_a_damaged_result(tmp_path):
    write_result(result(), tmp_path / "r.h5")
    with h5py.File(tmp_path / "r.h5", "a") as file:
        assert set(file["frc"]) == {"spatial_frequency_per_m", "frc", "half_bit", "one_seventh"}
        assert file["metrics/residual"].shape == (9,)
        del file["frc/half_bit"]
        file["frc/half_bit"] = np.ones(30)
    with pytest.raises(InputError, match="differ in length"):
        read_result(tmp_path / "r.h5")


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "r.h5"
    write_result(result(), path)
    before = path.read_bytes()
    broken = result(job="\0")  # HDF5 strings cannot hold a zero
    with pytest.raises(ValueError, match="NULL"):
        write_result(broken, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r.h5"]


def test_other_files_are_no_results(tmp_path, npz):
    assert not is_result(npz())
    assert not is_result(tmp_path / "nothing.h5")
    with pytest.raises(InputError, match="not a result file"):
        read_result(npz())
    with pytest.raises(InputError, match="does not exist"):
        read_result(tmp_path / "nothing.h5")


def test_a_damaged_result(tmp_path):
    path = tmp_path / "r.h5"
    write_result(result(), path)
    with h5py.File(path, "a") as file:
        del file["probe"]
    with pytest.raises(InputError, match="damaged result"):
        read_result(path)


def test_a_result_stands_for_its_data(tmp_path, npz, frames):
    data = npz()
    write_result(result(f'[data]\npath = "{data.name}"\nbin = 2\n'), tmp_path / "r.h5")
    dataset = read(Data(path=str(tmp_path / "r.h5")))
    assert Path(dataset.source) == data
    assert dataset.frames.shape == (20, 12, 16)
    assert read(Data(path=str(tmp_path / "r.h5"), bin=3)).frames.shape == (20, 8, 10)
    data.unlink()
    with pytest.raises(InputError, match="which is not there"):
        read(Data(path=str(tmp_path / "r.h5")))


def test_outputs_that_cannot_be_written(tmp_path):
    check_writable(tmp_path / "new.h5")
    with pytest.raises(InputError, match="there is no folder"):
        check_writable(tmp_path / "none" / "r.h5")
    with pytest.raises(InputError, match="is a folder"):
        check_writable(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="there is no folder"):
        check_writable(tmp_path / "file" / "r.h5")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]
    with pytest.raises(InputError, match="cannot be written"):
        check_writable("/proc/r.h5")
