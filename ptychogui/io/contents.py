"""What a file of arrays holds, whatever its layout: HDF5 (so MATLAB 7.3), NPZ and older MATLAB files as one tree."""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import h5py
import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ptychogui.io import files, hdf5
from ptychogui.params import InputError

MOST = 20_000
"""Entries of a tree that are listed at most."""
_MATLAB_5 = b"MATLAB 5.0 MAT-file"
_LONGEST_TEXT = 200


@dataclass(frozen=True)
class Node:
    """An entry of the tree: `shape` is that of an array and None for a group or a link, which is not followed.

    `note` says what is special: where a link leads, or why an array cannot be read.
    """

    path: str
    kind: Literal["group", "array", "link"]
    shape: tuple[int, ...] | None = None
    dtype: np.dtype[Any] | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def attribute(self) -> Mapping[str, str]:
        """The attributes by their names."""
        return dict(self.attributes)

    @property
    def readable(self) -> bool:
        """Whether it is an array of numbers or text."""
        return self.kind == "array" and not self.note

    @property
    def rank(self) -> int:
        """How many axes are longer than 1."""
        return sum(n != 1 for n in self.shape or ())


class Sliceable(Protocol):
    """An array that may lie on disk; an index chooses a part."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its type."""
        ...

    def __getitem__(self, index: Any, /) -> Any: ...


class Contents(Protocol):
    """An open file: its entries, and its arrays by their paths."""

    nodes: tuple[Node, ...]
    matlab: bool
    """Whether MATLAB wrote it, which keeps the axes of HDF5 the other way round."""

    def array(self, path: str) -> Sliceable:
        """An array. Raises `InputError` where there is none of this path."""
        ...

    def close(self) -> None:
        """Let the file go."""
        ...


def is_contents(path: Path) -> bool:
    """Whether this is a file of one of these formats."""
    if path.is_dir():
        return False
    start = files.head(path, 1024)
    member = start[30 : 30 + int.from_bytes(start[26:28], "little")]
    npz = start.startswith(b"PK\x03\x04") and member.endswith(b".npy")
    return npz or start.startswith(_MATLAB_5) or hdf5.is_hdf5(path)


def open_contents(path: Path) -> Contents:
    """Open a file of arrays. Raises `InputError` where it is none or damaged."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; check the name.")
    if hdf5.is_hdf5(path):
        return HDF5(path)
    start = files.head(path, 32)
    if start.startswith(b"PK\x03\x04"):
        return _NPZ(path)
    if start.startswith(_MATLAB_5):
        return _MATLAB(path)
    raise InputError(f"{path} is no HDF5, NPZ or MATLAB file, so it has no arrays to choose from.")


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """The open file for a while."""
    contents = open_contents(path)
    try:
        yield contents
    finally:
        contents.close()


def numbers(array: Sliceable, index: Any = ()) -> NDArray[Any]:
    """A part of an array as plain numbers; a pair of fields `real` and `imag`, as MATLAB writes, is complex."""
    part = np.asarray(array[index])
    if part.dtype.names == ("real", "imag"):
        joined: NDArray[Any] = part["real"] + 1j * part["imag"]
        return joined
    return part


def is_complex(node: Node) -> bool:
    """Whether an array holds complex numbers."""
    return node.dtype is not None and (node.dtype.kind == "c" or node.dtype.names == ("real", "imag"))


class HDF5:
    """An HDF5 file, which may be open already; arrays stay on disk, links to other files are not followed."""

    def __init__(self, path: Path, file: h5py.File | None = None) -> None:
        self._path, self._file = path, file or hdf5.opened(path)
        self._seen: set[int] = set()
        self.matlab = files.head(path).startswith(b"MATLAB 7.3")
        self.nodes = tuple(self._walk(self._file, ""))[:MOST]

    def array(self, path: str) -> Sliceable:
        """A dataset, which stays on disk. Raises `InputError` where there is none of this path in this file."""
        try:
            found = self._file.get(path)
        except (KeyError, OSError, RuntimeError):
            found = None
        if not isinstance(found, h5py.Dataset):
            raise InputError(f"{self._path} has no dataset '{path}'; choose another one.")
        if Path(found.file.filename).resolve() != Path(self._file.filename).resolve():
            raise InputError(f"'{path}' of {self._path} lies in another file, {found.file.filename}; open that one.")
        array: Sliceable = found
        return array

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _walk(self, group: h5py.Group, before: str) -> Iterator[Node]:
        self._seen.add(h5py.h5o.get_info(group.id).addr)
        for name in group:
            if len(self._seen) > MOST:
                return
            yield from self._entry(group, name, f"{before}/{name}")

    def _entry(self, group: h5py.Group, name: str, path: str) -> Iterator[Node]:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            yield Node(path, "link", note=f"a link to {link.path} in the file {link.filename}, which is not followed")
            return
        try:
            found = group.get(name)
        except (KeyError, OSError, RuntimeError):
            found = None
        if isinstance(found, h5py.Dataset):
            shape = found.shape if found.shape is not None else (0,)
            yield Node(path, "array", shape, found.dtype, _attributes(found))
        elif isinstance(found, h5py.Group) and h5py.h5o.get_info(found.id).addr not in self._seen:
            yield Node(path, "group", attributes=_attributes(found))
            yield from self._walk(found, path)
        elif isinstance(link, h5py.SoftLink):
            broken = "" if found is not None else ", which is not there"
            yield Node(path, "link", note=f"a link to {link.path}{broken}")


def _attributes(found: Any) -> tuple[tuple[str, str], ...]:
    told = []
    for name in found.attrs:
        try:
            told.append((str(name), short_text(found.attrs[name])))
        except (OSError, TypeError, ValueError, KeyError):
            told.append((str(name), "cannot be read"))
    return tuple(told)


def short_text(value: Any) -> str:
    """A value as one short line."""
    if isinstance(value, bytes | np.bytes_):
        value = bytes(value).decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.size == 1:
        return short_text(value.ravel()[0])
    if isinstance(value, np.ndarray):
        shown = ", ".join(short_text(part) for part in value.ravel()[:8])
        return f"[{shown}{', …' if value.size > 8 else ''}]"
    text = f"{value:.8g}" if isinstance(value, float | np.floating) else str(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


class _Arrays(ABC):
    """Named arrays of which one at a time is read whole."""

    matlab = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.nodes: tuple[Node, ...] = ()
        self._held: tuple[str, NDArray[Any]] | None = None

    def array(self, path: str) -> Sliceable:
        name = path.lstrip("/")
        if not any(node.readable and node.path == f"/{name}" for node in self.nodes):
            raise InputError(f"{self._path} has no array '{name}' of numbers; choose another one.")
        held = self._held  # another thread may change it meanwhile
        if held is None or held[0] != name:
            try:
                held = self._held = name, self._read(name)
            except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
                raise InputError(f"'{name}' of {self._path} cannot be read ({error}).") from error
        return held[1]

    def close(self) -> None:
        self._held = None

    @abstractmethod
    def _read(self, name: str) -> NDArray[Any]: ...


class _NPZ(_Arrays):
    """An archive of `.npy` files; shapes and types are in their headers."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            with zipfile.ZipFile(files.source(path)) as archive:
                members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
                self._bytes = {info.filename.removesuffix(".npy"): info.file_size for info in members}
                self.nodes = tuple(_npy_node(archive, info) for info in members[:MOST])
        except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} is a damaged NPZ archive ({error}).") from error

    def _read(self, name: str) -> NDArray[Any]:
        if self._bytes[name] > files.memory_limit_bytes():
            raise InputError(f"'{name}' has {self._bytes[name] / 2**30:.0f} GiB, which this machine cannot hold.")
        with np.load(files.source(self._path), allow_pickle=False) as archive:
            array: NDArray[Any] = archive[name]
        return array


def _npy_node(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Node:
    path = f"/{info.filename.removesuffix('.npy')}"
    with archive.open(info) as stream:
        version = npy_format.read_magic(stream)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, _, dtype = read(stream)
    note = "Python objects, which are not read" if dtype.hasobject else ""
    return Node(path, "array", shape, dtype, note=note)


class _MATLAB(_Arrays):
    """A MATLAB file of version 5 to 7; structures are taken apart, cells are not read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            from scipy.io import whosmat
        except ImportError as error:
            raise InputError(f"{path} is an old MATLAB file; save it with -v7.3, or install scipy.") from error
        self._structured: dict[str, NDArray[Any]] = {}
        nodes: list[Node] = []
        try:
            for name, shape, kind in whosmat(path):
                nodes += self._nodes(name, tuple(shape), kind)
        except (ValueError, TypeError, OSError, NotImplementedError) as error:
            raise InputError(f"{path} is a damaged MATLAB file ({error}).") from error
        self.nodes = tuple(nodes[:MOST])

    def _nodes(self, name: str, shape: tuple[int, ...], kind: str) -> Iterator[Node]:
        if kind == "struct":
            yield Node(f"/{name}", "group")
            yield from self._taken_apart(name, self._load(name, simplify_cells=True))
        elif kind in ("cell", "object", "function", "opaque", "unknown"):
            yield Node(f"/{name}", "array", shape, note=f"a MATLAB {kind}, which is not read")
        else:
            dtype = np.dtype({"char": "U1", "logical": "bool"}.get(kind, kind if kind != "sparse" else "f8"))
            yield Node(f"/{name}", "array", shape, dtype)

    def _taken_apart(self, before: str, values: Any) -> Iterator[Node]:
        for key, value in values.items() if isinstance(values, Mapping) else ():
            path = f"{before}/{key}"
            if isinstance(value, Mapping):
                yield Node(f"/{path}", "group")
                yield from self._taken_apart(path, value)
            elif (array := np.asarray(value)).dtype.kind in "uifcbU":
                self._structured[path] = array
                yield Node(f"/{path}", "array", array.shape, array.dtype)

    def _load(self, name: str, simplify_cells: bool = False) -> Any:
        from scipy.io import loadmat

        return loadmat(self._path, variable_names=[name], simplify_cells=simplify_cells)[name]

    def _read(self, name: str) -> NDArray[Any]:
        return self._structured[name] if name in self._structured else np.asarray(self._load(name))
