"""First guesses of probe and object; one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.file import FromFile
from ptychogui.engine.start.ptychonet import FromNetwork
from ptychogui.params import union

if TYPE_CHECKING:
    AnyStart = FromData | FromFile | FromNetwork
else:
    AnyStart: Any = union("ptychogui.starts", FromData, FromFile, FromNetwork)
