"""The card inside a file of weights: what they are, how they came about, how good they are."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import Field

from ptychogui.engine.learn import AnyNetwork
from ptychogui.engine.learn.training import Training
from ptychogui.params import Count, InputError, Params, Positive


class Card(Params):
    """Architecture, training, experiment and figures of a network."""

    version: Literal[1] = 1
    network: AnyNetwork
    """The architecture."""
    training: Training
    """How it was trained."""
    pixel_m: tuple[Positive, Positive]
    """Pixel (dy, dx) of its pictures at the sample, in metres."""
    counts: Positive
    """Counts of a frame without a sample, in the experiment that it was trained for."""
    source: str = ""
    """The scan or result from which probe and positions were taken."""
    images: str = ""
    """What the samples were made of."""
    command: str = ""
    """The commands that trained it, one after the other."""
    program: str = ""
    """The program and its version."""
    date: str = ""
    """When the training ended, UTC."""
    device: str = ""
    """Where it was trained."""
    steps: Count = 1
    """Steps of the training."""
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """Seconds of the training."""
    error: Annotated[float, Field(ge=0)] = 0.0
    """‖found − truth‖ / ‖truth‖ of pictures that were not trained on, over lit pixels, after the best phase."""
    mean_error: Annotated[float, Field(ge=0)] = 0.0
    """The same of the mean of all samples."""

    def toml(self) -> str:
        """The card as a TOML text."""
        return tomli_w.dumps(self.plain())

    @classmethod
    def from_toml(cls, text: str) -> Card:
        """Read a card. Raises `InputError` where it is none."""
        try:
            values: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"This is not valid TOML: {error}.") from error
        return cls.read(values)
