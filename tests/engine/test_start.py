"""First guesses: where the canvas lies, what the probe looks like, and how an earlier result is taken up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from worlds import CPU, World, world

from ptychogui.engine import report
from ptychogui.engine.metrics import r_factor
from ptychogui.engine.models.thin import Thin
from ptychogui.engine.problem import problem
from ptychogui.engine.simulate import probes, recipes, simulate
from ptychogui.engine.start.canvas import MARGIN_PX, canvas
from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.file import FromFile
from ptychogui.engine.start.probe import probe_from_file, with_modes
from ptychogui.geometry import Geometry
from ptychogui.job import Job, run
from ptychogui.params import InputError
from ptychogui.types import Dataset, Object, Result, Scan


def solved(small: World, epochs: int = 3) -> Result:
    job = Job.read({"solver": {"kind": "rpie", "epochs": epochs}, "start": {"kind": "data", "modes": small.modes}})
    return run(job.with_value("model.padding_px", small.padding_px), small.dataset)


def some_frames(dataset: Dataset, chosen: list[int]) -> Dataset:
    return replace(dataset, frames=dataset.frames[chosen], scan=Scan(dataset.scan.positions_m[chosen]))


def test_positions_survive_the_canvas(any_world: World) -> None:
    problem = any_world.problem()
    state = FromData().state(problem, any_world.dataset, None, 0)
    wanted = any_world.dataset.scan.positions_m
    step = min(any_world.dataset.geometry.pixel_m)
    assert np.abs(report.positions_m(problem, state) - wanted).max() < 1e-9 * step


def test_every_window_lies_on_the_canvas_with_a_margin(any_world: World) -> None:
    state = FromData().state(any_world.problem(), any_world.dataset, None, 0)
    assert int(state.corner.min()) >= MARGIN_PX
    for axis in (0, 1):
        end = int(state.corner[:, axis].max()) + state.window[axis]
        assert end + MARGIN_PX <= state.obj.shape[1 + axis] <= end + MARGIN_PX + 2


def test_the_canvas_lies_on_whole_pixels_of_the_sample(far: World) -> None:
    """So that scans of one sample, and a run that goes on, share a grid."""
    _, _, origin_m = canvas(far.dataset, (24, 20))
    whole = np.array(origin_m) / far.dataset.geometry.pixel_m
    assert whole == pytest.approx(np.rint(whole), abs=1e-9)


@pytest.mark.parametrize("shape", [(24, 20), (12, 30), (31, 11), (25, 21), (6, 6)])
def test_a_probe_of_another_size_is_padded_or_cut_around_its_middle(far: World, shape: tuple[int, int]) -> None:
    modes = np.zeros((2, *shape), np.complex64)
    modes[0, shape[0] // 2, shape[1] // 2], modes[1, shape[0] // 2 - 2, shape[1] // 2 + 1] = 2j, 3
    found = probe_from_file(far.problem(), modes).numpy()
    assert found.shape == (2, 24, 20)
    assert found[0, 12, 10] == 2j
    assert found[1, 10, 11] == 3
    assert np.abs(found).sum() == 5


def test_further_modes_are_orthogonal_and_weak(far: World) -> None:
    first = torch.from_numpy(far.probe()[:1])
    found = with_modes(first, 4)
    assert torch.equal(found[0], first[0])
    flat = found.reshape(4, -1)
    gram = (flat @ flat.mH) / first.abs().square().sum()
    assert torch.allclose(gram, torch.diag(torch.tensor([1, 0.1, 0.1, 0.1])).to(gram.dtype), atol=1e-10)
    assert torch.equal(with_modes(found, 2), found[:2])


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("modes", [1, 3])
def test_the_start_has_the_power_of_the_frames(either: World, modes: int, held: bool) -> None:
    problem = either.problem(torch.float32)
    dataset = either.dataset if held else either.dataset.with_geometry(convergence_rad=2e-4, defocus_m=1e-3)
    state = FromData(modes=modes, file_probe=held).state(problem, dataset, None, 0)
    assert float(state.probe.abs().square().sum()) == pytest.approx(problem.mean_counts, rel=1e-5)
    assert state.probe.shape == (modes, *problem.window)
    assert bool((state.obj == 1).all())
    assert state.obj.dtype == state.probe.dtype == torch.complex64


def test_a_probe_in_the_file_is_used_where_that_is_wanted(near: World) -> None:
    used, unused = (
        FromData(file_probe=wanted).state(near.problem(), near.dataset, None, 0).probe for wanted in (True, False)
    )
    held = torch.from_numpy(near.dataset.probe).to(used.dtype)
    scale = (near.problem().mean_counts / held.abs().square().sum()).sqrt()
    assert torch.allclose(used, held * scale, atol=1e-4)
    assert float((unused - used).abs().max()) > 0.1 * float(used.abs().max())


def test_a_masked_bar_is_no_shadow_in_the_first_probe(near: World) -> None:
    frames = np.full_like(near.dataset.frames, 49.0)
    frames[3, 5:9], frames[7:, 2] = np.nan, np.nan
    flat = replace(near, dataset=replace(near.dataset, frames=frames, probe=None))
    found = FromData().state(flat.problem(), flat.dataset, None, 0).probe
    assert torch.allclose(found / found.mean(), torch.ones_like(found), atol=1e-9)


@pytest.mark.parametrize("behind", [True, False])
@pytest.mark.parametrize("wavelength_m", [1e-10, 1.97e-12])
def test_known_optics_give_the_probe_its_curvature(wavelength_m: float, behind: bool) -> None:
    """Behind the focus the wave diverges. X-rays count that positive; electrons call it overfocus, negative."""
    small = world("far", (48, 40))
    electrons, optics = wavelength_m < 1e-11, replace(small.dataset.geometry, wavelength_m=wavelength_m)
    dy = optics.pixel_m[0]
    depth_m, angle_rad = 33 * dy**2 / wavelength_m, 0.3 * wavelength_m / dy
    defocus_m = depth_m if behind != electrons else -depth_m
    optics = replace(optics, convergence_rad=angle_rad, defocus_m=defocus_m)
    scan = Scan(small.dataset.scan.positions_m / small.dataset.geometry.pixel_m * optics.pixel_m)
    dataset = replace(small.dataset, geometry=optics, scan=scan, probe=None)
    found = FromData().state(replace(small, dataset=dataset).problem(), dataset, None, 0).probe[0].numpy()
    bend_rad = np.angle(found[23, 20] * found[25, 20] / found[24, 20] ** 2)
    assert (bend_rad > 0) == behind
    wanted = probes.focused(optics)
    assert abs(np.vdot(wanted, found)) > 0.97 * np.linalg.norm(wanted) * np.linalg.norm(found)


def test_without_known_optics_the_spot_is_about_as_large_as_the_true_one() -> None:
    small = world("far", (48, 40), modes=1).without_mask()
    blind = replace(small.dataset, probe=None)
    found = FromData().state(small.problem(), blind, None, 0).probe[0].abs().square().numpy()
    true = np.abs(small.probe()[0]) ** 2
    widths = [np.sqrt(np.sum(p * _from_middle(p) ** 2) / p.sum()) for p in (found, true)]
    assert 0.5 < widths[0] / widths[1] < 2


def _from_middle(power: np.ndarray) -> np.ndarray:
    y, x = np.indices(power.shape)
    middle = [np.sum(c * power) / power.sum() for c in (y, x)]
    return np.hypot(y - middle[0], x - middle[1])


def test_a_run_goes_on_where_it_ended(any_world: World) -> None:
    first = solved(any_world)
    problem = any_world.problem()
    state = FromFile().state(problem, any_world.dataset, first, 0)
    assert r_factor(problem, state) == pytest.approx(first.metrics["r_factor"], rel=1e-3)
    assert np.abs(report.positions_m(problem, state) - first.scan.positions_m).max() < 1e-6 * min(first.obj.pixel_m)


@pytest.mark.parametrize("whose", ["far", "near-padded"])
def test_a_background_is_kept(whose: str) -> None:
    small = world("far") if whose == "far" else world("near", padding_px=3)
    problem, state = small.problem(), small.truth()
    p = problem.padding_px
    inner = 9 * torch.rand(small.dataset.geometry.shape, generator=torch.Generator().manual_seed(2))
    state.background = torch.nn.functional.pad(inner.double(), (p, p, p, p))
    first = report.result(problem, state, small.dataset, np.zeros(0, np.float32), "", {}, 0.0)
    again = FromFile().state(problem, small.dataset, first, 0)
    assert again.background is not None
    assert again.background.dtype == problem.amplitudes.dtype
    assert float((again.background - state.background).abs().max()) < 1e-5
    assert r_factor(problem, again) == pytest.approx(first.metrics["r_factor"], rel=1e-3)


def test_a_run_goes_on_with_other_frames_of_the_same_sample(far: World) -> None:
    """The canvas is another one; the object lies where it was."""
    first, part = solved(far), some_frames(far.dataset, [5, 6, 9, 10, 15])
    problem = replace(far, dataset=part).problem()
    state = FromFile().state(problem, part, first, 0)
    whole = far.problem()
    before = FromFile().state(whole, far.dataset, first, 0)
    chosen = replace(whole, amplitudes=whole.amplitudes[[5, 6, 9, 10, 15]])
    before.move_to(before.position_px[[5, 6, 9, 10, 15]])
    assert state.obj.shape != before.obj.shape
    assert r_factor(problem, state) == pytest.approx(r_factor(chosen, before), rel=1e-9)


def test_refined_positions_are_kept(far: World) -> None:
    first = solved(far)
    moved = first.scan.positions_m + np.array([1.4, -0.3]) * first.obj.pixel_m
    state = FromFile().state(far.problem(), far.dataset, replace(first, scan=Scan(moved)), 0)
    assert report.positions_m(far.problem(), state) == pytest.approx(moved, rel=1e-9)


def test_new_positions_are_taken_with_the_old_corrections(far: World) -> None:
    first, pixel_m = solved(far, 1), np.array(far.dataset.geometry.pixel_m)
    correction = np.array([1.4, -0.3]) * pixel_m
    refined = replace(first, scan=Scan(first.nominal_m + correction))
    turned = replace(far.dataset, scan=Scan(far.dataset.scan.positions_m[:, ::-1] + [300.0, -200.0] * pixel_m))
    problem = replace(far, dataset=turned).problem()
    state = FromFile().state(problem, turned, refined, 0)
    assert report.positions_m(problem, state) == pytest.approx(turned.scan.positions_m + correction, rel=1e-9)
    assert np.isfinite(r_factor(problem, state))


def test_a_result_with_another_pixel_is_refused(far: World) -> None:
    first = solved(far, 1)
    other = Object(first.obj.slices, (1.1 * first.obj.pixel_m[0], first.obj.pixel_m[1]), first.obj.origin_m)
    with pytest.raises(InputError, match=r"The earlier result has a pixel of .* start from the data\.$"):
        FromFile().state(far.problem(), far.dataset, replace(first, obj=other), 0)


def test_a_start_from_no_file_is_refused(far: World) -> None:
    with pytest.raises(InputError, match=r"^start\.path names no result"):
        run(Job.read({"start": {"kind": "file"}}), far.dataset)


def test_a_frame_without_a_valid_pixel_is_refused(far: World) -> None:
    frames = far.dataset.frames[:].copy()
    frames[7] = np.nan
    with pytest.raises(InputError, match=r"^Frame 7 of world has no valid pixel: leave it out with data\.exclude\.$"):
        replace(far, dataset=replace(far.dataset, frames=frames)).problem()


@pytest.mark.parametrize("defocus_m", [2e-5, -2e-5])
def test_an_unknown_defocus_is_found_with_its_sign(defocus_m: float) -> None:
    recipe = recipes()["electron"].read(
        {
            "shape": (48, 40),
            "scan_shape": (5, 6),
            "step_px": 3.0,
            "convergence_rad": 5e-4,
            "defocus_m": defocus_m,
            "photons": 1e6,
        }
    )
    known = simulate(recipe)
    blind = known.with_geometry(convergence_rad=None, defocus_m=None)
    overlaps = [
        overlap(
            FromData(find_defocus=search).state(problem(blind, Thin(), CPU), blind, None, 0).probe, known.truth.probe
        )
        for search in (True, False)
    ]
    assert overlaps[0] > 0.8
    assert overlaps[1] < 0.6


def overlap(found: torch.Tensor, true: np.ndarray) -> float:
    """|⟨found, true⟩| over their norms, at the best shift."""
    have, want = found[0].numpy(), true[0]
    product = np.fft.ifft2(np.fft.fft2(have).conj() * np.fft.fft2(want))
    return float(np.abs(product).max() / np.linalg.norm(have) / np.linalg.norm(want))


def test_positions_that_cannot_overlap_are_refused_before_memory_is_taken(far: World) -> None:
    spread = replace(far.dataset, scan=Scan(far.dataset.scan.positions_m * 1e6))
    with pytest.raises(InputError, match="do not overlap"):
        canvas(spread, (24, 20))


def test_going_on_with_more_modes_adds_them(far: World) -> None:
    job = Job.read({"solver": {"kind": "rpie", "epochs": 1}, "device": "cpu", "start": {"kind": "data", "modes": 1}})
    first = run(job, far.dataset)
    more = run(job.with_value("start.modes", len(first.probe.modes) + 1), far.dataset, first)
    assert len(more.probe.modes) == len(first.probe.modes) + 1


def test_a_near_field_with_a_known_pixel_has_its_magnification() -> None:
    told = Geometry((8, 8), 1e-10, 1.2, (55e-6, 55e-6), given_pixel_m=(55e-9, 55e-9), field="near")
    assert told.effective_distance_m == pytest.approx(1.2e-3)
