"""The synthetic table of Guzzi et al.: distance wrong by 30 %, every position by a random shift of 10 pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ptychogui.bench.papers.trial import Row, Setting, Trial, Wanted, recipe

NAME = "guzzi-2021"

DISTANCES_M = {
    0.065: ("lake.bmp", "peppers.bmp"),
    0.08: ("mandril.bmp", "camera.png"),
    0.1: ("peppers.bmp", "lake.bmp"),
    0.14: ("camera.png", "mandril.bmp"),
    0.2: ("coffee.png", "peppers.bmp"),
}
"""The five sets: their distances, of which the paper states the ends and 0.1 m, and their object's photographs."""

_SMALL: dict[str, Any] = {
    "shape": (64, 64),
    "scan_shape": (6, 6),
    "step_px": 19.2,
    "probe_px": 60.0,
    "object_shape": (168, 168),
    "position_error_px": 5.0,
}
_SSIM_LOSS = 0.02


def rows(setting: Setting) -> Iterator[Row]:
    """Everything refined from the wrong start, beside the same from the true one.

    The paper's figures are a tenth of the errors at the start, which it reaches in about 500 epochs. A small set has
    half the pixels and half the distance, so that as many fringes lie across a frame.
    """
    for seed in setting.seeds:
        for distance_m, images in DISTANCES_M.items():
            values = {} if setting.full else _SMALL | {"distance_m": distance_m / 2}
            sample = recipe(
                NAME,
                **({"distance_m": distance_m} | values),
                seed=seed,
                object_images=setting.pair(*images),
                probe_images=setting.pair("chelsea.png", "astronaut.png"),
            )
            yield from _pair(f"z {distance_m:g} m, seed {seed}", sample)


def _pair(name: str, sample: Any) -> Iterator[Row]:
    right = Trial(f"{name}, true start", sample, {}, (Wanted("object_ssim"),), "refine-all", from_truth=True)
    outcome = right.run()
    yield from right.rows(NAME, outcome)
    error_px = sample.position_error_px * 1.1774  # the median of a Rayleigh distribution
    wanted = (
        Wanted("object_ssim", goal=outcome.figures["object_ssim"] - _SSIM_LOSS),
        Wanted("distance_error", 0.1 * sample.distance_error, 0.01),
        Wanted("position_error_px", 0.1 * error_px, 0.3),
    )
    wrong = Trial(name, sample, {}, wanted, "refine-all")
    yield from wrong.rows(NAME, wrong.run())
