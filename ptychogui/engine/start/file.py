"""The result of an earlier run as a first guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from ptychogui.engine.start.base import Start
from ptychogui.params import FILE, Count, InputError

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.types import Dataset, Result


class FromFile(Start):
    """Object, probe and all else that was found in an earlier result: go on where it ended, also with another solver
    or other parameters."""

    kind: Literal["file"] = "file"
    path: Annotated[str, FILE] = ""
    """The result file, written by this program, from which the run goes on."""
    modes: Count | None = None
    """Incoherent modes M of the probe; unset: as many as the result has. More are added with little power each."""

    def state(self, problem: Problem, dataset: Dataset, initial: Result | None, seed: int) -> State:
        """The state in which `initial` ended.

        Raises `InputError` without one, or where its pixel differs, so that its object would not fit.
        """
        from dataclasses import replace

        import numpy as np
        import torch

        from ptychogui.engine.start.canvas import canvas
        from ptychogui.engine.start.probe import probe_from_file, with_modes
        from ptychogui.engine.state import State
        from ptychogui.types import Scan

        if initial is None:
            raise InputError("start.path names no result: give the file that 'ptychogui run -o' wrote.")
        pixel_m = np.array(dataset.geometry.pixel_m)
        if not np.allclose(pixel_m, initial.obj.pixel_m, rtol=1e-4):
            raise InputError(
                f"The earlier result has a pixel of {initial.obj.pixel_m[1]:.4g} m and this run one of "
                f"{pixel_m[1]:.4g} m: use the same energy, distance, crop and binning, or start from the data."
            )
        if len(initial.scan) == len(dataset.scan):  # what was corrected stays so, also where the positions are new
            corrected = dataset.scan.positions_m + (initial.scan.positions_m - initial.nominal_m)
            dataset = replace(dataset, scan=Scan(corrected))
        shape, begin, origin_m = canvas(dataset, problem.window, problem.room_px)
        slices = initial.obj.slices
        obj = np.ones((len(slices), *shape), np.complex128)
        offset = np.rint((np.array(initial.obj.origin_m) - origin_m) / pixel_m).astype(int)
        low, high = np.maximum(offset, 0), np.minimum(offset + slices.shape[1:], shape)
        if (high > low).all():
            (y, x), (y1, x1), (dy, dx) = low, high, offset
            obj[:, y:y1, x:x1] = slices[:, y - dy : y1 - dy, x - dx : x1 - dx]
        probe = probe_from_file(problem, initial.probe.modes)
        probe = with_modes(probe, self.modes or len(probe)).to(problem.dtype)
        canvas_obj = torch.from_numpy(obj).to(device=problem.device, dtype=problem.dtype)
        state = State.at(canvas_obj, probe, torch.from_numpy(begin).to(problem.device), origin_m)
        gain = initial.unknowns.get("gain")
        if gain is not None and len(gain) == len(problem):
            state.gain = torch.from_numpy(np.array(gain, np.float64)).to(problem.device)
        background = initial.unknowns.get("background")
        if background is not None and background.shape == problem.amplitudes.shape[1:]:
            state.background = problem.on_window(background)
        return state
