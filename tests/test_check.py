"""The preflight finds what is wrong with a scan, says how to mend it, and leaves a right one alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ptychogui.check import Doubt, Progress, check, fixed, settings
from ptychogui.check.turns import ORIENTATIONS, matrix, opposite, rotation, turned, unturned
from ptychogui.engine.simulate import recipes, simulate
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.types import Dataset, Scan

SMALL = {
    "siemens-far": {"frames": 120, "shape": (40, 48), "probe_px": 16.0, "step_px": 3.5},
    "siemens-near": {"scan_shape": (8, 8), "shape": (72, 64), "step_px": 5.0},
    "two-modes": {"frames": 120, "shape": (40, 48)},
    "electron": {"scan_shape": (11, 12), "shape": (72, 64)},
}


def made(name: str, **values: object) -> Dataset:
    return simulate(recipes()[name].read(SMALL[name] | values))


def found(dataset: Dataset, job: Job = Job()) -> dict[str, Doubt]:
    return {item.name: item for item in check(job, dataset) if isinstance(item, Doubt)}


def doubts(dataset: Dataset) -> dict[str, str]:
    return {name: doubt.sentence for name, doubt in found(dataset).items() if doubt.level != "ok"}


@pytest.fixture(scope="module")
def far() -> Dataset:
    return made("siemens-far")


@pytest.fixture(scope="module")
def near() -> Dataset:
    return made("siemens-near")


@pytest.mark.parametrize("name", SMALL)
def test_a_right_scan_raises_no_doubt(name):
    assert doubts(made(name)) == {}
