"""Layouts of a scan: where the probe shall stand; one file for each pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptychogui.layout.base import Layout
from ptychogui.layout.concentric import Concentric
from ptychogui.layout.fermat import Fermat
from ptychogui.layout.lissajous import Lissajous
from ptychogui.layout.listed import Listed
from ptychogui.layout.pattern import Pattern
from ptychogui.layout.random import Random
from ptychogui.layout.raster import Raster
from ptychogui.layout.snake import Snake
from ptychogui.params import union

if TYPE_CHECKING:
    AnyPattern = Raster | Snake | Concentric | Fermat | Lissajous | Random
    AnyLayout = AnyPattern | Listed
else:
    PATTERNS = (Raster, Snake, Concentric, Fermat, Lissajous, Random)
    AnyPattern: Any = union("ptychogui.layouts", *PATTERNS)
    AnyLayout: Any = union("ptychogui.layouts", *PATTERNS, Listed)

__all__ = ["AnyLayout", "AnyPattern", "Layout", "Listed", "Pattern"]
