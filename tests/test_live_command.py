"""`ptychogui live`: a scan becomes a result while it is running."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptychogui import io
from ptychogui.cli import main
from ptychogui.io.data import Data
from ptychogui.job import is_of

FEW = ["--set", "start.find_defocus=false", "--epochs", "8", "--device", "cpu"]


def test_a_replayed_scan_becomes_a_result(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, offline = tmp_path / "live.h5", tmp_path / "offline.h5"
    assert main(["live", f"replay:{scan}", "-o", str(output), "--json", *FEW]) == 0
    count = len(io.read(Data(path=str(scan))).scan)
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (said["frames"], said["received"], said["missing"], said["doubled"]) == (count, count, 0, 0)
    assert main(["run", str(scan), "-o", str(offline), *FEW]) == 0
    found, usual = io.read_result(output), io.read_result(offline)
    assert len(found.scan) == len(usual.scan)
    ours, theirs = (one.nominal_m[np.lexsort(one.nominal_m.T)] for one in (found, usual))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert found.provenance["data"] == f"replay:{scan}"
    assert threading.active_count() == 1 or not [t for t in threading.enumerate() if t.name == "source"]


def test_what_is_wrong_is_told(scan: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    output = tmp_path / "r.h5"
    assert refused("live", "nowhere:5", "-o", output).startswith("'nowhere:5' is no source: give one such as ")
    assert refused("live", f"replay:{tmp_path}/none.cxi", "-o", output).endswith("does not exist; check the name.")
    assert refused("live", f"replay:{scan}", "-o", output, "--scans", "-1").startswith("Give a number of scans")
    assert refused("live", f"replay:{scan}", "-o", output, "--set", "data.dark_frames=[0]").startswith("While a scan")
    assert not output.exists()


def test_positions_may_be_planned(scan: Path, tmp_path: Path, capsys: Any) -> None:
    """A list by the user comes before what the source says."""
    given = io.read(Data(path=str(scan)))
    table = tmp_path / "plan.csv"
    lines = [f"{y * 1e6:.9f},{x * 1e6:.9f}" for y, x in given.scan.positions_m + 3e-6]
    table.write_text("y_um,x_um\n" + "\n".join(lines) + "\n")
    output = tmp_path / "r.h5"
    assert main(["live", f"replay:{scan}", "-o", str(output), "--set", f"data.positions={table}", *FEW]) == 0
    found = io.read_result(output).nominal_m
    assert np.median(found, 0) == pytest.approx(np.median(given.scan.positions_m + 3e-6, 0), abs=1e-8)


def test_frames_are_saved_and_the_result_knows_where(scan: Path, tmp_path: Path) -> None:
    output, frames = tmp_path / "r.h5", tmp_path / "frames.cxi"
    assert main(["live", f"replay:{scan}", "-o", str(output), "--frames", str(frames), *FEW]) == 0
    given, kept = (io.read(Data(path=str(path))) for path in (scan, frames))
    np.testing.assert_array_equal(np.asarray(kept.frames[:]), np.asarray(given.frames[:]))
    found = io.read_result(output)
    assert found.provenance["data"] == str(frames)
    assert is_of(found, kept)
