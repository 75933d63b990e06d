"""The TOML file beside a data file, which holds what a person once said about it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomli_w

from ptychogui.io import files
from ptychogui.io.data import FILES, Data
from ptychogui.params import InputError

_COMPRESSED = (".bz2", ".gz")


def sidecar_path(path: Path | str) -> Path:
    """`scan.toml` for `scan.cxi`, `scan.npz.bz2` and the folder `scan`."""
    path = Path(path)
    if path.suffix in _COMPRESSED:
        path = path.with_suffix("")
    return path if path.suffix == ".toml" else path.with_suffix(".toml")


def read_sidecar(path: Path) -> Data:
    """The fields of `Data` in the TOML beside `path`, at top level or under [data]; an empty Data without one.

    A TOML with a `kind` is a recipe from which the file may have been made, and says nothing of it. Raises
    `InputError` naming the TOML file where it is not understood.
    """
    beside = sidecar_path(path)
    if not beside.is_file():
        return Data()
    try:
        values = tomllib.loads(beside.read_text(encoding="utf-8"))
        if "kind" in values:
            return Data()
        inner = values.get("data", values)
        return Data.read(inner if isinstance(inner, dict) else values)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{beside} is not TOML: {error}.") from error
    except InputError as error:
        raise InputError(f"In {beside}: {error}") from error


def write_sidecar(data: Data, path: Path | str) -> Path:
    """Keep what `data` says, apart from its path, in the TOML beside `path`; returns where."""
    target = sidecar_path(path)
    values = {key: value for key, value in set_values(data).items() if key != "path"}
    for name in FILES:
        if name in values and Path(str(values[name])).absolute().parent == target.absolute().parent:
            values[name] = Path(str(values[name])).name  # so that the folder may move
    with files.replacing(target) as temporary:
        temporary.write_text(tomli_w.dumps({"data": values}), encoding="utf-8")
    return target


def set_values(data: Data) -> dict[str, object]:
    """The fields that differ from their defaults, as plain values."""
    default = Data().plain()
    return {key: value for key, value in data.plain().items() if value != default.get(key)}


def layered(path: Path, data: Data) -> Data:
    """What is beside the file, and on top of it what the user gives now; file names in it are made findable."""
    kept = set_values(read_sidecar(path)) | set_values(data)
    for name in FILES:
        if name in kept:
            kept[name] = str(files.beside(path, str(kept[name])))
    return Data.read(kept | {"path": str(path)})
