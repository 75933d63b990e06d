"""The project itself: what is installed, what is locked, and the way from a bare machine to the program."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "installer" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def locked() -> dict[str, str]:
    lines = (ROOT / "installer" / "lock.txt").read_text().splitlines()
    pins = (line.split("==") for line in lines if not line.startswith("#"))
    return {normal(name): version for name, version in pins}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(name: str, extras: frozenset[str], found: dict[str, str]) -> dict[str, str]:
    """Every installed distribution that `name` with its extras needs, with its version."""
    distribution = importlib.metadata.distribution(name)
    for text in distribution.requires or []:
        needed = Requirement(text)
        wanted = needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras | {""})
        if wanted and normal(needed.name) not in found:
            try:
                found[normal(needed.name)] = importlib.metadata.version(needed.name)
            except importlib.metadata.PackageNotFoundError:
                continue  # tools of development need not be installed for the tests
            closure(needed.name, frozenset(needed.extras), found)
    return found


def test_lock_names_a_version_of_everything_that_is_needed() -> None:
    pins = locked()
    for name, version in closure("ptychogui", frozenset({"test", "dev"}), {}).items():
        if name != "ptychogui":
            assert pins.get(name) == version.partition("+")[0], f"{name} {version} is installed"


def test_lock_holds_versions_only() -> None:
    for line in (ROOT / "installer" / "lock.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line), line


def test_licence_and_icon_are_there() -> None:
    assert importlib.metadata.metadata("ptychogui")["License-Expression"] == "GPL-3.0-or-later"
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text()
    icon = importlib.resources.files("ptychogui.resources").joinpath("icons/ptychogui.svg")
    assert icon.read_text().startswith("<svg")


def test_wheel_holds_the_program_and_its_resources(tmp_path: Path) -> None:
    for name in ("ptychogui", "resources"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
        "-w",
        "wheel",
        ".",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(next((tmp_path / "wheel").glob("*.whl"))).namelist()
    assert {"ptychogui/types.py", "ptychogui/resources/__init__.py", "ptychogui/resources/icons/ptychogui.svg"} <= {
        *names
    }
    assert not any(name.startswith(("tests", "resources", "installer")) for name in names)


@pytest.mark.parametrize("module", ["ptychogui", "ptychogui.job", "ptychogui.cli", "ptychogui.engine.simulate"])
def test_import_leaves_out_torch_and_qt(module: str) -> None:
    code = f"import sys, {module}; print({{'torch', 'PyQt6', 'pyqtgraph', 'qasync'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_bootstrap_explains_itself(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["--help"]) == 0
    assert bootstrap.main(["fly"]) == 2
    out, err = capsys.readouterr()
    assert "run | test | install" in out
    assert "run | test | install" in err


def test_bootstrap_needs_nothing_but_the_standard_library() -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / "installer" / "bootstrap.py"), "--help"]
    assert "run | test" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def fake(folder: Path, name: str, status: int, log: Path) -> None:
    program = folder / name
    program.write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\nexit {status}\n')
    program.chmod(0o755)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="apt-get is a Linux program")
@pytest.mark.parametrize(("user", "status", "line"), [(0, 0, ""), (0, 100, "apt-get update && "), (1000, 0, "sudo ")])
def test_system_packages_are_installed_by_root_and_named_otherwise(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, status: int, line: str
) -> None:
    fake(tmp_path, "apt-get", status, log := tmp_path / "log")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: user)
    answer = bootstrap.apt_install(["libgl1", "libegl1"])
    assert answer.startswith(line)
    assert answer.endswith("libgl1 libegl1" if line else "")
    called = log.read_text() if log.exists() else ""
    assert ("install -qq -y --no-install-recommends libgl1 libegl1" in called) == (user == status == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Python is a shell script")
def test_environment_is_made_again_only_when_something_changed(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    fake(tmp_path / "bin", "python", 0, log := tmp_path / "log")
    monkeypatch.setenv("PTYCHOGUI_VENV", str(tmp_path))
    for extra in ("test", "test", ""):
        assert bootstrap.set_up(extra) == tmp_path / "bin"
    bootstrap.set_up("dev")
    bootstrap.set_up("test")
    targets = [line.rsplit(maxsplit=1)[-1] for line in log.read_text().splitlines()]
    assert targets == [f"{ROOT}[test]", bootstrap.UNPACKING, f"{ROOT}[dev]", bootstrap.UNPACKING]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Python is a shell script")
def test_what_only_some_machines_can_build_is_not_needed(
    bootstrap: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(tmp_path, "python", 1, tmp_path / "log")
    bootstrap._unpacking([str(tmp_path / "python"), bootstrap.UNPACKING], dict(os.environ))
    assert "cannot be built here" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Python is a shell script")
def test_failed_installation_is_told_and_tried_again(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bin").mkdir()
    fake(tmp_path / "bin", "python", 1, log := tmp_path / "log")
    monkeypatch.setenv("PTYCHOGUI_VENV", str(tmp_path))
    assert [bootstrap.main(["test"]), bootstrap.main(["test"])] == [1, 1]
    assert "check the network" in capsys.readouterr().err
    assert len(log.read_text().splitlines()) == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux runs without a screen")
def test_run_without_a_screen_says_so_and_names_the_command_line(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bin").mkdir()
    fake(tmp_path / "bin", "python", 0, tmp_path / "log")
    fake(tmp_path / "bin", "ptychogui", 0, log := tmp_path / "log")
    monkeypatch.setenv("PTYCHOGUI_VENV", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert bootstrap.main(["run"]) == 1
    assert "There is no display here" in capsys.readouterr().err
    assert f"ptychogui simulate siemens-far -o {tmp_path}/cache/ptychogui/siemens-far.cxi" in log.read_text()
    assert bootstrap.main(["run", "info", "scan.cxi"]) == 0
    assert log.read_text().endswith("ptychogui info scan.cxi\n")
