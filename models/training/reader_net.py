"""The plate reader: 48 x 168 RGB in, CTC logits out, built of what tract runs fast.

Plain 3x3 and 1x1 convolutions of at least 32 channels with ReLU; batch norm is folded on export.
`PlateReader` gives `logits` [N, T, C] with T = 42 steps (four pixels each), class 0 blank, then
`plates.CHARSET` in order. While training, a second head names the province from the left third of
the features: the one character that differs by its shape alone. The export leaves it out.
"""

import torch
from torch import nn

from plates import CHARSET, PROVINCES

CLASSES = 1 + len(CHARSET)
STEPS = 42
# Contrast below this is noise, not ink.
FAINTEST = 0.02


def level(plate):
    """The plate with its own brightness and contrast taken out, the colours' differences kept."""
    centred = plate - plate.mean((1, 2, 3), keepdim=True)
    spread = (centred * centred).mean((1, 2, 3), keepdim=True).sqrt()
    return centred / (spread + FAINTEST)


def conv(inputs, outputs, stride=1, kernel=3):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class PlateReader(nn.Module):
    """Input: RGB in 0..1, [N, 3, 48, 168]."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            conv(3, 32, 2),            # 24 x 84
            conv(32, 64, 2),           # 12 x 42
            conv(64, 64),
            conv(64, 96, (2, 1)),      # 6 x 42
            conv(96, 96),
            conv(96, 128, (2, 1)),     # 3 x 42
            conv(128, 128),
        )
        self.column = nn.Sequential(
            nn.Conv2d(128, 224, 3, padding=(0, 1), bias=False),   # 1 x 42
            nn.BatchNorm2d(224),
            nn.ReLU(inplace=True),
        )
        self.context = conv(224, 128, 1, 1)
        self.mix = nn.Sequential(
            nn.Conv2d(128, 128, (1, 5), padding=(0, 2), bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(inplace=True),
        )
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Conv2d(224 + 128, CLASSES, 1)
        self.province = nn.Linear(128 * 3 * 12, len(PROVINCES) + 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def read(self, maps):
        column = self.column(maps)
        wide = torch.cat([column, self.mix(self.context(column))], 1)
        return self.head(self.dropout(wide)).squeeze(2).transpose(1, 2)

    def forward(self, plate):
        return self.read(self.features(level(plate)))

    def both(self, plate):
        """Logits and the province's, for training."""
        maps = self.features(level(plate))
        return self.read(maps), self.province(maps[..., :12].flatten(1))
