"""Menus as data: what can be done, where it stands, its key, and why it cannot be done now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ptychogui.gui.reasons import why_unchecked
from ptychogui.gui.session import Session

Why = Callable[[Session], str]
"""The reason why an action is grey; '' where it can be done."""


@dataclass(frozen=True)
class Action:
    """One entry of a menu; `slot` is the method of the window, or of its tools, that it calls."""

    id: str
    text: str
    menu: str
    slot: str
    shortcut: str = ""
    why: Why = lambda session: ""
    rule: bool = False
    """Whether a line is drawn above it."""


def _needs_file(session: Session) -> str:
    return "" if session.current else "Open a data file first"


def _needs_result(session: Session) -> str:
    run = session.current_run
    if run is None or (run.result is None and run is not session.running):
        return "Select a run that has a result"
    return ""


def _needs_ended_result(session: Session) -> str:
    return _needs_result(session) or ("The run is going on" if session.current_run is session.running else "")


def _needs_run(session: Session) -> str:
    return "" if session.current_run else "Select a run"


def _needs_running(session: Session) -> str:
    return "" if session.running else "Nothing is running"


def _can_start(session: Session) -> str:
    reasons = session.reasons()
    return reasons[0].text if reasons else ""


def _can_go_on(session: Session) -> str:
    return _can_start(session) or _needs_result(session)


def _can_measure(session: Session) -> str:
    return session.resolution.why_not()


ACTIONS: tuple[Action, ...] = (
    Action("open", "&Open…", "&File", "open_dialog", "Ctrl+O"),
    Action("open_folder", "Open &folder…", "&File", "open_folder_dialog", "Ctrl+Shift+O"),
    Action("save", "&Save result…", "&File", "save_dialog", "Ctrl+S", _needs_result, rule=True),
    Action("export", "&Export pictures…", "&File", "export_dialog", "Ctrl+E", _needs_ended_result),
    Action("load_parameters", "&Load parameters…", "&File", "load_parameters_dialog", "Ctrl+L", _needs_file, rule=True),
    Action("save_parameters", "Save &parameters…", "&File", "save_parameters_dialog", "Ctrl+Shift+S", _needs_file),
    Action("find_data", "F&ind the data of this result…", "&File", "find_data_dialog", "", _needs_file),
    Action("close_file", "&Close file", "&File", "close_file", "Ctrl+W", _needs_file, rule=True),
    Action("quit", "&Quit", "&File", "close", "Ctrl+Q"),
    Action("use_run", "Use the parameters of this &run", "&Edit", "use_run", "", _needs_run, rule=True),
    Action("defaults", "Reset all &parameters", "&Edit", "use_defaults", "", _needs_file),
    Action("run", "&Run", "&Run", "start_run", "Ctrl+R", _can_start),
    Action("continue", "&Continue from this result", "&Run", "continue_run", "Ctrl+Shift+R", _can_go_on),
    Action("pause", "&Pause", "&Run", "pause_run", "Ctrl+P", _needs_running),
    Action("stop", "&Stop", "&Run", "stop_run", "Ctrl+.", _needs_running),
    Action("check", "&Check this scan…", "&Tools", "tools.check", "Ctrl+T", why_unchecked),
    Action("resolution", "Measure the &resolution (FRC)", "&Tools", "tools.measure_resolution", "", _can_measure),
    Action("steps", "Find step si&zes…", "&Tools", "tools.find_steps", "", _can_start),
    Action("design", "&Design a target…", "&Tools", "tools.design", rule=True),
    Action("next_frame", "&Next frame", "&View", "next_frame", "Alt+Right", _needs_file),
    Action("previous_frame", "&Previous frame", "&View", "previous_frame", "Alt+Left", _needs_file),
    Action("show_start", "&Start page", "&View", "show_start", "Ctrl+Home", rule=True),
    Action("show_data", "&Data card", "&View", "show_data", "Ctrl+1", _needs_file),
    Action("show_parameters", "P&arameters", "&View", "show_parameters", "Ctrl+2", _needs_file),
    Action("show_running", "The running &job", "&View", "show_running", "Ctrl+3", _needs_running),
    Action("show_resolution", "R&esolution", "&View", "show_resolution", "Ctrl+5", _needs_file),
    Action("show_log", "&Log", "&View", "show_log", "Ctrl+4", _needs_file),
    Action("enlarge", "View over the &whole screen", "&View", "view_windows.enlarge", "F12", _needs_file, rule=True),
    Action("tear_off", "View in a window of its &own", "&View", "view_windows.tear_off", "Shift+F12", _needs_file),
    Action("reset_layout", "&Reset layout", "&View", "reset_layout", rule=True),
    Action("full_screen", "&Full screen", "&View", "full_screen", "F11"),
    Action("palette", "&Command palette…", "&Help", "command_palette", "Ctrl+K"),
    Action("shortcuts", "&Keyboard shortcuts", "&Help", "show_shortcuts", "F1"),
    Action("about", "&About ptychogui", "&Help", "show_about"),
)
