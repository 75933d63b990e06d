"""Forward models: how a sample and a probe make the wave behind the sample; one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptychogui.engine.models.thin import Thin
from ptychogui.params import union

if TYPE_CHECKING:
    AnyModel = Thin
else:
    AnyModel: Any = union("ptychogui.models", Thin)
