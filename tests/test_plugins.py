"""A method developer adds a solver, or a reader, in one file of their own and names it in the entry points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SOLVER = '''
"""A solver outside the program."""
from typing import Annotated, Literal
import ptychogui.params as p
from ptychogui.engine.solvers.pie import PIE

class Gentle(PIE):
    """Half of ePIE's step."""
    kind: Literal["gentle"] = "gentle"
    softness: Annotated[p.Positive, p.LIVE] = 2.0
    """How much smaller the step is."""

    def object_denominator(self, weight, peak):
        return self.softness * weight.max()

    def probe_denominator(self, weight):
        return self.softness * weight.max()
'''
READER = '''
"""A reader outside the program: raw float32 frames of 16 × 20 behind a magic word."""
import numpy as np
from ptychogui.io.raw import Listing, Raw

NAME = "toy"

def sniff(path):
    return path.is_file() and path.read_bytes()[:4] == b"TOY1"

def read(path, data):
    frames = np.frombuffer(path.read_bytes()[4:], np.float32).reshape(-1, 16, 20)
    steps = np.stack([np.arange(len(frames)) % 3, np.arange(len(frames)) // 3], 1) * 4.0
    return Raw(frames=frames, positions=Listing(steps, "px", "a raster"))
'''


@pytest.fixture
def plugged(tmp_path: Path) -> dict[str, str]:
    """An environment in which a package with a solver and a reader is installed."""
    (tmp_path / "toy_solver.py").write_text(SOLVER)
    (tmp_path / "toy_reader.py").write_text(READER)
    info = tmp_path / "toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[ptychogui.solvers]\ngentle = toy_solver:Gentle\n[ptychogui.readers]\ntoy = toy_reader\n"
    )
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def test_a_solver_and_a_reader_of_another_package_work(tmp_path: Path, plugged: dict[str, str]) -> None:
    frames = np.random.default_rng(0).poisson(50.0, (9, 16, 20)).astype(np.float32)
    (tmp_path / "scan.toy").write_bytes(b"TOY1" + frames.tobytes())
    command = [sys.executable, "-m", "ptychogui.cli", "run", str(tmp_path / "scan.toy"), "-o", str(tmp_path / "r.h5")]
    options = ["--solver", "gentle", "--epochs", "3", "--set", "solver.softness=3", "--set", "start.find_defocus=false"]
    done = subprocess.run([*command, *options, "--json"], env=plugged, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["epochs"], figures["frames"]) == (3, 9)


def test_the_help_lists_a_solver_of_another_package(plugged: dict[str, str]) -> None:
    command = [sys.executable, "-m", "ptychogui.cli", "run", "--help"]
    done = subprocess.run(command, env=plugged, capture_output=True, text=True, check=True)
    assert "gentle" in done.stdout
    assert "How much smaller the step is." in done.stdout
