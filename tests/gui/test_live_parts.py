"""Parts of the live window by themselves: growing previews, planned positions, the words of the dock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ptychogui import io
from ptychogui.gui.live import Status
from ptychogui.gui.live_scan import LiveScan, look_again, open_feed, prepare, saved_data
from ptychogui.gui.live_settings import Listening, keep_listening, last_listening, why_unready
from ptychogui.gui.opened import Opened
from ptychogui.gui.preview import longer_preview, previews
from ptychogui.gui.settings import settings
from ptychogui.gui.views.live_figures import WORDS, figures
from ptychogui.gui.views.objects import ObjectView
from ptychogui.gui.views.scan import ScanView
from ptychogui.io.data import Data
from ptychogui.job import Job, snapshots
from ptychogui.live.buffer import Buffer, Counters
from ptychogui.live.events import Begin, Block
from ptychogui.live.replay import Replay
from ptychogui.types import Dataset, Snapshot


def test_a_preview_that_grows_is_in_the_end_that_of_the_whole(scan: Path) -> None:
    dataset = io.read(Data(path=str(scan)))
    *_, whole = previews(dataset)
    grown = longer_preview(None, dataset.part(np.arange(11)), 100)
    grown = longer_preview(grown, dataset, 1)
    assert not longer_preview(None, dataset.part(np.arange(0)), 5).done
    grown = longer_preview(grown, dataset, 100)
    assert grown.complete
    np.testing.assert_allclose(grown.total_counts, whole.total_counts)
    np.testing.assert_allclose(grown.centre_of_mass, whole.centre_of_mass, atol=1e-9)
    np.testing.assert_allclose(grown.mean_pattern, whole.mean_pattern, rtol=1e-4)


def coming(scan: Path, tmp_path: Path) -> tuple[LiveScan, Dataset]:
    """A scan of which the positions are planned, and 20 of 30 frames have come, out of order."""
    given = io.read(Data(path=str(scan)))
    buffer = Buffer(
        Begin(
            given.geometry.shape,
            np.dtype(np.uint16),
            frames=30,
            positions_m=given.scan.positions_m,
            found={
                "wavelength_m": given.geometry.wavelength_m,
                "distance_m": given.geometry.distance_m,
                "detector_pixel_m": given.geometry.detector_pixel_m,
            },
        )
    )
    numbers = np.random.default_rng(2).permutation(30)[:20]
    buffer.put(Block(numbers, given.frames[:][numbers].astype(np.uint16)))
    live = LiveScan(buffer, Opened(str(tmp_path / "x.cxi"), Job()), Data(), "replay:x")
    return live, given


def test_what_is_known_of_a_scan_grows(scan: Path, tmp_path: Path, qtbot: QtBot) -> None:
    live, given = coming(scan, tmp_path)
    live.feed = open_feed(live, Data(exclude=(3,)), tmp_path)
    live.known = known = prepare(live, None)
    excluded = 3 in live.buffer.arrived
    assert len(known.dataset.scan) == 20 - excluded
    assert known.to_come_m is not None
    missing = np.setdiff1d(np.arange(30), live.buffer.arrived)
    np.testing.assert_allclose(known.to_come_m, given.scan.positions_m[missing])
    view = ScanView()
    qtbot.addWidget(view)
    view.resize(300, 300)
    view.show()
    view.show_dataset(known.dataset, known.preview)
    view.show_planned(known.to_come_m)
    assert len(view._to_come.data) == 10
    live.buffer.put(Block(missing, given.frames[:][missing].astype(np.uint16)))
    live.buffer.end()
    assert live.unseen
    live.known = known = look_again(live, None)
    assert not live.unseen
    assert len(known.dataset.scan) == 29
    assert known.to_come_m is not None
    assert not len(known.to_come_m)
    view.extend(known.dataset, known.preview)
    view.show_planned(known.to_come_m)
    assert len(view._spots.data) == 29
    assert not len(view._to_come.data)
    data = saved_data(Data(exclude=(3,), scan_shape=(5, 6), scan_step_m=1e-6), live, Path("/x.cxi"))
    assert (data.path, data.scan_shape) == ("/x.cxi", None)
    assert data.exclude == tuple(np.flatnonzero(live.buffer.arrived == 3))


def test_the_form_is_kept_and_what_is_not_understood_gives_the_defaults(tmp_path: Path) -> None:
    assert last_listening() == Listening()
    wanted = Listening(source=Replay(path="a.cxi", rate=7), save_frames=True, folder=str(tmp_path), largest_count=900)
    keep_listening(wanted)
    assert last_listening() == wanted
    assert wanted.place == tmp_path
    assert "Path" in why_unready(Listening().source)
    assert not why_unready(wanted.source)
    settings().setValue("live", '{"source": {"kind": "none"}}')
    assert last_listening() == Listening()


def test_while_a_live_run_searches_the_preview_is_shown(scan: Path, tmp_path: Path, qtbot: QtBot) -> None:
    live, _ = coming(scan, tmp_path)
    live.feed = open_feed(live, Data(), tmp_path)
    known = prepare(live, None)
    steps = snapshots(Job(), known.dataset, feed=live.feed)
    first = next(steps)
    steps.close()
    assert isinstance(first, Snapshot)
    assert first.doing
    view = ObjectView("phase")
    qtbot.addWidget(view)
    view.show()
    view.show_dataset(known.dataset, known.preview)
    view.show_snapshot(first)
    assert view.panel.picture is not None
    assert view.panel.picture.unit == "px", "the deflection of the beam"
    view.show_snapshot(replace(first, doing=""))
    assert view.panel.picture.unit == "rad"


@pytest.mark.parametrize("state", WORDS)
def test_every_state_has_a_colour_and_words(state: str) -> None:
    colour, words = WORDS[state]
    assert colour in ("dim", "accent", "good", "warning", "error")
    assert words


def test_figures_say_how_far_the_run_is_behind() -> None:
    counters = Counters(received=40, ready=38, expected=100, missing=3, rate=49.7, age_s=0.24)
    found = figures(Status(state="receiving", counters=counters, used=30))
    assert found["Lag"] == "8 not worked in yet, the last one came 0.2 s ago"
    assert (found["Rate"], found["Missing"], found["Used"]) == ("50 frames/s", "3", "30")
    assert "ago" not in figures(Status(counters=counters, used=38, over=True))["Lag"]
    assert not figures(Status())
