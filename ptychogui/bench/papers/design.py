"""Designing a target: the PSNR of each solver after the paper's 30 iterations and at convergence."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from ptychogui.bench.papers.trial import Row, Setting
from ptychogui.engine.design import Design, design
from ptychogui.engine.simulate import photographs

NAME = "design"

_PAPER_ITERATIONS = 30


def rows(setting: Setting) -> Iterator[Row]:
    """Amplitude, phase or both free; the goal of Adam and L-BFGS is to beat the paper's descent."""
    shape = (512, 512) if setting.full else (96, 96)
    images = setting.pair("peppers.bmp", "peppers.bmp")
    target = photographs.greys(images, shape, np.random.default_rng(0))[0].astype(np.float32)
    for free in ("amplitude", "phase", "both"):
        least: dict[str, float] = {}
        for solver in ("gd", "adam", "lbfgs"):
            params = Design.read(
                {"solver": solver, "free": free, "iterations": 1000 if setting.full else 100, "least_gain_dB": 0.05}
            )
            begun, seconds = time.perf_counter(), 0.0
            for done in design(params, target):
                if done.number <= _PAPER_ITERATIONS:
                    seconds = time.perf_counter() - begun
            curve = tuple({"epoch": float(k), "psnr_dB": value} for k, value in enumerate(done.psnr_dB))
            early = min(_PAPER_ITERATIONS, done.number)
            for quantity, number, took in (
                ("psnr_dB after 30", early, seconds),
                ("psnr_dB at convergence", done.number, time.perf_counter() - begun),
            ):
                goal, ours = least.get(quantity), done.psnr_dB[number]
                yield Row(NAME, f"{solver}, {free}", quantity, None, goal, ours, number, took, curve)
                least.setdefault(quantity, ours)
