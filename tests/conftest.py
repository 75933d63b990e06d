"""The small scans as fixtures."""

from __future__ import annotations

import pytest
from worlds import World, world

WORLDS = {
    "far": {},
    "near": {"field": "near"},
    "near-padded": {"field": "near", "padding_px": 3},
    "far-whole-pixel": {"whole_pixel": True, "modes": 1},
    "near-whole-pixel": {"field": "near", "whole_pixel": True, "modes": 3},
}


@pytest.fixture(params=WORLDS)
def any_world(request: pytest.FixtureRequest) -> World:
    """Far and near field, with and without padding, sub-pixel and whole-pixel, with one to three modes."""
    return world(**WORLDS[request.param])


@pytest.fixture(params=["far", "near"])
def either(request: pytest.FixtureRequest) -> World:
    """Both fields, with two modes at sub-pixel positions."""
    return world(request.param)


@pytest.fixture
def far() -> World:
    """The far field, with two modes at sub-pixel positions."""
    return world("far")


@pytest.fixture
def near() -> World:
    """The near field, likewise."""
    return world("near")
