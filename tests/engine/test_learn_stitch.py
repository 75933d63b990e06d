"""Patches are turned so that they agree where they overlap, whatever constant phases a network gave them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ptychogui.engine.learn.scans import Scans
from ptychogui.engine.learn.stitch import in_step

N = 16


def raster(count: int, step: int = 5, width: int = 6) -> tuple[Tensor, tuple[int, int]]:
    """Corners (count, 2), irregular, and the canvas that holds their windows."""
    place = torch.arange(count)
    corner = torch.stack([place // width, place % width], 1) * step
    corner = corner + torch.randint(0, 2, corner.shape, generator=torch.Generator().manual_seed(1))
    return corner, (int(corner[:, 0].max()) + N + 1, int(corner[:, 1].max()) + N)


def scans_at(corner: Tensor, shape: tuple[int, int]) -> Scans:
    y, x = torch.meshgrid(torch.arange(N).float(), torch.arange(N).float(), indexing="ij")
    probe = torch.polar(torch.exp(-((y - 8.4) ** 2) / 20 - (x - 7.2) ** 2 / 26), 0.1 * x)
    return Scans(torch.empty(0), probe, corner, shape)


def sample(shape: tuple[int, int], count: int = 1) -> Tensor:
    chance = torch.rand((2, count, *shape), generator=torch.Generator().manual_seed(7))
    return torch.polar(0.5 + 0.5 * chance[0], -chance[1])


def turns(count: int, frames: int, seed: int = 2) -> Tensor:
    angle = 6.3 * torch.rand((count, frames), generator=torch.Generator().manual_seed(seed))
    return torch.polar(torch.ones_like(angle), angle)


def apart(found: Tensor, wanted: Tensor) -> Tensor:
    """The largest phase (B,) between two sets of patches (B, N, n, n) once one constant is taken off."""
    phase = (found * wanted.conj()).sum((-2, -1))
    together = phase.sum(-1, keepdim=True)
    return (phase * together.conj()).angle().abs().amax(-1)


@pytest.mark.parametrize("frames", [1, 2, 16, 17, 40])
def test_random_phases_are_found(frames: int) -> None:
    corner, shape = raster(frames)
    scans = scans_at(corner, shape)
    true = scans.seen(sample(shape, 2))
    found = in_step(true * turns(2, frames)[..., None, None], scans)
    assert float(apart(found, true).max()) < 0.02
    assert torch.allclose(found.abs(), true.abs(), atol=1e-5)


def test_probes_of_their_own_are_no_obstacle() -> None:
    corner, shape = raster(20)
    scans = scans_at(corner, shape)
    moved = torch.stack([torch.roll(scans.probe, (number % 2, number % 3 - 1), (0, 1)) for number in range(20)])
    scans = Scans(scans.amplitudes, moved, corner, shape)
    true = scans.seen(sample(shape))
    assert float(apart(in_step(true * turns(1, 20)[..., None, None], scans), true).max()) < 0.02


def test_patches_in_step_stay_as_they_are() -> None:
    corner, shape = raster(20)
    scans = scans_at(corner, shape)
    true = scans.seen(sample(shape))
    assert torch.allclose(in_step(true, scans), true, atol=2e-3)


@pytest.mark.parametrize("frames", [5, 14])
def test_groups_that_do_not_overlap_keep_their_phases(frames: int) -> None:
    """Two islands far apart: nothing says how one is turned against the other, so what the network said stays."""
    corner, shape = raster(frames)
    far = torch.cat([corner, corner + torch.tensor([0, shape[1] + 20])])
    whole = (shape[0], 2 * shape[1] + 20)
    scans = scans_at(far, whole)
    true = scans.seen(sample(whole))
    assert torch.allclose(in_step(true, scans), true, atol=2e-3)


@pytest.mark.parametrize("frames", [5, 14])
def test_islands_of_poor_patches_keep_their_phases_too(frames: int) -> None:
    """One island agrees less than the other, so that the best turns of all are those of the other alone."""
    corner, shape = raster(frames)
    far = torch.cat([corner, corner + torch.tensor([0, shape[1] + 20])])
    whole = (shape[0], 2 * shape[1] + 20)
    scans = scans_at(far, whole)
    true = scans.seen(sample(whole))
    noise = torch.randn(true.shape, dtype=true.dtype, generator=torch.Generator().manual_seed(4))
    noise[:, frames:] *= 2
    found = in_step(true + 0.2 * noise, scans)
    assert float((found * true.conj()).sum((-2, -1)).angle().abs().max()) < 0.3


def test_patches_that_share_no_light_stay_as_they_are() -> None:
    """As on the sparse mesh of the paper: windows overlap, and what is lit does not."""
    corner, shape = raster(25, step=15, width=5)
    scans = scans_at(corner, shape)
    patches = scans.seen(sample(shape)) * turns(1, 25)[..., None, None]
    assert torch.equal(in_step(patches, scans), patches)


def test_islands_are_each_in_step() -> None:
    corner, shape = raster(12)
    far = torch.cat([corner, corner + torch.tensor([0, shape[1] + 20])])
    whole = (shape[0], 2 * shape[1] + 20)
    scans = scans_at(far, whole)
    true = scans.seen(sample(whole))
    found = in_step(true * turns(1, 24)[..., None, None], scans)
    for island in (slice(0, 12), slice(12, 24)):
        assert float(apart(found[:, island], true[:, island]).max()) < 0.02


def test_noisy_patches_come_nearer_to_each_other() -> None:
    corner, shape = raster(40)
    scans = scans_at(corner, shape)
    true = scans.seen(sample(shape))
    noise = torch.randn(true.shape, dtype=true.dtype, generator=torch.Generator().manual_seed(4))
    found = in_step((true + 0.5 * noise) * turns(1, 40)[..., None, None], scans)
    assert float(apart(found, true).max()) < 0.3


def test_an_empty_patch_does_no_harm() -> None:
    corner, shape = raster(9)
    scans = scans_at(corner, shape)
    true = scans.seen(sample(shape))
    turned = true * turns(1, 9)[..., None, None]
    turned[:, 4] = 0
    found = in_step(turned, scans)
    assert bool(torch.isfinite(found.abs()).all())
    rest = [frame for frame in range(9) if frame != 4]
    assert float(apart(found[:, rest], true[:, rest]).max()) < 0.02
