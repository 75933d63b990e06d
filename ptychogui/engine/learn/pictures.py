"""Samples for training, made on the device from pictures: photographs of a folder, or dead leaves by formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ptychogui.engine.simulate.photographs import leaves, photograph
from ptychogui.params import InputError

SIDE = 256
"""Rows and columns of the pictures that are kept; of a photograph, the middle square."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_LEAST_SIDE = 48
_FINEST = 0.5
"""The least part of a picture's pixels that makes a pixel of the sample, so that the sample is not smooth."""

Range = tuple[float, float]


def from_folder(folder: Path) -> Tensor:
    """The photographs (M, 256, 256) uint8 of a folder and the folders in it.

    Raises `InputError` where there are fewer than two, or one that is damaged.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give one with photographs, or none for pictures made by formula.")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if len(paths) < 2:
        has = "no pictures" if not paths else "one picture"
        raise InputError(f"{folder} has {has}: give a folder with at least two, or none for pictures made by formula.")
    return torch.stack([_bytes(photograph(str(path), (SIDE, SIDE))) for path in paths])


def made(count: int, seed: int) -> Tensor:
    """Dead leaves (M, 256, 256) uint8."""
    rng = np.random.default_rng(seed)
    return torch.stack([_bytes(leaves((SIDE, SIDE), rng)) for _ in range(count)])


def _bytes(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tensor:
    return torch.from_numpy(np.rint(255 * values).astype(np.uint8))


def samples(
    pictures: Tensor, count: int, shape: tuple[int, int], amplitude: Range, phase_rad: Range, generator: torch.Generator
) -> Tensor:
    """Transmissions (count, Y, X), complex64: two pictures each, one the amplitude and one the phase.

    Each is a part of a picture, scaled, flipped, turned or not, its greys inverted or bent; `generator` is a CPU's.
    """
    device = pictures.device
    greys = torch.stack([_part(pictures, shape, generator, device) for _ in range(2 * count)])
    (a, b), (c, d) = amplitude, phase_rad
    return torch.polar(a + (b - a) * greys[:count], c + (d - c) * greys[count:])


def _part(pictures: Tensor, shape: tuple[int, int], generator: torch.Generator, device: torch.device) -> Tensor:
    """A part of a picture (Y, X), from 0 to 1."""
    chance = torch.rand(8, generator=generator).tolist()
    picture = pictures[int(chance[0] * len(pictures))]
    longest = max(shape)
    least = min(max(_LEAST_SIDE, int(_FINEST * longest)), SIDE)
    side = int(least + chance[1] * (SIDE - least))
    y, x = (int(part * (SIDE - side + 1)) for part in chance[2:4])
    part = picture[y : y + side, x : x + side].to(device, torch.float32)[None, None]
    whole = functional.interpolate(part, size=(longest, longest), mode="bilinear", antialias=True, align_corners=False)
    turn = int(chance[4] * 8)
    grey = torch.rot90(whole[0, 0], turn % 4)
    grey = grey.T if turn >= 4 else grey
    grey = grey[: shape[0], : shape[1]]
    grey = (grey - grey.min()) / (grey.max() - grey.min()).clamp_min(1e-3)
    grey = 1 - grey if chance[5] < 0.5 else grey
    return grey.pow(2.0 ** (2 * chance[6] - 1)) if chance[7] < 0.5 else grey
