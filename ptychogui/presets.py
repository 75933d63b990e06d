"""Ways to solve a scan that have a name: a preset sets solver and unknowns of a job, and leaves the rest alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ptychogui.job import Job
from ptychogui.params import InputError


@dataclass(frozen=True)
class Preset:
    """What a preset is for, and the parameters that it sets; others of solver, refinement and stopping are defaults."""

    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, job: Job) -> Job:
        """The job as the preset wants it; data, model, start, constraints, device and seed stay."""
        fresh = Job()
        job = job.model_copy(update={"solver": fresh.solver, "refine": fresh.refine, "stop": fresh.stop})
        for path, value in self.settings.items():
            job = job.with_value(path, value)
        return job


def _coarse_to_fine(epochs: int, *reductions: int) -> list[dict[str, Any]]:
    stages = [{"kind": "adam", "epochs": 20, "reduction": k} for k in reductions]
    return [*stages, {"kind": "adam", "epochs": epochs}]


PRESETS = {
    "default": Preset("What a careful expert would start with on unknown data."),
    "fast": Preset(
        "A first look in seconds: rPIE on larger pixels, then on all.",
        {
            "solver": [{"kind": "rpie", "epochs": 10, "reduction": 2}, {"kind": "rpie", "epochs": 10}],
            "refine.positions.enabled": False,
            "refine.background.enabled": False,
        },
    ),
    "best": Preset(
        "Three times the epochs: for the picture that is published.",
        {"solver": {"kind": "adam", "epochs": 150}},
    ),
    "refine-all": Preset(
        "Where positions or the distance are far off: all unknowns together, on larger pixels first, then finer ones.",
        {
            "solver": _coarse_to_fine(40, 8, 4, 2),
            "refine.positions": {"enabled": True, "start": 0, "limit_px": 60.0, "expected_px": 10.0},
            "refine.affine": {"enabled": True, "start": 8},
            "refine.distance": {"enabled": True, "start": 0},
        },
    ),
}


def preset(name: str) -> Preset:
    """The preset of a name. Raises `InputError` where there is none."""
    if name not in PRESETS:
        raise InputError(f"There is no preset '{name}': choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]
