"""Linear operators and their adjoints, and the forward model against direct sums in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from worlds import World, world

from ptychogui.engine.losses import intensity
from ptychogui.engine.optics import propagation_phase, propagator
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.engine.views import place, shift_ramps, views
from ptychogui.geometry import Geometry
from ptychogui.params import InputError

NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_CUDA])]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))


def inner(a: Tensor, b: Tensor) -> complex:
    return complex((a.conj() * b).sum())


def everything(problem: Problem) -> Tensor:
    return torch.arange(len(problem))


@pytest.mark.parametrize("device", DEVICES)
def test_place_is_the_adjoint_of_views(device: str) -> None:
    corner = torch.tensor([[0, 3], [5, 0], [5, 1], [9, 12], [5, 0]], device=device)
    obj, patches = noise(20, 27).to(device), noise(5, 11, 8, seed=1).to(device)
    seen = views(obj, corner, (11, 8))
    assert torch.equal(seen[3], obj[9:20, 12:20])
    assert inner(seen, patches) == pytest.approx(inner(obj, place(patches, corner, (20, 27))), rel=1e-12)


def test_views_have_their_adjoint_as_derivative() -> None:
    corner = torch.tensor([[0, 3], [5, 0], [9, 12]])
    obj, patches = noise(20, 27).requires_grad_(), noise(3, 11, 8, seed=1)
    (found,) = torch.autograd.grad((views(obj, corner, (11, 8)).conj() * patches).sum().real, obj)
    assert torch.allclose(found, place(patches, corner, (20, 27)), rtol=1e-13, atol=0)


def test_the_model_has_an_adjoint_in_the_object(any_world: World) -> None:
    problem, state = any_world.problem(), any_world.guess()
    index, y = everything(problem), noise(len(problem), any_world.modes, *problem.window, seed=2)
    exit, waves = problem.waves(state, index)
    back = (exit.probes.conj() * problem.propagator.adjoint(y, exit.ramps)).sum(1)
    shape = (state.obj.shape[1], state.obj.shape[2])
    assert inner(waves, y) == pytest.approx(inner(state.obj[0], place(back, state.corner, shape)), rel=1e-12)


def test_the_model_has_an_adjoint_in_the_probe(any_world: World) -> None:
    problem, state = any_world.problem(), any_world.guess()
    index, y = everything(problem), noise(len(problem), any_world.modes, *problem.window, seed=2)
    exit, waves = problem.waves(state, index)
    each = torch.fft.fft2(exit.views.conj()[:, None] * problem.propagator.adjoint(y, exit.ramps))
    if exit.ramps is not None:
        each = each * (exit.ramps[0] * exit.ramps[1]).conj()[:, None]
    back = torch.fft.ifft2(each).sum(0)
    assert inner(waves, y) == pytest.approx(inner(state.probe, back), rel=1e-12)


def test_propagators_keep_power_and_come_back(any_world: World) -> None:
    problem, state = any_world.problem(), any_world.guess()
    exit, waves = problem.waves(state, everything(problem))
    assert float(waves.norm()) == pytest.approx(float(exit.waves.norm()), rel=1e-12)
    assert torch.allclose(problem.propagator.adjoint(waves, exit.ramps), exit.waves, atol=1e-10)


@pytest.mark.parametrize("whole_pixel", [True, False])
@pytest.mark.parametrize(("field", "padding_px"), [("far", 0), ("near", 0), ("near", 4)])
def test_forward_model_is_the_direct_sum(field: str, padding_px: int, whole_pixel: bool) -> None:
    """Sub-pixel: the engine moves the probe and, in the near field, the hologram back; here the object is moved."""
    small = world(field, (68, 60), 2, padding_px, whole_pixel).without_mask()
    problem = small.problem()
    _, waves = problem.waves(small.truth(), everything(problem))
    expected, p = problem.amplitude(everything(problem)).square(), padding_px
    model = intensity(waves)
    if p:
        expected, model = expected[:, p:-p, p:-p], model[:, p:-p, p:-p]
    assert float((model - expected).abs().max() / expected.max()) < (1e-12 if whole_pixel else 1e-8)


def test_near_field_pattern_would_move_without_the_ramps_in_the_propagator() -> None:
    """The test above has power: a hologram that is not moved back is far off."""
    small = world("near", (68, 60)).without_mask()
    problem = small.problem()
    exit, _ = problem.waves(small.truth(), everything(problem))
    expected = problem.amplitude(everything(problem)).square()
    moved = intensity(problem.propagator.forward(exit.waves, None))
    assert float((moved - expected).abs().max() / expected.max()) > 0.02


def test_shift_ramps_move_towards_larger_indices() -> None:
    values = torch.zeros(1, 8, 6, dtype=torch.complex128)
    values[0, 2, 1] = 1
    ramps = shift_ramps(torch.tensor([[3.0, -2.0]], dtype=torch.float64), (8, 6), torch.complex128)
    moved = torch.fft.ifft2(torch.fft.fft2(values) * ramps[0] * ramps[1])
    assert torch.allclose(moved.real.sum(1)[0], torch.eye(6, dtype=torch.float64)[5], atol=0.3)
    assert int(moved.abs().argmax()) == 5 * 6 + 5


def test_a_shifted_real_array_stays_real() -> None:
    values = torch.randn(3, 8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(torch.complex128)
    ramps = shift_ramps(torch.tensor([[0.3, -0.4], [0.5, 0.5], [0.0, 0.1]]), (8, 6), torch.complex128)
    moved = torch.fft.ifft2(torch.fft.fft2(values) * ramps[0] * ramps[1])
    assert float(moved.imag.abs().max()) < 1e-14


def test_transfer_function_of_a_tilted_plane_wave_is_its_phase() -> None:
    """A plane wave at an angle advances by k z cos θ; relative to the axis, by k z (cos θ − 1)."""
    wavelength_m, distance_m, pixel_m = 500e-9, 37e-6, (0.4e-6, 0.7e-6)
    phase = propagation_phase((9, 16), pixel_m, wavelength_m, distance_m)
    transfer = torch.polar(torch.ones_like(phase), phase)
    fy, fx = 2 / (9 * pixel_m[0]), -3 / (16 * pixel_m[1])
    cosine = np.sqrt(1 - (wavelength_m * fy) ** 2 - (wavelength_m * fx) ** 2)
    expected = np.exp(2j * np.pi * distance_m / wavelength_m * (cosine - 1))
    assert complex(transfer[2, -3]) == pytest.approx(complex(expected), abs=1e-10)
    assert complex(transfer[0, 0]) == 1


def test_evanescent_waves_pass() -> None:
    phase = propagation_phase((16, 16), (0.1e-6, 0.1e-6), 500e-9, 5e-6)
    assert torch.isfinite(phase).all()
    assert float(phase.min()) == pytest.approx(-2 * np.pi * 10, rel=1e-12)


@pytest.mark.parametrize("missing", ["wavelength_m", "distance_m", "detector_pixel_m"])
def test_a_near_field_without_its_optics_is_refused(missing: str) -> None:
    known = {"wavelength_m": 1e-10, "distance_m": 1.0, "detector_pixel_m": (5e-5, 5e-5), missing: None}
    with pytest.raises(InputError, match="near field needs wavelength, distance and detector pixel"):
        propagator(Geometry((8, 8), field="near", **known), (8, 8), torch.device("cpu"), torch.complex64)


def test_positions_are_a_whole_pixel_and_a_rest() -> None:
    begin = torch.tensor([[3.5, 2.49], [8.0, 1.0], [6.51, 4.2]], dtype=torch.float64)
    state = State.at(noise(1, 20, 20), noise(1, 4, 4), begin, (0.0, 0.0))
    assert torch.equal(state.position_px, begin)
    assert float(state.shift.abs().max()) <= 0.5
    assert not state.whole_pixel
    state.move_to(begin.round())
    assert state.whole_pixel
