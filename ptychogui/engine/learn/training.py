"""How a network is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ptychogui.params import ESSENTIAL, FOLDER, Count, Index, NonNegative, Params, Positive, Seconds


class Training(Params):
    """Samples are made on the device while it trains: two pictures each, behind the experiment's own probe, along a
    part of its own scan, with the noise of its counts."""

    images: Annotated[str, FOLDER, ESSENTIAL] = ""
    """Folder of photographs from which samples are made; empty: pictures made by formula (dead leaves). Pictures like
    the samples to come teach most."""
    seconds: Annotated[Seconds, ESSENTIAL] = 600.0
    """Time in s after which the training ends; the learning rate falls to nothing until then. A short time gives a
    blurred network."""
    steps: Count | None = None
    """Steps after which it ends; unset: when the time is over. A number of steps is reproduced by its seed."""
    loss: Literal["mse", "dse"] = "mse"
    """mse: the errors of amplitude and phase, each as a part of its range, after the best constant phase. dse adds the
    error of the patterns that the picture makes, the dual-space error of Guan & Tsai, Eq. 7."""
    weight: NonNegative = 1.0
    """λ, the weight of the patterns' error in dse: large values sharpen the contrast and slow the learning down."""
    batch: Count = 4
    """Samples in a step. Few: the learning is noisy; many: a step takes longer."""
    frames: Annotated[Count, ESSENTIAL] = 9
    """Frames of a sample: neighbours in the scan. Few: no overlap is learned; many: a step takes longer."""
    stretch: tuple[Positive, Positive] = (0.8, 1.25)
    """Least and largest factor by which the positions are stretched, at random for each step, so that the network
    serves other overlaps too."""
    variety: NonNegative = 0.0
    """How much the probe is defocused, at random along either axis for each step, so that the network serves other
    probes too: the largest phase in rad at the mean square frequency of the probe. 0: the experiment's own probe only,
    which one network learns best; 0.5: up to twice as wide."""
    counts: Annotated[float, Field(ge=0)] | None = None
    """Counts of a frame without a sample, whose noise the patterns have; unset: the experiment's; 0: no noise."""
    learning_rate: Positive = 5e-4
    """Adam's first step. Too large: the error jumps; too small: the time is over before it has learned."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Adam's β₁. Guan & Tsai take 0.5, with which networks of many looks did not settle."""
    patience: Count = 30
    """Looks at the validation samples without a better error after which it has reached a plateau and ends."""
    held_out: Annotated[float, Field(gt=0, lt=0.9)] = 0.1
    """Part of the pictures that is not trained on and judges the network."""
    made: Count = 300
    """Pictures made by formula, where there is no folder."""
    mixed: bool = True
    """Compute the network's layers in half precision (bfloat16) on a graphics card; the physics stays in single
    precision. A processor takes longer with it, so there it changes nothing."""
    seed: Index = 0
    """Seed of everything random."""
