"""From a picture to the vehicle detector's input, and from its maps to vehicles."""

import dataclasses

import numpy as np
import torch

import detector_decode
from vehicles_net import BOX, CLASSES, SCORES, boxes, cells, frame_for

THRESHOLD = 0.55
OVERLAP = 0.45
# Boxes of two classes that share more than this are one vehicle.
SAME = 0.8
# How much larger each look is than the frame that suits the picture; sides are divisible by STEP.
LOOKS = (0.7, 1.2)
STEP = 32
# A picture full of vehicles costs no more than this many candidates.
MOST = 512


@dataclasses.dataclass
class Found:
    """A vehicle found; its box x1, y1, x2, y2 in pixels of the picture."""

    score: float
    kind: int
    box: np.ndarray

    @property
    def name(self):
        return CLASSES[self.kind]


def network_inputs(picture):
    """A BGR picture fitted top left into the frame of each look, and its scale there."""
    frame, _ = frame_for(*picture.shape[1::-1])
    for times in LOOKS:
        width, height = (round(side * times / STEP) * STEP for side in frame)
        yield detector_decode.network_input(picture, width, height)


def overlaps(box, others):
    """Intersection over union of a box and others (n, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = (high - low).clip(0).prod(1)
    area = (others[:, 2:] - others[:, :2]).prod(1)
    return shared / np.maximum((box[2:] - box[:2]).prod() + area - shared, 1e-9)


def surest(scores, kinds, found, overlap):
    """Indices of those that stay, the surest first."""
    kept, left = [], np.argsort(-scores, kind="stable")[:MOST]
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        most = np.where(kinds[left] == kinds[best], overlap, SAME)
        left = left[overlaps(found[best], found[left]) <= most]
    return kept


def decode(looks, threshold=THRESHOLD, overlap=OVERLAP):
    """Vehicles of one picture, the surest first; of those that are one vehicle the surest.

    `looks`: (outputs, scale) of each look.
    """
    scores, kinds, found = (np.concatenate(parts) for parts in zip(
        *(candidates(outputs, scale, threshold) for outputs, scale in looks)))
    return [Found(float(scores[n]), int(kinds[n]), found[n])
            for n in surest(scores, kinds, found, overlap)]


def candidates(outputs, scale, threshold):
    """Scores, classes and boxes of all cells and classes from the threshold up."""
    places = cells([output.shape[2:] for output in outputs])
    raw = np.concatenate([np.float32(output[0]).reshape(output.shape[1], -1) for output in outputs], 1).T
    scores = detector_decode.sigmoid(raw[:, SCORES])
    found = boxes(torch.from_numpy(raw[:, BOX].copy()), places).numpy() / scale
    cell, kinds = np.nonzero(scores >= threshold)
    return scores[cell, kinds], kinds, found[cell]
