"""The command line exports what it is asked for."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from ptychogui import io
from ptychogui.cli import main


def test_a_report_says_the_command_that_makes_its_result_again(
    result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(result), str(tmp_path / "out"), "--formats", "report, svg,cxi"]) == 0
    written = [Path(line).name for line in capsys.readouterr().out.split("\n") if line]
    assert written == ["object_amplitude.svg", "object_phase.svg", "probe.svg", "result.cxi", "report.html"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    found = re.search(r"<pre>(ptychogui run [^<]+)</pre>", page)
    assert found is not None
    words = shlex.split(html.unescape(found[1]))[1:]
    words[words.index("-o") + 1] = str(tmp_path / "again.h5")
    assert main(words) == 0
    np.testing.assert_array_equal(io.read_result(tmp_path / "again.h5").loss, io.read_result(result).loss)


def test_an_unknown_format_is_told_in_one_sentence(
    result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(result), str(tmp_path / "out"), "--formats", "jpeg"]) == 2
    assert "There is no format 'jpeg'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
