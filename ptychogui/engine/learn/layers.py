"""The networks' layers."""

from __future__ import annotations

import cmath
from abc import abstractmethod
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ptychogui.engine.learn.scans import Scans
from ptychogui.engine.learn.stitch import in_step

Range = tuple[float, float]
_DEEPEST = 8
"""The most channels, as multiples of the width."""
_DILATIONS = (1, 2, 4, 8, 16, 4, 2, 1)
_MEMORY = 8
"""Channels that one look leaves to the next."""
_SEEN = 8
"""Channels that a look sees beside its memory."""
_STEP_GAIN, _DIRECTION_GAIN = 4.0, 0.3
_SHORTEST = 1e-6
_AT_ONCE = 256
"""Patterns that are looked at at once, but in training, where a batch is small and its mean counts."""
_RESIDUAL = 0.1
_SCALE = 0.3
_QUIET = 0.1


class Guesser(nn.Module):
    """Scans in, pictures out."""

    @abstractmethod
    def forward(self, scans: Scans, late: float = 0.0) -> list[Tensor]:
        """Pictures (B, Y, X), complex: each better than the one before.

        A training step may teach only a part of the iterations of a network that has many: `late`, from 0 to 1, says
        which. The first picture then has no gradient, where it is what these began with.
        """


class Patches(nn.Module):
    """Amplitudes (m, n, n), zero frequency in the corner, to amplitude and phase (m, 2, n, n) from 0 to 1.

    Guan & Tsai, figure 1: convolutions 4 × 4 with stride 2 down to 2 × 2, one of 2 × 2 to a point, and the mirror of
    that. `residual` adds a block behind the second and third stage of the encoder and the mirror of these.
    """

    def __init__(self, pixels: int, width: int, residual: bool) -> None:
        super().__init__()
        stages = pixels.bit_length() - 2
        deep = [1] + [width * min(2**stage, _DEEPEST) for stage in range(stages)]
        layers: list[nn.Module] = []
        for stage, (before, behind) in enumerate(pairwise(deep)):
            layers.append(nn.Conv2d(before, behind, 4, 2, 1))
            if stage:  # the first one sees the amplitudes as they are
                layers.append(nn.BatchNorm2d(behind))
            layers.append(nn.LeakyReLU(0.2))
            if residual and stage in (1, 2):
                layers.append(Residual(behind))
        layers += [nn.Conv2d(deep[-1], deep[-1], 2), nn.LeakyReLU(0.2)]
        layers += [nn.ConvTranspose2d(deep[-1], deep[-1], 2), nn.BatchNorm2d(deep[-1]), nn.ReLU()]
        for stage in range(stages - 1, 0, -1):
            layers += [
                nn.ConvTranspose2d(deep[stage + 1], deep[stage], 4, 2, 1),
                nn.BatchNorm2d(deep[stage]),
                nn.ReLU(),
            ]
            if residual and stage in (1, 2):
                layers.append(Residual(deep[stage]))
        layers += [nn.ConvTranspose2d(deep[1], 2, 4, 2, 1), nn.Sigmoid()]
        self.layers = nn.Sequential(*layers)

    def forward(self, amplitudes: Tensor) -> Tensor:
        """The patches, from 0 to 1."""
        out: Tensor = self.layers(torch.fft.fftshift(amplitudes, (-2, -1))[:, None])
        return out


class Residual(nn.Module):
    """Two convolutions beside what goes in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        return functional.relu(x + self.layers(x))


class Stitched(Guesser):
    """A patch for every pattern; patches are turned in step and averaged."""

    def __init__(self, pixels: int, width: int, amplitude: Range, phase_rad: Range, *, residual: bool) -> None:
        super().__init__()
        self.patches = Patches(pixels, width, residual)
        self.amplitude, self.phase_rad, self.middle = amplitude, phase_rad, middle(amplitude, phase_rad)

    def forward(self, scans: Scans, late: float = 0.0) -> list[Tensor]:
        """One picture, which knows nothing where no light falls."""
        count, frames = scans.amplitudes.shape[:2]
        every = scans.amplitudes.flatten(0, 1)
        parts = [every] if self.training else torch.split(every, _AT_ONCE)
        seen = torch.cat([self.patches(part).float() for part in parts])
        (a, b), (c, d) = self.amplitude, self.phase_rad
        patches = torch.polar(a + (b - a) * seen[:, 0], c + (d - c) * seen[:, 1]).reshape(
            count, frames, *seen.shape[-2:]
        )
        if not self.training:
            patches = in_step(patches, scans)
        return [self.middle + scans.average(patches - self.middle)]


class Dilated(Guesser):
    """A stitched picture, then dilated convolutions that add what they have learned is missing."""

    def __init__(self, pixels: int, width: int, amplitude: Range, phase_rad: Range, channels: int) -> None:
        super().__init__()
        self.stitched = Stitched(pixels, width, amplitude, phase_rad, residual=True)
        self.middle = middle(amplitude, phase_rad)
        sizes = [2, *[channels] * (len(_DILATIONS) - 1), 2]
        layers: list[nn.Module] = []
        for (before, behind), dilation in zip(pairwise(sizes), _DILATIONS):
            layers += [nn.Conv2d(before, behind, 3, 1, dilation, dilation), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers[:-1])
        self.scale = nn.Parameter(torch.tensor(_RESIDUAL))

    def forward(self, scans: Scans, late: float = 0.0) -> list[Tensor]:
        """The stitched picture and the refined one."""
        (first,) = self.stitched(scans)
        more = self.layers(torch.view_as_real(first - self.middle).movedim(-1, 1)).float()
        return [first, first + self.scale * torch.complex(more[:, 0], more[:, 1])]


class Looking(Guesser):
    """Learned iterations, all with the same weights.

    A training step teaches `taught` of them in a row, and those before are made without learning: so there may be many
    in little memory and time, each is taught to mend what is left, and more of them go on where the taught ones end.
    """

    def __init__(
        self,
        pixels: int,
        width: int,
        amplitude: Range,
        phase_rad: Range,
        channels: int,
        *,
        looks: int,
        taught: int,
    ) -> None:
        super().__init__()
        self.first = Stitched(pixels, width, amplitude, phase_rad, residual=False) if width else None
        self.middle, self.looks, self.taught = middle(amplitude, phase_rad), looks, min(taught, looks)
        self.net = Scales(_SEEN + _MEMORY, 2 + _MEMORY, channels)

    def forward(self, scans: Scans, late: float = 0.0) -> list[Tensor]:
        """The picture to begin with, and the one behind every look."""
        count = len(scans.amplitudes)
        if self.first is None:
            obj = torch.full((count, *scans.shape), self.middle, dtype=scans.probe.dtype, device=scans.probe.device)
        else:
            (obj,) = self.first(scans)
        memory = scans.amplitudes.new_zeros((count, _MEMORY, *scans.shape))
        looks = self.taught if self.training else self.looks
        before = int(late * (self.looks - looks + 1)) if self.training else 0
        with torch.no_grad():
            for _ in range(before):
                obj, memory = self._look(scans, obj, memory)
        pictures = [obj]
        for _ in range(looks):
            obj, memory = self._look(scans, obj, memory)
            pictures.append(obj)
        return pictures

    def _look(self, scans: Scans, obj: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The next picture, and what is remembered.

        The step of the patterns is shown as it is, and as a direction beside its length: near the end it is small where
        much is still wrong.
        """
        step, away = scans.step(obj), obj - self.middle
        length = step.abs().square().mean((1, 2), keepdim=True).sqrt().clamp_min(_SHORTEST)
        direction = step / length
        planes = [away.real, away.imag, _STEP_GAIN * step.real, _STEP_GAIN * step.imag]
        planes += [_DIRECTION_GAIN * direction.real, _DIRECTION_GAIN * direction.imag]
        planes += [part.expand_as(away.real) for part in (scans.illumination.log1p(), length.log10() / 2 + 1)]
        said = torch.tanh(self.net(torch.cat([torch.stack(planes, 1), memory], 1)).float())
        return obj + _SCALE * torch.complex(said[:, 0], said[:, 1]), said[:, 2:]


class Scales(nn.Module):
    """Convolutions on four scales, each half of the one above; fine ones are told what coarse ones have found.

    On the finest, blocks of 2 × 2 pixels are channels, which takes a third of the time.
    """

    def __init__(self, before: int, behind: int, channels: int) -> None:
        super().__init__()
        before, behind = 4 * before, 4 * behind
        sizes = [channels, 2 * channels, 3 * channels, 4 * channels]
        self.down = nn.ModuleList(
            nn.Sequential(_layer(a, b, 2 if scale else 1), _layer(b, b))
            for scale, (a, b) in enumerate(pairwise([before, *sizes]))
        )
        self.up = nn.ModuleList(_layer(coarse + fine, fine) for fine, coarse in pairwise(sizes))
        self.last = nn.Conv2d(channels, behind, 3, 1, 1)
        with torch.no_grad():  # looks that all say much go astray before they have learned anything
            self.last.weight *= _QUIET

    def forward(self, x: Tensor) -> Tensor:
        """From (B, before, Y, X) to (B, behind, Y, X)."""
        ny, nx = x.shape[-2:]
        x = functional.pixel_unshuffle(functional.pad(x, (0, nx % 2, 0, ny % 2), mode="replicate"), 2)
        found: list[Tensor] = []
        for down in self.down:
            x = down(x)
            found.append(x)
        for up, fine in zip(reversed(list(self.up)), reversed(found[:-1])):
            wide = functional.interpolate(x, size=fine.shape[-2:], mode="bilinear", align_corners=False)
            x = up(torch.cat([wide, fine], 1))
        out: Tensor = functional.pixel_shuffle(self.last(x), 2)
        return out[..., :ny, :nx]


def middle(amplitude: Range, phase_rad: Range) -> complex:
    """The transmission in the middle of the ranges: what a network says that knows nothing."""
    return cmath.rect(sum(amplitude) / 2, sum(phase_rad) / 2)


def _layer(before: int, behind: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, behind, 3, stride, 1), nn.LeakyReLU(0.1))
