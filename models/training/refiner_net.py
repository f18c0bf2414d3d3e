"""The corner refiner: a second, near look at a plate that the detector found.

Input: the `wide_view` of `rectify.py`, 48 x 144 RGB in 0..1, the plate as the detector placed it with
a quarter more on every side. Output: [N, 8], the corners tl, tr, br, bl as (x, y) in that view, 0..1.
"""

import torch
from torch import nn

from reader_net import conv, level
from rectify import WIDE_MARGIN

LOW = WIDE_MARGIN / (1 + 2 * WIDE_MARGIN)
# Where the corners are if the detector was right.
EXPECTED = (LOW, LOW, 1 - LOW, LOW, 1 - LOW, 1 - LOW, LOW, 1 - LOW)


class CornerRefiner(nn.Module):
    """Four strides of two, then the whole map at once: where an edge is matters, so no pooling."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            conv(3, 24, 2),     # 24 x 72
            conv(24, 32, 2),    # 12 x 36
            conv(32, 48),
            conv(48, 64, 2),    # 6 x 18
            conv(64, 64),
            conv(64, 64, 2),    # 3 x 9
            conv(64, 24, 1, 1),
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(24 * 3 * 9, 128), nn.ReLU(inplace=True), nn.Linear(128, 8),
        )
        nn.init.normal_(self.head[-1].weight, std=0.01)
        self.head[-1].bias.data = torch.tensor(EXPECTED)

    def forward(self, view):
        return self.head(self.features(level(view)))
