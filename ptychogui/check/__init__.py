"""The preflight: what is doubtful about a scan, told before a run is spent on it, each with a fix."""

from ptychogui.check.doubt import Doubt, Progress, fixed, settings
from ptychogui.check.look import Look
from ptychogui.check.preflight import check
from ptychogui.check.quick import NEEDS_RUNS, quick, quick_look

__all__ = ["NEEDS_RUNS", "Doubt", "Look", "Progress", "check", "fixed", "quick", "quick_look", "settings"]
