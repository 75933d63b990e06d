"""`ptychogui train` and the start that uses what it wrote: what is written and returned, and what is refused."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import ptychogui as pg
from ptychogui import io
from ptychogui.cli import main
from ptychogui.engine.learn.card import Card
from ptychogui.engine.learn.weights import card_of, load
from ptychogui.io.data import Data
from ptychogui.job import Job, snapshots
from ptychogui.params import InputError
from ptychogui.reproduce import Recipe
from ptychogui.train import TrainJob, lesson, source_of
from ptychogui.types import Result, Snapshot

NETWORK = ["--set", "network.pixels=32", "--set", "network.channels=4", "--set", "network.looks=2"]
SMALL = [*NETWORK, "--set", "training.steps=3", "--set", "training.made=8", "--set", "training.frames=4"]
TINY = [*SMALL, "--set", "training.batch=1", "--device", "cpu"]
ENCODER = ["--network", "ptychonet", "--set", "network.width=4", *TINY[:2], *TINY[6:]]

NEAR = ["--set", "scan_shape=[4, 4]", "--set", "shape=[40, 56]"]


def train(scan: Path, output: Path, *options: str | Path) -> int:
    return main(["train", str(scan), "-o", str(output), *TINY, *map(str, options)])


@pytest.fixture(scope="module")
def weights(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unrolled network, trained for three steps."""
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    assert train(scan, path) == 0
    return path


@pytest.fixture(scope="module")
def encoder(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PtychoNet, which is not given the probe."""
    path = tmp_path_factory.mktemp("weights") / "p.safetensors"
    assert main(["train", str(scan), "-o", str(path), *ENCODER]) == 0
    return path


# ---- training


def test_the_card_says_what_the_weights_are(weights: Path, scan: Path) -> None:
    card = card_of(weights)
    assert card.network.kind == "unrolled"
    assert card.network.pixels == 32
    assert card.steps == card.training.steps == 3
    assert card.source == scan.name
    assert card.images == "8 pictures made by formula"
    assert card.program.startswith("ptychogui ")
    assert card.date.endswith("+00:00")
    assert card.device == "cpu"
    assert 0 < card.error < 2
    assert 0 < card.mean_error < 1
    optics = io.read(Data(path=str(scan))).geometry
    assert card.pixel_m == pytest.approx((optics.pixel_m[0] * 40 / 32, optics.pixel_m[1] * 56 / 32))
    assert {path.name for path in weights.parent.iterdir()} == {"w.safetensors"}


def test_the_command_of_the_card_reproduces_the_weights(weights: Path, tmp_path: Path) -> None:
    words = shlex.split(card_of(weights).command)
    assert words[0] == "ptychogui"
    words[words.index("-o") + 1] = str(tmp_path / "again.safetensors")
    assert main(words[1:]) == 0
    one, other = load_file(weights), load_file(tmp_path / "again.safetensors")
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_job_in_a_file_reproduces_the_weights(weights: Path, scan: Path, tmp_path: Path) -> None:
    card = card_of(weights)
    job = TrainJob(data=Data(path="another.cxi"), network=card.network, training=card.training, device="cpu")
    (tmp_path / "job.toml").write_text(job.toml())
    output = tmp_path / "again.safetensors"
    assert main(["train", str(scan), "-o", str(output), "--job", str(tmp_path / "job.toml")]) == 0
    one, other = load_file(weights), load_file(output)
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_python_trains_as_the_command_does(weights: Path, scan: Path) -> None:
    card = card_of(weights)
    job = TrainJob(data=Data(path=str(scan)), network=card.network, training=card.training, device="cpu")
    course = lesson(job, source_of(job.data))
    *_, last = course.run()
    assert last.ended == "steps"
    assert last.error == pytest.approx(card.error)
    found = course.weights()
    assert found.card.model_copy(update={"command": card.command, "date": card.date, "seconds": card.seconds}) == card
    held = load(weights)
    assert all(torch.allclose(value, found.tensors[name], atol=1e-3) for name, value in held.tensors.items())


def test_a_result_serves_as_the_experiment(result: Path, scan: Path, tmp_path: Path, capsys: Any) -> None:
    assert train(result, tmp_path / "w.safetensors", "--json") == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["steps"] == 3
    assert figures["ended"] == "steps"
    assert set(figures) == {"steps", "seconds", "error", "mean_error", "device", "images", "ended"}
    card = card_of(tmp_path / "w.safetensors")
    assert card.source == scan.name
    reconstructed = io.read_result(result)
    assert card.counts == pytest.approx(float(np.square(np.abs(reconstructed.probe.modes)).sum()), rel=0.1)


def test_photographs_of_a_folder(scan: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    for number in range(3):
        Image.fromarray(rng.integers(0, 255, (70, 90), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    assert train(scan, tmp_path / "w.safetensors", "--images", tmp_path) == 0
    assert card_of(tmp_path / "w.safetensors").images == f"3 pictures of {tmp_path.name}"


def test_fine_tuning_takes_the_architecture_of_the_weights(weights: Path, scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "tuned.safetensors"
    steps = ["--set", "training.steps=2", "--set", "training.made=8", "--set", "training.frames=4"]
    assert main(["train", str(scan), "-o", str(output), "--from", str(weights), *steps]) == 0
    card = card_of(output)
    assert card.network == card_of(weights).network
    assert card.steps == 2


def test_a_checkpoint_is_gone_on_with_to_the_bit(scan: Path, tmp_path: Path) -> None:
    whole, half, rest = (tmp_path / f"{name}.safetensors" for name in ("whole", "half", "rest"))
    job = TrainJob(device="cpu").with_value("data.path", str(scan))
    for path, value in (("pixels", 32), ("channels", 4), ("looks", 2)):
        job = job.with_value(f"network.{path}", value)
    for path, number in (("steps", 4), ("made", 8), ("frames", 4), ("batch", 1)):
        job = job.with_value(f"training.{path}", number)
    course = lesson(job, source_of(job.data))
    for progress in course.run():
        if progress.step == 2:
            course.save(half, checkpoint=True)
    course.save(whole)
    assert main(["train", str(scan), "-o", str(rest), "--from", str(half), "--device", "cpu"]) == 0
    one, other = load_file(whole), load_file(rest)
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert card_of(rest).steps == card_of(whole).steps == 4
    assert card_of(rest).error == card_of(whole).error


def test_a_checkpoint_may_go_on_for_longer(scan: Path, tmp_path: Path) -> None:
    job = TrainJob(device="cpu").with_value("data.path", str(scan)).with_value("network.pixels", 32)
    for path, number in (("steps", 1), ("made", 8), ("frames", 4), ("batch", 1), ("learning_rate", 3e-3)):
        job = job.with_value(f"training.{path}", number)
    course = lesson(job.with_value("network.channels", 4), source_of(job.data))
    list(course.run())
    half, rest = tmp_path / "half.safetensors", tmp_path / "rest.safetensors"
    course.save(half, checkpoint=True)
    more = ["--from", str(half), "--device", "cpu", "--set", "training.steps=3"]
    assert main(["train", str(scan), "-o", str(rest), *more]) == 0
    card = card_of(rest)
    assert card.steps == 3
    assert card.training == card_of(half).training.with_value("steps", 3)


def test_a_checkpoint_serves_as_weights_too(scan: Path, weights: Path, tmp_path: Path) -> None:
    job = TrainJob().with_value("data.path", str(scan)).with_value("begin", str(weights))
    course = lesson(job.with_value("training.steps", 1).with_value("training.made", 8), source_of(job.data))
    list(course.run())
    course.save(tmp_path / "c.safetensors", checkpoint=True)
    assert load(tmp_path / "c.safetensors").network(torch.device("cpu")) is not None


def test_networks_are_listed_and_cards_are_shown(weights: Path, capsys: Any) -> None:
    assert main(["train", "--list"]) == 0
    for line in capsys.readouterr().out.splitlines():
        assert " px, error " in line
    assert main(["train", "--show", str(weights)]) == 0
    assert Card.from_toml(capsys.readouterr().out) == card_of(weights)


def test_help_names_every_parameter(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    out = capsys.readouterr().out
    for name in ("network.kind = unrolled", "network.looks = 12", "training.loss = mse", "training.images", "begin"):
        assert f"  {name}" in out


REFUSED: dict[str, tuple[list[str], str]] = {
    "no scan": (["-o", "{}/w.safetensors"], "Name a scan and an output"),
    "no output": (["{scan}"], "Name a scan and an output"),
    "suffix": (["{scan}", "-o", "{}/w.pt"], "w.pt is no place for weights: give a file that ends in .safetensors."),
    "folder": (["{scan}", "-o", "{}/none/w.safetensors"], "none"),
    "missing scan": (["{}/none.cxi", "-o", "{}/w.safetensors"], "none.cxi does not exist; check the name."),
    "kind": (["{scan}", "-o", "{}/w.safetensors", "--network", "unet"], "There is no network 'unet': choose one of"),
    "pixels": (["{scan}", "-o", "{}/w.safetensors", "--set", "network.pixels=33"], "network.pixels: must be a power"),
    "size": (["{scan}", "-o", "{}/w.safetensors"], "The patterns have 40 × 56 pixels and the network takes 64 × 64"),
    "minutes": (["{scan}", "-o", "{}/w.safetensors", "--minutes", "-1"], "training.seconds is -60.0, but it should"),
    "words": (["{scan}", "-o", "{}/w.safetensors", "--minutes", "many"], "invalid float value: 'many'"),
    "parameter": (["{scan}", "-o", "{}/w.safetensors", "--set", "training.epochs=3"], "no parameter 'training.epochs'"),
    "no folder": (["{scan}", "-o", "{}/w.safetensors", *TINY, "--images", "{}/none"], "none is no folder"),
    "no pictures": (["{scan}", "-o", "{}/w.safetensors", *TINY, "--images", "{}"], "has no pictures: give a folder"),
    "one picture": (["{scan}", "-o", "{}/w.safetensors", *TINY, "--set", "training.made=1"], "One picture is not"),
    "no weights": (["{scan}", "-o", "{}/w.safetensors", "--from", "{}/none.safetensors"], "There are no weights at"),
    "no device": (["{scan}", "-o", "{}/w.safetensors", *TINY, "--device", "tpu"], "There is no device 'tpu' here"),
    "job": (["{scan}", "-o", "{}/w.safetensors", "--job", "{}/none.toml"], "In "),
    "card": (["--show", "{}/none.safetensors"], "There are no weights at"),
    "card of a scan": (["--show", "{scan}"], "is no whole file of weights (safetensors)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_is_refused(name: str, scan: Path, tmp_path: Path, refused: Any) -> None:
    options, said = REFUSED[name]
    words = [word.replace("{}", str(tmp_path)).replace("{scan}", str(scan)) for word in options]
    assert said in refused("train", *words)


def test_a_near_field_is_not_trained_for(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "near.cxi"
    assert main(["simulate", "siemens-near", "-o", str(path), *NEAR]) == 0
    assert "far-field patterns only" in refused("train", path, "-o", tmp_path / "w.safetensors", *TINY)


def test_a_result_of_a_near_field_is_no_experiment(result: Path) -> None:
    found = io.read_result(result)
    near = replace(found, geometry=replace(found.geometry, field="near"))
    with pytest.raises(InputError, match="far-field patterns only, and this result is of the near field"):
        lesson(TrainJob(), near)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_keeps_what_there_is(scan: Path, tmp_path: Path) -> None:
    output, checkpoint = tmp_path / "w.safetensors", tmp_path / "w.checkpoint.safetensors"
    command = [sys.executable, "-m", "ptychogui.cli", "train", str(scan), "-o", str(output), *TINY, "--json"]
    command += ["--set", "training.steps=100000", "--set", "training.patience=1000000"]
    code = (
        "import os, signal, sys, threading, time\nfrom pathlib import Path\nfrom ptychogui.cli import main\n"
        "from ptychogui.engine.learn import trainer\n"
        "trainer._REPORTS = 50000\n"
        "def watch():\n"
        "    while not Path(sys.argv[1]).exists():\n"
        "        time.sleep(0.01)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=watch, daemon=True).start()\n"
        "sys.exit(main(sys.argv[2:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(checkpoint), *command[3:]], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["ended"] == "stopped"
    assert card_of(output).steps == json.loads(done.stdout)["steps"] < 100000
    assert load(checkpoint).resume
    assert signal.getsignal(signal.SIGINT) is not None


def test_a_training_that_runs_away_replaces_nothing(
    scan: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "w.safetensors"
    output.write_bytes(b"older")
    assert train(scan, output, "--set", "training.learning_rate=1e30") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "ran away in step" in err.splitlines()[-1]
    assert output.read_bytes() == b"older"


# ---- as a start


def start(weights: Path, **more: Any) -> Job:
    job = Job().with_value("start.kind", "ptychonet").with_value("start.weights", str(weights))
    for name, value in ({"find_defocus": False} | more).items():
        job = job.with_value(f"start.{name}", value)
    return job.with_value("solver.epochs", 2).with_value("device", "cpu")


def flags(weights: Path, *more: str) -> list[str]:
    options = ["start.kind=ptychonet", f"start.weights={weights}", "start.find_defocus=false", *more]
    return [word for option in options for word in ("--set", option)]


@pytest.mark.parametrize("way", ["flag", "file"])
def test_a_run_begins_with_the_network_by_flag_file_and_python(
    way: str, weights: Path, scan: Path, tmp_path: Path
) -> None:
    output, job = tmp_path / "r.h5", tmp_path / "job.toml"
    job.write_text(start(weights).toml())
    said = ["--job", str(job)] if way == "file" else [*flags(weights), "--epochs", "2", "--device", "cpu"]
    assert main(["run", str(scan), "-o", str(output), *said]) == 0
    found = io.read_result(output)
    same = pg.run(start(weights).with_value("data.path", str(scan)))
    np.testing.assert_array_equal(found.obj.slices, same.obj.slices)
    other = pg.run(Job.from_toml(found.job))
    np.testing.assert_array_equal(found.obj.slices, other.obj.slices)
    plain = start(weights).with_value("start.kind", "data").with_value("data.path", str(scan))
    assert np.abs(pg.run(plain).obj.slices - found.obj.slices).max() > 0.01
    assert Recipe(Job.from_toml(found.job), "r.h5").whole == Job.from_toml(found.job)


def test_a_result_is_reproduced_from_any_folder(
    weights: Path, scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the weights were named by a relative path."""
    output = tmp_path / "r.h5"
    monkeypatch.chdir(weights.parent)
    assert main(["run", str(scan), "-o", str(output), *flags(Path(weights.name)), "--epochs", "1"]) == 0
    found = io.read_result(output)
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(pg.run(Job.from_toml(found.job)).obj.slices, found.obj.slices)


def test_snapshots_say_what_the_network_is_doing(weights: Path, scan: Path) -> None:
    dataset = io.read(Data(path=str(scan)))
    items = list(snapshots(start(weights), dataset))
    doing = [item.doing for item in items if isinstance(item, Snapshot)]
    assert "Giving the patterns to the network…" in doing
    assert doing[-1] == ""
    begun = next(item for item in items if isinstance(item, Snapshot) and not item.doing)
    assert begun.epoch == 0
    assert float(np.abs(begun.preview - 1).max()) > 0.05  # the picture is shown before the first epoch
    assert isinstance(items[-1], Result)


def test_the_brightness_is_that_of_the_training_or_what_is_said(weights: Path, scan: Path) -> None:
    from ptychogui.engine.models.thin import Thin
    from ptychogui.engine.problem import problem

    dataset = io.read(Data(path=str(scan)))
    posed = problem(dataset, Thin(), torch.device("cpu"))
    plain, said = (start(weights, **more).start for more in ({}, {"counts": 2e6}))
    first, second = (begun.state(posed, dataset, None, 0) for begun in (plain, said))
    power = posed.mean_counts / card_of(weights).network.transmission
    assert float(first.probe.abs().square().sum()) == pytest.approx(power, rel=1e-4)
    assert float(second.probe.abs().square().sum()) == pytest.approx(2e6, rel=1e-4)


@pytest.mark.parametrize("modes", [1, 3])
def test_several_modes_may_begin(modes: int, weights: Path, scan: Path) -> None:
    found = pg.run(start(weights, modes=modes).with_value("data.path", str(scan)))
    assert found.probe.modes.shape == (modes, 40, 56)
    assert np.isfinite(found.obj.slices).all()


def test_masked_pixels_and_double_precision_are_no_obstacle(weights: Path, scan: Path, tmp_path: Path) -> None:
    mask = np.ones((40, 56), np.bool_)
    mask[18:21, 30:33] = False
    np.save(tmp_path / "mask.npy", mask)
    job = start(weights).with_value("data.path", str(scan)).with_value("data.mask", str(tmp_path / "mask.npy"))
    assert np.isfinite(pg.run(job).obj.slices).all()


def harmed(path: Path, weights: Path, harm: str) -> None:
    held = weights.read_bytes()
    path.write_bytes({"truncated": held[: len(held) // 2], "pickle": b"\x80\x04\x95\x0b", "noise": held[::-1]}[harm])


@pytest.mark.parametrize("harm", ["truncated", "pickle", "noise"])
def test_broken_weights_are_refused_before_the_run(
    harm: str, weights: Path, scan: Path, tmp_path: Path, refused: Any
) -> None:
    broken = tmp_path / "w.safetensors"
    harmed(broken, weights, harm)
    said = refused("run", scan, "-o", tmp_path / "r.h5", *flags(broken))
    assert "is no whole file of weights (safetensors)" in said


def test_no_weights_are_refused_with_what_to_do(scan: Path, tmp_path: Path, refused: Any) -> None:
    said = refused("run", scan, "-o", tmp_path / "r.h5", "--set", "start.kind=ptychonet")
    assert said.startswith("start.weights names no network: give a file that 'ptychogui train' wrote")
    assert "There are no weights at" in refused("run", scan, "-o", tmp_path / "r.h5", *flags(tmp_path / "none"))


def test_a_run_from_the_data_needs_no_weights(scan: Path, tmp_path: Path) -> None:
    """Missing weights that are named beside another kind of start are nobody's business."""
    job = start(tmp_path / "none.safetensors").with_value("start.kind", "data").with_value("data.path", str(scan))
    assert len(pg.run(job).loss) == 2
    code = (
        "import sys, ptychogui as pg\n"
        f"result = pg.run(pg.Job().with_value('data.path', {str(scan)!r}).with_value('solver.epochs', 1))\n"
        "print(sorted(name for name in sys.modules if 'safetensors' in name or 'learn.weights' in name))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_another_probe_is_refused_or_told(
    weights: Path, encoder: Path, tmp_path: Path, refused: Any, capsys: Any
) -> None:
    """A PtychoNet has learned its probe; a network that is given the probe may see another, and says so."""
    other = tmp_path / "other.cxi"
    small = ["--set", "shape=[40, 56]", "--set", "sigma_px=2.5", "--set", "step_px=4"]
    assert main(["simulate", "ptychonet-grid", "-o", str(other), *small]) == 0
    output = tmp_path / "r.h5"
    said = refused("run", other, "-o", output, *flags(encoder), "--epochs", "1")
    assert said.startswith("The network was trained for another probe (")
    assert "start.any_probe=true" in said
    assert main(["run", str(other), "-o", str(output), *flags(encoder, "start.any_probe=true"), "--epochs", "1"]) == 0
    assert "ptychogui: The network was trained for another probe (" in capsys.readouterr().err
    assert main(["run", str(other), "-o", str(output), *flags(weights), "--epochs", "1", "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)["warnings"]
    assert said.endswith("It is given the probe, so it may serve all the same.")


def test_what_a_network_cannot_be_given_is_refused_and_replaces_no_result(
    weights: Path, result: Path, tmp_path: Path, refused: Any
) -> None:
    output = tmp_path / "r.h5"
    output.write_bytes(result.read_bytes())
    near, little = tmp_path / "near.cxi", tmp_path / "small.cxi"
    assert main(["simulate", "siemens-near", "-o", str(near), *NEAR]) == 0
    small = ["--set", "frames=16", "--set", "shape=[24, 40]", "--set", "probe_px=8"]
    assert main(["simulate", "siemens-far", "-o", str(little), *small]) == 0
    assert "far-field patterns only" in refused("run", near, "-o", output, *flags(weights))
    assert "The patterns have 24 × 40 pixels and the network takes 32 × 32" in refused(
        "run", little, "-o", output, *flags(weights)
    )


def test_imports_load_neither_torch_nor_weights() -> None:
    modules = "ptychogui, ptychogui.job, ptychogui.train, ptychogui.cli, ptychogui.engine.learn"
    code = f"import sys, {modules}; print({{'torch', 'safetensors', 'PyQt6'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_jobs_of_training_refuse_what_is_no_job() -> None:
    for text, said in (
        ("{{", "not valid TOML"),
        ("speed = 3", "no parameter 'speed'"),
        ("version = 2", "version is 2"),
    ):
        with pytest.raises(InputError, match=said):
            TrainJob.from_toml(text)
