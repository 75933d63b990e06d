"""Incoherent modes are defined up to a unitary mix; this chooses the mix whose modes are orthogonal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ptychogui.params import LIVE, Params

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class OrthogonalModes(Params):
    """Mix the probe's modes so that they are orthogonal and sorted by power; no pattern changes by it.

    Thibault & Menzel, Nature 494, 68 (2013): the eigenvectors of the modes' Gram matrix.
    """

    enabled: Annotated[bool, LIVE] = True
    """Whether it is imposed after every epoch. Off, nothing but the data says how it has to be."""

    def apply(self, problem: Problem, state: State) -> None:
        """Replace the modes by their orthogonal mix."""
        import torch

        modes = len(state.probe)
        if modes == 1:
            return
        flat = state.probe.reshape(modes, -1)
        _, vectors = torch.linalg.eigh((flat @ flat.mH).to(torch.complex128))
        mix = vectors.mH.flip(0).to(flat.dtype)
        # the mix leaves each mode's phase open: keep the one closest to what it was, so that views do not flicker
        phase = torch.sgn(torch.diagonal(mix)).conj()
        phase = torch.where(phase == 0, torch.ones_like(phase), phase)
        state.probe = ((mix * phase[:, None]) @ flat).reshape(state.probe.shape)
