"""The mailbox of one, tasks, and the preview."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ptychogui.geometry import Geometry
from ptychogui.gui.preview import BLOCK, previews
from ptychogui.gui.tasks import Tasks, told
from ptychogui.gui.worker import Mailbox
from ptychogui.params import InputError
from ptychogui.types import Dataset, Scan

Until = Callable[[Callable[[], object]], None]


def test_the_mailbox_wakes_once_and_keeps_the_end(qtbot: QtBot) -> None:
    box, woken = Mailbox(), []
    box.filled.connect(lambda: woken.append(1))
    first: Any = object()
    last: Any = object()
    box.put(snapshot=first, messages=("one",))
    box.put(snapshot=last, messages=("two",))
    box.put(error=ValueError("x"))
    news = box.take()
    assert news is not None
    assert news.snapshot is last
    assert news.messages == ("one", "two")
    assert isinstance(news.error, ValueError)
    assert len(woken) == 1
    assert box.take() is None


def test_tasks_come_back_in_the_thread_of_the_window(qtbot: QtBot, until: Until) -> None:
    tasks, came = Tasks(), []
    tasks.run(lambda: threading.get_ident(), lambda ident: came.append((ident, threading.get_ident())), pytest.fail)
    until(lambda: came)
    assert came[0][0] != came[0][1] == threading.get_ident()
    failures: list[str] = []

    def fail() -> None:
        raise InputError("The file is gone.")

    tasks.run(fail, pytest.fail, lambda sentence, details: failures.append(sentence + details))
    until(lambda: failures)
    assert failures == ["The file is gone."]
    assert tasks.waiting == 0
    tasks.close()
    tasks.post(lambda: pytest.fail("after the end"))


@pytest.mark.parametrize(
    ("error", "sentence", "details"),
    [
        (InputError("No."), "No.", False),
        (MemoryError(), "not enough memory", True),
        (OSError(28, "No space left on device", "/x"), "No space left on device '/x'", True),
        (ZeroDivisionError("one\ntwo"), "(ZeroDivisionError: one)", True),
    ],
)
def test_errors_become_a_sentence(error: Exception, sentence: str, details: bool) -> None:
    said, behind = told(error)
    assert sentence in said
    assert "\n" not in said
    assert bool(behind) == details


def test_the_preview_leaves_out_what_is_not_valid() -> None:
    rng = np.random.default_rng(3)
    frames = rng.poisson(20, (2 * BLOCK + 3, 9, 12)).astype(np.float32)
    frames[5, 2, 3] = np.nan
    mask = np.ones((9, 12), bool)
    mask[0] = False
    dataset = Dataset(frames, mask, Scan(np.zeros((len(frames), 2))), Geometry((9, 12)))
    steps = list(previews(dataset, pause_s=0.0))
    assert [step.done for step in steps] == [BLOCK, 2 * BLOCK, len(frames)]
    assert np.isnan(steps[0].total_counts[BLOCK:]).all()
    last = steps[-1]
    assert last.complete
    np.testing.assert_allclose(last.total_counts, np.nansum(np.where(mask, frames, 0), (1, 2)))
    assert np.isnan(last.mean_pattern[0]).all()
    np.testing.assert_allclose(last.mean_pattern[2, 3], np.nanmean(frames[:, 2, 3]), rtol=1e-5)
    x = (np.nan_to_num(frames)[5, 1:].sum(0) @ (np.arange(12) - 6)) / np.nansum(frames[5, 1:])
    np.testing.assert_allclose(last.centre_of_mass[5, 1], x)
