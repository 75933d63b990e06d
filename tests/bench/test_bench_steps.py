"""`bench steps`: what it prints and writes."""

from __future__ import annotations

import json

import pytest

from ptychogui.bench import steps
from ptychogui.cli import main
from ptychogui.job import Job

FEW = ["--solver", "rpie", "--epochs", "3", "--frames", "9", "--set", "solver.object_step=0.25"]


@pytest.fixture(scope="module")
def found(scan, tmp_path_factory) -> tuple[dict, str]:
    path = tmp_path_factory.mktemp("steps") / "job.toml"
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: said.append(" ".join(map(str, words))))
        assert main(["bench", "steps", str(scan), *FEW, "-o", str(path), "--json"]) == 0
    return json.loads(said[-1]), path.read_text()


def test_the_job_that_is_written_has_the_steps_that_are_told(found):
    told, text = found
    job = Job.from_toml(text)
    assert job.solver.kind == told["solver"] == "rpie"
    assert job.solver.epochs == 3
    assert job.solver.object_step == told["best"]["object_step"] >= 0.25
    assert job.solver.probe_step == told["best"]["probe_step"]


def test_every_short_run_is_told(found):
    told, _ = found
    wide, fine = told["rounds"]
    assert (wide["epochs"], fine["epochs"]) == (1, 3)
    for one in (wide, fine):
        assert one["trials"][0]["object_step"] == 0.25
        good = [trial for trial in one["trials"] if trial["loss"] is not None and trial["loss"] < 1]
        assert all(trial["loss"] > 0 and trial["object_nrmse"] > 0 for trial in good)
        assert all(trial["object_nrmse"] is None for trial in one["trials"] if trial not in good)
    assert told["best"] in fine["trials"]
    assert 0 < told["share_of_a_run"] < 20


def test_the_table_shows_both_maps_and_what_to_set(found):
    told, _ = found
    text = steps.table(told)
    for one in told["rounds"]:
        assert f"rpie, {one['epochs']} epochs, batch 4" in text
        for trial in one["trials"]:
            good = trial["loss"] is not None and trial["loss"] < 1
            assert (f"{trial['loss']:.4g}" if good else "broke up") in text
    assert text.splitlines()[-1] == "use: " + " ".join(f"--set {setting}" for setting in told["settings"])
    nothing = steps.table({**told, "settings": []})
    assert nothing.splitlines()[-1] == "The steps and the batch are good as they are."


def test_what_cannot_be_searched_is_told_in_a_sentence(scan, tmp_path, capsys):
    assert main(["bench", "steps", str(scan), "-o", str(tmp_path / "none" / "job.toml")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert main(["bench", "steps", str(scan), "--frames", "3"]) == 2
    assert "frames is 3" in capsys.readouterr().err
