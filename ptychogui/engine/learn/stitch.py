"""The constant phases of patches, which no pattern tells, from how they overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, eigsh
from scipy.spatial import cKDTree
from torch import Tensor

from ptychogui.engine.learn.scans import Scans

_ROUNDS = 3000
_FEW = 16
"""Patches of which the whole matrix is cheaper than a search."""
_TOUCHING = 0.01
"""The light that two patches share, as a part of what two in one place share, from which on they can be compared."""

Vector = NDArray[np.complex128]
Places = NDArray[np.int64]


def in_step(patches: Tensor, scans: Scans) -> Tensor:
    """Patches (B, N, n, n) turned by constant phases so that they agree best where they overlap.

    The turns v maximise Σ |Σⱼ |P|² vⱼ pⱼ|² / Σⱼ |P|² over the object: the first eigenvector of how much the patches
    agree (Singer, Appl. Comput. Harmon. Anal. 30, 20 (2011)), of which the phases are taken. Groups of patches that
    share no light are turned each by themselves, so that one keeps its phase against the others.
    """
    pairs = _Pairs.of(scans)
    weight = scans.light / scans.seen(scans.illumination[None])[0].clamp_min(1e-12).sqrt()
    power = (patches.abs().square() * scans.light).sum((-2, -1)).clamp_min(1e-12).sqrt()
    turns = [
        _turns(pairs, np.asarray((patch * weight).cpu().numpy()), np.asarray(size.cpu().numpy(), np.float64))
        for patch, size in zip(patches, power)
    ]
    return patches * torch.from_numpy(np.stack(turns)).to(patches)[..., None, None]


@dataclass(frozen=True)
class _Pairs:
    """Pairs of patches that share light, by their places, the corner of the second in the first, and the group (N,)
    of patches that hang together in which each patch is."""

    one: Places
    other: Places
    away: Places
    group: Places

    @classmethod
    def of(cls, scans: Scans) -> _Pairs:
        """The pairs of a scan."""
        light = scans.light if scans.light.ndim == 2 else scans.light.mean(0)
        ny, nx = light.shape
        spectrum = torch.fft.fft2(light, s=(2 * ny, 2 * nx))
        shared = torch.fft.ifft2(spectrum.abs().square()).real.cpu().numpy()
        corner = scans.corner.cpu().numpy()
        one, other = cKDTree(corner / (ny, nx)).query_pairs(1, p=np.inf, output_type="ndarray").T
        away = corner[other] - corner[one]
        touching = shared[away[:, 0], away[:, 1]] > _TOUCHING * shared[0, 0]
        one, other, away = one[touching], other[touching], away[touching]
        near = coo_array((np.ones(len(one)), (one, other)), (len(corner), len(corner)))
        _, group = connected_components(near, directed=False)
        return cls(one, other, away, group.astype(np.int64))

    def agreement(self, patches: NDArray[np.complex64]) -> csr_array:
        """Σ p* q (N, N) of all pairs over what both see, and of each with itself, of patches (N, n, n)."""
        ny, nx = patches.shape[1:]
        told = [np.vdot(patch, patch) / 2 for patch in patches]
        for one, other, (dy, dx) in zip(self.one, self.other, self.away.tolist()):
            first = patches[one, max(dy, 0) : ny + min(dy, 0), max(dx, 0) : nx + min(dx, 0)]
            second = patches[other, max(-dy, 0) : ny + min(-dy, 0), max(-dx, 0) : nx + min(-dx, 0)]
            told.append(np.vdot(first, second))
        every = np.arange(len(patches))
        values, (row, column) = np.array(told), (np.append(every, self.one), np.append(every, self.other))
        half = coo_array((values, (row, column)), (len(patches), len(patches))).tocsr()
        return csr_array(half + half.conj().T)


def _turns(pairs: _Pairs, patches: NDArray[np.complex64], power: NDArray[np.float64]) -> Vector:
    """The turns (N,) of weighted patches (N, n, n) of one scan."""
    turns = np.ones(len(patches), np.complex128)
    matrix = pairs.agreement(patches)
    matrix = matrix.multiply(1 / power[:, None]).multiply(1 / power).tocsr()
    for group in range(pairs.group.max() + 1):
        (places,) = np.nonzero(pairs.group == group)
        found = _first(matrix[places][:, places], power[places])
        turns[places] = np.exp(1j * (np.angle(found) - np.angle(np.vdot(power[places], found))))
    return turns


def _first(matrix: csr_array, start: NDArray[np.float64]) -> Vector:
    """The first eigenvector (N,) of a Hermitian matrix, sought from `start`."""
    if len(start) <= _FEW:
        return np.asarray(np.linalg.eigh(matrix.toarray())[1][:, -1])
    try:
        _, vectors = eigsh(matrix, k=1, which="LA", v0=start.astype(complex), maxiter=_ROUNDS)
    except ArpackNoConvergence as error:  # the phases as they are serve as well as any
        vectors = error.eigenvectors
    return np.asarray(vectors[:, 0] if vectors.shape[1] else start)
