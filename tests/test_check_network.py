"""The preflight tells whether the network of a start suits the scan, and what helps where it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ptychogui.check import Doubt, check, fixed, quick, quick_look, settings
from ptychogui.check.network import network
from ptychogui.engine.learn.training import Training
from ptychogui.engine.learn.unrolled import Unrolled
from ptychogui.engine.simulate import recipes, simulate
from ptychogui.engine.start.ptychonet import FromNetwork
from ptychogui.job import Job
from ptychogui.train import TrainJob, lesson
from ptychogui.types import Dataset


def made(name: str = "siemens-far", **values: object) -> Dataset:
    return simulate(
        recipes()[name].read(
            {"frames": 30, "shape": (40, 48), "probe_px": 12.0, "step_px": 3.0, "photons": 1e5} | values
        )
    )


@pytest.fixture(scope="module")
def scan() -> Dataset:
    return made()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, scan: Dataset) -> Path:
    """Weights after one step: one network that is given the probe, one that is not."""
    folder = tmp_path_factory.mktemp("networks")
    for name, width in (("given", 0), ("blind", 2)):
        training = Training(made=4, steps=1, frames=4, batch=1)
        course = lesson(
            TrainJob(network=Unrolled(pixels=32, channels=2, looks=1, width=width), training=training), scan
        )
        for _ in course.run():
            pass
        course.save(folder / f"{name}.safetensors")
    return folder


def told(path: Path | str, dataset: Dataset, **values: object) -> Doubt:
    return network(FromNetwork(weights=str(path), **values), dataset)  # type: ignore[arg-type]


def test_a_network_suits_the_scan_that_it_was_trained_for(folder: Path, scan: Dataset) -> None:
    doubt = told(folder / "blind.safetensors", scan)
    assert doubt.level == "ok"
    assert doubt.figures["probe_unlike"] == pytest.approx(0, abs=0.05)
    assert not doubt.fix
    assert not doubt.action


def test_another_probe_is_fatal_unless_it_is_given_or_allowed(folder: Path, scan: Dataset) -> None:
    turn = np.random.default_rng(3).uniform(-3, 3, scan.geometry.shape)
    assert scan.truth is not None
    other = replace(scan, probe=scan.truth.probe * np.exp(1j * turn).astype(np.complex64))
    doubt = told(folder / "blind.safetensors", other)
    assert (doubt.level, doubt.action) == ("wrong", "fine_tune")
    assert settings(doubt) == ["start.kind=data"]
    job = Job().with_value("start.kind", "ptychonet")
    assert fixed(job, [doubt]).start.kind == "data"
    assert told(folder / "blind.safetensors", other, any_probe=True).level == "doubt"
    assert told(folder / "given.safetensors", other).level == "doubt"


def test_a_probe_that_nobody_knows_is_doubtful(folder: Path, scan: Dataset) -> None:
    unknown = replace(scan, probe=None, geometry=replace(scan.geometry, focus_to_sample_m=None, defocus_m=None))
    doubt = told(folder / "blind.safetensors", unknown)
    assert doubt.level == "doubt"
    assert "not known before the run" in doubt.sentence
    assert told(folder / "given.safetensors", unknown).level == "ok"


def test_what_is_no_network_has_one_sentence(folder: Path, scan: Dataset, tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes((folder / "given.safetensors").read_bytes()[:900])
    (tmp_path / "pickle.safetensors").write_bytes(b"\x80\x04K\x01.")
    for path in ("", tmp_path / "none.safetensors", tmp_path / "cut.safetensors", tmp_path / "pickle.safetensors"):
        doubt = told(path, scan)
        assert (doubt.level, doubt.action) == ("wrong", "train")
        assert settings(doubt) == ["start.kind=data"]
        assert "\n" not in doubt.sentence


def test_patterns_that_are_too_small_and_a_near_field_are_no_place_for_a_network(folder: Path) -> None:
    doubt = told(folder / "given.safetensors", made(shape=(24, 30), probe_px=7.0))
    assert (doubt.level, doubt.action) == ("wrong", "train"), doubt
    assert "24 × 30" in doubt.sentence
    near = simulate(recipes()["siemens-near"].read({"scan_shape": (4, 4), "shape": (72, 64), "step_px": 5.0}))
    doubt = told(folder / "given.safetensors", near)
    assert (doubt.level, doubt.action) == ("wrong", "")
    assert "far-field" in doubt.sentence


def test_the_whole_check_tells_it_and_that_of_a_run_without_a_network_does_not(folder: Path, scan: Dataset) -> None:
    start = FromNetwork(weights=str(folder / "given.safetensors"))
    whole = check(Job(start=start), scan)
    found = next(item for item in whole if isinstance(item, Doubt) and item.name == "network")
    whole.close()
    assert found.level == "ok"
    *_, look = quick_look(scan)
    assert look is not None
    assert "network" in {doubt.name for doubt in quick(Job(start=start), scan, look)}
    assert "network" not in {doubt.name for doubt in quick(Job(), scan, look)}
