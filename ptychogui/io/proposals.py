"""What the datasets of an unknown file probably are, by their names, shapes, types and values, each with a reason."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from ptychogui.io import mapped
from ptychogui.io.contents import Contents, Node, is_complex, numbers
from ptychogui.io.mapping import Mapping
from ptychogui.params import InputError, format_quantity

_NAMES = {
    "frames": r"data|frame|diff|ptychogram|intens|pattern|image|cbed|counts|(^|_)(dp|i)$",
    "positions": r"pos|scan|transl|encoder|coord|points|motor|(^|_)(xy|yx)$",
    "positions_y": r"(pos|scan|sample|motor|stage|coord|translation|encoder|piezo).*_?y$|^y(pos|_|$)|^(y|posy|ypos)$",
    "positions_x": r"(pos|scan|sample|motor|stage|coord|translation|encoder|piezo).*_?x$|^x(pos|_|$)|^(x|posx|xpos)$",
    "energy": r"energy|(^|_)(kev|ev)$|^e$",
    "wavelength": r"wavelength|lambda|(^|_)wl$",
    "voltage": r"voltage|(^|_)(kv|ht)$|accel",
    "distance": r"dist|(^|_)z(o|det|_det)?(_[munc]?m)?$|camera_?length|propag",
    "detector_pixel": r"pixel|psize|dxd|pix(_|$)|^d[xy]_?det",
    "mask": r"mask|bad|valid|good",
    "dark": r"dark|background|offset|pedestal",
    "probe": r"probe|illumination",
}
ROLES = tuple(_NAMES)
"""The fields of `Mapping` that name a dataset."""
_OTHER = re.compile(r"mask|dark|flat|background|object|probe|recon|truth|thumb", re.IGNORECASE)
_NOT_OF_DETECTOR = re.compile(r"probe|sample|object|recon|dxo|dxp|num|count|mask", re.IGNORECASE)
_UNIT_IN_NAME = re.compile(r"_(kev|ev|mm|um|nm|cm|m|kv|v)$", re.IGNORECASE)
_SPELLED = {"kev": "keV", "ev": "eV", "kv": "kV", "v": "V"}
_QUANTITIES = ("energy", "wavelength", "voltage", "distance", "detector_pixel")
_SMALL = 16


@dataclass(frozen=True)
class Proposal:
    """A dataset for a field of `Mapping`, and why."""

    path: str
    reason: str
    unit: str | None = None


def fits(node: Node, role: str) -> bool:
    """Whether an array can be what a field of `Mapping` asks for, by its shape and type alone."""
    if not node.readable or node.shape is None or node.dtype is None or 0 in node.shape:
        return False
    real = node.dtype.kind in "uifb"
    match role:
        case "frames":
            return real and node.rank >= 2 and 3 <= len(node.shape) <= 6
        case "positions":
            return real and 1 < node.rank <= 3 and any(n in (2, 3) for n in node.shape)
        case "positions_y" | "positions_x":
            return real and 1 <= node.rank <= 2
        case "mask" | "dark":
            return real and 2 <= node.rank <= (2 if role == "mask" else 3)
        case "probe":
            return is_complex(node) and node.rank >= 2
        case _:
            return node.dtype.kind in "uif" and math.prod(node.shape) <= _SMALL


def proposals(found: Contents, role: str, frames: Node | None = None) -> tuple[Proposal, ...]:
    """The arrays that may be what a field of `Mapping` asks for, the likeliest first; `frames` are those chosen."""
    scored = [(_score(node, role, frames), node) for node in found.nodes if fits(node, role)]
    likely = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
    return tuple(_proposal(found, node, role, frames) for _, node in likely)


def _score(node: Node, role: str, frames: Node | None) -> float:
    named = bool(re.search(_NAMES[role], node.name, re.IGNORECASE))
    size = math.prod(node.shape or ())
    if role == "frames":
        return (math.log10(size + 1) + 2 * named) * (0.3 if _OTHER.search(node.path) else 1)
    if not named or (role == "detector_pixel" and _NOT_OF_DETECTOR.search(node.name)):
        return 0
    of_frames = set(frames.shape or ()) if frames is not None else set()
    if role.startswith("positions") and frames is not None:
        return 1.0 + 2 * bool(_counts_of(node) & _counts_of(frames))
    if role in ("mask", "dark", "probe"):
        return float(set((node.shape or ())[-2:]) <= of_frames)
    return 1.0 - 0.01 * node.path.count("/")


def _counts_of(node: Node) -> set[int]:
    """How many frames or positions an array may hold: an axis, or two neighbouring ones of a raster."""
    shape = [n for n in node.shape or () if n not in (1, 2, 3)]
    return {*shape, *(a * b for a, b in pairwise(shape)), math.prod(shape) if len(shape) < 3 else 0} - {0}


def _proposal(found: Contents, node: Node, role: str, frames: Node | None) -> Proposal:
    shape = " × ".join(map(str, node.shape or ()))
    if role == "frames":
        return Proposal(node.path, f"a stack of {shape}, {node.dtype}")
    if role in _QUANTITIES:
        unit, reason = _unit(found, node, role)
        return Proposal(node.path, f"named '{node.name}', {reason}", unit)
    agrees = frames is not None and role.startswith("positions") and _counts_of(node) & _counts_of(frames)
    return Proposal(node.path, f"named '{node.name}', {shape}{', as many as there are frames' if agrees else ''}")


def _unit(found: Contents, node: Node, role: str) -> tuple[str | None, str]:
    """The unit of a quantity that does not say it, and how it is known."""
    value = _value(found, node)
    said = next((node.attribute[key] for key in ("units", "unit") if key in node.attribute), "")
    if said:
        return None, f"{value:g} {said}"
    in_name = _UNIT_IN_NAME.search(node.name)
    if in_name:
        unit = _SPELLED.get(in_name[1].lower(), in_name[1].lower())
        return unit, f"{value:g} {_written(unit)} by its name"
    unit = _likely(role, value)
    return unit, f"{value:g} is likely {_written(unit)}"


def _written(unit: str) -> str:
    return "µm" if unit == "um" else unit


def _value(found: Contents, node: Node) -> float:
    try:
        return float(numbers(found.array(node.path)).ravel()[0])
    except (InputError, OSError, ValueError):
        return math.nan


def _likely(role: str, value: float) -> str:
    """The unit in which a value is one that occurs."""
    size = abs(value)
    match role:
        case "energy":
            return "J" if size < 1e-9 else "keV" if size < 60 else "eV"
        case "voltage":
            return "kV" if size < 5000 else "V"
        case "wavelength":
            return "m" if size < 1e-5 else "nm" if size < 1000 else "pm"
        case "distance":
            return "mm" if size > 50 else "m"
        case _:
            return "m" if size < 1e-3 else "mm" if size < 0.9 else "um"


def axes_of(found: Contents, frames: Node) -> tuple[str, str]:
    """What the axes of a stack probably are, and why."""
    shape = [n for n in frames.shape or () if n != 1]
    listed = {n for node in found.nodes if _lists_positions(node) for n in _counts_of(node)}
    if len(shape) == 4:
        if shape[2] * shape[3] in listed and shape[0] * shape[1] not in listed:
            return "yxrc", "there are as many positions as the last two axes have"
        return "rcyx", "four axes: rows, columns, y, x"
    if found.matlab and len(shape) == 3:
        return "nxy", "MATLAB writes axes in reverse order"
    if len(shape) != 3:
        return "nyx", "frames usually come first"
    first, second, last = shape
    if first in listed:
        return "nyx", f"there are {first} positions"
    if last in listed:
        return "yxn", f"there are {last} positions"
    if first == second != last:
        return "yxn", "the first two axes are equally long"
    return "nyx", "frames usually come first"


def _lists_positions(node: Node) -> bool:
    named = any(re.search(_NAMES[role], node.name, re.IGNORECASE) for role in ("positions", "positions_y"))
    return named and (fits(node, "positions") or fits(node, "positions_y"))


def proposed(found: Contents) -> tuple[Mapping, dict[str, str]]:
    """The likeliest mapping, and the reason for each of its fields. Without any stack it is empty."""
    stacks = proposals(found, "frames")
    if not stacks:
        return Mapping(), {}
    frames = next(node for node in found.nodes if node.path == stacks[0].path)
    axes, why = axes_of(found, frames)
    values: dict[str, str] = {"frames": frames.path, "axes": axes}
    reasons = {"frames": stacks[0].reason, "axes": why}
    for role in _NAMES:
        best = next(iter(proposals(found, role, frames)), None)
        if best is None or role == "frames" or best.path == frames.path:
            continue
        values[role], reasons[role] = best.path, best.reason
        if best.unit is not None:
            values[f"{role}_unit"] = best.unit
    values = _consistent(values)
    return Mapping.read(values), {name: why for name, why in reasons.items() if name in values}


def _consistent(values: dict[str, str]) -> dict[str, str]:
    """Positions from one dataset, or from two; a wavelength is not needed beside an energy."""
    apart = "positions_y" in values and "positions_x" in values and values["positions_y"] != values["positions_x"]
    dropped = {"positions"} if apart and "positions" not in values else {"positions_y", "positions_x"}
    if "energy" in values:
        dropped |= {"wavelength", "wavelength_unit"}
    return {name: value for name, value in values.items() if name not in dropped}


def outcome(found: Contents, asked: Mapping, path: Path) -> str:
    """What a mapping gives, in one line. Raises `InputError` where it does not fit."""
    raw = mapped.raw(found, asked, path)
    count, ny, nx = raw.frames.shape
    parts = [
        f"{count} frames of {ny} × {nx}" + (f" ({' × '.join(map(str, raw.scan_shape))})" if raw.scan_shape else "")
    ]
    if raw.positions is None:
        parts.append("no positions")
    elif len(raw.positions.values) != count:
        raise InputError(
            f"There are {count} frames but {len(raw.positions.values)} positions; choose others, or other axes."
        )
    else:
        unit = {None: "whose unit is detected from the step", "um": "in µm", "px": "in pixels"}
        parts.append(f"positions {unit.get(raw.positions.unit, f'in {raw.positions.unit}')}")
    units = {"energy_eV": "eV", "wavelength_m": "m", "distance_m": "m", "kV": ""}
    for name, unit_si in units.items():
        if name in raw.found:
            text = format_quantity(float(f"{raw.found[name]:.6g}"), unit_si)
            parts.append(f"{text} kV" if name == "kV" else text)
    if "detector_pixel_m" in raw.found:
        parts.append(f"detector pixel {format_quantity(float(np.float32(raw.found['detector_pixel_m'][0])), 'm')}")
    return ", ".join([*parts, *(name for name in ("mask", "dark", "probe") if getattr(raw, name) is not None)]) + "."
