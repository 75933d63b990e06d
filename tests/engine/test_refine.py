"""The unknowns beside object and probe: how they go from epoch to epoch, and when they are given up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worlds import World, world

from ptychogui.engine.coarse import level
from ptychogui.engine.constraints import Constraints
from ptychogui.engine.problem import Problem
from ptychogui.engine.refine import Refine, Refining
from ptychogui.engine.refine.distance import DistanceUnknown
from ptychogui.engine.refine.moved import at_distance
from ptychogui.engine.report import figures
from ptychogui.engine.solvers.base import Plan, iterate
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.engine.state import State

BEAMS = ("far", "cone", "parallel")
CHANGE = 0.15


def setting(beam: str) -> tuple[Problem, State]:
    """A true state whose window holds the probe, and whose geometry is right."""
    small = world("far" if beam == "far" else "near", (68, 60))
    if beam == "parallel":  # the same pixel and effective distance, without a focus
        optics = small.dataset.geometry
        parallel = replace(
            optics,
            focus_to_sample_m=None,
            distance_m=optics.effective_distance_m,
            detector_pixel_m=optics.pixel_m,
        )
        small = World(replace(small.dataset, geometry=parallel), small.modes, small.padding_px)
    problem = small.problem()
    return problem, small.truth()


def part(problem: Problem) -> float:
    """The distance that is least certain, as a part of what was given."""
    name = "focus_to_sample_m" if problem.geometry.in_cone else "distance_m"
    return float(getattr(problem.geometry, name) / getattr(problem.given, name))


@pytest.mark.parametrize("beam", BEAMS)
@pytest.mark.parametrize("way", [1, -1])
def test_a_distance_that_runs_away_is_stopped_and_given_up(beam: str, way: int) -> None:
    problem, state = setting(beam)
    unknown = DistanceUnknown(limit=CHANGE, largest=0.1)
    course = unknown.begin(problem, state)
    said = []
    for _ in range(13):
        course.sums.gradient.fill_(-way)
        course.sums.normal.fill_(1)
        said.append(unknown.settle(problem, state, course, 1.0))
        if not said[-1]:
            assert abs(part(problem) - 1) <= CHANGE + 1e-9
        else:
            break
    assert len(said) >= 11
    assert said[-1].startswith("The distance ran away: it wanted to change by more than 15%.")
    assert part(problem) == pytest.approx(1)
    assert not figures(problem, state).keys() & {"distance_m", "focus_to_sample_m"}


@pytest.mark.parametrize("beam", BEAMS)
def test_a_distance_at_the_end_of_its_range_may_turn_back(beam: str) -> None:
    problem, state = setting(beam)
    unknown = DistanceUnknown(limit=CHANGE, largest=0.1, momentum=0.9)
    course = unknown.begin(problem, state)
    for way in (1, 1, 1, 1, 1, -1):
        course.sums.gradient.fill_(-way)
        course.sums.normal.fill_(1)
        assert not unknown.settle(problem, state, course, 1.0)
    assert course.at_limit == 0
    assert abs(part(problem) - 1) < CHANGE - 0.05


@pytest.mark.parametrize("beam", BEAMS)
@pytest.mark.parametrize("reduction", [1, 2])
def test_the_factor_from_the_given_distance_is_the_same_on_all_pixels(beam: str, reduction: int) -> None:
    problem, state = setting(beam)
    few = level(problem, state, reduction)
    assert few.problem.geometry.factor_from(few.problem.given) == pytest.approx(1)
    at_distance(few.problem, few.state, 1.1)
    assert few.problem.geometry.factor_from(few.problem.given) == pytest.approx(1.1)
    few.restore()
    assert problem.geometry.factor_from(problem.given) == pytest.approx(1.1)
    assert problem.given.factor_for(part(problem)) == pytest.approx(1.1)


@pytest.mark.parametrize("beam", BEAMS)
def test_a_wrong_distance_comes_back(beam: str) -> None:
    problem, state = setting(beam)
    true = problem.geometry
    at_distance(problem, state, 1.1)
    problem.given = problem.geometry
    refine = Refine.nothing().with_value("distance", {"enabled": True, "start": 0})
    plan = Plan((RPIE(epochs=30, batch=4),), Constraints(), refine=refine)
    for _ in iterate(problem, state, plan):
        pass
    # in the far field it is the scale of the scan, which reaches 5 pixels from its middle: 0.03 is a sixth of a pixel
    assert problem.geometry.factor_from(true) == pytest.approx(1, abs=0.03)


def test_in_the_far_field_the_affine_map_has_the_scale_and_coarse_pixels_say_nothing_of_places(far: World) -> None:
    refine = Refine.read({name: {"enabled": True, "start": 0} for name in ("positions", "affine", "distance", "gain")})
    problem, state = far.problem(), far.guess()
    for reduction, wanted in ((1, {"positions", "affine", "gain"}), (4, {"gain"})):
        problem.reduction = reduction
        refining = Refining(level(problem, state, 1), refine, set())
        refining.open(0)
        assert set(refining.active) == wanted


def test_in_the_near_field_all_are_refined_at_once(near: World) -> None:
    refine = Refine.read({name: {"enabled": True, "start": 0} for name in ("positions", "affine", "distance")})
    refining = Refining(level(near.problem(), near.guess(), 1), refine, set())
    refining.open(0)
    assert set(refining.active) == {"positions", "affine", "distance"}
