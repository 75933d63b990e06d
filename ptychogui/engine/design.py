"""Designing a target: the field whose diffraction some distance on is a wanted picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from ptychogui.geometry import Geometry
from ptychogui.params import ESSENTIAL, Count, InputError, Length, NonNegative, Params, Positive
from ptychogui.types import Complex, Real

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

_CHECK = 10
_STEPS = {"gd": 0.2, "adam": 0.1, "lbfgs": 1.0}


class Design(Params):
    """The field behind a mask or a light modulator whose intensity at the target's plane is a given picture.

    CLDeng02, "Ptychography-imaging-Gradient-descent" (GitHub): gradient descent through the angular spectrum, with
    periodic borders. Adam and L-BFGS get further in as many iterations.
    """

    free: Annotated[Literal["amplitude", "phase", "both"], ESSENTIAL] = "amplitude"
    """What the field may change: its amplitude (a grey mask), its phase (a light modulator), or both."""
    solver: Annotated[Literal["lbfgs", "adam", "gd"], ESSENTIAL] = "lbfgs"
    """L-BFGS with a line search gets closest; Adam is cheaper for each iteration; gd is the paper's plain descent."""
    iterations: Annotated[Count, ESSENTIAL] = 30
    """How often the field is improved."""
    least_gain_dB: NonNegative = 0.0
    """Stop when ten iterations improve the picture by less than this many dB of PSNR; 0: never."""
    step: Positive | None = None
    """How far one iteration goes. Unset: 0.2 for gd, as in the paper, 0.1 for Adam, 1 for L-BFGS."""
    wavelength_m: Annotated[Length, ESSENTIAL] = 532e-9
    """Wavelength."""
    distance_m: Annotated[Length, ESSENTIAL] = 0.05
    """Distance from the field to the target's plane."""
    pixel_m: Annotated[Length, ESSENTIAL] = 4e-6
    """Size of a pixel, of the field and of the target."""


@dataclass(frozen=True)
class Iteration:
    """A design on its way: `field` (ny, nx), the `picture` (ny, nx) that it makes, and the PSNR after each iteration.

    PSNR is 10 log₁₀(1 / mean square error) in dB, for a target whose lightest pixel is 1.
    """

    number: int
    field: Complex
    picture: Real
    psnr_dB: tuple[float, ...]


def design(params: Design, target: Real) -> Generator[Iteration, None, None]:
    """Improve the field for a target (ny, nx) of intensities from 0 to 1; yields the flat start and every iteration.

    `close` stops it. Raises `InputError` where the target is no such picture.
    """
    import torch

    if target.ndim != 2 or not np.isfinite(target).all() or target.min() < 0 or not target.max() > 0:
        raise InputError("The target has to be a picture (ny, nx) of finite greys from 0 on that is not all black.")
    wanted = torch.from_numpy(np.asarray(target / target.max(), np.float32)).sqrt()
    forward = _propagation(params, wanted)
    unknown, field_of = _unknown(params, wanted)
    improve = _improvement(params, unknown, lambda: (forward(field_of(unknown)).abs() - wanted).square().sum())
    curve: list[float] = []
    for number in range(params.iterations + 1):
        if number:
            improve()
        with torch.no_grad():
            field = field_of(unknown.detach())
            picture = forward(field).abs().square()
        curve.append(-10 * math.log10(max(float((picture - wanted.square()).square().mean()), 1e-30)))
        yield Iteration(number, field.numpy().astype(np.complex64), picture.numpy(), tuple(curve))
        if params.least_gain_dB and number > _CHECK and curve[-1] - curve[-1 - _CHECK] < params.least_gain_dB:
            return


def _propagation(params: Design, wanted: Tensor) -> Callable[[Tensor], Tensor]:
    """The angular spectrum from the field to the target."""
    import torch

    from ptychogui.engine.optics import propagator

    shape, pixel_m = (wanted.shape[0], wanted.shape[1]), (params.pixel_m, params.pixel_m)
    geometry = Geometry(shape, params.wavelength_m, params.distance_m, pixel_m, field="near")
    optics = propagator(geometry, shape, wanted.device, torch.complex64)
    return lambda field: optics.forward(field, None)


def _unknown(params: Design, wanted: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """What is sought, as flat as it can begin, and how the field follows from it.

    All are scaled so that a step of one in the gradient ∂L/∂z* of the amplitude loss is the modulus projection's.
    """
    import torch

    level = float(wanted.square().mean().sqrt())
    if params.free == "phase":
        start = torch.zeros_like(wanted)
        return start, lambda u: torch.polar(torch.full_like(u, level), u / level)
    if params.free == "amplitude":  # a square is never negative, and smooth where it is nothing
        start = torch.full_like(wanted, 2 * level)
        return start, lambda u: (u.square() / (4 * level)).to(torch.complex64)
    return torch.full_like(wanted, level, dtype=torch.complex64), lambda u: u


def _improvement(params: Design, unknown: Tensor, loss: Callable[[], Tensor]) -> Callable[[], None]:
    """One iteration of the solver; it moves `unknown` in place."""
    import torch

    solver = _optimiser(params, unknown.requires_grad_())

    def slope() -> float:
        solver.zero_grad()
        value = loss()
        torch.autograd.backward(value)
        return float(value.detach())

    def improve() -> None:
        solver.step(slope)

    return improve


def _optimiser(params: Design, unknown: Tensor) -> Optimizer:
    import torch

    step = params.step or _STEPS[params.solver]
    if params.solver == "lbfgs":
        # one iteration a call: what it has learnt of the curvature is kept from call to call
        return torch.optim.LBFGS([unknown], lr=step, max_iter=1, history_size=20, line_search_fn="strong_wolfe")
    if params.solver == "adam":
        return torch.optim.Adam([unknown], lr=step)
    return torch.optim.SGD([unknown], lr=step / 2)  # torch's gradient of a real loss is twice ∂L/∂z*
