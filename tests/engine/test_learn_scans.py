"""What a network is told of the physics: windows, waves and steps of whole scans, several at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ptychogui.engine.learn import scans as module
from ptychogui.engine.learn.scans import Scans
from ptychogui.engine.views import placed, views

SHAPE = (27, 34)
N = 12


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))


def corners(count: int = 11, seed: int = 3) -> Tensor:
    chance = torch.rand(count, 2, generator=torch.Generator().manual_seed(seed))
    return (chance * torch.tensor([SHAPE[0] - N + 1, SHAPE[1] - N + 1])).long()


def probe() -> Tensor:
    """Neither symmetric nor in the middle, its largest amplitude 1."""
    y, x = torch.meshgrid(torch.arange(N).double(), torch.arange(N).double(), indexing="ij")
    spot = torch.polar(torch.exp(-((y - 6.7) ** 2) / 9 - (x - 5.1) ** 2 / 14), 0.2 * y + 0.03 * x * y)
    return spot / spot.abs().max()


def truth(count: int = 3) -> Tensor:
    return 0.8 + 0.2 * noise(count, *SHAPE, seed=5)


def measured(obj: Tensor, corner: Tensor | None = None) -> Scans:
    empty = Scans(obj.real.new_empty(0), probe(), corners() if corner is None else corner, SHAPE)
    return replace(empty, amplitudes=empty.waves(obj).abs())


def test_placed_is_the_adjoint_of_views() -> None:
    obj, patches, corner = noise(*SHAPE), noise(11, N, N - 3, seed=1), corners()
    there = torch.vdot(patches.flatten(), views(obj, corner, (N, N - 3)).flatten())
    back = torch.vdot(placed(patches, corner, SHAPE).flatten(), obj.flatten())
    assert abs(there - back) < 1e-12 * abs(there)


def test_placed_has_views_as_its_gradient() -> None:
    patches = noise(4, 3, 2, seed=1).requires_grad_()
    corner = torch.tensor([[0, 0], [1, 2], [1, 2], [3, 1]])
    assert torch.autograd.gradcheck(lambda p: placed(p, corner, (6, 5)), patches)


def test_placed_serves_an_expanded_and_a_conjugate_tensor() -> None:
    patch, corner = noise(N, N), corners()
    every = placed(patch.conj().expand(11, -1, -1), corner, SHAPE)
    assert torch.allclose(every, placed(patch.conj().repeat(11, 1, 1).resolve_conj(), corner, SHAPE))


def test_the_waves_are_those_of_each_window() -> None:
    obj, scans = truth(), measured(truth())
    waves = scans.waves(obj)
    for scan in (0, 2):
        for frame, (y, x) in enumerate(scans.corner.tolist()):
            wave = torch.fft.fft2(scans.probe * obj[scan, y : y + N, x : x + N], norm="ortho")
            assert torch.allclose(waves[scan, frame], wave, rtol=0, atol=1e-12)


def test_waves_and_step_have_the_gradient_of_finite_differences() -> None:
    corner = torch.tensor([[0, 0], [2, 1], [1, 3]])
    small = Scans(torch.empty(0), probe()[3:9, 3:9], corner, (8, 9))
    small = replace(small, amplitudes=small.waves(0.9 + 0.1 * noise(2, 8, 9)).abs())
    obj = (1 + 0.3 * noise(2, 8, 9, seed=2)).requires_grad_()
    assert torch.autograd.gradcheck(small.waves, obj)
    assert torch.autograd.gradcheck(small.step, obj, atol=1e-4)
    assert torch.autograd.gradcheck(small.misfit, obj)
    patches = noise(2, 3, 6, 6, seed=4).requires_grad_()
    assert torch.autograd.gradcheck(small.average, patches)


def test_several_scans_are_as_each_alone() -> None:
    obj, guess = truth(), 1 + 0.1 * noise(3, *SHAPE, seed=8)
    scans = measured(obj)
    patches = noise(3, 11, N, N, seed=9)
    for scan in range(3):
        one, part = replace(scans, amplitudes=scans.amplitudes[scan : scan + 1]), slice(scan, scan + 1)
        for whole, alone in (
            (scans.waves(guess), one.waves(guess[part])),
            (scans.step(guess), one.step(guess[part])),
            (scans.average(patches), one.average(patches[part])),
            (scans.seen(guess), one.seen(guess[part])),
        ):
            assert torch.allclose(whole[part], alone, rtol=0, atol=1e-12)
    alone = [replace(scans, amplitudes=scans.amplitudes[n, None]).misfit(guess[n, None]) for n in range(3)]
    power = scans.amplitudes.square().mean((1, 2, 3))
    assert float(scans.misfit(guess)) == pytest.approx(float((torch.stack(alone) * power).sum() / power.sum()))


def test_frames_in_parts_are_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    obj, guess, valid = truth(), 1 + 0.1 * noise(3, *SHAPE, seed=8), torch.ones(N, N)
    valid[2, 3:8] = 0
    for scans in (measured(obj), replace(measured(obj), valid=valid)):
        whole = scans.step(guess)
        for count in (1, 4, 11):
            monkeypatch.setattr(module, "_AT_ONCE", count)
            assert torch.allclose(scans.step(guess), whole, rtol=0, atol=1e-12)


def test_the_truth_is_where_the_step_ends() -> None:
    obj = truth()
    scans = measured(obj)
    assert float(scans.step(obj).abs().max()) < 1e-12
    assert float(scans.misfit(obj)) < 1e-20
    assert float(scans.step(torch.ones_like(obj)).abs().max()) > 0.1


def test_a_constant_phase_turns_the_step_and_nothing_else() -> None:
    scans, guess = measured(truth()), 1 + 0.1 * noise(3, *SHAPE, seed=8)
    turn = torch.polar(torch.tensor(1.0).double(), torch.tensor(0.8).double())
    assert torch.allclose(scans.step(turn * guess), turn * scans.step(guess), rtol=0, atol=1e-12)


def test_steps_lead_to_the_truth() -> None:
    """Twenty of them lower the patterns' error from a blurred start, as an ePIE with all frames does."""
    obj = truth(1)
    scans, guess = measured(obj), obj + 0.1 * noise(1, *SHAPE, seed=8)
    before = float(scans.misfit(guess))
    for _ in range(20):
        guess = guess + scans.step(guess)
    assert float(scans.misfit(guess)) < 0.05 * before


def test_what_was_not_measured_says_nothing() -> None:
    obj, valid = truth(), torch.ones(N, N)
    valid[4:7, 2], valid[0, 1] = 0, 0
    scans = measured(obj)
    wrong = torch.where(valid > 0, scans.amplitudes, 7.0)
    assert float(replace(scans, amplitudes=wrong, valid=valid).step(obj).abs().max()) < 1e-12
    assert float(replace(scans, amplitudes=wrong).step(obj).abs().max()) > 1e-2


def test_pixels_may_be_missing_in_one_frame_only(monkeypatch: pytest.MonkeyPatch) -> None:
    obj, valid = truth(), torch.ones(11, N, N)
    valid[4, 4:7, 2] = 0
    scans = measured(obj)
    monkeypatch.setattr(module, "_AT_ONCE", 3)
    wrong = torch.where(valid > 0, scans.amplitudes, 7.0)
    assert float(replace(scans, amplitudes=wrong, valid=valid).step(obj).abs().max()) < 1e-12


def test_frames_may_have_probes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    obj, guess = truth(), 1 + 0.1 * noise(3, *SHAPE, seed=8)
    one = measured(obj)
    same = replace(one, probe=one.probe.expand(11, -1, -1))
    assert torch.allclose(same.step(guess), one.step(guess), rtol=0, atol=1e-12)
    assert torch.allclose(same.illumination, one.illumination)
    own = replace(
        one, probe=one.probe * torch.polar(torch.rand(11, 1, 1).double() + 0.5, torch.rand(11, 1, 1).double())
    )
    own = replace(own, amplitudes=own.waves(obj).abs())
    monkeypatch.setattr(module, "_AT_ONCE", 4)
    assert float(own.step(obj).abs().max()) < 1e-12
    heavy = own.illumination > 0.5 * own.illumination.max()
    assert float((own.average(own.seen(obj)) - obj).abs()[:, heavy].max()) < 1e-3


def test_the_average_of_true_patches_is_the_truth_where_light_falls() -> None:
    obj = truth()
    scans = measured(obj)
    lit = scans.illumination > 0.05 * scans.illumination.max()
    assert 0.2 < float(lit.double().mean()) < 0.95
    away = (scans.average(scans.seen(obj)) - obj).abs()
    assert float(away[:, lit].max()) < 1e-2
    heavy = scans.illumination > 0.5 * scans.illumination.max()
    assert float(away[:, heavy].max()) < 1e-3


def test_the_average_is_weighted_by_the_light() -> None:
    """Of two patches in one place with a bright and a dark side, each is believed where the probe is bright."""
    corner = torch.tensor([[0, 0], [0, 4]])
    scans = Scans(torch.empty(0), probe(), corner, (N, N + 4))
    patches = torch.stack([torch.full((N, N), 1.0 + 0j), torch.full((N, N), 3.0 + 0j)]).to(torch.complex128)[None]
    found, light = scans.average(patches)[0].real, scans.light
    wanted = (light[6, 6] * 1 + light[6, 2] * 3) / (light[6, 6] + light[6, 2])
    assert float(found[6, 6]) == pytest.approx(float(wanted), rel=1e-3)
