"""Every network: its parameters, that it learns, and that a training can be repeated, stopped and gone on with."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ptychogui.engine.learn import AnyNetwork, layers
from ptychogui.engine.learn import trainer as module
from ptychogui.engine.learn.card import Card
from ptychogui.engine.learn.errors import nrmse
from ptychogui.engine.learn.experiment import Experiment
from ptychogui.engine.learn.layers import middle
from ptychogui.engine.learn.network import Network
from ptychogui.engine.learn.pictures import SIDE, from_folder, made, samples
from ptychogui.engine.learn.scans import Scans
from ptychogui.engine.learn.trainer import Progress, Trainer
from ptychogui.engine.learn.training import Training
from ptychogui.engine.learn.weights import Weights, load, save
from ptychogui.params import InputError, RunError, entries, members, parse_setting
from ptychogui.train import TrainJob

CPU = torch.device("cpu")
KINDS: dict[str, Any] = members(AnyNetwork)
PIXELS = 16
SMALL = {"pixels": PIXELS, "width": 4, "channels": 4, "looks": 2}
TINY = {"steps": 3, "made": 8, "frames": 4, "batch": 2}
ALSO = {
    "unrolled that begins as a PtychoNet": ("unrolled", {"width": 4}),
    "unrolled of more looks than are taught at once": ("unrolled", {"width": 0, "looks": 5, "taught": 2}),
    "ptychonet of 32": ("ptychonet", {"pixels": 32}),
}
VARIANTS = {kind: (kind, {"width": 0} if kind == "unrolled" else {}) for kind in KINDS} | ALSO


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Few samples that judge; and one thread, so that sums have one order on any machine."""
    monkeypatch.setattr(module, "_JUDGED", 2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=VARIANTS)
def network(request: pytest.FixtureRequest) -> Network:
    kind, changes = VARIANTS[request.param]
    return small(kind, **changes)


def small(kind: str, **changes: Any) -> Network:
    cls = KINDS[kind]
    found: Network = cls(**{name: value for name, value in (SMALL | changes).items() if name in cls.model_fields})
    return found


def training(**changes: Any) -> Training:
    return Training(**(TINY | changes))


def experiment(pixels: int = PIXELS, counts: float = 1e5) -> Experiment:
    """A probe that is neither symmetric nor in the middle, on a raster with jitter."""
    y, x = torch.meshgrid(torch.arange(pixels).float(), torch.arange(pixels).float(), indexing="ij")
    s = pixels / 6
    probe = torch.polar(torch.exp(-((y - pixels / 2 - 0.6) ** 2 + (x - pixels / 2 + 1) ** 2) / (2 * s**2)), 0.1 * y)
    grid = np.stack(np.meshgrid(np.arange(4) * 4.0, np.arange(5) * 3.5, indexing="ij"), -1).reshape(-1, 2)
    places = grid + np.random.default_rng(2).uniform(0, 1, grid.shape)
    return Experiment(probe / probe.abs().max(), places, counts, (1e-8, 2e-8))


def trainer(network: Network, **changes: Any) -> Trainer:
    plan = training(**changes)
    return Trainer(network, plan, experiment(network.pixels), leaves(plan.made), CPU)


@cache
def leaves(count: int) -> Tensor:
    return made(count, 0)


def trained(network: Network, **changes: Any) -> tuple[Trainer, list[Progress]]:
    course = trainer(network, **changes)
    return course, list(course.run())


def card_of(course: Trainer) -> Card:
    return Card(network=course.network, training=course.training, pixel_m=course.experiment.pixel_m, counts=1e5)


def scans_of(course: Trainer) -> tuple[Scans, Tensor]:
    return course._scans(course.kept, 3, torch.Generator().manual_seed(5))


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


# ---- parameters


def another(entry: Any) -> Any:
    if entry.choices:
        return next(choice for choice in entry.choices if choice != entry.default)
    if entry.type is bool:
        return not entry.default
    if entry.name == "pixels":
        return 128
    if entry.type is int:
        return (entry.default or 0) + 3
    if entry.type is float:
        return 0.625 if entry.maximum is not None else 1.75 * (entry.default or 1e3)
    return "a folder" if entry.type is str else (0.25, 0.75)


PLACES = [(kind, "network", entry) for kind in KINDS for entry in entries(KINDS[kind])]
PLACES += [("unrolled", "training", entry) for entry in entries(Training)]


@pytest.mark.parametrize(("kind", "group", "entry"), PLACES, ids=[f"{k}-{g}.{e.name}" for k, g, e in PLACES])
def test_every_parameter_goes_through_path_file_and_flag(kind: str, group: str, entry: Any) -> None:
    job, path = TrainJob().with_value("network.kind", kind), f"{group}.{entry.name}"
    value = another(entry)
    changed = job.with_value(path, value)
    assert getattr(getattr(changed, group), entry.name) == value
    assert TrainJob.from_toml(changed.toml()) == changed != job
    flag = str(list(value)) if isinstance(value, tuple) else str(value).lower() if entry.type is bool else str(value)
    assert job.with_value(*parse_setting(f"{path}={flag}")) == changed
    assert re.match(r"\S.*[.:)]$", entry.help, re.DOTALL)
    card = Card(network=changed.network, training=changed.training, pixel_m=(1e-8, 2e-8), counts=1e5)
    assert Card.from_toml(card.toml()) == card


@pytest.mark.parametrize("kind", KINDS)
def test_every_network_explains_itself(kind: str) -> None:
    assert "__doc__" in vars(KINDS[kind])
    assert KINDS[kind].model_fields["kind"].default == kind
    assert KINDS[kind]().knows_probe == (kind == "unrolled")


BAD = {
    "network.pixels": [48, 8, 1024, 32.5],
    "network.width": [-1, "wide"],
    "network.amplitude": [[0.5], [-1, 1], [0, 0]],
    "training.momentum": [1.0, -0.1],
    "training.held_out": [0.0, 0.95],
    "training.batch": [0],
    "training.frames": [0],
    "training.learning_rate": [0],
    "training.stretch": [[0, 1]],
    "training.loss": ["l1"],
    "training.seconds": [-1],
    "training.steps": [0],
    "network.kind": ["unet"],
}


@pytest.mark.parametrize("path", BAD)
def test_values_that_cannot_be(path: str) -> None:
    for value in BAD[path]:
        with pytest.raises(InputError) as caught:
            TrainJob().with_value(path, value)
        assert path.removesuffix(".kind") in str(caught.value)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)


# ---- learning


def test_a_few_steps_lower_the_loss_on_a_fixed_small_set(network: Network) -> None:
    course = trainer(network, steps=40, learning_rate=1e-2, mixed=False)
    scans, truth = scans_of(course)
    course._scans = lambda *_: (scans, truth)  # type: ignore[method-assign]
    losses = []
    for _ in range(40):
        losses.append(float(course._advance()))
        course.step += 1
    assert losses[-1] < 0.8 * losses[0]


def test_where_no_light_falls_a_network_says_what_it_says_that_knows_nothing(network: Network) -> None:
    course = trainer(network)
    scans, _ = scans_of(course)
    dark = scans.illumination < 1e-7 * scans.illumination.max()
    assert 0 < float(dark.float().mean()) < 0.5
    with torch.no_grad():
        first = course.layers.eval()(scans)[0][:, dark]
    flat = middle(network.amplitude, network.phase_rad)
    assert float((first - flat).abs().max()) < 2e-3 * abs(flat)


def test_the_same_seed_gives_the_same_weights(network: Network) -> None:
    (one, reports), (other, _) = (trained(network) for _ in range(2))
    assert same(one.checkpoint(), other.checkpoint())
    assert same(one.tensors(), other.tensors())
    assert not same(one.checkpoint(), trained(network, seed=1)[0].checkpoint())
    assert not same(one.checkpoint(), trained(network, loss="dse")[0].checkpoint())
    assert [report.step for report in reports] == [1, 2, 3]
    assert [report.ended for report in reports] == ["", "", "steps"]


def test_the_weight_of_the_patterns_error_counts_in_dse_only() -> None:
    losses = {}
    for loss, weight in (("mse", 1.0), ("mse", 3.0), ("dse", 0.0), ("dse", 1.0), ("dse", 3.0)):
        losses[loss, weight] = float(trainer(small("ptychonet"), loss=loss, weight=weight)._advance())
    plain = losses["mse", 1.0]
    assert losses["mse", 3.0] == losses["dse", 0.0] == plain
    assert losses["dse", 3.0] - plain == pytest.approx(3 * (losses["dse", 1.0] - plain), rel=1e-4)
    assert losses["dse", 1.0] > plain


def test_a_checkpoint_goes_on_as_if_nothing_had_happened(network: Network, tmp_path: Path) -> None:
    path, course = tmp_path / "w.safetensors", trainer(network, steps=6)
    for report in course.run():
        if report.step == 3:
            save(Weights(card_of(course), course.probe, course.checkpoint(), course.resume()), path, half=False)
    again = trainer(network, steps=6)
    again.begin_with(load(path))
    assert again.step == 3
    reports = list(again.run())
    assert [report.step for report in reports] == [4, 5, 6]
    assert same(again.checkpoint(), course.checkpoint())
    assert same(again.tensors(), course.tensors())
    assert again.best == course.best
    assert again.stale == course.stale


@pytest.mark.parametrize("lost", ["step", "generator", "exp_avg_sq.net.last.bias"])
def test_a_checkpoint_that_lacks_something_is_told(lost: str) -> None:
    course, _ = trained(small("unrolled", width=0), steps=1)
    held = course.resume()
    del held[lost]
    with pytest.raises(InputError, match=r"^The checkpoint lacks what a training goes on from"):
        trainer(small("unrolled", width=0)).begin_with(
            Weights(card_of(course), course.probe, course.checkpoint(), held)
        )


def test_a_report_tells_where_the_training_is() -> None:
    course, reports = trained(small("unrolled"), steps=4)
    pixels = course.network.pixels
    for report in reports:
        assert report.share == report.step / 4
        assert math.isfinite(report.loss)
        assert report.error > 0
        assert report.mean_error == reports[0].mean_error > 0
        assert report.example.pattern.shape == (pixels, pixels)
        assert report.example.truth.shape == report.example.found.shape
        assert np.unravel_index(report.example.pattern.argmax(), (pixels, pixels)) == pytest.approx((8, 8), abs=2)
    assert reports[0].example.truth is not reports[1].example.truth
    assert reports[0].better
    assert course.best == min(report.error for report in reports)


def test_the_error_of_the_mean_is_that_of_a_network_that_knows_nothing() -> None:
    course, _ = trained(small("unrolled"))
    flat = middle(course.network.amplitude, course.network.phase_rad)
    judges = (course._judge(n) for n in range(3))
    parts = [nrmse(torch.full_like(truth, flat), truth, scans) for scans, truth in judges]
    assert course.mean_error == pytest.approx(float(torch.cat(parts).mean()))


@pytest.mark.parametrize("when", ["before", "at the first report"])
def test_a_training_is_stopped_after_the_step_with_a_report(when: str) -> None:
    course = trainer(small("unrolled"), steps=1000)
    course.stopping = when == "before"
    reports = []
    for report in course.run():
        reports.append(report)
        course.stopping = True
    assert reports[-1].ended == "stopped"
    assert [report.ended for report in reports[:-1]] == [""] * (len(reports) - 1)
    assert reports[-1].step == (1 if when == "before" else reports[0].step + 1)
    assert reports[-1].share < 1


def test_a_plateau_ends_it() -> None:
    _, reports = trained(small("unrolled"), steps=200, patience=2, learning_rate=1e-12)
    assert reports[-1].ended == "plateau"
    assert reports[-1].step < 200


def test_no_time_at_all_is_one_step() -> None:
    _, reports = trained(small("unrolled"), steps=None, seconds=0)
    assert [(report.step, report.ended, report.share) for report in reports] == [(1, "time", 1.0)]


def test_looks_at_the_validation_samples_count_as_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """But what is done with a report does not."""
    course, clock = trainer(small("unrolled"), steps=None, seconds=50), [0.0]
    advance, report = course._advance, course._report
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])

    def later(seconds: float) -> None:
        clock[0] += seconds

    course._advance = lambda: (later(1), advance())[1]  # type: ignore[method-assign, func-returns-value]
    course._report = lambda *given: (later(10), report(*given))[1]  # type: ignore[method-assign, func-returns-value]
    for _ in course.run():
        later(1000)
    assert course.step == 6  # each takes a second, and the look behind it ten
    assert course.seconds == 66


def test_a_training_that_runs_away_is_told() -> None:
    course = trainer(small("unrolled"), steps=20)
    with torch.no_grad():
        next(course.layers.parameters()).fill_(math.nan)
    with pytest.raises(RunError, match=r"^The training ran away in step 1: take a smaller training.learning_rate\.$"):
        list(course.run())


@pytest.mark.parametrize(
    "changes", [{"frames": 1, "batch": 1}, {"frames": 100}, {"stretch": (1.0, 1.0)}, {"counts": 0.0}, {"counts": 50.0}]
)
def test_the_corners_of_the_parameters(network: Network, changes: dict[str, Any]) -> None:
    _, reports = trained(network, steps=1, **changes)
    assert math.isfinite(reports[-1].error)


def test_half_precision_changes_the_picture_by_less_than_a_percent(network: Network, tmp_path: Path) -> None:
    course, _ = trained(network, steps=10)
    whole = Weights(card_of(course), course.probe, course.tensors(), {})
    scans, _ = scans_of(course)
    for half in (True, False):
        save(whole, tmp_path / f"{half}.safetensors", half=half)
    with torch.no_grad():
        small, large = (load(tmp_path / f"{half}.safetensors").network(CPU)(scans)[-1] for half in (True, False))
        before = whole.network(CPU)(scans)[-1]
    assert torch.equal(large, before)
    assert 0 < float((small - large).norm() / large.norm()) < 0.01
    assert (tmp_path / "True.safetensors").stat().st_size < 0.75 * (tmp_path / "False.safetensors").stat().st_size


def test_mixed_precision_changes_nothing_on_a_processor() -> None:
    mixed, single = (trained(small("unrolled"), steps=2, mixed=mixed)[0] for mixed in (True, False))
    assert same(mixed.checkpoint(), single.checkpoint())


@pytest.mark.parametrize("kind", ["ptychonet", "ptychonet-plus"])
def test_many_patterns_are_looked_at_in_parts(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    course, _ = trained(small(kind))
    scans, _ = scans_of(course)
    with torch.no_grad():
        whole = course.layers.eval()(scans)[-1]
        monkeypatch.setattr(layers, "_AT_ONCE", 5)
        parts = course.layers(scans)[-1]
    assert torch.allclose(parts, whole, atol=1e-5)


@pytest.mark.parametrize(("late", "before"), [(0.0, 0), (0.4, 1), (0.99, 3)])
def test_late_looks_are_taught_what_early_ones_have_left(late: float, before: int) -> None:
    course = trainer(small("unrolled", width=0, looks=5, taught=2))
    scans, _ = scans_of(course)
    with torch.no_grad():
        every = course.layers.eval()(scans)
    taught = course.layers.train()(scans, late)
    assert [picture.requires_grad for picture in taught] == [False, True, True]
    for one, other in zip(taught, every[before : before + 3], strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_late_looks_are_asked_for_as_large_a_part_of_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss is relative to the error with which the looks begin, so it is near 1 for each where nothing is said."""
    course = trainer(small("unrolled", width=0, looks=5, taught=2))
    with torch.no_grad():
        for name, value in course.layers.named_parameters():
            if "last" in name:
                value.zero_()
    monkeypatch.setattr(course.adam, "step", lambda: None)
    assert float(course._advance()) == pytest.approx(1 + module._EARLIER, rel=1e-4)


def test_the_probe_is_defocused_by_chance() -> None:
    network, random = small("unrolled", width=0), torch.Generator().manual_seed(3)
    own = trainer(network)
    assert own._defocused(random) is own.probe
    varied = trainer(network, variety=0.5)
    one, other = varied._defocused(random), varied._defocused(random)
    assert not torch.allclose(one, other, atol=0.05)
    spectra = [torch.fft.fft2(probe).abs() for probe in (varied.probe, one)]
    assert torch.allclose(spectra[0] / spectra[0].norm(), spectra[1] / spectra[1].norm(), atol=1e-5)
    assert float(one.abs().max()) == pytest.approx(1)
    scans, _ = scans_of(varied)
    assert not torch.allclose(scans.probe, varied.probe, atol=0.05)


def test_fine_tuning_may_change_how_often_is_looked() -> None:
    course, _ = trained(small("unrolled", width=0), steps=1)
    weights = Weights(card_of(course), course.probe, course.tensors(), {})
    more = trainer(small("unrolled", width=0, looks=7, amplitude=(0.2, 0.9)))
    more.begin_with(weights)
    assert same(more.checkpoint(), course.tensors())


def test_weights_of_another_architecture_are_no_beginning() -> None:
    course, _ = trained(small("unrolled"), steps=1)
    weights = Weights(card_of(course), course.probe, course.tensors(), {})
    with pytest.raises(InputError, match=r"^The weights to begin with are of another architecture"):
        trainer(small("ptychonet")).begin_with(weights)


def test_fine_tuning_begins_with_the_weights() -> None:
    course, _ = trained(small("unrolled"), steps=2)
    weights = Weights(card_of(course), course.probe, course.tensors(), {})
    tuned = trainer(small("unrolled"), seed=5)
    tuned.begin_with(weights)
    assert tuned.step == 0
    assert same(tuned.checkpoint(), course.tensors())


# ---- samples


def test_pictures_made_by_formula_are_those_of_their_seed() -> None:
    assert torch.equal(made(2, 3), made(2, 3))
    assert not torch.equal(made(2, 3), made(2, 4))
    assert made(2, 3).shape == (2, SIDE, SIDE)


def test_the_pictures_that_judge_are_not_trained_on() -> None:
    course = trainer(small("unrolled"), held_out=0.25)
    assert len(course.kept) == 2
    assert len(course.pictures) == 6
    assert not any(torch.equal(kept, other) for kept in course.kept for other in course.pictures)


def test_two_pictures_are_enough_and_one_is_not() -> None:
    plan = training(held_out=0.85)
    for count in (2, 3):
        course = Trainer(small("unrolled"), plan, experiment(), leaves(count), CPU)
        assert len(course.kept) == len(course.pictures) + count - 2
    with pytest.raises(InputError, match=r"^One picture is not enough"):
        Trainer(small("unrolled"), plan, experiment(), leaves(1), CPU)


def test_samples_fill_their_ranges_and_differ() -> None:
    generator = torch.Generator().manual_seed(3)
    found = samples(leaves(6), 4, (37, 52), (0.3, 0.9), (-1.0, 0.5), generator)
    assert found.shape == (4, 37, 52)
    assert found.dtype == torch.complex64
    assert float(found.abs().min()) == pytest.approx(0.3, abs=1e-3)
    assert float(found.abs().max()) == pytest.approx(0.9, abs=1e-3)
    assert float(found.angle().min()) == pytest.approx(-1.0, abs=1e-3)
    assert float(found.angle().max()) == pytest.approx(0.5, abs=1e-3)
    assert float((found[0] - found[1]).abs().mean()) > 0.05
    again = samples(leaves(6), 4, (37, 52), (0.3, 0.9), (-1.0, 0.5), torch.Generator().manual_seed(3))
    assert torch.equal(found, again)
    assert not torch.equal(found, samples(leaves(6), 4, (37, 52), (0.3, 0.9), (-1.0, 0.5), generator))


def test_samples_may_be_larger_than_the_pictures() -> None:
    found = samples(leaves(2), 1, (300, 700), (0.5, 1.0), (0.0, 1.0), torch.Generator().manual_seed(3))
    assert found.shape == (1, 300, 700)
    assert float(found[0].angle().std()) > 0.05


def test_the_patterns_have_the_noise_of_the_counts() -> None:
    course = trainer(small("unrolled"), counts=500.0)
    (scans, truth), clean = scans_of(course), trainer(small("unrolled"), counts=0.0)
    quiet, _ = scans_of(clean)
    assert torch.allclose(quiet.amplitudes, quiet.waves(truth).abs(), atol=1e-6)
    scale = 500 / float(scans.light.sum())
    counts = scans.amplitudes.square() * scale
    assert torch.allclose(counts, counts.round(), atol=1e-2)
    wanted = quiet.amplitudes.square() * scale
    chi = (counts - wanted).square() / wanted
    assert float(chi[wanted > 1].mean()) == pytest.approx(1, abs=0.15)


def photographs(folder: Path, count: int) -> None:
    rng = np.random.default_rng(1)
    for number in range(count):
        inner = folder / f"part {number % 2}"
        inner.mkdir(parents=True, exist_ok=True)
        grey = rng.integers(0, 255, (90 + 30 * number, 140), dtype=np.uint8)
        Image.fromarray(grey).save(inner / f"{number}.{('PNG', 'jpg', 'tif')[number % 3]}")


def test_photographs_come_from_a_folder_and_those_in_it(tmp_path: Path) -> None:
    photographs(tmp_path, 3)
    (tmp_path / "notes.txt").write_text("no picture")
    found = from_folder(tmp_path)
    assert found.shape == (3, SIDE, SIDE)
    assert found.dtype == torch.uint8
    assert int(found[0].max()) == 255


@pytest.mark.parametrize("count", [0, 1])
def test_a_folder_with_too_few_pictures(tmp_path: Path, count: int) -> None:
    photographs(tmp_path, count)
    with pytest.raises(
        InputError, match=rf"has {('no pictures', 'one picture')[count]}: give a folder with at least two"
    ):
        from_folder(tmp_path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file.png").write_bytes(b"no picture")
    for path in (tmp_path / "missing", tmp_path / "file.png"):
        with pytest.raises(InputError, match=r"is no folder"):
            from_folder(path)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    photographs(tmp_path, 3)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(InputError, match=r"broken\.png is no picture that can be read"):
        from_folder(tmp_path)
