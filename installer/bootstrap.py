"""From a bare machine to the running program: `python3 installer/bootstrap.py run | test | install`.

run [args]    set up, then start the program; without arguments it opens a simulated sample
test [args]   set up with the test tools, then run the tests; arguments go to pytest
install       set up with all tools of development

The environment lies in .venv, or where PTYCHOGUI_VENV says. Nothing but Python's standard library is used here.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "installer" / "lock.txt"
UNPACKING = "dectris-compression"
"""Unpacks the frames of ZeroMQ and PVAccess streams."""
EXTRAS = ("", "test", "dev")
"""Each holds the ones before it."""

LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""What Qt needs of a Linux system, by the file it loads, with the Debian package that has it."""


class SetupError(Exception):
    """The set-up cannot go on; the message says what to do."""


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 (whoever starts this may have an older one)
        print(f"ptychogui needs Python 3.11 or newer, and this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    commands = {"run": run, "test": test, "install": install}
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stdout if arguments in (["-h"], ["--help"]) else sys.stderr)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        return commands[arguments[0]](arguments[1:])
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(arguments: list[str]) -> int:
    """Set up and start the program, on a sample where no arguments are given."""
    program = set_up("") / _executable("ptychogui")
    if arguments:
        return subprocess.call([str(program), *arguments])
    sample = cache_folder() / "siemens-far.cxi"
    if not sample.is_file():
        sample.parent.mkdir(parents=True, exist_ok=True)
        print("Simulating a sample …", flush=True)
        if subprocess.call([str(program), "simulate", "siemens-far", "-o", str(sample)]) != 0:
            raise SetupError(f"The sample {sample} could not be made; see the message above.")
    if headless():
        raise SetupError(
            "There is no display here, so the window cannot open; the program is ready for the command line: "
            f"{program} run {sample} -o result.h5 (or {program} {sample} --screenshot FOLDER for pictures)."
        )
    return subprocess.call([str(program), str(sample)])


def test(arguments: list[str]) -> int:
    """Set up with the test tools and run the tests."""
    python = set_up("test") / _executable("python")
    environment = dict(os.environ)
    environment.setdefault("OMP_NUM_THREADS", "1")
    if headless():
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    # every core, and the files whose tests take longest do not hold up the end; `test -m slow` runs the slow ones
    spread = [] if "-n" in arguments else ["-n", "logical", "--dist", "worksteal"]
    if "-m" not in arguments:
        spread += ["-m", "not slow"]
    return subprocess.call([str(python), "-m", "pytest", *spread, *arguments], cwd=ROOT, env=environment)


def install(arguments: list[str]) -> int:
    """Set up with all tools of development."""
    if arguments:
        raise SetupError(f"install takes no arguments, and there is '{arguments[0]}'.")
    print(f"Ready in {set_up('dev')}.")
    return 0


def set_up(extra: str) -> Path:
    """Make the environment with the packages of `extra`; returns its folder of programs. Quick when nothing changed."""
    system_libraries()
    venv = Path(os.environ.get("PTYCHOGUI_VENV") or ROOT / ".venv").absolute()
    programs = venv / ("Scripts" if os.name == "nt" else "bin")
    stamp, wanted = venv / "ptychogui-stamp.txt", _fingerprint()
    if not (programs / _executable("python")).is_file():
        _create(venv)
    known, _, installed = stamp.read_text().partition(" ") if stamp.is_file() else ("", "", "")
    if known != wanted or EXTRAS.index(installed) < EXTRAS.index(extra):
        extra = max(extra, installed, key=EXTRAS.index)
        _packages(programs / _executable("python"), extra)
        stamp.write_text(f"{wanted} {extra}")
    return programs


def _fingerprint() -> str:
    """Changes when the environment has to be made again."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), (ROOT / "setup.py").read_bytes()]
    parts += [str(ROOT).encode(), repr(sys.version_info[:2]).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _executable(name: str) -> str:
    return f"{name}.exe" if os.name == "nt" else name


def _create(venv: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it in a package of its own
        missing = apt_install(["python3-venv"])
        if missing:
            raise SetupError(f"Python's venv module is missing here; install it first: {missing}")
    print(f"Making the environment {venv} …", flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(venv)]) != 0:
        raise SetupError(f"The environment {venv} could not be made; check that the folder can be written.")


def _packages(python: Path, extra: str) -> None:
    print("Installing the packages (some minutes the first time) …", flush=True)
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-c", str(LOCK)]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}  # setuptools warns of every editable installation
    if subprocess.call([*command, "-e", target], env=environment) != 0:
        raise SetupError(
            "The packages could not be installed (pip's message stands above); check the network or the proxy, "
            "then give the same command again."
        )
    if extra:
        _unpacking([*command, UNPACKING], environment)


def _unpacking(command: list[str], environment: dict[str, str]) -> None:
    """Try to install what compressed streams need; it comes as source on some systems, which may have no compiler."""
    if subprocess.run(command, env=environment, capture_output=True, check=False).returncode != 0:
        print(f"{UNPACKING} cannot be built here, so the tests of compressed streams are left out.", flush=True)


def system_libraries() -> None:
    """Install what Qt needs of a Linux system, or print the line that does."""
    if not sys.platform.startswith("linux"):
        return
    packages = [package for library, package in LIBRARIES.items() if not _loads(library)]
    fonts = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
    if not any(next(folder.rglob("*.[to]tf"), None) for folder in fonts):
        packages.append("fonts-dejavu-core")
    line = apt_install(packages) if packages else ""
    if line:
        print(f"The window needs system libraries that are missing here; install them with: {line}", file=sys.stderr)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def apt_install(packages: list[str]) -> str:
    """Install Debian packages if root may; otherwise returns the line that somebody has to type."""
    if shutil.which("apt-get") is None:
        return f"your system's package manager (Debian calls them {' '.join(packages)})"
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0:
        return f"sudo {line}"
    print(f"Installing system packages: {' '.join(packages)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], line.replace("install", "install -qq", 1).split()):
        if subprocess.call(command, env=environment, stdout=subprocess.DEVNULL) != 0:
            return f"apt-get update && {line}"
    return ""


def headless() -> bool:
    """Whether there is no screen to open a window on."""
    if not sys.platform.startswith("linux"):
        return False
    return not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def cache_folder() -> Path:
    """Where the sample is kept."""
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "ptychogui"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
