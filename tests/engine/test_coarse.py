"""Larger pixels: what is found on them comes back, and what they do not see stays."""

from __future__ import annotations

from copy import copy

import pytest
import torch
from torch import Tensor
from worlds import world

from ptychogui.engine.coarse import Level, level

CASES = {
    "far": world("far", (40, 32)),
    "near": world("near", (40, 32)),
    "near-padded": world("near", (40, 32), padding_px=4),
}


def reduced(case: str, background: Tensor | None) -> Level:
    problem, state = CASES[case].problem(), CASES[case].truth()
    state.background = background
    found = level(problem, state, 2)
    assert found.factor == 2
    return found


def some(case: str) -> Tensor:
    """A background that differs from pixel to pixel."""
    window = CASES[case].problem().window
    return 5 * torch.rand(window, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.mark.parametrize("case", CASES)
def test_a_background_goes_to_larger_pixels_and_back(case: str) -> None:
    background = some(case)
    few = reduced(case, background)
    assert few.state.background is not None
    assert few.state.background.shape == few.problem.window
    few.restore()
    assert few.fine.background is not None
    assert float((few.fine.background - background).abs().max()) < 1e-12


@pytest.mark.parametrize("case", CASES)
def test_a_background_is_seen_on_larger_pixels_as_the_frames_are(case: str) -> None:
    """What is added to the frames before they are reduced is what the larger pixels have as background."""
    background = some(case)
    fine, few = CASES[case].without_mask().problem(), reduced(case, background)
    p = fine.padding_px
    inner = background[p : background.shape[0] - p, p : background.shape[1] - p]
    brighter = copy(fine)
    brighter.amplitudes = (fine.amplitudes.square() + inner).sqrt()
    more, before = (level(each, few.fine, 2).problem.amplitudes.square() for each in (brighter, fine))
    p //= 2
    assert few.state.background is not None
    seen = few.state.background[p : few.state.background.shape[0] - p, p : few.state.background.shape[1] - p]
    assert float((more - before - seen).abs().max()) < 1e-8


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_a_background_found_on_larger_pixels_is_kept(case: str, begun: bool) -> None:
    background = some(case) if begun else None
    few = reduced(case, background)
    found = torch.linspace(20, 60, few.problem.window[1], dtype=torch.float64).expand(few.problem.window).contiguous()
    few.state.background = found
    few.restore()
    few.restore()
    again = level(few.fine_problem, few.fine, 2)
    assert again.state.background is not None
    assert float((again.state.background - found).abs().max()) < 1e-9
    if case == "far" and background is not None:
        assert few.fine.background is not None
        kept = few.fine.background == background
        assert int(kept.sum()) == kept.numel() - found.numel()


def test_a_background_is_never_less_than_none_where_it_shrinks() -> None:
    few = reduced("near", some("near"))
    few.state.background = torch.zeros(few.problem.window, dtype=torch.float64)
    few.restore()
    assert few.fine.background is not None
    assert float(few.fine.background.min()) >= 0
    assert float(few.fine.background.mean()) < 1
