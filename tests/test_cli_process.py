"""The program as a process: exit codes, Ctrl-C, and that no file is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ptychogui import io
from ptychogui.cli import main
from ptychogui.io.data import Data


def program(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "ptychogui.cli", *map(str, arguments)]


def test_exit_codes_and_one_sentence_of_the_program_itself(tmp_path):
    done = subprocess.run(program("info", tmp_path / "none.cxi"), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"ptychogui: {tmp_path / 'none.cxi'} does not exist; check the name.\n"
    done = subprocess.run(program("info", tmp_path / "none.cxi", "--debug"), capture_output=True, text=True)
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    done = subprocess.run(program("simulate", "--list"), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_keeps_the_last_iterate(tmp_path, pixel_scan):
    output = tmp_path / "r.h5"
    command = program("run", pixel_scan, "-o", output, "--epochs", "1e6", "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "in pixels" in process.stderr.readline()  # told when the run has begun
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(out)["epochs"] == len(io.read_result(output).loss) < 1e6


def test_a_failed_run_is_told_and_replaces_nothing(tmp_path, scan, result, capsys):
    output = tmp_path / "r.h5"
    output.write_bytes(before := result.read_bytes())
    wild = ["--solver", "rpie", "--set", "solver.object_step=1e30", "--epochs", "3"]
    assert main(["run", str(scan), "-o", str(output), *wild]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["ptychogui: The rpie solver ran away in epoch 1: take smaller steps."]
    assert output.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"r.h5"}


def test_an_older_result_gives_way_when_the_new_one_is_whole(tmp_path, scan, result):
    output = tmp_path / "r.h5"
    output.write_bytes(result.read_bytes())
    assert main(["run", str(scan), "-o", str(output), "--epochs", "1"]) == 0
    assert len(io.read_result(output).loss) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["r.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_program_killed_while_it_writes_leaves_the_old_file(tmp_path):
    folder = tmp_path / "twinmic"
    small = ["--set", "shape=[24, 32]", "--set", "scan_shape=[2, 3]", "--set", "step_px=3"]
    assert main(["simulate", "guzzi-twinmic", "-o", str(folder), *small]) == 0
    before = (folder / "frames.tif").read_bytes()
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom ptychogui.io.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(Path(sys.argv[1]).read_bytes()[:2000])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder / "frames.tif")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (folder / "frames.tif").read_bytes() == before
    assert len(list(folder.iterdir())) == 5
    assert io.read(Data(path=str(folder))).frames.shape == (6, 24, 32)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of a file")
def test_a_full_disk_leaves_the_old_result(tmp_path, scan, result):
    output = tmp_path / "r.h5"
    output.write_bytes(before := result.read_bytes())
    code = (
        "import resource, sys\nfrom ptychogui.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\nsys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", code, "run", str(scan), "-o", str(output), "--epochs", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"ptychogui: {output} cannot be written: File too large.\n"
    assert output.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["r.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminal")
def test_a_progress_bar_where_stderr_is_a_terminal(tmp_path, scan):
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = program("run", scan, "-o", tmp_path / "r.h5", "--epochs", "40", "--json")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True)
    shown = os.read(ours, 10_000).decode()
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0
    assert json.loads(done.stdout)["epochs"] == 40
    assert "40/40" in shown
    assert "loss 0." in shown


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak of memory this way")
@pytest.mark.parametrize("solver", ["adam", "rpie"])
def test_a_run_holds_its_frames_once(tmp_path, solver):
    count, side = 320, 256
    y, x = np.divmod(np.arange(count), 40)
    frames = np.random.default_rng(1).poisson(2, (8, side, side)).astype(np.float32)
    np.savez(tmp_path / "scan.npz", data=np.tile(frames, (count // 8, 1, 1)), scan=np.stack([y, x], 1) * 9.5)
    code = (
        "import resource, sys\nfrom ptychogui.cli import main\n"
        "code = main(sys.argv[1:])\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\nsys.exit(code)\n"
    )
    options = ["--solver", solver, "--epochs", "1", "--device", "cpu", "--set", "start.find_defocus=false"]
    command = [sys.executable, "-c", code, "run", str(tmp_path / "scan.npz"), "-o", str(tmp_path / "r.h5"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak = int(done.stdout.splitlines()[-1]) * (1 if sys.platform == "darwin" else 1024)
    assert peak <= 1.5 * count * side**2 * 4 + 500e6
