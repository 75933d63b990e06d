"""`ptychogui bench live`: its tables, of small scans."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ptychogui.bench import live
from ptychogui.cli import main


def measured(capsys: pytest.CaptureFixture[str], part: str, *options: str) -> tuple[Any, str]:
    """What a part has found, and its table."""
    assert main(["bench", "live", "--part", part, "--json", *options]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found[part]["found"], live.table(found)


def test_the_rate_of_a_source(capsys: pytest.CaptureFixture[str]) -> None:
    (row,), text = measured(capsys, "rates", "--source", "swmr", "--frames", "64")
    assert (row["source"], row["lost"], row["why"], row["goal"]) == ("swmr", 0, "", 4000)
    assert row["rate"] > 0
    assert text.splitlines()[-1].split()[0] == "swmr"


@pytest.mark.slow
def test_many_scans_leave_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    (row,), text = measured(capsys, "soak", "--source", "swmr", "--minutes", "0.01")
    assert (row["not_clean"], row["why"]) == (0, "")
    assert row["received"] == row["scans"] * 60
    assert row["first"]["threads"] >= row["last"]["threads"]
    assert row["first"]["files"] >= row["last"]["files"]
    assert text.splitlines()[-1].split()[:2] == ["swmr", str(row["scans"])]


def test_a_live_picture_beside_that_of_the_file(scan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("--epochs", "30", "--set", "start.find_defocus=false", "--device", "cpu")
    found, text = measured(capsys, "quality", str(scan), "--rate", "40", *few)
    assert found["frames"] == [40, 40, 56]
    assert found["quarters"]
    assert all(0 < one["r_factor"] < 1 and 0 < one["offline"]["r_factor"] < 1 for one in found["quarters"])
    assert found["final"]["r_factor"] < 1.5 * found["final"]["offline"]["r_factor"]
    assert "s after the last frame." in text.splitlines()[-1]


def test_what_is_wrong_is_told(refused: Callable[..., str]) -> None:
    assert refused("bench", "live", "--source", "pigeon").startswith("There is no source 'pigeon' that can be sent to")
    assert refused("bench", "live", "--frames", "0").startswith("Give at least one frame")
