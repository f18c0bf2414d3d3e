"""The vehicle detector: the plate detector's layers, wider where vehicles are seen whole.

Input: an RGB picture, values 0..1, sides divisible by 32. Output: one map per stride with 8
channels per cell, all raw (no sigmoid):

    0..3    is a car, motorcycle, bus, truck here?
    4..5    the box's centre as (dx, dy) from the cell's centre, in strides
    6..7    the logarithm of its width and height in strides

The layers up to stride 4 stay as the plate detector has them; those up to stride 32 begin there.
"""

import torch
from torch import nn

from detector_net import Bottleneck, Conv

CLASSES = ("car", "motorcycle", "bus", "truck")
STRIDES = (8, 16, 32)
CHANNELS = 8
# What pictures are fitted into (width, height): nearly the same number of pixels in each.
FRAMES = ((576, 320), (480, 384), (416, 416), (384, 480), (320, 576))

SCORES = slice(0, 4)
BOX = slice(4, 8)


class VehicleDetector(nn.Module):
    """Backbone to stride 32, features added back down to stride 8, three heads."""

    # Layers that exist in the plate detector under the same names.
    SHARED = ("stage4", "stage8", "stage16", "stage32")

    def __init__(self):
        super().__init__()
        self.stage4 = nn.Sequential(Conv(3, 16, 3, 2), Conv(16, 32, 3, 2))
        self.stage8 = nn.Sequential(
            Conv(32, 16), Conv(16, 48, 3, 2), Bottleneck(48, 32), Bottleneck(48, 32)
        )
        self.stage16 = nn.Sequential(
            Conv(48, 32), Conv(32, 96, 3, 2),
            Bottleneck(96, 32), Bottleneck(96, 32), Bottleneck(96, 32)
        )
        self.stage32 = nn.Sequential(
            Conv(96, 48), Conv(48, 128, 3, 2),
            Bottleneck(128, 64), Bottleneck(128, 64), Bottleneck(128, 32)
        )
        self.side32 = Conv(128, 64)
        self.side16 = nn.Sequential(nn.Conv2d(96, 64, 1, bias=False), nn.BatchNorm2d(64))
        self.side8 = nn.Sequential(nn.Conv2d(48, 48, 1, bias=False), nn.BatchNorm2d(48))
        self.down16 = Conv(64, 48)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.relu = nn.ReLU(inplace=True)
        self.tower32 = Conv(64, 64, 3)
        self.tower16 = nn.Sequential(Conv(64, 64, 3), Bottleneck(64, 32))
        self.tower8 = nn.Sequential(Conv(48, 48, 3), Bottleneck(48, 32))
        self.head32 = nn.Conv2d(64, CHANNELS, 1)
        self.head16 = nn.Conv2d(64, CHANNELS, 1)
        self.head8 = nn.Conv2d(48, CHANNELS, 1)
        self._initialise()

    def _initialise(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if isinstance(module, Bottleneck):
                # A new block begins by letting everything pass.
                nn.init.zeros_(module.expand[1].weight)
        for head in (self.head8, self.head16, self.head32):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            # A vehicle is rare: start from a probability of about 1 %, and from 3 strides a side.
            head.bias.data[SCORES] = -4.6
            head.bias.data[6:8] = 1.1

    def take_over(self, plate_detector):
        """Begins with the weights of a plate detector (its state) wherever a layer is the same."""
        mine = self.state_dict()
        taken = {name: value for name, value in plate_detector.items()
                 if name.startswith(self.SHARED) and mine[name].shape == value.shape}
        self.load_state_dict({**mine, **taken})

    def forward(self, image):
        return self.beyond(self.stage4(image))

    def beyond(self, x4):
        """The maps, from the features at stride 4."""
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        x32 = self.side32(self.stage32(x16))
        x16 = self.tower16(self.relu(self.side16(x16) + self.up(x32)))
        x8 = self.tower8(self.relu(self.side8(x8) + self.up(self.down16(x16))))
        return self.head8(x8), self.head16(x16), self.head32(self.tower32(x32))


def frame_for(width, height):
    """The frame in which a picture of this size is largest, and the scale at which it fits."""
    scales = [min(frame[0] / width, frame[1] / height) for frame in FRAMES]
    best = scales.index(max(scales))
    return FRAMES[best], scales[best]


def cells(shapes, device=None):
    """Centres (x, y) of all maps' cells and their strides: (cells, 3); `shapes`: (rows, columns)."""
    parts = []
    for stride, (rows, columns) in zip(STRIDES, shapes):
        y, x = torch.meshgrid(torch.arange(rows, device=device),
                              torch.arange(columns, device=device), indexing="ij")
        centres = torch.stack([x, y], -1).reshape(-1, 2).float().add(0.5).mul(stride)
        parts.append(torch.cat([centres, torch.full_like(centres[:, :1], stride)], 1))
    return torch.cat(parts)


def boxes(raw, places):
    """Boxes (x1, y1, x2, y2) of raw box channels (..., cells, 4)."""
    stride = places[:, 2:]
    centre = places[:, :2] + raw[..., :2] * stride
    half = raw[..., 2:].clamp(-4, 4).exp() * stride / 2
    return torch.cat([centre - half, centre + half], -1)
