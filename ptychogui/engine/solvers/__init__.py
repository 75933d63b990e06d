"""The solvers; one file each, over the one loop in `base`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptychogui.engine.solvers.adam import Adam
from ptychogui.engine.solvers.dm import DM
from ptychogui.engine.solvers.epie import EPIE
from ptychogui.engine.solvers.gd import GD
from ptychogui.engine.solvers.lbfgs import LBFGS
from ptychogui.engine.solvers.lsqml import LSQML
from ptychogui.engine.solvers.mpie import MPIE
from ptychogui.engine.solvers.raar import RAAR
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.params import union

if TYPE_CHECKING:
    AnySolver = GD | EPIE | RPIE | MPIE | Adam | LBFGS | LSQML | DM | RAAR
else:
    AnySolver: Any = union("ptychogui.solvers", GD, EPIE, RPIE, MPIE, Adam, LBFGS, LSQML, DM, RAAR)
