"""Where to compute."""

from __future__ import annotations

import torch

from ptychogui.params import InputError


def device_of(name: str) -> torch.device:
    """The device of a name: auto, cpu, cuda, cuda:1, mps.

    Raises `InputError` where there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"There is no device '{name}' here: use auto or cpu.") from error
    return device
