"""Files of unknown layout: what is proposed, what a mapping reads, and that it is remembered for the layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from small_scan import COLUMNS, COUNT, NX, NY, ROWS, SHARED

from ptychogui import io
from ptychogui.cli import main
from ptychogui.io import contents, mapping, proposals
from ptychogui.io.data import Data
from ptychogui.io.mapped import UnmappedError
from ptychogui.io.mapping import Mapping
from ptychogui.io.slices import count_of, pairs, part_of
from ptychogui.params import InputError


@pytest.fixture(autouse=True)
def own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def unknown(tmp_path: Path, frames: NDArray[Any], scan_px: NDArray[Any]) -> Path:
    """A beamline's own HDF5: 8.7 keV, 1.92 m, 75 µm, positions in µm as (x, y)."""
    path = tmp_path / "unknown.h5"
    with h5py.File(path, "w") as file:
        file["measurement/detector/images"] = frames
        file["measurement/detector/bad_pixels"] = np.eye(NY, NX, dtype=np.uint8)
        file["measurement/motors/positions"] = scan_px[:, ::-1] * 0.1
        file["measurement/motors/positions"].attrs["units"] = "µm"
        file["setup/energy_kev"] = 8.7
        file["setup/distance_mm"] = 1920.0
        file["setup/pixel_size"] = [75e-6, 75e-6]
        file["setup/pixel_size"].attrs["units"] = "m"
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/data")
    return path


def stated(path: Path, **fields: str) -> Data:
    return Data(path=str(path), mapping=Mapping.read(fields))


def test_a_layout_is_proposed_with_reasons(unknown: Path) -> None:
    with contents.opened(unknown) as found:
        asked, reasons = proposals.proposed(found)
        line = proposals.outcome(found, asked, unknown)
    assert asked.frames == "/measurement/detector/images"
    assert asked.axes == "nyx"
    assert asked.positions == "/measurement/motors/positions"
    assert asked.energy == "/setup/energy_kev"
    assert asked.energy_unit == "keV"
    assert asked.distance_unit == "mm"
    assert asked.mask == "/measurement/detector/bad_pixels"
    assert f"there are {COUNT} positions" in reasons["axes"]
    assert line == "20 frames of 24 × 32, positions in µm, 8.7 keV, 1.92 m, detector pixel 75 µm, mask."


def test_a_mapped_file_is_read_as_it_says(unknown: Path, frames: NDArray[Any], scan_px: NDArray[Any]) -> None:
    with contents.opened(unknown) as found:
        asked, _ = proposals.proposed(found)
    data = Data(path=str(unknown), mapping=asked.with_value("positions_columns", "xy"), hot_pixels=False)
    read = io.read(data)
    assert read.geometry.distance_m == pytest.approx(1.92)
    assert read.geometry.detector_pixel_m == pytest.approx((75e-6, 75e-6))
    assert read.geometry.wavelength_m == pytest.approx(1.23984198e-6 / 8700)
    np.testing.assert_allclose(read.scan.positions_m, scan_px * 1e-7, atol=1e-15)
    assert (~read.mask).sum() == NY
    np.testing.assert_array_equal(np.where(read.mask, frames, 0), read.frames[:])


def test_the_next_file_of_the_layout_opens_without_asking(unknown: Path, frames: NDArray[Any]) -> None:
    with pytest.raises(UnmappedError, match=r"data\.mapping\.frames"):
        io.read(Data(path=str(unknown)))
    with contents.opened(unknown) as found:
        asked, _ = proposals.proposed(found)
        mapping.remember(found.nodes, asked)
    longer = unknown.with_name("longer.h5")
    with h5py.File(unknown) as old, h5py.File(longer, "w") as new:
        for name in ("measurement", "setup"):
            old.copy(name, new)
        for name in ("measurement/detector/images", "measurement/motors/positions"):
            more = new[name][:-3]
            units = dict(new[name].attrs)
            del new[name]
            new[name] = more
            new[name].attrs.update(units)
    read = io.read(Data(path=str(longer)))
    assert read.frames.shape == (COUNT - 3, NY, NX)
    assert Data.read(read.data).mapping == asked  # so that a result says how its data were read
    with contents.opened(unknown) as found:
        mapping.forget(found.nodes)
    with pytest.raises(UnmappedError):
        io.read(Data(path=str(longer)))


AXES = {
    "nyx": (0, 1, 2),
    "nxy": (0, 2, 1),
    "yxn": (1, 2, 0),
    "xny": (2, 0, 1),
}


@pytest.mark.parametrize("axes", AXES)
def test_axes_may_lie_in_any_order(axes: str, tmp_path: Path, frames: NDArray[Any]) -> None:
    path = tmp_path / "stack.npz"
    mask = np.arange(NY * NX).reshape(NY, NX) % 7 != 0
    turned = mask.T if axes.index("x") < axes.index("y") else mask
    np.savez(path, stack=frames.transpose(AXES[axes])[None], good=turned)
    data = stated(path, frames="stack", axes=axes, mask="good", mask_good="nonzero")
    read = io.read(data.model_copy(update={"hot_pixels": False}), need_scan=False)
    np.testing.assert_array_equal(read.mask, mask)
    np.testing.assert_array_equal(read.frames[3:9], np.where(mask, frames[3:9], 0))


@pytest.mark.parametrize("axes", ["rcyx", "yxrc", "crxy"])
def test_a_raster_has_rows_and_columns(axes: str, tmp_path: Path, frames: NDArray[Any]) -> None:
    path = tmp_path / "raster.h5"
    whole = frames.reshape(ROWS, COLUMNS, NY, NX)
    with h5py.File(path, "w") as file:
        file["dp"] = np.moveaxis(whole, range(4), [axes.index(letter) for letter in "rcyx"])
    data = stated(path, frames="/dp", axes=axes).with_value("scan_step_m", 2.0).with_value("hot_pixels", False)
    read = io.read(data)
    assert read.frames.shape == (COUNT, NY, NX)
    np.testing.assert_array_equal(read.frames[[1, 7, 8, 19]], frames[[1, 7, 8, 19]])
    assert read.scan.positions_m[COLUMNS + 1] == pytest.approx(read.geometry.pixel_m[0] * np.array([2.0, 2.0]))


def test_positions_may_be_two_arrays_or_lie_across(tmp_path: Path, frames: NDArray[Any], scan_px: NDArray[Any]) -> None:
    path = tmp_path / "apart.npz"
    np.savez(path, images=frames, motor_y=scan_px[:, 0], motor_x=scan_px[:, 1], across=scan_px.T)
    with contents.opened(path) as found:
        asked, _ = proposals.proposed(found)
    assert (asked.positions_y, asked.positions_x) == ("/motor_y", "/motor_x")
    apart = io.read(stated(path, frames="images", positions_y="motor_y", positions_x="motor_x", positions_unit="px"))
    across = io.read(stated(path, frames="images", positions="across", positions_columns="yx", positions_unit="px"))
    np.testing.assert_allclose(apart.scan.positions_m, across.scan.positions_m)
    np.testing.assert_allclose(apart.scan.positions_m / apart.geometry.pixel_m, scan_px)


def test_old_matlab_files_are_read_with_their_structures(tmp_path: Path, frames: NDArray[Any]) -> None:
    from scipy.io import savemat

    path = tmp_path / "old.mat"
    savemat(
        path, {"I": frames.transpose(1, 2, 0), "p": {"lambda": 1.2e-10, "z": 2.1}, "cells": np.array([1, "a"], object)}
    )
    with contents.opened(path) as found:
        told = {node.path: node for node in found.nodes}
        assert told["/p/lambda"].readable
        assert "not read" in told["/cells"].note
    read = io.read(
        stated(path, frames="I", axes="yxn", wavelength="p/lambda", distance="p/z", distance_unit="m"), need_scan=False
    )
    assert read.geometry.wavelength_m == pytest.approx(1.2e-10)
    np.testing.assert_allclose(read.frames[5][read.mask], frames[5][read.mask])


REFUSED = {
    "no such dataset": ({"frames": "/nothing"}, "has no dataset '/nothing'"),
    "no stack": ({"frames": "/measurement/motors/positions"}, "does not fit data.mapping.axes"),
    "wrong axes": ({"frames": "/measurement/detector/images", "axes": "rcyx"}, "does not fit data.mapping.axes"),
    "another file": ({"frames": "/elsewhere"}, "has no dataset"),
    "no list of positions": (
        {"frames": "/measurement/detector/images", "positions": "/measurement/detector/bad_pixels"},
        "is no list of 20 positions",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(case: str, unknown: Path) -> None:
    fields, sentence = REFUSED[case]
    with pytest.raises(InputError, match=sentence):
        io.read(stated(unknown, **fields))


def test_links_to_other_files_are_not_followed(unknown: Path, frames: NDArray[Any]) -> None:
    with h5py.File(unknown.with_name("other.h5"), "w") as other:
        other["data"] = frames
    with contents.opened(unknown) as found:
        node = next(node for node in found.nodes if node.path == "/elsewhere")
    assert node.kind == "link"
    assert "other.h5, which is not followed" in node.note
    with pytest.raises(InputError, match="lies in another file"):
        io.read(stated(unknown, frames="/elsewhere"))


def test_a_picture_of_a_huge_array_reads_one_slice(tmp_path: Path) -> None:
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        huge = file.create_dataset("huge", (7, 90_000, 3000, 2000), "u2", chunks=(1, 1, 500, 500))
        huge[6, 89_999] = np.arange(2000)
    with contents.opened(path) as found:
        node = found.nodes[0]
        assert pairs(node.shape or ())[0] == (2, 3)
        assert count_of(node.shape or (), (2, 3)) == 630_000
        part = part_of(found, node, (2, 3), 629_999)
    assert part.step == (3, 2)
    assert part.picture is not None
    np.testing.assert_array_equal(part.picture[5], np.arange(0, 2000, 2))


def test_axes_are_letters(unknown: Path) -> None:
    with pytest.raises(InputError, match="is no order of axes"):
        stated(unknown, frames="/a", axes="yxz")


def test_objects_in_an_archive_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "objects.npz"
    np.savez(path, stack=np.array([{"a": 1}], dtype=object), other=np.zeros(3))
    with contents.opened(path) as found:
        assert "not read" in next(node.note for node in found.nodes if node.path == "/stack")
        with pytest.raises(InputError, match="choose another"):
            found.array("stack")


def test_a_mapping_is_said_on_the_command_line(unknown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = [
        "data.mapping.frames=/measurement/detector/images",
        "data.mapping.positions=/measurement/motors/positions",
        "data.mapping.energy=/setup/energy_kev",
        "data.mapping.energy_unit=keV",
        "data.mapping.distance=/setup/distance_mm",
        "data.mapping.distance_unit=mm",
        "data.mapping.detector_pixel=/setup/pixel_size",
    ]
    flags = [part for setting in settings for part in ("--set", setting)]
    assert main(["info", str(unknown), *flags]) == 0
    told = capsys.readouterr().out
    assert "8.7 keV" in told
    assert "1.92 m" in told
    assert main(["info", str(unknown)]) == 2
    assert "layout that is not known" in capsys.readouterr().err


def test_a_matlab_file_of_ptylab_is_understood() -> None:
    path = SHARED / "readers" / "ptylab_simudata.mat"
    if not path.exists():
        pytest.skip("the shared data are not here")
    with contents.opened(path) as found:
        asked, _ = proposals.proposed(found)
    read = io.read(Data(path=str(path), mapping=asked), need_scan=False)
    assert asked.axes == "nxy"
    assert read.frames.shape == (22, 64, 64)
    assert read.geometry.wavelength_m == pytest.approx(632.8e-9)
    assert read.probe is None or read.probe.shape == (1, 64, 64)
