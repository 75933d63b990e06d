"""Ways to solve a scan that have a name: a preset sets solver and unknowns of a job, and leaves the rest alone.

Those of the program stand here; those of the user are TOML files in `folder()`, which can be handed on.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from ptychogui.engine.start.file import FromFile
from ptychogui.geometry import Geometry
from ptychogui.job import Job
from ptychogui.params import InputError, Params

GROUPS = ("model", "start", "solver", "refine", "penalties", "constraints", "stop")
"""What a preset sets of a job; device and seed belong to a machine and a run."""
INSTRUMENT = (
    *("field", "energy_eV", "wavelength_m", "kV", "distance_m", "detector_pixel_m", "focus_to_sample_m", "pixel_m"),
    *("convergence_rad", "defocus_m", "positions_unit", "positions_columns", "scan_shape", "scan_step_m"),
    *("scan_rotation_rad", "scan_flip", "flip", "zero_frequency"),
)
"""What a preset may set of the data: what is the same for every scan of one instrument."""
_ALWAYS = ("solver", "refine", "stop")
"""What every preset sets: where it says nothing of them, they are the defaults."""
_NAME = re.compile(r"\w[\w .+-]{0,59}")


@dataclass(frozen=True)
class Preset:
    """What a preset is for, and the groups of parameters that it sets, written as in a job file."""

    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, job: Job) -> Job:
        """The job as the preset wants it; groups that it does not name stay, and so does a start from a file.

        Of the data it sets single values of the instrument, and leaves the others alone.
        """
        wanted = {name: value for name, value in self.settings.items() if name != "start" or not _goes_on(job)}
        kept = {name: value for name, value in job.plain().items() if name not in (*_ALWAYS, *wanted)}
        data = {**job.data.plain(), **self.settings.get("data", {})}
        return Job.read({**kept, **wanted, "data": data})


def _coarse_to_fine(epochs: int, *reductions: int) -> list[dict[str, Any]]:
    stages = [{"kind": "adam", "epochs": 20, "reduction": k} for k in reductions]
    return [*stages, {"kind": "adam", "epochs": epochs}]


PRESETS = {
    "default": Preset("What a careful expert would start with on unknown data."),
    "x-ray": Preset(
        "X-ray far field: two probe modes, as a synchrotron's beam is never quite coherent, and refined positions.",
        {"start": {"kind": "data", "modes": 2}, "solver": {"kind": "adam", "epochs": 80}},
    ),
    "near": Preset(
        "X-ray near field: the distance is refined too, as a wrong one blurs the holograms.",
        {"solver": {"kind": "adam", "epochs": 80}, "refine": {"distance": {"enabled": True}}},
    ),
    "electron": Preset(
        "Electrons (4D-STEM): scale, rotation and shear of the scan are refined too, as scan coils are never "
        "calibrated well enough.",
        {"refine": {"affine": {"enabled": True}}},
    ),
    "light": Preset(
        "Visible light: a stage with play, so positions that are off by several pixels are found on larger pixels "
        "first; a laser is coherent, so one mode.",
        {"solver": _coarse_to_fine(60, 2)},
    ),
    "fast": Preset(
        "A first look in seconds: rPIE on larger pixels, then on all.",
        {
            "solver": [{"kind": "rpie", "epochs": 10, "reduction": 2}, {"kind": "rpie", "epochs": 10}],
            "refine": {"positions": {"enabled": False}, "background": {"enabled": False}},
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
            "refine": {
                "positions": {"enabled": True, "start": 0, "limit_px": 60.0, "expected_px": 10.0},
                "affine": {"enabled": True, "start": 8},
                "distance": {"enabled": True, "start": 0},
            },
        },
    ),
}


_LIGHT_M = 100e-9
"""Longer waves than this are no X-rays any more."""


def fitting(geometry: Geometry) -> str:
    """The name of the preset that is made for such optics; the default where the wavelength is not known."""
    if geometry.wavelength_m is None:
        return "default"
    if geometry.of_electrons:
        return "electron"
    if geometry.wavelength_m > _LIGHT_M:
        return "light"
    return "near" if geometry.field == "near" else "x-ray"


def preset(name: str) -> Preset:
    """The preset of a name: of the program, of the user, or in a TOML file. Raises `InputError` where there is none."""
    if name in PRESETS:
        return PRESETS[name]
    path = Path(name) if name.endswith(".toml") else folder() / f"{name}.toml"
    if path.exists():
        return read(path)
    every = ", ".join([*PRESETS, *sorted(file.stem for file in folder().glob("*.toml"))])
    raise InputError(f"There is no preset '{name}': choose one of {every}.")


def folder() -> Path:
    """Where the user's presets lie; the environment variable PTYCHOGUI_PRESETS may name another folder."""
    named = os.environ.get("PTYCHOGUI_PRESETS")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "ptychogui" / "presets"


def own() -> tuple[dict[str, Preset], list[str]]:
    """The user's presets by their names, and a sentence for each file that cannot be read."""
    found, problems = {}, []
    for path in sorted(folder().glob("*.toml")):
        try:
            found[path.stem] = read(path)
        except InputError as error:
            problems.append(str(error))
    return found, problems


def of_job(job: Job, text: str, instrument: bool = False) -> Preset:
    """A preset that makes any job solve as this one does; only what is not a default is written down.

    With `instrument` also the values of the data that are the same for every scan of one instrument.
    """
    kept = {name: _changes(getattr(job, name)) for name in GROUPS if name != "start" or not _goes_on(job)}
    if instrument:
        kept["data"] = {name: value for name, value in _changes(job.data).items() if name in INSTRUMENT}
    return Preset(text, kept)


def read(path: Path) -> Preset:
    """Read a preset. Raises `InputError` with one sentence where the file or a value in it is wrong."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The preset {path} cannot be read: {error}.") from error
    text = values.pop("text", "")
    data = values.get("data", {})
    strange = [name for name in values if name not in (*GROUPS, "data")]
    strange += [f"data.{name}" for name in data if name not in INSTRUMENT] if isinstance(data, dict) else ["data"]
    if strange or not isinstance(text, str):
        wrong = strange[0] if strange else "text"
        raise InputError(
            f"The preset {path} sets '{wrong}': a preset has a text, {', '.join(GROUPS)}, and of the data "
            f"{', '.join(INSTRUMENT)}."
        )
    try:
        Job.read(values)
    except InputError as error:
        raise InputError(f"In the preset {path}: {error}") from error
    return Preset(text, values)


def write(preset: Preset, path: Path) -> None:
    """Write a preset as TOML, to a temporary file first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text(tomli_w.dumps({"text": preset.text, **preset.settings}), encoding="utf-8")
    temporary.replace(path)


def keep(name: str, preset: Preset) -> None:
    """Write a preset of the user, in place of one of the same name.

    Raises `InputError` where the name cannot be that of a file, or is one of the program's own.
    """
    if not _NAME.fullmatch(name) or name.endswith((".", " ")):
        raise InputError(f"'{name}' cannot be the name of a preset: use letters, digits, spaces, '-' and '_'.")
    if name in PRESETS:
        raise InputError(f"'{name}' is a preset of the program: choose another name.")
    write(preset, folder() / f"{name}.toml")


def forget(name: str) -> None:
    """Delete a preset of the user."""
    (folder() / f"{name}.toml").unlink(missing_ok=True)


def _goes_on(job: Job) -> bool:
    return isinstance(job.start, FromFile)


def _changes(value: Any) -> Any:
    """What of a group of parameters is not its default, as a file holds it; the kind is always said."""
    if isinstance(value, tuple) and any(isinstance(part, Params) for part in value):
        return [_changes(part) for part in value]
    if not isinstance(value, Params):
        return value
    plain, standard = value.plain(), type(value)()
    changed = {}
    for name, given in plain.items():
        here = getattr(value, name)
        if name == "kind" or here != getattr(standard, name):
            changed[name] = _changes(here) if isinstance(here, Params) else given
    return changed
