"""The probe to begin with, from the frames or the file, and a flat object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from ptychogui.engine.start.base import Guess, Start
from ptychogui.params import ESSENTIAL, Count

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.types import Dataset, Result


class Guessed(Start):
    """A start that has to find the probe."""

    modes: Annotated[Count, ESSENTIAL] = 1
    """Incoherent modes of the probe. 1 for a coherent source; 2 to 5 for a partly coherent one, a vibrating sample or
    fly scans."""
    file_probe: bool = True
    """Begin with the probe that the file holds, where it holds one; with `find_defocus`, only if it is the better."""
    find_defocus: bool = True
    """Far field: where no defocus is given, find it by short runs on a few frames, which takes some seconds; and try a
    probe of the file against the one that the frames show. A wrong probe is worse than none. Off: begin with the probe
    of the file, or else in focus."""

    def state(self, problem: Problem, dataset: Dataset, initial: Result | None, seed: int) -> State:
        """Object 1 everywhere, and the probe at the mean power of the frames; an `initial` result is not used."""
        *_, last = self.guesses(problem, dataset, initial, seed)
        return last.state

    def guesses(self, problem: Problem, dataset: Dataset, initial: Result | None, seed: int) -> Iterator[Guess]:
        """The state with the best probe so far, before each short run and after the last."""
        import torch

        from ptychogui.engine.start.canvas import canvas
        from ptychogui.engine.start.probe import first_probes, probe_from_file, with_modes
        from ptychogui.engine.state import State

        shape, begin, origin_m = canvas(dataset, problem.window, problem.room_px)
        held = probe_from_file(problem, dataset.probe) if self.file_probe and dataset.probe is not None else None
        state = None
        for found, doing in first_probes(problem, dataset, held, self.find_defocus, seed):
            probe = with_modes(found, self.modes)
            probe = (probe * (problem.mean_counts / problem.measured_power(probe)).sqrt()).to(problem.dtype)
            if state is None:
                obj = torch.ones((1, *shape), dtype=problem.dtype, device=problem.device)
                state = State.at(obj, probe, torch.from_numpy(begin).to(problem.device), origin_m)
            state.probe = probe
            yield Guess(state, doing)
