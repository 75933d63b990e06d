"""Menus as data: what can be done, where it stands, its key, and why it cannot be done now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ptychogui.gui.datasets import why_no_tree
from ptychogui.gui.live_windows import why_no_connecting, why_no_disconnecting
from ptychogui.gui.reasons import why_no_training, why_no_tuning, why_unchecked
from ptychogui.gui.session import Session
from ptychogui.gui.views import DOCKS, SIDES

Why = Callable[[Session], str]
"""The reason why an action is grey; '' where it can be done."""


@dataclass(frozen=True)
class Action:
    """One entry of a menu; `slot` is the method of the window, or of its tools, that it calls; '' for that of Qt."""

    id: str
    text: str
    menu: str
    slot: str
    shortcut: str = ""
    why: Why = lambda session: ""
    rule: bool = False
    """Whether a line is drawn above it."""


def plain(text: str) -> str:
    """A menu's text without its mnemonic and dots."""
    return text.replace("&", "").removesuffix("…")


def _needs_file(session: Session) -> str:
    return "" if session.current else "Open a data file first"


def _needs_kept_frames(session: Session) -> str:
    growing = session.current is not None and session.current.growing
    return "The scan is being measured: its frames can be prepared at its end" if growing else _needs_file(session)


def _can_undo(session: Session) -> str:
    return "" if session.undo.canUndo() else "There is nothing to undo"


def _can_redo(session: Session) -> str:
    return "" if session.undo.canRedo() else "Nothing was undone that could be done again"


def _needs_result(session: Session) -> str:
    run = session.current_run
    if run is None or (run.result is None and run is not session.running):
        return "Select a run that has a result"
    return ""


def _needs_ended_result(session: Session) -> str:
    return _needs_result(session) or ("The run is going on" if session.current_run is session.running else "")


def _needs_run(session: Session) -> str:
    return "" if session.current_run else "Select a run"


def _holds_arrays(session: Session) -> str:
    return why_no_tree(session.current)


def _needs_rest(session: Session) -> str:
    return "A run is going on: stop it first" if session.running or session.queue.waiting else ""


def _needs_running(session: Session) -> str:
    return "" if session.running else "Nothing is running"


def _can_start(session: Session) -> str:
    reasons = session.reasons()
    return reasons[0].text if reasons else ""


def _can_go_on(session: Session) -> str:
    return _can_start(session) or _needs_ended_result(session)


def _can_search_steps(session: Session) -> str:
    return _needs_file(session) or ("A run is going on" if session.running else _can_start(session))


def _can_run_again(session: Session) -> str:
    return _needs_run(session) or _can_start(session)


def _can_branch(session: Session) -> str:
    return session.history.why_no_branch()


def _needs_waiting(session: Session) -> str:
    return "" if session.queue.place(session.current_run) is not None else "Select a run that waits in the queue"


def _can_move_earlier(session: Session) -> str:
    return _needs_waiting(session) or ("" if session.queue.place(session.current_run) else "It is the next one already")


def _can_move_later(session: Session) -> str:
    last = len(session.queue.waiting) - 1
    why = "It is the last one already" if session.queue.place(session.current_run) == last else ""
    return _needs_waiting(session) or why


def _can_remove_run(session: Session) -> str:
    return _needs_run(session) or ("The run is going on: stop it first" if session.shows_running else "")


def _needs_two_runs(session: Session) -> str:
    count = sum(len(opened.runs) for opened in session.opened)
    return "" if count > 1 else "There is no second run to compare with"


def _needs_two_results(session: Session) -> str:
    count = sum(run.result is not None for opened in session.opened for run in opened.runs)
    return "" if count > 1 else "There is no second result to compare with"


def _can_measure(session: Session) -> str:
    return session.resolution.why_not()


ACTIONS: tuple[Action, ...] = (
    Action("open", "&Open…", "&File", "open_dialog", "Ctrl+O"),
    Action("open_folder", "Open &folder…", "&File", "open_folder_dialog", "Ctrl+Shift+O"),
    Action("simulate", "Si&mulate…", "&File", "layouts.simulate", "Ctrl+Shift+M"),
    Action("save", "&Save result…", "&File", "save_dialog", "Ctrl+S", _needs_result, rule=True),
    Action("export", "E&xport…", "&File", "runs.export", "Ctrl+E", _needs_ended_result),
    Action("open_project", "Open pro&ject…", "&File", "projects.open_dialog", "Ctrl+Alt+O", _needs_rest, rule=True),
    Action("save_project", "Sa&ve project", "&File", "projects.save", "Ctrl+Alt+S", _needs_file),
    Action("save_project_as", "Save project &as…", "&File", "projects.save_as", "", _needs_file),
    Action("load_parameters", "&Load parameters…", "&File", "load_parameters_dialog", "Ctrl+L", _needs_file, rule=True),
    Action("save_parameters", "Save &parameters…", "&File", "save_parameters_dialog", "Ctrl+Shift+S", _needs_file),
    Action("contents", "Conten&ts of the file…", "&File", "datasets.contents", "Ctrl+I", _holds_arrays, rule=True),
    Action("choose_datasets", "Choose the &datasets…", "&File", "datasets.choose", "", _holds_arrays),
    Action("find_data", "F&ind the data…", "&File", "datasets.find", "", _needs_kept_frames),
    Action("close_file", "&Close file", "&File", "close_file", "Ctrl+W", _needs_file, rule=True),
    Action("quit", "&Quit", "&File", "close", "Ctrl+Q"),
    Action("undo", "&Undo", "&Edit", "session.undo.undo", "Ctrl+Z", _can_undo),
    Action("redo", "&Redo", "&Edit", "session.undo.redo", "Ctrl+Shift+Z", _can_redo),
    Action("use_run", "Use the &parameters of this run", "&Edit", "use_run", "", _needs_run, rule=True),
    Action("defaults", "Reset &all parameters", "&Edit", "use_defaults", "", _needs_file),
    Action("presets", "Pre&sets…", "&Edit", "guidance.presets", "Ctrl+Shift+P"),
    Action("run", "&Run", "&Run", "runs.start", "Ctrl+R", _can_start),
    Action("continue", "Continue &from this result", "&Run", "runs.go_on", "Ctrl+Shift+R", _can_go_on),
    Action("pause", "&Pause", "&Run", "pause_run", "Ctrl+P", _needs_running),
    Action("stop", "&Stop", "&Run", "stop_run", "Ctrl+.", _needs_running),
    Action("queue", "Add to the &queue", "&Run", "runs.add_to_queue", "Ctrl+Alt+R", _can_start, rule=True),
    Action("rerun", "Run &again with the same parameters", "&Run", "runs.run_again", "", _can_run_again),
    Action("branch", "&Branch from the state on show", "&Run", "runs.branch", "Ctrl+B", _can_branch),
    Action("queue_earlier", "Move &earlier in queue", "&Run", "runs.move_earlier", "Ctrl+Alt+Up", _can_move_earlier),
    Action("queue_later", "Move &later in queue", "&Run", "runs.move_later", "Ctrl+Alt+Down", _can_move_later),
    Action("remove_run", "Remo&ve this run", "&Run", "runs.remove", "Ctrl+Del", _can_remove_run),
    Action("annotate", "Rate and &note…", "&Run", "runs.annotate", "Ctrl+N", _needs_run, rule=True),
    Action("compare", "Compare res&ults…", "&Run", "runs.compare", "Ctrl+D", _needs_two_results),
    Action("compare_jobs", "Co&mpare parameters…", "&Run", "runs.compare_jobs", "Ctrl+Shift+D", _needs_two_runs),
    Action("copy_command", "Copy as c&ommand line", "&Run", "runs.copy_command", "", _needs_run, rule=True),
    Action("copy_python", "Copy as P&ython", "&Run", "runs.copy_python", "", _needs_run),
    Action("live", "&Live source…", "&Live", "live_windows.open", "Ctrl+7"),
    Action("live_connect", "&Connect", "&Live", "live_windows.connect_source", "Ctrl+Alt+C", why_no_connecting),
    Action("live_disconnect", "&Disconnect", "&Live", "live_windows.disconnect_source", "", why_no_disconnecting),
    Action("live_save", "&Save the frames, or no longer", "&Live", "live_windows.save", rule=True),
    Action("live_room", "Control-&room mode", "&Live", "live_windows.control_room", "Shift+F11", rule=True),
    Action("prepare", "&Prepare the frames…", "&Tools", "preparing.open", "Ctrl+Alt+P", _needs_kept_frames),
    Action("layout", "Edit the scan &layout…", "&Tools", "layouts.edit", "Ctrl+Shift+L"),
    Action("preflight", "Pre&flight: reasons and fixes…", "&Tools", "tools.open_preflight", "", why_unchecked),
    Action("check", "&Check this scan…", "&Tools", "tools.check", "Ctrl+T", why_unchecked),
    Action("resolution", "Measure the &resolution (FRC)", "&Tools", "tools.measure_resolution", "", _can_measure),
    Action("steps", "Find step si&zes…", "&Tools", "tools.find_steps", "", _can_search_steps),
    Action("train", "&Train a network…", "&Tools", "networks.train", "", why_no_training, rule=True),
    Action("fine_tune", "Fine-tune the &network…", "&Tools", "networks.fine_tune", "", why_no_tuning),
    Action("design", "&Design a target…", "&Tools", "tools.design", rule=True),
    Action("next_frame", "&Next frame", "&View", "next_frame", "Alt+Right", _needs_file),
    Action("previous_frame", "&Previous frame", "&View", "previous_frame", "Alt+Left", _needs_file),
    Action("show_start", "&Start page", "&View", "show_start", "Ctrl+Home", rule=True),
    Action("show_data", "&Data card", "&View", "show_data", "Ctrl+1", _needs_file),
    Action("show_parameters", "P&arameters", "&View", "show_parameters", "Ctrl+2", _needs_file),
    Action("show_running", "The running &job", "&View", "show_running", "Ctrl+3", _needs_running),
    Action("show_resolution", "R&esolution", "&View", "show_resolution", "Ctrl+5", _needs_file),
    Action("show_history", "&History of the run", "&View", "runs.show_history", "Ctrl+6", _needs_run),
    Action("show_log", "&Log", "&View", "show_log", "Ctrl+4", _needs_file),
    Action("enlarge", "View over the &whole screen", "&View", "view_windows.enlarge", "F12", _needs_file, rule=True),
    Action("tear_off", "View in a window of its &own", "&View", "view_windows.tear_off", "Shift+F12", _needs_file),
    Action("reset_layout", "&Reset layout", "&View", "reset_layout", rule=True),
    Action("full_screen", "&Full screen", "&View", "full_screen", "F11"),
    Action("help", "&Help", "&Help", "guidance.help", "F1"),
    Action("tour", "&First steps", "&Help", "guidance.tour"),
    Action("palette", "&Command palette…", "&Help", "guidance.palette", "Ctrl+K", rule=True),
    Action("shortcuts", "&Keyboard shortcuts…", "&Help", "guidance.shortcuts", "Ctrl+F1"),
    Action("about", "&About ptychogui…", "&Help", "guidance.about", rule=True),
)

DOCK_ACTIONS = tuple(
    Action(f"dock_{name}", title, "Docks", "", why=_needs_file)
    for name, title in (SIDES | {dock.name: dock.title for dock in DOCKS}).items()
)
"""Entries that show and hide the docks; they are those of the docks themselves, and are there when the docks are."""
EVERY_ACTION = (*ACTIONS, *DOCK_ACTIONS)
