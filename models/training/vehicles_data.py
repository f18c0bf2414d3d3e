"""Pictures for the vehicle detector: labelled street scenes, put together anew for each use.

A third of the samples are one picture, the others parts of six or so, each with a vehicle of a class
that is drawn alike; scale, aspect, place and side vary, then light, focus and compression. What is not labelled throughout counts less as
"nothing here", other vehicles not at all.
"""

import csv
import dataclasses
import itertools
import pathlib

import cv2
import numpy as np
import torch

from vehicles_net import CLASSES, FRAMES, frame_for

# By folder: the share of the samples, and how much "no vehicle here" counts.
FOLDERS = {
    "road_vehicle_bd": (0.55, 1.0),
    "rf100_vehicles": (0.12, 1.0),
    "modes_of_transport": (0.12, 0.7),
    "vehicles_openimages": (0.15, 0.25),
    "openimages_plates": (0.06, 0.25),
}
# How much more often a picture with such a vehicle is taken.
RARE = {"motorcycle": 1.5, "bus": 0.7, "truck": 0.7}
UNTYPED, OTHER = -1, -2
KINDS = {"vehicle": UNTYPED, "other_vehicle": OTHER, **{name: i for i, name in enumerate(CLASSES)}}
MOST = 96
# About the size of a part where several scenes make one sample, px.
TILE = (190, 160)
# So many of the samples are one picture, and so many batches of the first, the widest frame.
WHOLE, WIDE = 0.35, 0.6
# A vehicle of which less is in view, or smaller than so many pixels, is not asked for.
LEAST_SHOWN, LEAST_SIDE = 0.35, 6


@dataclasses.dataclass
class Scene:
    """A picture (BGR) with boxes (n, 4) and kinds (n)."""

    picture: np.ndarray
    boxes: np.ndarray
    kinds: np.ndarray
    certain: float
    folder: str


def scenes(data, split):
    """The scenes of one split by file."""
    rows = {}
    with open(data / "index.csv", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["split"] == split:
                rows.setdefault(row["file"], []).append(row)
    found = {}
    for file, mine in rows.items():
        picture = cv2.imread(str(data / file))
        if picture is None:
            raise SystemExit(f"{data / file}: cannot be read as a picture")
        folder = pathlib.PurePosixPath(file).parts[0]
        mine = [row for row in mine if row["class"] in KINDS]
        boxes = [[float(row[name]) for name in ("x_min", "y_min", "x_max", "y_max")] for row in mine]
        found[file] = Scene(picture, np.float32(boxes).reshape(-1, 4),
                            np.int64([KINDS[row["class"]] for row in mine]),
                            FOLDERS[folder][1], folder)
    return found


def chances(found):
    """How often each scene is taken: the folder's share, more for rare vehicles."""
    wish = np.array([1 + sum(RARE[name] for name in RARE if KINDS[name] in scene.kinds)
                     for scene in found])
    folders = np.array([scene.folder for scene in found])
    for folder, (share, _) in FOLDERS.items():
        mine = folders == folder
        if mine.any():
            wish[mine] *= share / wish[mine].sum()
    return wish / wish.sum()


def tile(rng, scene, width, height, scale, shown=None):
    """A view of `width` x `height` of the scene at about `scale`: picture, labels, unsure.

    The vehicle number `shown` is in it.
    """
    stretch = np.exp(rng.uniform(-0.26, 0.26) / 2)
    size = [max(16, round(side * scale * by))
            for side, by in zip(scene.picture.shape[1::-1], (stretch, 1 / stretch))]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(scene.picture, size, interpolation=how)
    boxes = scene.boxes * np.float32([size[0] / scene.picture.shape[1],
                                      size[1] / scene.picture.shape[0]] * 2)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
        boxes = np.stack([size[0] - boxes[:, 2], boxes[:, 1], size[0] - boxes[:, 0], boxes[:, 3]], 1)
    x, y = (int(rng.integers(min(0, room - side), max(0, room - side) + 1))
            for side, room in zip(size, (width, height)))
    if shown is not None:
        middle = (boxes[shown, :2] + boxes[shown, 2:]) / 2
        x, y = (int(np.clip(room * rng.uniform(0.25, 0.75) - at, *sorted((0, room - side))))
                for room, at, side in zip((width, height), middle, size))
    canvas = np.full((height, width, 3), rng.integers(0, 256) if rng.random() < 0.3 else 128, np.uint8)
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + size[0], width), min(y + size[1], height)
    canvas[top:bottom, left:right] = picture[top - y:bottom - y, left - x:right - x]
    return canvas, *marks(scene, boxes + np.float32([x, y, x, y]), width, height)


def marks(scene, boxes, width, height):
    """What is asked in a view: labels (n, 5) and unsure (m, 5)."""
    shown = boxes.clip(0, np.float32([width, height, width, height]))
    side = shown[:, 2:] - shown[:, :2]
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    there = side.min(1) > 0
    ask = there & (side.prod(1) >= LEAST_SHOWN * whole) & (side.max(1) >= LEAST_SIDE) & (scene.kinds != OTHER)
    labels = np.concatenate([shown[ask], scene.kinds[ask, None]], 1)
    blind = there & (~ask | (scene.kinds == UNTYPED))
    unsure = [np.concatenate([shown[blind], np.zeros((int(blind.sum()), 1))], 1)]
    if scene.certain < 1:
        unsure.append(np.array([[0, 0, width, height, scene.certain]]))
    return labels, np.concatenate(unsure)


def scale_of(rng, scene, low, high):
    """A scale between `low` and `high` times that at which the scene will be seen."""
    seen = frame_for(*scene.picture.shape[1::-1])[1]
    return seen * np.exp(rng.uniform(np.log(low), np.log(high)))


def cuts(rng, side, part):
    """Where a side is cut into parts of about `part` px."""
    count = max(1, round(side / part))
    inner = [side * (n + rng.uniform(-0.2, 0.2)) / count for n in range(1, count)]
    return [0, *map(int, inner), side]


def mosaic(rng, found, named, width, height):
    """Parts of scenes, each with a vehicle of a class drawn alike: picture, labels, unsure."""
    across, down = cuts(rng, width, TILE[0]), cuts(rng, height, TILE[1])
    canvas = np.empty((height, width, 3), np.uint8)
    labels, unsure = [], []
    for (left, right), (top, bottom) in itertools.product(itertools.pairwise(across), itertools.pairwise(down)):
        places, odds = named[rng.integers(len(named))]
        number, which = places[rng.choice(len(places), p=odds)]
        scene = found[number]
        scale = scale_of_one(rng, scene, which, min(right - left, bottom - top))
        part, asked, doubt = tile(rng, scene, right - left, bottom - top, scale, which)
        canvas[top:bottom, left:right] = part
        move = np.array([left, top, left, top, 0])
        labels.append(asked + move)
        unsure.append(doubt + move)
    return canvas, np.concatenate(labels), np.concatenate(unsure)


def scale_of_one(rng, scene, which, room):
    """A scale at which one vehicle has some size between far and as near as there is room."""
    box = scene.boxes[which]
    side = max(1.0, float((box[2:] - box[:2]).max()))
    seen = frame_for(*scene.picture.shape[1::-1])[1]
    wanted = np.exp(rng.uniform(np.log(14), np.log(room)))
    return float(np.clip(wanted / side, 0.4 * seen, 1.8 * seen))


def vehicles_by_class(found):
    """For each class (scene, vehicle) of all such vehicles and how often each is taken."""
    named = []
    for kind in range(len(CLASSES)):
        places = [(number, which) for number, scene in enumerate(found)
                  for which in np.nonzero(scene.kinds == kind)[0]]
        folders = np.array([found[number].folder for number, _ in places])
        odds = np.zeros(len(places))
        for folder, (share, _) in FOLDERS.items():
            odds[folders == folder] = share / max((folders == folder).sum(), 1)
        named.append((places, odds / odds.sum()))
    return named


def sample(rng, found, odds, named, width, height):
    """One picture for training: BGR bytes, labels (MOST, 5), unsure (MOST, 5), padded with NaN."""
    if rng.random() < WHOLE:
        scene = found[rng.choice(len(found), p=odds)]
        picture, labels, unsure = tile(rng, scene, width, height, scale_of(rng, scene, 0.7, 1.6))
    else:
        picture, labels, unsure = mosaic(rng, found, named, width, height)
    return camera(rng, picture), padded(rng, labels), padded(rng, unsure)


def padded(rng, rows):
    full = np.full((MOST, 5), np.nan, np.float32)
    rows = rng.permutation(rows)[:MOST]
    full[:len(rows)] = rows
    return full


def camera(rng, picture):
    """Colours, light, night, focus and compression of another camera and hour."""
    if rng.random() < 0.3:
        hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(np.float32)
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(-6, 6)) % 180
        hsv[..., 1] *= rng.uniform(0.4, 1.5)
        picture = cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2BGR)
    if rng.random() < 0.03:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.5:
        night = rng.random() < 0.12
        gain, gamma = (rng.uniform(0.25, 0.6), rng.uniform(1.0, 1.5)) if night else \
            (rng.uniform(0.7, 1.35), np.exp(rng.normal(0, 0.25)))
        cast = rng.normal(1, 0.06, 3)
        levels = np.arange(256)[:, None] / 255
        table = (255 * gain * cast * levels**gamma + rng.normal(0, 8)).clip(0, 255).astype(np.uint8)
        picture = cv2.LUT(np.ascontiguousarray(picture), table[None])
    if rng.random() < 0.1:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.2:
        quality = int(rng.integers(25, 90))
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1],
                               cv2.IMREAD_COLOR)
    return picture


class Batches(torch.utils.data.IterableDataset):
    """Endless batches from the training split, each of one frame; each worker draws its own."""

    def __init__(self, data, size, seed):
        self.found = list(scenes(data, "train").values())
        self.odds, self.named = chances(self.found), vehicles_by_class(self.found)
        self.size, self.seed = size, seed

    def __iter__(self):
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        while True:
            frame = FRAMES[0 if rng.random() < WIDE else rng.integers(1, len(FRAMES))]
            drawn = [sample(rng, self.found, self.odds, self.named, *frame) for _ in range(self.size)]
            yield [torch.from_numpy(np.stack(part)) for part in zip(*drawn)]
