"""Plain data made of tensors: previews, patterns and results lie where they should and share no memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import maximum_filter, minimum_filter
from worlds import World

from ptychogui.engine import report
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.geometry import Geometry
from ptychogui.types import UNLIT


def wide(far: World, shape: tuple[int, int]) -> tuple[Problem, State]:
    """A large object whose transmission is its place on the sample, in pixels; a flat probe lights every pixel."""
    problem = replace(far.problem(), geometry=Geometry((24, 20), given_pixel_m=(0.5, 0.25)))
    y, x = (torch.arange(n, dtype=torch.float64) for n in shape)
    obj = torch.complex(y[:, None].expand(shape) + 3, x[None, :].expand(shape) - 11)[None]
    probe = torch.ones(1, 24, 20, dtype=torch.complex128)
    begin = torch.cartesian_prod(*(torch.arange(0.0, n, m) for n, m in zip(shape, (24, 20)))).double()
    return problem, State.at(obj, probe, begin, (3 * 0.5, -11 * 0.25))


@pytest.mark.parametrize(("box", "factor"), [((1024, 700), 1), ((1025, 40), 2), ((1000, 1290), 2), ((60, 2051), 3)])
def test_a_preview_fits_a_screen_and_lies_in_its_place(far: World, box: tuple[int, int], factor: int) -> None:
    problem, state = wide(far, (1104, 2100))
    image, pixel_m, origin_m = report.preview(problem, state, (slice(7, 7 + box[0]), slice(13, 13 + box[1])))
    assert max(image.shape) <= 1024
    assert image.dtype == np.complex64
    assert pixel_m == (0.5 * factor, 0.25 * factor)
    rows, columns = (n // factor for n in box)  # the last block may be a part of one
    y_m, x_m = (origin_m[axis] + np.arange(n) * pixel_m[axis] for axis, n in enumerate((rows, columns)))
    assert image.shape == (-(-box[0] // factor), -(-box[1] // factor))
    assert np.allclose(image[:rows, :columns], y_m[:, None] / 0.5 + 1j * x_m[None, :] / 0.25, rtol=1e-5)


def test_the_lit_box_is_what_the_probe_reaches(far: World) -> None:
    state = far.truth()
    state.probe = torch.zeros_like(state.probe)
    state.probe[0, 5:9, 2:15] = 1
    rows, columns = report.lit_box(state)
    assert rows == slice(int(state.corner[:, 0].min()) + 5, int(state.corner[:, 0].max()) + 9)
    assert columns == slice(int(state.corner[:, 1].min()) + 2, int(state.corner[:, 1].max()) + 15)


def test_pictures_fade_to_one_where_no_light_fell(far: World) -> None:
    problem, state = far.problem(), far.guess()
    light = torch.zeros_like(state.obj[0].real)
    for y, x in state.corner.tolist():
        light[y : y + 24, x : x + 20] += state.probe.abs().square().sum(0)
    ny, nx = light.shape
    image, *_ = report.preview(problem, state, (slice(0, ny), slice(0, nx)))
    bright, dark = (light > 0.03 * light.max()).numpy(), (light == 0).numpy()
    assert np.allclose(image[bright], state.obj[0].numpy()[bright], atol=1e-6)
    assert np.allclose(image[dark], 1, atol=1e-6)
    assert not torch.allclose(state.obj[0][light == 0], torch.ones(1, dtype=state.obj.dtype), atol=0.1)


@pytest.mark.parametrize("factor", [2, 3])
def test_a_reduced_picture_fades_where_the_whole_one_does(far: World, factor: int) -> None:
    shape, window = (197, 1024 * factor - 5), (94, 83)
    problem, _ = wide(far, shape)
    y, x = (torch.arange(n, dtype=torch.float64) - m for n, m in zip(window, (50, 39)))
    probe = torch.exp(-(y[:, None].square() + x[None, :].square()) / (2 * 12**2)).to(torch.complex128)[None]
    spread = [torch.linspace(3, n - m - 3, k, dtype=torch.float64) for n, m, k in zip(shape, window, (4, 29))]
    state = State.at(0.3j * torch.ones(1, *shape), probe, torch.cartesian_prod(*spread), (0.0, 0.0))
    box = slice(1, 1 + 190 // factor * factor), slice(0, shape[1] // factor * factor)
    light = report.illumination(state)
    fade = (light / (UNLIT * light.max())).clamp(max=1).square()[box]
    blocks = fade.reshape(fade.shape[0] // factor, factor, -1, factor).mean((1, 3)).numpy()
    image, *_ = report.preview(problem, state, box)
    found = np.abs(image - 1) / abs(0.3j - 1)
    assert found.shape == blocks.shape
    assert (found > minimum_filter(blocks, 3) - 1e-3).all()  # edges are moved by less than a pixel of the screen
    assert (found < maximum_filter(blocks, 3) + 1e-3).all()


def test_a_pattern_is_the_frame_beside_the_model(any_world: World) -> None:
    problem, state, data = any_world.problem(), any_world.truth(), any_world.dataset
    shown = report.pattern(problem, state, 6)
    assert shown.index == 6
    assert shown.measured.shape == shown.model.shape == data.geometry.shape
    assert np.isnan(shown.measured[~data.mask]).all()
    assert shown.measured[data.mask] == pytest.approx(data.frames[6][data.mask], rel=1e-5, abs=1e-6)
    size = data.frames[6].max()
    assert np.abs(shown.model - data.frames[6]).max() < 0.01 * size
    assert report.pattern(problem, state, 6 + len(problem)).index == 6


def test_pixels_broken_in_one_frame_are_blank_in_its_pattern(far: World) -> None:
    frames = far.dataset.frames[:].copy()
    frames[6, 4, 5] = np.nan
    problem = replace(far, dataset=replace(far.dataset, frames=frames)).problem()
    assert np.isnan(report.pattern(problem, far.truth(), 6).measured[4, 5])
    assert np.isfinite(report.pattern(problem, far.truth(), 7).measured[4, 5])


def test_what_is_reported_shares_no_memory_with_the_run(far: World) -> None:
    problem, state = far.problem(torch.float32), far.truth()
    state.obj, state.probe = state.obj.to(torch.complex64), state.probe.to(torch.complex64)
    state.move_to(state.position_px)
    image, *_ = report.preview(problem, state, report.lit_box(state))
    done = report.result(problem, state, far.dataset, np.zeros(0, np.float32), "", {}, 0.0)
    reported = [image, report.probe_modes(state), done.obj.slices, done.probe.modes, report.positions_m(problem, state)]
    before = [values.copy() for values in reported]
    state.obj.zero_()
    state.probe.zero_()
    state.shift.zero_()
    assert all(np.array_equal(a, b) for a, b in zip(reported, before))


def test_a_result_says_what_the_run_was(far: World) -> None:
    data = replace(far.dataset, warnings=("two pixels are hot",))
    done = report.result(far.problem(), far.truth(), data, np.ones(3, np.float32), "seed = 4", {"seed": "4"}, 1.5)
    assert done.job == "seed = 4"
    assert done.provenance == {"seed": "4"}
    assert done.warnings == ("two pixels are hot",)
    assert done.metrics["seconds"] == 1.5
    assert done.nominal_m is data.scan.positions_m
    assert done.obj.slices.dtype == done.probe.modes.dtype == np.complex64
    assert done.geometry == data.geometry


def test_a_result_that_is_not_finite_has_no_errors_against_the_truth(far: World) -> None:
    state = far.truth()
    state.obj[0, 10, 10] = torch.nan
    done = report.result(far.problem(), state, far.dataset, np.zeros(0, np.float32), "", {}, 0.0)
    assert set(done.metrics) == {"r_factor", "seconds"}
