"""Changes of every sample at each use, made where the network is: they cost a GPU next to nothing.

What the shards hold was drawn once and is seen many times; it looks a little different each time.
Pictures are NCHW, values 0..1.
"""

import math
import random

import torch
from torch.nn import functional

# A batch is seen through so many lenses.
LENSES = 8


def as_floats(images):
    """NHWC bytes as NCHW in 0..1."""
    return images.permute(0, 3, 1, 2).float().div_(255)


def light(x):
    """Gamma, contrast, gain, tint and offset of each sample."""
    n, where = len(x), x.device

    def normal(channels=1):
        return torch.randn(n, channels, 1, 1, device=where)

    x = x.clamp(0, 1).pow((0.25 * normal()).exp())
    mean = x.mean((1, 2, 3), keepdim=True)
    flat = torch.rand(n, 1, 1, 1, device=where) < 0.3
    contrast = torch.where(flat, 0.3 + 0.8 * torch.rand(n, 1, 1, 1, device=where), 1.0)
    gain = (1 + 0.15 * normal()) * (1 + 0.05 * normal(3))
    return ((mean + (x - mean) * contrast) * gain + 0.06 * normal()).clamp_(0, 1)


def move(x):
    """Two thirds of the plates shifted, stretched, slanted and turned a little."""
    n = len(x)
    step = torch.randn(n, 6, device=x.device) * (torch.rand(n, 1, device=x.device) < 0.67)
    theta = torch.stack([1 + 0.025 * step[:, 0], 0.02 * step[:, 1], 0.02 * step[:, 2],
                         0.05 * step[:, 3], 1 + 0.05 * step[:, 4], 0.06 * step[:, 5]], 1)
    grid = functional.affine_grid(theta.view(n, 2, 3), x.shape, align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def blurred(x, across, down):
    """Blurred by so many pixels (standard deviation) each way; 0: not."""
    for sigma, axis in ((across, 3), (down, 2)):
        if not sigma:
            continue
        reach = math.ceil(2.5 * sigma)
        at = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
        line = torch.exp(-0.5 * (at / sigma) ** 2)
        shape = (1, 1, 1, -1) if axis == 3 else (1, 1, -1, 1)
        kernel = (line / line.sum()).view(shape).expand(x.shape[1], 1, -1, -1)
        pad = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
        x = functional.conv2d(functional.pad(x, pad, mode="replicate"), kernel, groups=x.shape[1])
    return x


def coarse(x, factor):
    """As a camera with so many times the pixels would have shown it."""
    size = x.shape[2:]
    small = [max(8, round(side * factor)) for side in size]
    x = functional.interpolate(x, size=small, mode="bilinear", antialias=True, align_corners=False)
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def through_a_lens(x):
    """A third untouched; the others farther away, out of focus, moved, or sharpened too much."""
    chance, sigma = random.random(), random.uniform(0.4, 1.9)
    if chance < 0.33:
        return x
    if chance < 0.6:
        return coarse(x, random.uniform(0.33, 0.85))
    if chance < 0.78:
        return blurred(x, sigma, sigma)
    if chance < 0.9:
        return blurred(x, 1.3 * sigma, 0) if random.random() < 0.7 else blurred(x, 0, sigma)
    return (x + (x - blurred(x, sigma, sigma)) * random.uniform(0.3, 1.5)).clamp_(0, 1)


def noisy(x):
    """Noise of each sample's own strength, in grey or in colours."""
    n, _, height, width = x.shape
    sigma = 0.05 * torch.randn(n, 1, 1, 1, device=x.device).abs()
    channels = 3 if random.random() < 0.4 else 1
    return (x + sigma * torch.randn(n, channels, height, width, device=x.device)).clamp_(0, 1)


def photographed(x):
    """Each part of the batch through a lens of its own; then noise and light."""
    x = torch.cat([through_a_lens(part) for part in x.chunk(LENSES)])
    return light(noisy(x)).contiguous(memory_format=torch.channels_last)
