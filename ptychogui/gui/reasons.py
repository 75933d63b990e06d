"""Why Run is grey, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ptychogui.engine.start.ptychonet import FromNetwork

if TYPE_CHECKING:
    from ptychogui.gui.session import Session


NO_POSITIONS = "The file holds no positions: give the scan's shape and step"


@dataclass(frozen=True)
class Reason:
    """A reason, and the id of the action that helps."""

    text: str
    action: str


def reasons(session: Session) -> tuple[Reason, ...]:
    """Why Run cannot be pressed; empty where it can. While another run is going on, the next one waits for it."""
    opened = session.current
    if session.resolution.running:
        return (Reason("The resolution is being measured", "show_resolution"),)
    if opened is None:
        return (Reason("Open a data file first", "open"),)
    if opened.reading:
        return (Reason("The data are being read", "show_data"),)
    if opened.growing and opened.dataset is None:
        return (Reason("Not enough frames have come yet", "live"),)
    found = []
    if opened.problem:
        helps = "show_data" if Path(opened.job.data.path).exists() else "find_data"
        found.append(Reason(opened.problem, helps))
    if opened.dataset is not None and not opened.dataset.positions_known:
        found.append(Reason(NO_POSITIONS, "show_data"))
    if opened.apart:
        found.append(Reason("The positions do not overlap: check their unit and the pixel at the sample", "show_data"))
    if isinstance(opened.job.start, FromNetwork) and not opened.job.start.weights:
        found.append(Reason("No network is chosen: choose one in Weights, or train one", "show_parameters"))
    if session.form_problem:
        found.append(Reason(session.form_problem, "show_parameters"))
    return tuple(found)


def why_unchecked(session: Session) -> str:
    """Why the current scan cannot be checked now; '' where it can."""
    opened = session.current
    if opened is None:
        return "Open a data file first"
    if session.running is not None:
        return "A run is going on"
    return "" if opened.dataset is not None and not opened.reading else "The data are not there"


def why_no_training(session: Session) -> str:
    """Why no network can be trained now; '' where one can."""
    opened, run = session.current, session.current_run
    if opened is None:
        return "Open a scan or a result first"
    if run is not None and run.result is not None and run.result.geometry.field == "far":
        return ""
    if opened.dataset is None or opened.reading:
        return "The data are not there"
    if opened.dataset.geometry.field == "near":
        return "A network sees far-field patterns only"
    return "" if opened.dataset.positions_known else NO_POSITIONS


def why_no_tuning(session: Session) -> str:
    """Why the chosen network cannot be trained further; '' where it can."""
    start = session.current.job.start if session.current is not None else None
    if not isinstance(start, FromNetwork) or not start.weights:
        return why_no_training(session) or "Choose a network as the start first"
    return why_no_training(session)
