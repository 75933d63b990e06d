"""A regular raster cannot tell an object from one with the raster's period in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from ptychogui.params import LIVE, Params

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State

_OFF_PX = 0.02
"""How far a position may lie from its place on a raster that is called regular."""
_REFERENCES = 4
"""Frames whose distances to all others are looked at: from any frame of a raster both its directions are seen."""
_MOST = 150
"""Harmonics of the raster's period for which their mix is solved in one go,"""
_CELLS = 64
"""if the scan covers so many periods."""
_FEWEST = 6
"""Periods along each side of the part of the object that is looked at, below which too few are seen to tell them."""
_WIDEST_PX = 192
"""The side of that part,"""
_WIDEST = 8
"""or so many periods, where that is more."""
_STEPS = 6
"""Conjugate gradients in one epoch, where the mix is not solved in one go; the next epoch goes on from there."""
_EDGE = 0.02
"""The step between neighbours, as a part of the mean one, below which all count alike."""
_FLAT = 1e-6
"""The mean step below which an object has no structure."""
_LEAST = 0.3
"""The smallest part of its mean that the factor may reach; it is near 1, or it is not what it was taken for."""


class RasterPathology(Params):
    """Take the scan's period out of the object, where the frames lie on a regular raster. Such a scan cannot tell a
    periodic factor of the object from one of the probe, and every solver leaves some in both; of all objects that
    explain the frames equally well, the one of least total variation is taken: with air around the object it is the
    true one, and of six periods of a textured object right to some three percent. Other scans are left alone.

    Thibault et al., Ultramicroscopy 109, 338 (2009), describe the ambiguity.
    """

    enabled: Annotated[bool, LIVE] = True
    """Whether it is imposed after every epoch. Off, nothing but the data says how it has to be."""

    def apply(self, problem: Problem, state: State) -> None:
        """Multiply the object by the periodic factor that makes it smoothest, and divide the probe by it."""
        import torch

        basis = lattice(state.nominal_px)
        if basis is None:
            return
        orders, part = _orders(basis), _scanned(state, basis)
        mix = _found(state.obj[0, part[0][:, None], part[1]].to("cpu", torch.complex64), basis, orders, part)
        if mix is None:
            return
        frequency = _frequencies(orders, basis)
        begin = state.nominal_px[0].cpu()
        window = _Waves.on(frequency, *(begin[k] + torch.arange(n) for k, n in enumerate(state.window))).sum(mix)
        whole = _Waves.on(frequency, *(torch.arange(n) for n in state.obj.shape[1:])).sum(mix)
        scale = window.mean()
        if float(window.abs().min()) > _LEAST * float(scale.abs()):
            state.obj = state.obj * (whole / scale).to(state.obj)
            state.probe = state.probe * (scale / window).to(state.probe)


def lattice(position_px: Tensor) -> Tensor | None:
    """The basis (2, 2), one vector a row, of the raster of positions (N, 2) in pixels; None where there is none."""
    import torch

    places = position_px.cpu() - position_px[0].cpu()
    between = (places[None] - places[:_REFERENCES, None]).reshape(-1, 2)
    between = between[between.norm(dim=1) > 0.5]
    first, second = _shortest(between), None
    if first is not None:
        across = (between[:, 0] * first[1] - between[:, 1] * first[0]).abs() > 0.3 * between.norm(dim=1) * first.norm()
        second = _shortest(between[across])
    if first is None or second is None:
        return None
    basis = torch.stack([first, second])
    for _ in range(2):
        steps = torch.round(places @ torch.linalg.inv(basis))
        basis = torch.linalg.lstsq(steps, places).solution
    return basis if float((places - steps @ basis).abs().max()) < _OFF_PX else None


def _shortest(vectors: Tensor) -> Tensor | None:
    return vectors[vectors.norm(dim=1).argmin()] if len(vectors) else None


def _scanned(state: State, basis: Tensor) -> tuple[Tensor, Tensor]:
    """The rows and columns of the middle of the scan, on which frames are centred, with an eighth of a frame around."""
    import torch

    lines = []
    for axis, (n, period) in enumerate(zip(state.window, basis.abs().amax(0).tolist(), strict=True)):
        first, last = (int(v) + n // 2 for v in torch.aminmax(state.corner[:, axis]))
        middle, half = (first + last) // 2, min(last - first + n // 4, max(_WIDEST_PX, round(_WIDEST * period))) // 2
        lines.append(torch.arange(middle - half, middle + half))
    return lines[0], lines[1]


def _orders(basis: Tensor) -> Tensor:
    """The harmonics (K, 2) of a lattice's period whose frequencies are within Nyquist's."""
    import torch

    most = int(basis.abs().sum(1).max() // 2) + 1
    every = torch.cartesian_prod(*[torch.arange(-most, most + 1)] * 2)
    frequency = _frequencies(every, basis)
    return every[((frequency > -0.5 - 1e-6) & (frequency < 0.5 - 1e-6)).all(1)]


def _frequencies(orders: Tensor, basis: Tensor) -> Tensor:
    """The frequencies (K, 2) per pixel of harmonics."""
    import torch

    frequency: Tensor = orders.double() @ torch.linalg.inv(basis).mT
    return frequency


@dataclass(frozen=True)
class _Waves:
    """exp(2πi f·r) of the frequencies (K, 2) on some pixels: `rows[which[k]]` (ny,) times `columns[k]` (nx,)."""

    rows: Tensor
    which: Tensor
    columns: Tensor

    @classmethod
    def on(cls, frequency: Tensor, y: Tensor, x: Tensor) -> _Waves:
        """The waves on rows and columns."""
        import torch

        lines, which = [], []
        for axis, line in enumerate((y, x)):
            # the harmonics of a raster along rows and columns share their few frequencies along each
            few, place = torch.unique((frequency[:, axis] * 1e9).round(), return_inverse=True)
            turns = 2e-9 * torch.pi * few[:, None] * line
            lines.append(torch.polar(torch.ones_like(turns), turns).to(torch.complex64))
            which.append(place)
        return cls(lines[0], which[0], lines[1][which[1]])

    def sum(self, mix: Tensor) -> Tensor:
        """The mix (K,) of all waves, (ny, nx)."""
        gathered = self.columns.new_zeros(len(self.rows), self.columns.shape[1])
        total: Tensor = self.rows.mT @ gathered.index_add_(0, self.which, mix[:, None] * self.columns)
        return total

    def parts(self, values: Tensor) -> Tensor:
        """The inner products (K,) of the waves with values on the first of these pixels: the adjoint of `sum`."""
        ny, nx = values.shape
        products: Tensor = ((self.rows[:, :ny].conj() @ values)[self.which] * self.columns[:, :nx].conj()).sum(1)
        return products


def _found(obj: Tensor, basis: Tensor, orders: Tensor, part: tuple[Tensor, Tensor]) -> Tensor | None:
    """The mix (K,) of harmonics to multiply the object (ny, nx) by; None where nothing can be told."""
    if 1 < len(orders) <= _MOST and obj.numel() >= _CELLS * len(orders):
        return _smoothest(obj, basis, orders, part)
    periods = min(n / period for n, period in zip(obj.shape, basis.abs().amax(0).tolist(), strict=True))
    return _smoother(obj, basis, orders, part) if len(orders) > 1 and periods >= _FEWEST else None


@lru_cache(maxsize=4)
def _differences(orders: tuple[tuple[int, int], ...]) -> tuple[Tensor, Tensor]:
    """The different differences (D, 2) of K orders, and which of them (K²,) each pair has."""
    import torch

    each = torch.tensor(orders)
    different, place = torch.unique((each[None] - each[:, None]).reshape(-1, 2), dim=0, return_inverse=True)
    return different, place


def _smoothest(obj: Tensor, basis: Tensor, orders: Tensor, part: tuple[Tensor, Tensor]) -> Tensor | None:
    """The mix (K,) of harmonics that makes the object (ny, nx) smoothest for its size; None of nothing.

    Steps between neighbours count by their length, as in the total variation: the weights are those of the object as it
    is, so that this converges when it is applied again and again (iteratively reweighted least squares). Both forms are
    made of the spectra of a few maps at the differences of the harmonics.
    """
    import torch

    differences, place = _differences(tuple((y, x) for y, x in orders.tolist()))
    waves = _Waves.on(_frequencies(differences, basis), *part)

    def form(values: Tensor) -> Tensor:
        spectrum = waves.parts(values.to(obj.dtype).conj()).conj()
        return spectrum[place].reshape(len(orders), len(orders)).to(torch.complex128)

    size, rough = form(obj.abs().square()), torch.zeros((), dtype=torch.complex128)
    frequency = _frequencies(orders, basis)
    for axis in (0, 1):
        here, there = (obj.narrow(axis, k, obj.shape[axis] - 1) for k in (0, 1))
        step = (there - here).abs()
        weight = 1 / (step + _EDGE * step.mean())
        turn = torch.exp(2j * torch.pi * frequency[:, axis])
        cross = turn[None] * form(weight * here.conj() * there)
        rough = rough + form(weight * here.abs().square()) - cross - cross.mH
        rough = rough + turn.conj()[:, None] * turn * form(weight * there.abs().square())
    root, broken = torch.linalg.cholesky_ex(size)
    if int(broken):
        return None
    inverse = torch.linalg.inv(root)
    _, vectors = torch.linalg.eigh(inverse @ rough @ inverse.mH)
    mix: Tensor = (inverse.mH @ vectors[:, 0]).to(obj.dtype)
    return mix


def _smoother(obj: Tensor, basis: Tensor, orders: Tensor, part: tuple[Tensor, Tensor]) -> Tensor:
    """The same of harmonics so many that no matrix of them is made, with the constant one kept at 1, by which it is a
    linear problem: a few conjugate gradients, preconditioned by the roughness that the waves have on a flat object.
    """
    import torch

    frequency = _frequencies(orders, basis)
    waves, constant = _Waves.on(frequency, *part), int(orders.abs().sum(1).argmin())
    weights = [1 / (step.abs() + _EDGE * step.abs().mean().clamp_min(_FLAT)) for step in _steps(obj)]
    stiffness = sum((w * o.abs().square()).sum() for w, o in zip(weights, (obj[1:], obj[:, 1:]), strict=True)) / 2
    flat = (stiffness * (2 - 2 * torch.cos(2 * torch.pi * frequency)).sum(1)).to(obj.dtype)
    flat[constant] = 1.0

    def slope(wave: Tensor) -> Tensor:
        """What the roughness of a wave (ny, nx) behind the object changes by with each harmonic."""
        rough = torch.zeros_like(obj)
        down, right = (w * step for w, step in zip(weights, _steps(wave), strict=True))
        rough[1:] += down
        rough[:-1] -= down
        rough[:, 1:] += right
        rough[:, :-1] -= right
        change = waves.parts(obj.conj() * rough)
        change[constant] = 0.0
        return change

    mix, rest = torch.zeros_like(flat), -slope(obj)
    mix[constant] = 1.0
    direction = rest / flat
    size, tiny = torch.vdot(rest, direction).real, torch.finfo(torch.float32).tiny
    for _ in range(_STEPS):
        curved = slope(obj * waves.sum(direction))
        length = size / torch.vdot(direction, curved).real.clamp_min(tiny)
        mix, rest = mix + length * direction, rest - length * curved
        before, size = size, torch.vdot(rest, rest / flat).real
        direction = rest / flat + size / before.clamp_min(tiny) * direction
    return mix


def _steps(values: Tensor) -> tuple[Tensor, Tensor]:
    """The differences of neighbours along y and x."""
    return values[1:] - values[:-1], values[:, 1:] - values[:, :-1]
