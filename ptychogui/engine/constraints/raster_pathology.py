"""A regular raster cannot tell an object from one with the raster's period in it."""

from __future__ import annotations

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
"""Harmonics of the raster's period above which there are too few periods in any object to tell them."""
_CELLS = 64
"""Periods that the scan has to cover."""
_WIDEST_PX = 192
"""The side of the part of the object that is looked at."""
_EDGE = 0.02
"""The step between neighbours, as a part of the mean one, below which all count alike."""
_LEAST = 0.3
"""The smallest part of its mean that the factor may reach; it is near 1, or it is not what it was taken for."""


class RasterPathology(Params):
    """Take the scan's period out of the object, where the frames lie on a regular raster. Such a scan cannot tell a
    periodic factor of the object from one of the probe, and every solver leaves some in both; of all objects that
    explain the frames equally well, the one of least total variation is taken. Other scans are left alone.

    Thibault et al., Ultramicroscopy 109, 338 (2009), describe the ambiguity.
    """

    enabled: Annotated[bool, LIVE] = True
    """Whether it is imposed after every epoch. Off, nothing but the data says how it has to be."""

    def apply(self, problem: Problem, state: State) -> None:
        """Multiply the object by the periodic factor that makes it smoothest, and divide the probe by it."""
        import torch

        basis = lattice(state.nominal_px)
        part = _scanned(state)
        orders = None if basis is None else _orders(basis)
        cells = part[0].numel() * part[1].numel()
        if basis is None or orders is None or not 1 < len(orders) <= _MOST or cells < _CELLS * len(orders):
            return
        mix = _smoothest(state.obj[0, part[0][:, None], part[1]].to("cpu", torch.complex64), basis, orders, part)
        if mix is None:
            return
        frequency = _frequencies(orders, basis)
        begin = state.nominal_px[0].cpu()
        window = _factor(mix, frequency, *(begin[k] + torch.arange(n) for k, n in enumerate(state.window)))
        whole = _factor(mix, frequency, *(torch.arange(n) for n in state.obj.shape[1:]))
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


def _scanned(state: State) -> tuple[Tensor, Tensor]:
    """The rows and columns of the middle of the scan, on which frames are centred, with an eighth of a frame around."""
    import torch

    lines = []
    for axis, n in enumerate(state.window):
        first, last = (int(v) + n // 2 for v in torch.aminmax(state.corner[:, axis]))
        middle, half = (first + last) // 2, min(last - first + n // 4, _WIDEST_PX) // 2
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


def _waves(frequency: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """exp(2πi f·r) of the frequencies (K, 2) as factors (K, len(y)) and (K, len(x))."""
    import torch

    turns = frequency[:, :1] * y, frequency[:, 1:] * x
    rows, columns = (torch.polar(torch.ones_like(t), 2 * torch.pi * t).to(torch.complex64) for t in turns)
    return rows, columns


def _factor(mix: Tensor, frequency: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The mix (K,) of all waves, (len(y), len(x))."""
    rows, columns = _waves(frequency, y, x)
    factor: Tensor = (mix[:, None] * rows).mT @ columns
    return factor


def _smoothest(obj: Tensor, basis: Tensor, orders: Tensor, part: tuple[Tensor, Tensor]) -> Tensor | None:
    """The mix (K,) of harmonics that makes the object (ny, nx) smoothest for its size; None of nothing.

    Steps between neighbours count by their length, as in the total variation: the weights are those of the object as it
    is, so that this converges when it is applied again and again (iteratively reweighted least squares). Both forms are
    made of the spectra of a few maps at the differences of the harmonics.
    """
    import torch

    differences, place = torch.unique((orders[None] - orders[:, None]).reshape(-1, 2), dim=0, return_inverse=True)
    rows, columns = _waves(_frequencies(differences, basis), *part)

    def form(values: Tensor) -> Tensor:
        ny, nx = values.shape
        spectrum = (rows[:, :ny] @ values.to(rows.dtype) * columns[:, :nx]).sum(1)
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
