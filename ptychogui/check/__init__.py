"""The preflight: what is doubtful about a scan, told before a run is spent on it, each with a fix."""

from ptychogui.check.doubt import Doubt, Progress, fixed, settings
from ptychogui.check.preflight import check

__all__ = ["Doubt", "Progress", "check", "fixed", "settings"]
