"""The small scans as fixtures, in memory and as files."""

from __future__ import annotations

# before torch, which reads how OpenMP waits when it is loaded: spinning makes the tests ten times as slow
from ptychogui.cli import main

# isort: split
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from worlds import World, world


@pytest.fixture(autouse=True)
def own_presets(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the presets of whoever runs it."""
    folder = tmp_path_factory.mktemp("presets")
    monkeypatch.setenv("PTYCHOGUI_PRESETS", str(folder))
    return folder


WORLDS = {
    "far": {},
    "far-odd": {"shape": (25, 21)},
    "near": {"field": "near"},
    "near-padded": {"field": "near", "padding_px": 3},
    "far-whole-pixel": {"whole_pixel": True, "modes": 1},
    "near-whole-pixel": {"field": "near", "whole_pixel": True, "modes": 3},
}


@pytest.fixture(params=WORLDS)
def any_world(request: pytest.FixtureRequest) -> World:
    """Far and near field, even and odd sides, with and without padding, at whole pixels and between, 1 to 3 modes."""
    return world(**WORLDS[request.param])


@pytest.fixture(params=["far", "near"])
def either(request: pytest.FixtureRequest) -> World:
    """Both fields, with two modes at sub-pixel positions."""
    return world(request.param)


@pytest.fixture
def far() -> World:
    """The far field, with two modes at sub-pixel positions."""
    return world("far")


@pytest.fixture
def near() -> World:
    """The near field, likewise."""
    return world("near")


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a small simulated far-field scan and its truth."""
    path = tmp_path_factory.mktemp("scan") / "scan.cxi"
    small = ["--set", "frames=40", "--set", "shape=[40, 56]", "--set", "probe_px=14"]
    assert main(["simulate", "siemens-far", "-o", str(path), *small]) == 0
    return path


@pytest.fixture(scope="session")
def result(scan: Path) -> Path:
    """The file of four epochs of it with two modes, by another solver than the default."""
    path = scan.parent / "result.h5"
    options = ["--solver", "rpie", "--epochs", "4", "--set", "start.modes=2"]
    assert main(["run", str(scan), "-o", str(path), *options]) == 0
    return path


@pytest.fixture
def pixel_scan(tmp_path: Path) -> Path:
    """A file with a far-field scan of which nothing but frames and positions in pixels is known."""
    dataset = world(shape=(23, 30), modes=1).dataset
    places_px = dataset.scan.positions_m / np.array(dataset.geometry.pixel_m)
    path = tmp_path / "scan.npz"
    np.savez(path, data=np.rint(dataset.frames), scan=places_px, mask=dataset.mask)
    return path


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must be refused, and returns its one sentence; nothing may have been written."""

    def check(*arguments: str | Path) -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        capsys.readouterr()
        assert main(list(map(str, arguments))) == 2
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = err.splitlines()
        assert line.startswith("ptychogui: ")
        assert line.endswith(".")
        assert "Traceback" not in line
        assert "Errno" not in line
        assert len(line) < 400
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        return line.removeprefix("ptychogui: ")

    return check
