"""Files of weights: what is not whole, or no network of this program, is told in one sentence, and nothing is run."""

from __future__ import annotations

import os
import pickle
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ptychogui.engine.learn import shipped as ours
from ptychogui.engine.learn.card import Card
from ptychogui.engine.learn.ptychonet import PtychoNet
from ptychogui.engine.learn.shipped import load as load_named
from ptychogui.engine.learn.training import Training
from ptychogui.engine.learn.unrolled import Unrolled
from ptychogui.engine.learn.weights import Weights, card_of, load, save
from ptychogui.params import InputError

CPU = torch.device("cpu")
NETWORK = Unrolled(pixels=16, channels=4, looks=2)


def card(**changes: Any) -> Card:
    values = {"network": NETWORK, "training": Training(seed=4), "pixel_m": (1e-8, 2e-8), "counts": 1e5}
    return Card(**(values | changes))


def weights() -> Weights:
    torch.manual_seed(3)
    probe = torch.randn(16, 16, dtype=torch.complex64)
    return Weights(card(), probe, NETWORK.build().state_dict(), {"step": torch.tensor(7.0, dtype=torch.float64)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole file of weights."""
    save(weights(), tmp_path / "w.safetensors", half=False)
    return tmp_path / "w.safetensors"


def changed(path: Path, change: Callable[[dict[str, Any], dict[str, str]], None]) -> None:
    """Write the file again, with other tensors or another card."""
    with safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    change(tensors, metadata)
    save_file(tensors, path, metadata=metadata)


def test_weights_come_back_as_they_were(path: Path) -> None:
    before, after = weights(), load(path)
    assert after.card == before.card == card_of(path)
    assert torch.equal(after.probe, before.probe)
    assert after.tensors.keys() == before.tensors.keys()
    assert all(torch.equal(value, after.tensors[name]) for name, value in before.tensors.items())
    assert after.resume == before.resume
    assert not after.network(CPU).training


def test_a_card_keeps_everything(path: Path) -> None:
    every = card(
        source="scan.cxi", images="300 pictures", command="ptychogui train", program="ptychogui 0.1", device="cpu",
        date="2026-11-20T12:00:00+00:00", steps=9, seconds=3.5, error=0.1, mean_error=0.4,
    )  # fmt: skip
    assert Card.from_toml(every.toml()) == every
    for name in Card.model_fields:
        assert f"{name} =" in every.toml() or f"[{name}]" in every.toml()


class Bomb:
    """A pickle that runs a command when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def as_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb(path.parent / "run")))


def as_torch(path: Path) -> None:
    torch.save({"network.weight": Bomb(path.parent / "run")}, path)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(5).bytes(5000))


def long_header(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2**62) + b"{}")


def no_json(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 8) + b"\xff\xfe{{{{]]")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def without_card(path: Path) -> None:
    changed(path, lambda _, metadata: metadata.pop("card"))


def card_text(text: str) -> Callable[[Path], None]:
    return lambda path: changed(path, lambda _, metadata: metadata.update(card=text))


def card_with(old: str, new: str) -> Callable[[Path], None]:
    def change(_: dict[str, Any], metadata: dict[str, str]) -> None:
        assert old in metadata["card"]
        metadata["card"] = metadata["card"].replace(old, new)

    return lambda path: changed(path, change)


def probe_of(*shape: int) -> Callable[[Path], None]:
    return lambda path: changed(path, lambda tensors, _: tensors.update(probe=torch.ones(shape)))


def without_probe(path: Path) -> None:
    changed(path, lambda tensors, _: tensors.pop("probe"))


def whole_numbers(path: Path) -> None:
    changed(path, lambda tensors, _: tensors.update(probe=torch.ones(16, 16, 2, dtype=torch.int64)))


def nothing_but(path: Path) -> None:
    save_file({"layer.weight": torch.ones(3, 4)}, path)


BROKEN = {
    "missing": (Path.unlink, r"There are no weights at .*: give a file that 'ptychogui train' wrote"),
    "folder": (folder, r"There are no weights at"),
    "empty": (lambda path: path.write_bytes(b""), r"is no whole file of weights \(safetensors\)"),
    "truncated": (truncated, r"is no whole file of weights.*copy it again or train it anew"),
    "pickle": (as_pickle, r"is no whole file of weights"),
    "torch": (as_torch, r"is no whole file of weights"),
    "noise": (noise, r"is no whole file of weights"),
    "header": (long_header, r"is no whole file of weights"),
    "no json": (no_json, r"is no whole file of weights"),
    "other program": (nothing_but, r"has no card, so it is no network of this program"),
    "no card": (without_card, r"has no card, so it is no network of this program"),
    "card no TOML": (card_text("{{"), r"This is not valid TOML"),
    "card empty": (card_text(""), r"network is \{\}, but more values are required"),
    "value": (card_with("pixels = 16", "pixels = 17"), r"network\.pixels: .*power of two"),
    "text": (card_with("counts = 100000.0", 'counts = "many"'), r"counts is 'many', but it should be"),
    "infinite": (card_with("counts = 100000.0", "counts = inf"), r"counts is inf, but it should be a finite number"),
    "stranger": (card_with('"unrolled"', '"unet"'), r"There is no network 'unet': choose one of"),
    "later version": (card_with("version = 1", "version = 2"), r"version is 2, but it should be 1"),
    "unknown": (card_with("looks = 2", "looks = 2\nears = 3"), r"no parameter 'network\.ears'"),
    "no probe": (without_probe, r"holds no probe of 16 × 16 pixels"),
    "small probe": (probe_of(8, 8, 2), r"holds no probe of 16 × 16 pixels"),
    "flat probe": (probe_of(16, 2), r"holds no probe of 16 × 16 pixels"),
    "no dimension": (probe_of(), r"holds no probe of 16 × 16 pixels"),
    "whole numbers": (whole_numbers, r"holds no probe of 16 × 16 pixels"),
    "no numbers": (
        lambda path: changed(path, lambda tensors, _: tensors["probe"].fill_(torch.nan)),
        r"has values that are no numbers",
    ),
    "no numbers inside": (
        lambda path: changed(path, lambda tensors, _: tensors["network.net.last.bias"].fill_(torch.inf)),
        r"has values that are no numbers",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_network_is_told_in_one_sentence(name: str, path: Path) -> None:
    harm, said = BROKEN[name]
    harm(path)
    with pytest.raises(InputError, match=said) as caught:
        load(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 400
    assert not (path.parent / "run").exists()  # nothing in it has been run


MISFITS: dict[str, Callable[[Path], None]] = {
    "another kind": card_text(card(network=PtychoNet(pixels=16, width=4)).toml()),
    "wider": card_with("channels = 4", "channels = 5"),
    "tensor missing": lambda path: changed(path, lambda tensors, _: tensors.pop("network.net.last.bias")),
    "tensor too many": lambda path: changed(path, lambda t, _: t.update({"network.more": torch.ones(2)})),
    "tensor of another shape": lambda path: changed(
        path, lambda t, _: t.update({"network.net.last.bias": torch.ones(2)})
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_tensors_of_another_architecture_are_told(name: str, path: Path) -> None:
    MISFITS[name](path)
    with pytest.raises(InputError, match=r"^The weights are not those of the \w+ that their card describes.*\.$"):
        load(path).network(CPU)


def test_a_card_that_asks_for_more_than_there_are_weights_is_refused_before_it_is_built(path: Path) -> None:
    """Else a card of a kilobyte could ask for all memory."""
    card_with("channels = 4", "channels = 100000000")(path)
    with pytest.raises(InputError, match=r"^The weights are not those of the unrolled"):
        load(path).network(CPU)


@pytest.mark.parametrize("value", ["", "none at all", "~/none.safetensors"])
def test_a_name_that_is_none(value: str) -> None:
    with pytest.raises(InputError, match=r"^(start\.weights names no network|There are no weights at ).*\.$"):
        load_named(value)


def test_weights_that_come_with_the_program_have_names(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_paths", lambda: [path])
    assert load_named("w").card == card()
    assert ours.shipped() == {"w": card()}
    with pytest.raises(InputError, match=re.escape("or one of w.")):
        load_named("")


def test_shipped_weights_are_whole() -> None:
    for name, found in ours.shipped().items():
        assert load_named(name).card == found
        load_named(name).network(CPU)
        assert found.error < found.mean_error
        assert all(line.startswith("ptychogui ") for line in found.command.splitlines())
        assert "/" not in found.source + found.training.images
        assert " /" not in found.command  # no place on the machine where it was trained
        assert not load_named(name).resume
    assert sum(ours.path_of(name).stat().st_size for name in ours.shipped()) <= 64e6


def test_half_precision_keeps_the_statistics(tmp_path: Path) -> None:
    network = PtychoNet(pixels=16, width=4)
    tensors = network.build().state_dict()
    tensors["patches.layers.3.running_var"].fill_(3e6)
    save(Weights(card(network=network), weights().probe, tensors, {}), tmp_path / "h.safetensors")
    held = load_file(tmp_path / "h.safetensors")
    assert held["network.patches.layers.0.weight"].dtype == torch.float16
    assert held["network.patches.layers.3.running_var"].dtype == torch.float32
    found = load(tmp_path / "h.safetensors")
    assert all(value.dtype in (torch.float32, torch.int64) for value in found.tensors.values())
    assert float(found.tensors["patches.layers.3.running_var"].max()) == 3e6
