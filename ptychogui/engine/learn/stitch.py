"""The constant phases of patches, which no pattern tells, from how they overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from scipy.spatial import cKDTree
from torch import Tensor

from ptychogui.engine.learn.scans import Scans

_TOLERANCE = 1e-3
_ROUNDS = 100
_FEW = 16
"""Patches for which the whole matrix is cheaper than a search."""
_TOUCHING = 0.01
"""The light that two patches share, as a part of what two in one place share, from which on they can be compared."""

Vector = NDArray[np.complex128]


def in_step(patches: Tensor, scans: Scans) -> Tensor:
    """Patches (B, N, n, n) turned by constant phases so that they agree best where they overlap.

    The turns v maximise Σ |Σⱼ |P|² vⱼ pⱼ|² / Σⱼ |P|² over the object: the first eigenvector of how much the patches
    agree (Singer, Appl. Comput. Harmon. Anal. 30, 20 (2011)), of which the phases are taken. Groups of patches that
    share no light are turned each by themselves, so that one keeps its phase against the others.
    """
    patches = patches.clone()
    for group in _groups(scans):
        alone = replace(scans, corner=scans.corner[group])
        for scan in range(len(patches)):
            patches[scan, group] *= _turns(patches[scan : scan + 1, group], alone)[:, None, None]
    return patches


def _groups(scans: Scans) -> Iterator[Tensor]:
    """The places of the patches in every group of at least two whose light hangs together."""
    ny, nx = scans.light.shape
    spectrum = torch.fft.fft2(scans.light, s=(2 * ny, 2 * nx))
    shared = torch.fft.ifft2(spectrum.abs().square()).real.cpu().numpy()
    corner = scans.corner.cpu().numpy()
    one, other = cKDTree(corner / (ny, nx)).query_pairs(1, p=np.inf, output_type="ndarray").T
    dy, dx = (corner[one] - corner[other]).T
    touching = shared[dy, dx] > _TOUCHING * shared[0, 0]
    pairs = coo_array((touching[touching], (one[touching], other[touching])), (len(corner), len(corner)))
    count, label = connected_components(pairs, directed=False)
    for group in range(count):
        (places,) = np.nonzero(label == group)
        if len(places) > 1:
            yield torch.from_numpy(places).to(scans.corner.device)


def _turns(patches: Tensor, scans: Scans) -> Tensor:
    """The turns (N,) of the patches (1, N, n, n) of one group."""
    power = (patches.abs().square() * scans.light).sum((-2, -1))[0].clamp_min(1e-12).sqrt()

    def agreement(vector: Vector) -> Vector:
        turns = torch.from_numpy(np.asarray(vector).reshape(-1)).to(patches) / power
        seen = scans.seen(scans.average(patches * turns[:, None, None]))
        told = (patches.conj() * seen * scans.light).sum((-2, -1))[0] / power
        return np.asarray(told.cpu().numpy(), np.complex128)

    start = np.asarray(power.cpu().numpy(), np.complex128)
    found = _first(agreement, start)
    turn = found * np.exp(-1j * np.angle(np.vdot(start, found)))
    return torch.from_numpy(np.exp(1j * np.angle(turn))).to(patches)


def _first(matrix: Callable[[Vector], Vector], start: Vector) -> Vector:
    """The first eigenvector (N,) of a Hermitian matrix; where several have its eigenvalue, that nearest to `start`."""
    count = len(start)
    if count <= _FEW:
        values, vectors = np.linalg.eigh(np.stack([matrix(column) for column in np.eye(count, dtype=complex)], axis=1))
        top = vectors[:, values > values[-1] - _TOLERANCE]
        return np.asarray(top @ (top.conj().T @ start))
    operator = LinearOperator((count, count), matvec=matrix, dtype=np.complex128)
    try:
        _, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=_TOLERANCE, maxiter=_ROUNDS)
    except ArpackNoConvergence as error:  # the phases as they are serve as well as any
        vectors = error.eigenvectors
    return np.asarray(vectors[:, 0]) if vectors.shape[1] else start
