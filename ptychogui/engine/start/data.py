"""A first guess made from the frames themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from ptychogui.params import ESSENTIAL, Count, Params

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.types import Dataset, Result


class FromData(Params):
    """The probe from the frames (mean amplitude, aperture, defocus) or as the file holds it; a flat object."""

    kind: Literal["data"] = "data"
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
        import torch

        from ptychogui.engine.start.canvas import canvas
        from ptychogui.engine.start.probe import better_probe, probe_from_data, probe_from_file, with_modes
        from ptychogui.engine.state import State

        shape, begin, origin_m = canvas(dataset, problem.window, problem.room_px)
        held = dataset.probe if self.file_probe else None
        if held is None:
            probe = probe_from_data(problem, dataset, self.find_defocus, seed)
        else:
            probe = probe_from_file(problem, held)
            if self.find_defocus and problem.geometry.field == "far":
                probe = better_probe(problem, dataset, probe, probe_from_data(problem, dataset, True, seed), seed)
        probe = with_modes(probe, self.modes)
        probe = (probe * (problem.mean_counts / problem.measured_power(probe)).sqrt()).to(problem.dtype)
        obj = torch.ones((1, *shape), dtype=problem.dtype, device=problem.device)
        return State.at(obj, probe, torch.from_numpy(begin).to(problem.device), origin_m)
