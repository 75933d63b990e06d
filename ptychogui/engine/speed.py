"""What the devices of this machine are, and how fast they transform."""

from __future__ import annotations

import time
from dataclasses import dataclass

_BATCH, _SIDE = 32, 256
_LEAST_S = 0.3


@dataclass(frozen=True)
class DeviceSpeed:
    """A device with its memory, and the frames of 256² that it transforms there and back in a second."""

    name: str
    about: str
    memory_bytes: int
    frames_per_s: float


def device_speeds() -> list[DeviceSpeed]:
    """Measure every device that torch can use; takes about a second for each."""
    import psutil
    import torch

    threads = torch.get_num_threads()
    working = f"{threads} threads" if threads > 1 else "1 thread"
    found = [DeviceSpeed("cpu", working, psutil.virtual_memory().total, _frames_per_s("cpu"))]
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        name = f"cuda:{number}"
        found.append(DeviceSpeed(name, about.name, about.total_memory, _frames_per_s(name)))
    return found


def _frames_per_s(name: str) -> float:
    import torch

    waves = torch.randn(_BATCH, _SIDE, _SIDE, dtype=torch.complex64, device=name)
    torch.fft.ifft2(torch.fft.fft2(waves)).abs().sum().item()  # the first one plans
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < _LEAST_S:
        waves = torch.fft.ifft2(torch.fft.fft2(waves))
        waves[0, 0, 0].abs().item()  # waits until the device is done
        count += _BATCH
    return count / (time.monotonic() - begun)
