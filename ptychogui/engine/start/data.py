"""A first guess made from the frames themselves."""

from __future__ import annotations

from typing import Literal

from ptychogui.engine.start.guessed import Guessed


class FromData(Guessed):
    """The probe from the frames (mean amplitude, aperture, defocus) or as the file holds it; a flat object."""

    kind: Literal["data"] = "data"
