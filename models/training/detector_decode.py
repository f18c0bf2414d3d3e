"""From a picture to the detector's input, and from its maps to plates."""

import dataclasses

import cv2
import numpy

from detector_net import CORNERS, INPUT_HEIGHT, INPUT_WIDTH, KIND, KINDS, PLATE, STRIDES, TWO_LINES

THRESHOLD = 0.35
OVERLAP = 0.45
# Plates of which one lies inside the other with more than this part are one.
MOST_INSIDE = 0.75


@dataclasses.dataclass
class Found:
    """A plate found; corners tl, tr, br, bl in pixels of the picture."""

    score: float
    corners: numpy.ndarray
    kind: str
    two_lines: bool

    @property
    def box(self):
        return (*self.corners.min(axis=0), *self.corners.max(axis=0))


def network_input(picture, columns=INPUT_WIDTH, rows=INPUT_HEIGHT):
    """(1, 3, rows, columns) of a BGR picture fitted top left, and its scale."""
    height, width = picture.shape[:2]
    scale = min(columns / width, rows / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fitted = cv2.resize(picture, size, interpolation=how)
    image = numpy.full((3, rows, columns), 0.5, numpy.float32)
    image[:, : size[1], : size[0]] = fitted[..., ::-1].transpose(2, 0, 1) / 255
    return image[None], scale


def _area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def _shared(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


def intersection_over_union(a, b):
    shared = _shared(a, b)
    return shared / max(_area(a) + _area(b) - shared, 1e-9)


def is_same(a, b, overlap):
    """Are two boxes one plate: do they overlap, or does one lie inside the other?"""
    inside = _shared(a, b) / max(min(_area(a), _area(b)), 1e-9)
    return intersection_over_union(a, b) > overlap or inside > MOST_INSIDE


def sigmoid(value):
    return 1 / (1 + numpy.exp(-value))


def decode(outputs, scale, threshold=THRESHOLD, overlap=OVERLAP):
    """Plates of one picture, the surest first; of those that are one plate the surest."""
    candidates = []
    for stride, output in zip(STRIDES, outputs):
        maps = output[0]
        rows, columns = numpy.nonzero(sigmoid(maps[PLATE]) >= threshold)
        for row, column in zip(rows, columns):
            cell = maps[:, row, column]
            centre = numpy.float32(((column + 0.5) * stride, (row + 0.5) * stride))
            corners = (cell[CORNERS].reshape(4, 2) * stride + centre) / scale
            candidates.append(
                Found(
                    float(sigmoid(cell[PLATE])),
                    corners,
                    KINDS[int(cell[KIND].argmax())],
                    bool(cell[TWO_LINES] > 0),
                )
            )
    candidates.sort(key=lambda found: -found.score)
    kept = []
    for found in candidates:
        if not any(is_same(found.box, other.box, overlap) for other in kept):
            kept.append(found)
    return kept
