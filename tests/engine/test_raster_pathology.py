"""The factor with the period of a raster: it is found, taken out of the object, and nothing else is touched."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from worlds import world

from ptychogui.engine.constraints.raster_pathology import RasterPathology, lattice
from ptychogui.engine.state import State

WINDOW = (30, 26)


def raster(basis: tuple[tuple[float, float], tuple[float, float]]) -> Tensor:
    steps = torch.cartesian_prod(torch.arange(22.0), torch.arange(21.0)).double()
    places = steps @ torch.tensor(basis, dtype=torch.float64)
    return places - places.amin(0) + torch.tensor([9.0, 11.0])


def smooth(shape: tuple[int, int], seed: int) -> Tensor:
    """Complex noise without fine detail, around 1."""
    noise = torch.randn(shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))
    y, x = torch.fft.fftfreq(shape[0])[:, None], torch.fft.fftfreq(shape[1])
    soft = torch.fft.ifft2(torch.fft.fft2(noise) * torch.exp(-300 * (y * y + 1.4 * x * x)))
    return 1 + 0.3 * soft / soft.abs().mean()


def state_at(places: Tensor) -> State:
    shape = [int(n) + side + 9 for n, side in zip(places.amax(0), WINDOW)]
    y, x = (torch.arange(float(n)) - 0.45 * n for n in WINDOW)
    spot = torch.exp(-(y[:, None] ** 2) / 90 - x**2 / 60 + 0.01j * y[:, None] * x)
    return State.at(smooth((shape[0], shape[1]), 1)[None], spot[None].to(torch.complex128), places, (0.0, 0.0))


def exits(state: State) -> Tensor:
    views = [state.obj[0, y : y + WINDOW[0], x : x + WINDOW[1]] for y, x in state.corner.tolist()]
    return state.probe[0] * torch.stack(views)


def spoilt(state: State, basis: tuple[tuple[float, float], tuple[float, float]]) -> State:
    """The same exit waves by an object with the raster's period in it."""
    q = torch.linalg.inv(torch.tensor(basis, dtype=torch.float64))

    def factor(y: Tensor, x: Tensor) -> Tensor:
        turns = [2j * torch.pi * (q[0, k] * y[:, None] + q[1, k] * x) for k in (0, 1)]
        return 1 + 0.2 * torch.exp(turns[0]) + 0.15j * torch.exp(-turns[1]) - 0.1 * torch.exp(turns[0] + turns[1])

    begin = state.position_px[0]
    other = state.with_unknowns(state.obj, state.probe)
    other.obj = state.obj * factor(*(torch.arange(n) for n in state.obj.shape[1:]))
    other.probe = state.probe / factor(*(begin[k] + torch.arange(n) for k, n in enumerate(WINDOW)))
    return other


def difference(found: Tensor, wanted: Tensor) -> float:
    scale = torch.vdot(found.flatten(), wanted.flatten()) / found.norm() ** 2
    return float((scale * found - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("basis", [((6.0, 0.0), (0.0, 5.0)), ((4.0, 3.0), (-2.0, 5.0))])
def test_the_period_of_a_raster_is_taken_out(basis: tuple[tuple[float, float], tuple[float, float]]) -> None:
    true = state_at(raster(basis))
    state = spoilt(true, basis)
    before = exits(state)
    assert difference(state.obj, true.obj) > 0.2
    for _ in range(5):
        RasterPathology().apply(world("far").problem(), state)
    assert difference(state.obj, true.obj) < 0.01
    assert difference(state.probe, true.probe) < 0.01
    assert float((exits(state) - before).abs().max()) < 1e-5 * float(before.abs().max())


def test_a_large_period_is_taken_out_where_there_is_air() -> None:
    """So few periods and so many harmonics as of holograms: the object lies in the middle, with air around it."""
    places = raster(((13.0, 0.0), (0.0, 14.0)))
    places = places[(places < 98).all(1)]
    true = state_at(places)
    y, x = (torch.arange(n) - 0.48 * n for n in true.obj.shape[1:])
    true.obj = torch.where(y[:, None].abs().maximum(x.abs()) < 30, true.obj, torch.ones_like(true.obj))
    state = spoilt(true, ((13.0, 0.0), (0.0, 14.0)))
    before = exits(state)
    assert difference(state.obj, true.obj) > 0.2
    for _ in range(12):
        RasterPathology().apply(world("far").problem(), state)
    assert difference(state.obj, true.obj) < 0.01
    assert difference(state.probe, true.probe) < 0.01
    assert float((exits(state) - before).abs().max()) < 1e-5 * float(before.abs().max())


def test_a_scan_that_is_not_regular_is_left_alone() -> None:
    places = raster(((6.0, 0.0), (0.0, 5.0)))
    jitter = torch.randn(places.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    state = state_at((places + 0.4 * jitter).clamp_min(0))
    obj, probe = state.obj, state.probe
    RasterPathology().apply(world("far").problem(), state)
    assert state.obj is obj
    assert state.probe is probe


def test_few_frames_are_left_alone() -> None:
    for places in (raster(((6.0, 0.0), (0.0, 5.0)))[:3], raster(((20.0, 0.0), (0.0, 21.0)))[:60]):
        state = state_at(places)
        obj = state.obj
        RasterPathology().apply(world("far").problem(), state)
        assert state.obj is obj


def test_the_basis_of_a_raster_is_found_between_pixels() -> None:
    wanted = torch.tensor([[3.7, 1.21], [-0.9, 4.6]], dtype=torch.float64)
    basis = lattice(raster(((3.7, 1.21), (-0.9, 4.6)))[torch.randperm(462)])
    assert basis is not None
    mix = basis @ torch.linalg.inv(wanted)
    assert torch.allclose(mix, mix.round(), atol=1e-9)
    assert float(torch.linalg.det(mix).abs()) == pytest.approx(1)
    assert lattice(torch.tensor([[0.0, 0.0], [3.0, 1.0], [6.0, 2.0]], dtype=torch.float64)) is None
