"""Networks that see a first picture in the patterns; one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptychogui.engine.learn.ptychonet import PtychoNet
from ptychogui.engine.learn.ptychonet_plus import PtychoNetPlus
from ptychogui.engine.learn.unrolled import Unrolled
from ptychogui.params import union

if TYPE_CHECKING:
    AnyNetwork = PtychoNet | PtychoNetPlus | Unrolled
else:
    AnyNetwork: Any = union("ptychogui.networks", PtychoNet, PtychoNetPlus, Unrolled)
