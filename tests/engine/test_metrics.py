"""The R-factor of all frames and of each, beside sums by numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from worlds import World

from ptychogui.engine import report
from ptychogui.engine.losses import intensity
from ptychogui.engine.metrics import r_factors


def test_the_r_factor_of_each_frame_is_its_own_sum(any_world: World) -> None:
    problem, state = any_world.problem(), any_world.guess()
    overall, each = r_factors(problem, state)
    index = torch.arange(len(problem))
    model = intensity(problem.waves(state, index)[1]).sqrt().numpy()
    measured, weight = problem.amplitude(index).numpy(), problem.weight(index)
    error = np.abs(model - measured) * (1 if weight is None else weight.numpy())
    assert each == pytest.approx(error.sum((1, 2)) / measured.sum((1, 2)), rel=1e-6)
    assert overall == pytest.approx(error.sum() / measured.sum(), rel=1e-9)
    assert np.ptp(each) > 0.01 * each.mean()


def test_a_frame_that_stands_elsewhere_fits_worst(far: World) -> None:
    problem, state = far.problem(), far.truth()
    place = state.position_px.clone()
    place[5] += 1.3
    state.move_to(place)
    each = r_factors(problem, state)[1]
    assert each.argmax() == 5
    assert each[5] > 10 * np.delete(each, 5).max()


def test_a_frame_without_a_count_has_no_r_factor(far: World) -> None:
    frames = far.dataset.frames[:].copy()
    frames[3] = 0
    problem = replace(far, dataset=replace(far.dataset, frames=frames)).problem()
    overall, each = r_factors(problem, far.truth())
    assert np.isnan(each[3])
    assert np.isfinite(np.delete(each, 3)).all()
    assert np.isfinite(overall)


def test_a_result_keeps_the_r_factor_of_each_frame(far: World) -> None:
    problem, state = far.problem(), far.guess()
    done = report.result(problem, state, far.dataset, np.zeros(0, np.float32), "", {}, 0.0)
    overall, each = r_factors(problem, state)
    assert done.metrics["r_factor"] == overall
    assert np.array_equal(done.frame_r_factor, each)
