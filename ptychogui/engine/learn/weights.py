"""Files of weights: safetensors, which hold numbers and text and nothing that could run, with a card inside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ptychogui.engine.learn.card import Card
from ptychogui.params import InputError

if TYPE_CHECKING:
    from ptychogui.engine.learn.layers import Guesser

SUFFIX = ".safetensors"
_CARD = "card"
_PROBE, _NETWORK, _RESUME = "probe", "network.", "resume."
_STATISTICS = ("running_mean", "running_var")
"""What batch norm has counted; it may lie outside the range of half precision."""


@dataclass(frozen=True)
class Weights:
    """A card, the probe (n, n) that was trained for, the network's tensors by name, and what a training goes on from.

    `resume` is empty where the training has ended.
    """

    card: Card
    probe: Tensor
    tensors: dict[str, Tensor]
    resume: dict[str, Tensor]

    def network(self, device: torch.device) -> Guesser:
        """The network, ready to be used. Raises `InputError` where the tensors are not those of the card."""
        try:
            with torch.device("meta"):  # a card may ask for more memory than there is
                network = self.card.network.build()
            network.load_state_dict(self.tensors, assign=True)
        except RuntimeError as error:
            raise InputError(
                f"The weights are not those of the {self.card.network.kind} that their card describes: train it again."
            ) from error
        return network.to(device).eval()


def save(weights: Weights, path: Path, *, half: bool = True) -> None:
    """Write weights to a file; `half` in half precision, except the statistics of batch norm.

    The caller writes to a temporary file and renames it.
    """
    tensors = {_PROBE: torch.view_as_real(weights.probe.cpu().contiguous())}
    for name, tensor in weights.tensors.items():
        kept = tensor.detach().cpu().contiguous()
        small = half and kept.is_floating_point() and not name.endswith(_STATISTICS)
        tensors[_NETWORK + name] = kept.half() if small else kept
    tensors |= {_RESUME + name: tensor.detach().cpu().contiguous() for name, tensor in weights.resume.items()}
    save_file(tensors, path, metadata={_CARD: weights.card.toml()})


def load(path: Path) -> Weights:
    """Read a file of weights. Raises `InputError` where it is missing, damaged, of another kind, or without a card."""
    card, held = card_of(path), dict[str, Tensor]()
    try:
        with safe_open(path, "pt") as file:
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - this is no dict
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error
    n = card.network.pixels
    if _PROBE not in held or held[_PROBE].shape != (n, n, 2) or not held[_PROBE].is_floating_point():
        raise InputError(f"{path} holds no probe of {n} × {n} pixels, so it cannot be used: choose another file.")
    single = {name: value.float() if value.is_floating_point() else value for name, value in held.items()}
    if not all(bool(value.isfinite().all()) for name, value in single.items() if not name.startswith(_RESUME)):
        raise InputError(f"{path} has values that are no numbers, so it cannot be used: choose another file.")
    parts = {
        prefix: {name.removeprefix(prefix): value for name, value in single.items() if name.startswith(prefix)}
        for prefix in (_NETWORK, _RESUME)
    }
    return Weights(card, torch.view_as_complex(single[_PROBE].contiguous()), parts[_NETWORK], parts[_RESUME])


def card_of(path: Path) -> Card:
    """The card of a file of weights, without reading these. Raises `InputError` where there is none."""
    if not path.is_file():
        raise InputError(f"There are no weights at {path}: give a file that 'ptychogui train' wrote.")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error
    if _CARD not in metadata:
        raise InputError(f"{path} has no card, so it is no network of this program: choose another file.")
    try:
        return Card.from_toml(metadata[_CARD])
    except InputError as error:
        raise InputError(f"In the card of {path}: {error}") from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is no whole file of weights (safetensors): {error}; copy it again or train it anew.")
