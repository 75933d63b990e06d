"""Opening what a path holds, compressed or not, and writing so that a target is either whole or untouched."""

from __future__ import annotations

import bz2
import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ptychogui.params import InputError

_LARGEST_BYTES = 64 * 2**30
_CHUNK_BYTES = 2**24


def _opened(path: Path) -> BinaryIO | bz2.BZ2File | gzip.GzipFile:
    """The content of a file, decompressed on the way where its first bytes say bzip2 or gzip."""
    with path.open("rb") as file:
        magic = file.read(3)
    if magic == b"BZh":
        return bz2.open(path, "rb")
    if magic[:2] == b"\x1f\x8b":
        return gzip.open(path, "rb")
    return path.open("rb")


def is_compressed(path: Path) -> bool:
    """Whether the file is wrapped by bzip2 or gzip, by its first bytes."""
    with path.open("rb") as file:
        magic = file.read(3)
    return magic == b"BZh" or magic[:2] == b"\x1f\x8b"


def head(path: Path, count: int = 16) -> bytes:
    """The first bytes of the content; empty for a folder. Raises `InputError` where it cannot be read."""
    if path.is_dir():
        return b""
    try:
        with _opened(path) as file:
            return file.read(count)
    except EOFError as error:
        raise InputError(f"{path} is compressed and damaged ({error}); copy it again.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


def source(path: Path) -> Path | BytesIO:
    """What a reader opens: the path itself, or the decompressed content in memory.

    Raises `InputError` where the compressed file is damaged or larger than this machine can hold.
    """
    if not is_compressed(path):
        return path
    limit, content = memory_limit_bytes(), BytesIO()
    try:
        with _opened(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                content.write(chunk)
                if content.tell() > limit:
                    raise InputError(
                        f"{path} unpacks to more than {limit / 2**30:.0f} GiB, which this machine cannot hold; "
                        "unpack it to disk and open that."
                    )
    except (OSError, EOFError) as error:
        raise InputError(f"{path} is compressed and damaged ({error}); copy it again.") from error
    content.seek(0)
    return content


def memory_limit_bytes() -> int:
    """The most that is read into memory at once: half of the machine's memory, at most 64 GiB."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return _LARGEST_BYTES
    return min(_LARGEST_BYTES, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)


def beside(path: Path, name: str) -> Path:
    """A file that is named in the settings of `path`: as it is, or relative to the folder of `path`."""
    given = Path(name).expanduser()
    return given if given.exists() or given.is_absolute() else path.parent / given


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends without an error.

    Raises `InputError` where the folder cannot be written.
    """
    check_writable(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)  # h5py's own text is a paragraph
        raise InputError(f"{path} cannot be written: {reason}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_folder(folder: Path | str) -> None:
    """Make a folder where it is missing; raise `InputError` where files could not be written into it."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    check_writable(Path(folder) / "file")


def check_writable(path: Path | str) -> None:
    """Raise `InputError` where a file at `path` could not be written; nothing is left behind."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file in it.")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {path.parent}; make it first.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not allow it.") from error
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(f"{path} cannot be written: the file is write-protected.")
