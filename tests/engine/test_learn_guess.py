"""A network's picture of a scan lies where the scan is, as bright as the sample is, whatever grid the network has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from torch import Tensor
from worlds import World, object_at, world

from ptychogui.engine.learn.card import Card
from ptychogui.engine.learn.experiment import cut, experiment, of_probe, on_grid, unlike
from ptychogui.engine.learn.fit import Fit, doubts
from ptychogui.engine.learn.guess import checked, picture, refuse_size
from ptychogui.engine.learn.layers import Guesser
from ptychogui.engine.learn.ptychonet import PtychoNet
from ptychogui.engine.learn.scans import Scans
from ptychogui.engine.learn.training import Training
from ptychogui.engine.learn.unrolled import Unrolled
from ptychogui.engine.learn.weights import Weights
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.params import InputError
from ptychogui.types import Dataset, Scan

PIXELS = 16


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))


def wave_at(y: Tensor, x: Tensor, shape: tuple[int, int]) -> Tensor:
    """A periodic wave of frequencies of at most five per window, at any place in pixels."""
    ky, kx = torch.meshgrid(torch.arange(-5, 6).double(), torch.arange(-5, 6).double(), indexing="ij")
    parts = noise(11, 11, seed=6)[..., None, None]
    angle = 2 * torch.pi * (ky[..., None, None] * y[:, None] / shape[0] + kx[..., None, None] * x / shape[1])
    return (parts * torch.polar(torch.ones_like(angle), angle)).sum((0, 1))


@pytest.mark.parametrize("shape", [(32, 32), (40, 56), (25, 21), (16, 33)])
def test_a_wave_on_the_grid_has_its_values_between_pixels(shape: tuple[int, int]) -> None:
    ny, nx = shape
    place = torch.arange(PIXELS).double()
    small = on_grid(wave_at(torch.arange(ny).double(), torch.arange(nx).double(), shape), PIXELS)
    wanted = wave_at(place * ny / PIXELS, place * nx / PIXELS, shape) * np.sqrt(ny * nx) / PIXELS
    assert torch.allclose(small, wanted.to(torch.complex64), atol=2e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("shape", [(32, 32), (40, 56), (25, 21), (16, 33), (12, 15)])
def test_the_middle_of_a_pattern_is_the_pattern_of_the_wave_on_the_grid(shape: tuple[int, int]) -> None:
    waves = noise(3, *shape)
    patterns = cut(torch.fft.fft2(waves, norm="ortho").abs(), PIXELS)
    small = torch.fft.fft2(on_grid(waves, PIXELS), norm="ortho").abs()
    assert patterns.shape == (3, PIXELS, PIXELS)
    assert torch.allclose(small.double(), patterns, atol=1e-5)


def test_zero_frequency_stays_in_the_corner() -> None:
    pattern = torch.zeros(25, 40)
    pattern[0, 0], pattern[-2, 3] = 1, 2
    small = cut(pattern, PIXELS)
    assert small[0, 0] == 1
    assert small[-2, 3] == 2
    assert torch.equal(cut(small, 64)[torch.tensor([0, -2]), torch.tensor([0, 3])], torch.tensor([1.0, 2.0]))


@dataclass(frozen=True)
class Place:
    """Where the network's canvas lies on that of the state, and the scans that it was given."""

    scans: list[Scans] = field(default_factory=list)


class Truth(Guesser):
    """A network that knows the object, and where the frames are."""

    def __init__(self, state: State, scale: tuple[float, float], first_px: tuple[float, float], place: Place) -> None:
        super().__init__()
        self.state, self.scale, self.first_px, self.place = state, torch.tensor(scale).double(), first_px, place

    def forward(self, scans: Scans, late: float = 0.0) -> list[Tensor]:
        first = (self.state.position_px / self.scale - scans.corner).mean(0)
        y, x = ((torch.arange(scans.shape[n]) + first[n]) * self.scale[n] + self.first_px[n] for n in (0, 1))
        self.place.scans.append(scans)
        return [torch.from_numpy(object_at(y[:, None].numpy(), x[None].numpy())).to(torch.complex64)[None]]


@dataclass(frozen=True)
class Known(Weights):
    """Weights of a network that knows the object."""

    guesser: Guesser | None = None

    def network(self, device: torch.device) -> Guesser:
        assert self.guesser is not None
        return self.guesser.to(device).eval()


def scan_of(small: World, places_px: np.ndarray) -> Dataset:
    """Frames of the object at any places (N, 2), with no pixel masked."""
    modes, optics = small.probe(), small.dataset.geometry
    y, x = (np.arange(n) - n // 2 for n in optics.shape)
    obj = np.stack([object_at(y[:, None] + place[0], x[None] + place[1]) for place in places_px])
    waves = np.fft.fft2(modes * obj[:, None], norm="ortho")
    frames = np.fft.fftshift(np.square(np.abs(waves)).sum(1), (-2, -1))
    mask = np.ones(optics.shape, np.bool_)
    return replace(small.dataset, frames=frames, mask=mask, scan=Scan(places_px * optics.pixel_m))


def asked(dataset: Dataset, modes: int = 1) -> tuple[Problem, State, Known, Place]:
    """A problem, its true state, and the network that knows its object."""
    small = World(dataset, modes, 0)
    problem, state = small.problem(torch.float32), small.truth()
    state.probe = state.probe.to(torch.complex64)
    given, place = experiment(problem, state, PIXELS), Place()
    scale = tuple(n / PIXELS for n in problem.window)
    first = np.array(state.origin_m) / dataset.geometry.pixel_m
    truth = Truth(state, (scale[0], scale[1]), (float(first[0]), float(first[1])), place)
    card = Card(network=Unrolled(pixels=PIXELS), training=Training(), pixel_m=given.pixel_m, counts=given.counts)
    return problem, state, Known(card, given.probe, {}, {}, truth), place


def lit(problem: Problem, state: State) -> Tensor:
    from ptychogui.engine.views import place

    light = state.probe.abs().square().sum(0).expand(len(problem), -1, -1).contiguous()
    sum_ = place(light, state.corner, state.obj.shape[-2:])
    return sum_ > 0.2 * sum_.max()


def steps(shape: tuple[int, int], fraction: float = 0.0) -> np.ndarray:
    """A raster whose step is a whole number of the network's pixels, beginning off centre."""
    scale = np.array(shape) / PIXELS
    grid = np.stack(np.meshgrid(np.arange(5) * 3.0, np.arange(4) * 2.0, indexing="ij"), -1).reshape(-1, 2)
    return (grid + fraction) * scale + np.array((37.0, -19.0))


@pytest.mark.parametrize("fraction", [0.0, 0.37, 0.5])
@pytest.mark.parametrize("shape", [(24, 20), (20, 28), (25, 21)])
def test_the_picture_lies_where_the_scan_is(shape: tuple[int, int], fraction: float) -> None:
    problem, state, weights, place = asked(scan_of(world(shape=shape, modes=1), steps(shape, fraction)))
    found, area = picture(problem, state, weights), lit(problem, state)
    (scans,) = place.scans
    truth = weights.guesser(scans)[-1]  # type: ignore[misc]
    assert float(scans.misfit(truth)) < 1e-4  # probe, patterns and places that the network is given are right
    away = (found - state.obj[0])[area].abs()
    slope = torch.stack(torch.gradient(state.obj[0])).abs().square().sum(0).sqrt()[area]
    assert found.shape == state.obj.shape[-2:]
    assert float(away.square().mean().sqrt()) < 0.1 * float(slope.square().mean().sqrt())  # a tenth of a pixel
    assert float(found[area].abs().mean() / state.obj[0][area].abs().mean()) == pytest.approx(1, abs=0.01)


def test_irregular_positions_are_right_between_pixels() -> None:
    """The window of a frame lies at a whole pixel of the network, and its probe in it where the frame is."""
    dataset = scan_of(world(modes=1), world().dataset.scan.positions_m / world().dataset.geometry.pixel_m)
    problem, state, weights, place = asked(dataset)
    found, area = picture(problem, state, weights), lit(problem, state)
    (scans,) = place.scans
    assert float(scans.misfit(weights.guesser(scans)[-1])) < 1e-4  # type: ignore[misc]
    slope = torch.stack(torch.gradient(state.obj[0])).abs().square().sum(0).sqrt()[area]
    away = (found - state.obj[0])[area].abs()
    assert float(away.square().mean().sqrt()) < 0.1 * float(slope.square().mean().sqrt())
    moved = scans.probe.abs().square().sum((1, 2))
    assert torch.allclose(moved, moved.mean().expand(len(moved)), rtol=1e-3)


def test_the_light_of_all_modes_is_counted() -> None:
    """Else the network would see a sample too bright: what one mode cannot explain is still light."""
    problem, state, weights, place = asked(scan_of(world(modes=3), steps((24, 20))), modes=3)
    picture(problem, state, weights)
    (scans,) = place.scans
    truth = weights.guesser(scans)[-1]  # type: ignore[misc]
    power = scans.waves(truth).abs().square().sum((-2, -1)).mean()
    assert float(scans.amplitudes.square().sum((-2, -1)).mean() / power) == pytest.approx(1, abs=0.05)


def test_light_outside_the_networks_patterns_is_not_counted() -> None:
    """A probe of fine grain: most of its light falls beside the middle that the network is given."""
    small = world(shape=(64, 48), modes=1)
    problem, state, weights, place = asked(scan_of(small, steps((64, 48))))
    fine = state.probe[0] * torch.from_numpy(np.cos(np.arange(48) * 2.6)).float()
    state.probe = torch.stack([state.probe[0] + 3 * fine])
    amplitudes = torch.stack([torch.fft.fft2(state.probe[0] * window, norm="ortho").abs() for window in _seen(state)])
    problem.amplitudes = amplitudes.float()
    picture(problem, state, weights)
    (scans,) = place.scans
    truth = weights.guesser(scans)[-1]  # type: ignore[misc]
    power = scans.waves(truth).abs().square().sum()
    assert float(scans.amplitudes.square().sum() / power) == pytest.approx(1, abs=0.05)


def _seen(state: State) -> Tensor:
    from ptychogui.engine.views import views

    return views(state.obj[0].to(torch.complex64), state.corner, state.window)


def test_masked_pixels_are_named_in_every_frame() -> None:
    dataset = scan_of(world(modes=1), steps((24, 20)))
    frames = dataset.frames.copy()
    frames[4, 11, 9:12] = np.nan
    mask = dataset.mask.copy()
    mask[12, 7:10] = False
    whole = np.ones_like(mask)
    for changed in (replace(dataset, mask=mask), replace(dataset, frames=frames, mask=whole)):
        problem, state, weights, place = asked(changed)
        found, area = picture(problem, state, weights), lit(problem, state)
        (scans,) = place.scans
        truth = weights.guesser(scans)[-1]  # type: ignore[misc]
        assert float((found - state.obj[0])[area].abs().max()) < 0.2
        assert float(scans.step(truth).abs().max()) < 0.02
        assert float(replace(scans, valid=None).step(truth).abs().max()) > 0.05


def test_nothing_is_seen_where_no_light_falls() -> None:
    problem, state, weights, _ = asked(scan_of(world(modes=1), steps((24, 20))))
    found = picture(problem, state, weights)
    corner = found[:3, :3]
    assert float((corner - corner[0, 0]).abs().max()) < 1e-5
    assert bool(torch.isfinite(found.abs()).all())


def test_a_near_field_is_refused(near: World) -> None:
    with pytest.raises(InputError, match=r"far-field patterns only: start from the data \(start.kind=data\)\.$"):
        experiment(near.problem(), near.truth(), PIXELS)
    weights = asked(scan_of(world(modes=1), steps((24, 20))))[2]
    with pytest.raises(InputError, match=r"far-field patterns only"):
        refuse_size(near.problem(), weights)


@pytest.mark.parametrize("modes", [np.zeros((1, 24, 20)), np.stack([np.zeros((24, 20)), np.ones((24, 20))])])
def test_an_empty_probe_is_refused(modes: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"^The probe is empty.*\.$"):
        of_probe(torch.from_numpy(modes + 0j), np.zeros((3, 2)), (1e-8, 1e-8), PIXELS)


def test_a_probe_is_like_itself_turned_and_moved() -> None:
    probe = on_grid(torch.from_numpy(world(shape=(32, 32), modes=1).probe()[0]), PIXELS)
    assert unlike(probe, 3j * torch.roll(probe, (2, -3), (0, 1))) < 1e-3
    assert unlike(probe, probe.conj()) > 0.01
    assert unlike(probe, noise(PIXELS, PIXELS).to(torch.complex64)) > 0.5
    assert unlike(probe, torch.ones(8, 8)) == 1


def fit(**changes: float | bool) -> Fit:
    values = {"probe": 0.0, "pixel": 1.0, "counts": 1.0, "pixel_m": 1e-8, "trained_pixel_m": 1e-8, "knows_probe": False}
    return Fit(**(values | changes), window=(24, 20), pixels=PIXELS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said", "fatal"),
    [
        ({"probe": 0.7}, "trained for another probe (70% unlike this one): fine-tune it", True),
        ({"probe": 0.7, "knows_probe": True}, "70% unlike this one. It is given the probe", False),
        ({"probe": 0.6, "knows_probe": True, "many_probes": True}, "60% unlike this one. It is given the probe", False),
        ({"probe": 0.3}, "for a probe that is 30% unlike this one.", False),
        ({"pixel": 2.0, "pixel_m": 2e-8}, "trained for a pixel of 10 nm, and here it sees one of 20 nm.", False),
        ({"counts": 0.01}, "100 times fewer counts", False),
    ],
)
def test_what_does_not_fit_is_told(changes: dict[str, float | bool], said: str, fatal: bool) -> None:
    (doubt,) = doubts(fit(**changes))
    assert said in doubt.text
    assert doubt.text.endswith(".")
    assert doubt.fatal == fatal


def test_what_fits_is_not_doubted() -> None:
    assert not [*doubts(fit(probe=0.1, pixel=1.05, counts=5.0))]
    assert not [*doubts(fit(probe=0.4, knows_probe=True, many_probes=True))]
    assert not [*doubts(fit(pixel=2e8, pixel_m=2.0))]  # here nobody knows the pixel, which counts as a metre
    assert [doubt.fatal for doubt in doubts(fit(probe=0.9), any_probe=True)] == [False]


def test_a_stranger_is_refused_by_a_network_that_does_not_know_the_probe() -> None:
    problem, state, weights, _ = asked(scan_of(world(modes=1), steps((24, 20))))
    stranger = replace(weights, probe=noise(PIXELS, PIXELS).to(torch.complex64))
    known = replace(stranger, card=stranger.card.with_value("network", PtychoNet(pixels=PIXELS).plain()))
    with pytest.raises(InputError, match=r"trained for another probe \(\d+% unlike this one\): fine-tune it"):
        checked(problem, state, known)
    (said,) = checked(problem, state, known, any_probe=True)
    assert said.startswith("The network was trained for another probe")
    (said,) = checked(problem, state, stranger)
    assert "It is given the probe" in said


def test_smaller_patterns_are_refused() -> None:
    problem, state, weights, _ = asked(scan_of(world(modes=1), steps((24, 20))))
    large = replace(weights, card=weights.card.with_value("network.pixels", 64))
    with pytest.raises(InputError, match=r"patterns have 24 × 20 pixels and the network takes 64 × 64"):
        checked(problem, state, large)
    with pytest.raises(InputError, match=r"patterns have 24 × 20 pixels and the network takes 64 × 64"):
        refuse_size(problem, large)


def test_the_mean_transmission_of_samples_is_that_of_even_amplitudes() -> None:
    card = Card(network=Unrolled(amplitude=(0.3, 0.9)), training=Training(), pixel_m=(1, 1), counts=1)
    assert card.network.transmission == pytest.approx(float(np.mean(np.linspace(0.3, 0.9, 100001) ** 2)), rel=1e-4)
