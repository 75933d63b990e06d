"""Where to compute."""

from __future__ import annotations

import torch

from ptychogui.params import InputError


def device_of(name: str) -> torch.device:
    """The device of a name: auto, cpu, cuda, cuda:1.

    Raises `InputError` where there is no such device here, or where it lacks the double precision that positions need.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device, dtype=torch.float64)
    except TypeError as error:  # Apple's mps
        raise InputError(
            f"The device '{name}' lacks the double precision that positions need: use auto or cpu."
        ) from error
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"There is no device '{name}' here: use auto or cpu.") from error
    return device
