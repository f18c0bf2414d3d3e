"""The plate detector: a small fully convolutional network.

Input: an RGB picture, values 0..1, sides divisible by 32. Output: one map per
stride with 16 channels per cell, all raw (no sigmoid):

    0       is a plate centred here?
    1..8    corners tl, tr, br, bl as (dx, dy) from the cell's centre, in strides
    9..14   kind of plate: blue, green, yellow, white, black, other
    15      does it carry two lines?

The shapes keep to what a CPU runs fast: 3x3 and 1x1 convolutions, ReLU, no
blocks at stride 4, nearest x2 upsampling.
"""

import torch
from torch import nn
from torch.nn import functional

KINDS = ("blue", "green", "yellow", "white", "black", "other")
STRIDES = (8, 16, 32)
CHANNELS = 16
INPUT_HEIGHT, INPUT_WIDTH = 384, 640

PLATE = 0
CORNERS = slice(1, 9)
KIND = slice(9, 15)
TWO_LINES = 15


class Conv(nn.Sequential):
    """Convolution, batch norm and ReLU."""

    def __init__(self, inputs, outputs, size=1, stride=1):
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Bottleneck(nn.Module):
    """1x1 to a narrower width, 3x3 there, 1x1 back, added to the input."""

    def __init__(self, channels, narrow):
        super().__init__()
        self.reduce = Conv(channels, narrow)
        self.spatial = Conv(narrow, narrow, 3)
        self.expand = nn.Sequential(
            nn.Conv2d(narrow, channels, 1, bias=False), nn.BatchNorm2d(channels)
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(x + self.expand(self.spatial(self.reduce(x))))


class PlateDetector(nn.Module):
    """Backbone to stride 32, features added back down to stride 8, three heads."""

    def __init__(self):
        super().__init__()
        self.stage4 = nn.Sequential(Conv(3, 16, 3, 2), Conv(16, 32, 3, 2))
        self.stage8 = nn.Sequential(
            Conv(32, 16), Conv(16, 48, 3, 2), Bottleneck(48, 32)
        )
        self.stage16 = nn.Sequential(
            Conv(48, 32), Conv(32, 96, 3, 2), Bottleneck(96, 32), Bottleneck(96, 32)
        )
        self.stage32 = nn.Sequential(
            Conv(96, 48), Conv(48, 128, 3, 2), Bottleneck(128, 64), Bottleneck(128, 64)
        )
        self.side32 = Conv(128, 48)
        self.side16 = nn.Sequential(nn.Conv2d(96, 48, 1, bias=False), nn.BatchNorm2d(48))
        self.side8 = nn.Sequential(nn.Conv2d(48, 32, 1, bias=False), nn.BatchNorm2d(32))
        self.down16 = Conv(48, 32)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.relu = nn.ReLU(inplace=True)
        self.tower32 = Conv(48, 48, 3)
        self.tower16 = Conv(48, 48, 3)
        self.tower8 = Conv(32, 32, 3)
        self.head32 = nn.Conv2d(48, CHANNELS, 1)
        self.head16 = nn.Conv2d(48, CHANNELS, 1)
        self.head8 = nn.Conv2d(32, CHANNELS, 1)
        self._initialise()

    def _initialise(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for head in (self.head8, self.head16, self.head32):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            # A plate is rare: start from a probability of about 1 %.
            head.bias.data[PLATE] = -4.6
            # Start from an upright plate about three strides wide.
            head.bias.data[CORNERS] = torch.tensor([-3.0, -1, 3, -1, 3, 1, -3, 1])

    def forward(self, image):
        x8 = self.stage8(self.stage4(image))
        x16 = self.stage16(x8)
        x32 = self.side32(self.stage32(x16))
        x16 = self.tower16(self.relu(self.side16(x16) + self.up(x32)))
        x8 = self.tower8(self.relu(self.side8(x8) + self.up(self.down16(x16))))
        x32 = self.tower32(x32)
        return self.head8(x8), self.head16(x16), self.head32(x32)
