"""The tables of PtychoNet, one function each."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from ptychogui.bench.papers import thinned
from ptychogui.bench.papers.begun import Known, Sample
from ptychogui.bench.papers.ptychonet import NAME
from ptychogui.bench.papers.starts import LIT, Table
from ptychogui.bench.papers.trial import Row, Setting
from ptychogui.engine.learn.card import Card
from ptychogui.engine.learn.guess import picture
from ptychogui.engine.learn.shipped import load, shipped
from ptychogui.engine.simulate import photographs
from ptychogui.engine.simulate.objects import cells
from ptychogui.engine.simulate.ptychonet import PtychoNetFermat, PtychoNetGrid, PtychoNetMesh
from ptychogui.engine.simulate.recipe import Scene
from ptychogui.engine.solvers.base import Solver
from ptychogui.engine.solvers.dm import DM
from ptychogui.engine.solvers.epie import EPIE
from ptychogui.engine.solvers.lbfgs import LBFGS

_log = logging.getLogger(__name__)

_STEPS_PX = (20, 40, 60)
_HALF = 0.5
_WHOLE = ("amplitude_nrmse", "phase_nrmse")
_GRID = (*_WHOLE, *LIT, "psnr_dB", "ssim")
_DISCS = ("psnr_dB", "ssim", "lit_psnr_dB", "lit_ssim", *LIT)
_ROUNDS = 3

Pair = tuple[float, float]
_PAPER_GRID: dict[tuple[str, str], dict[int, Pair]] = {
    ("ptychonet", "mse"): {20: (0.0977, 0.2926), 40: (0.0846, 0.2536), 60: (0.0770, 0.2323)},
    ("ptychonet", "dse"): {20: (0.1003, 0.3018), 40: (0.0887, 0.2642), 60: (0.0780, 0.2352)},
    ("ptychonet-plus", "mse"): {40: (0.0908, 0.2745), 60: (0.0798, 0.2412)},
}
"""NRMSE of amplitude and phase over the whole object, by network, loss and step."""
_PAPER_HYBRID: dict[int, Pair] = {40: (0.0909, 0.2736), 60: (0.0796, 0.2396)}
_PAPER_FERMAT: dict[str, Pair] = {"mse": (15.60, 0.7496), "dse": (14.55, 0.7154), "dm": (14.39, 0.8864)}
_PAPER_MESH: dict[str, Pair] = {"mse": (15.61, 0.7228), "dm": (9.507, 0.1633)}
"""Mean PSNR and SSIM."""


@dataclass(frozen=True)
class Size:
    """How large the tables are made: objects of each, the epochs as a part of the papers', and the side of a pattern,
    on which all other lengths in pixels depend."""

    objects: int
    share: float
    side: int = 128

    @property
    def scale(self) -> float:
        """Our pixels in one of the papers'."""
        return self.side / 128

    def epochs(self, number: int) -> int:
        """So many epochs of the papers, here."""
        return max(1, round(number * self.share))

    @property
    def solvers(self) -> dict[str, tuple[Solver, ...]]:
        """100 epochs of the difference map, of the same with L-BFGS at the end, and of ePIE as in the report."""
        first, last = self.epochs(80), self.epochs(20)
        both = DM(epochs=first), LBFGS(epochs=last)
        return {"dm": (DM(epochs=first + last),), "dm+lbfgs": both, "epie": (_epie(first + last),)}

    @property
    def long(self) -> dict[str, tuple[Solver, ...]]:
        """300 epochs of the difference map, as in the paper, and of the same with L-BFGS at the end."""
        first, last = self.epochs(280), self.epochs(20)
        return {"dm": (DM(epochs=first + last),), "dm+lbfgs": (DM(epochs=first), LBFGS(epochs=last))}


FULL, SMALL = Size(20, 1.0), Size(3, 0.2)


class Cells(PtychoNetGrid):
    """The grid over cells made by formula instead of photographs."""

    def measured(
        self,
        probe: NDArray[np.complex128],
        positions_px: NDArray[np.float64],
        extent_px: tuple[int, int],
        rng: Generator,
    ) -> Scene:
        """Cells and their nuclei, which are darker than what is around them, over `extent_px` (Y, X) pixels."""
        scene = super().measured(probe, positions_px, extent_px, rng)
        y, x = (np.arange(n, dtype=np.float64) - n // 2 for n in extent_px)
        bodies, grains = cells(y[:, None], x[None, :], max(extent_px) / 2, rng)
        greys = (1 - bodies / bodies.max(), 1 - (bodies + grains) / (bodies + grains).max())
        shown = photographs.transmission(greys, self.amplitude, self.phase_rad)
        return replace(scene, obj=photographs.on_canvas(shown, 1.0))


def rows(setting: Setting) -> Iterator[Row]:
    """Section 5, section 4, other kinds of images, the time of a network's pass, and a real scan that is thinned.

    The networks are those of `--weights`, or else those that come with the program; each table has those that may be
    given its probe. Runs of one table have the same known probe and the same epochs; figures are means over objects.
    """
    size = FULL if setting.full else SMALL
    weights = setting.weights or tuple(shipped())
    if not weights:
        _log.warning("No network comes with the program: name some by --weights for their rows of 'ptychonet'.")
    for step in _STEPS_PX:
        yield from grid(setting, size, weights, step)
    yield from fermat(setting, size, weights)
    yield from mesh(setting, size, weights)
    yield from transfer(setting, size, weights)
    yield from passes(setting, size, weights)
    yield from thinned.rows(setting, weights)


def grid(setting: Setting, size: Size, weights: Sequence[str], step: int) -> Iterator[Row]:
    """Section 5 at one step: over the lit part, at most half the error of the network and of the flat start."""
    samples = [_grid_sample(size, step, images, seed) for seed, images in enumerate(setting.tested(size.objects))]
    paper = partial(_paper_grid, step)
    yield from Table(f"{step} px", samples, weights, size.solvers, _GRID, _HALF, paper).rows(setting)


def fermat(setting: Setting, size: Size, weights: Sequence[str]) -> Iterator[Row]:
    """Section 4: networks, and the difference map from numbers by chance; on a quarter of the objects, for its time."""
    samples = [
        _of_discs(PtychoNetFermat(object_images=images, seed=seed), size)
        for seed, images in enumerate(setting.tested(max(1, size.objects // 4)))
    ]
    paper, solvers = partial(_paper_discs, _PAPER_FERMAT), {"dm": size.long["dm"]}
    yield from Table("fermat", samples, weights, solvers, _DISCS, None, paper, starts=("random",)).rows(setting)


def mesh(setting: Setting, size: Size, weights: Sequence[str]) -> Iterator[Row]:
    """Section 4 with little overlap: a lower error than the network alone and than the flat start."""
    samples = []
    for seed, images in enumerate(setting.tested(size.objects)):
        plain = PtychoNetMesh(object_images=images, seed=seed)
        samples.append(_of_discs(plain.with_value("step_px", plain.step_px * size.scale), size))
    paper = partial(_paper_discs, _PAPER_MESH)
    yield from Table("mesh", samples, weights, size.long, _DISCS, 1.0, paper).rows(setting)


def transfer(setting: Setting, size: Size, weights: Sequence[str]) -> Iterator[Row]:
    """Images of another kind with the same weights, at 40 px: the papers' photographs, and cells made by formula."""
    solvers = {"dm+lbfgs": size.solvers["dm+lbfgs"]}
    images = setting.standard(size.objects)
    made = [Cells.read(_grid_sample(size, 40, None, seed).plain()) for seed in range(size.objects)]
    kinds: dict[str, Sequence[Sample]] = {"cells, 40 px": made}
    if images:
        kinds["standard, 40 px"] = [_grid_sample(size, 40, pair, seed) for seed, pair in enumerate(images)]
    for name, samples in kinds.items():
        yield from Table(name, samples, weights, solvers, _GRID, _HALF, starts=("flat",)).rows(setting)


def passes(setting: Setting, size: Size, weights: Sequence[str]) -> Iterator[Row]:
    """The time of a network's whole pass over the paper's 354 patterns as a part of an epoch of ePIE, frame by frame;
    the middle of three of each, in turn."""
    known = Known(_of_discs(PtychoNetFermat(object_images=setting.tested(1)[0]), size))
    epoch = known.plan((_epie(1),))
    for name in weights:
        held, ratios, spent = load(name), [], 0.0
        if held.card.network.pixels > size.side:
            continue
        for _ in range(_ROUNDS):
            begun = time.perf_counter()
            with torch.no_grad():
                picture(known.problem, known.flat, held).abs().max().item()
            spent = time.perf_counter() - begun
            ratios.append(spent / known.follow(known.flat, epoch.stages).seconds)
        ours = float(np.median(ratios))
        yield Row(NAME, f"{Path(name).stem}, 354 frames", "time / ePIE's epoch", None, 1.0, ours, 0, spent)


def _epie(epochs: int) -> EPIE:
    """As in the papers: frame by frame, with steps that stay."""
    return EPIE(epochs=epochs, batch=1, final_step=1.0)


def _grid_sample(size: Size, step: int, images: tuple[str, str] | None, seed: int) -> PtychoNetGrid:
    shape = (size.side, size.side)
    plain = PtychoNetGrid(object_images=images, seed=seed, shape=shape, step_px=step * size.scale)
    return plain.with_value("sigma_px", plain.sigma_px * size.scale)


def _of_discs(sample: Any, size: Size) -> Any:
    """A sample of section 4, its lengths in pixels by the size of the patterns."""
    scale = size.scale
    sample = sample.with_value("shape", (size.side, size.side)).with_value("diameter_px", sample.diameter_px * scale)
    return sample.with_value("object_shape", tuple(round(n * scale) for n in sample.object_shape))


def _paper_grid(step: int, solver: str, start: str, card: Card | None) -> dict[str, float]:
    if card is None:
        return {}
    alone = _PAPER_GRID.get((card.network.kind, card.training.loss), _PAPER_GRID["ptychonet", "mse"])
    return dict(zip(_WHOLE, (_PAPER_HYBRID if solver else alone).get(step, ())))


def _paper_discs(table: Mapping[str, Pair], solver: str, start: str, card: Card | None) -> dict[str, float]:
    """The paper's difference map begins by chance, and that which begins with a network has no figures there."""
    if card is None:
        figures = table.get(solver, ()) if start == "random" else ()
    else:
        figures = () if solver else table.get(card.training.loss, ())
    return dict(zip(("psnr_dB", "ssim"), figures))
