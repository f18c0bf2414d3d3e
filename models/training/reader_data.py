"""The reader's and the refiner's samples, in shards that are drawn in the background.

`python reader_data.py --data DIR --shards DIR` keeps drawing: a ring of shards, each renewed in
turn, so that training reads ready samples and never waits. A shard is four arrays: `images` uint8
[N, 48, 168, 3], rectified plates, and `labels` int16 [N, 10], class numbers padded with 0; `views`
uint8 [M, 48, 144, 3], plates where a detector misplaced them, and `aims` float32 [M, 8], where in the
view their corners are.

Real crops of the training set are mixed in. Their provinces are capped, since two of thirty-one
make up three quarters of them; plates whose text hashes into the held-out twentieth never train
(`held_out_crops` gives them, for the calibration).
"""

import argparse
import csv
import pathlib
import zlib

import cv2
import numpy as np

from degrade import lens, light, photograph
from plates import CHARSET, PlateArtist
from rectify import WIDE_HEIGHT, WIDE_WIDTH, rectify, wide_map, wide_view
from shards import write_shards

LABEL_ROOM = 10
SHARD = 4096
RING = 24
PROVINCE_CAP = 60
# Of each drawn plate so many photographs, and so many cuts of each, differently off.
PHOTOGRAPHS, CUTS = 2, 2


def encode(text):
    """Class numbers of a text, padded with the blank."""
    label = np.zeros(LABEL_ROOM, np.int16)
    label[:len(text)] = [1 + CHARSET.index(c) for c in text]
    return label


def shake(rng, corners):
    """Corners as a detector gives them: each off a little, and all together."""
    corners = np.asarray(corners, np.float32)
    width = np.linalg.norm(corners[1] - corners[0])
    height = np.linalg.norm(corners[3] - corners[0])
    scale = rng.choice([0.4, 1.0, 1.8, 3.0], p=[0.25, 0.4, 0.25, 0.1])
    each = rng.normal(0, 1, (4, 2)) * (0.014 * width, 0.045 * height)
    shift = rng.normal(0, 1, 2) * (0.014 * width, 0.035 * height)
    grow = 1 + np.abs(rng.normal(0, 0.02, 2)) * scale + rng.normal(0, 0.015, 2)
    centre = corners.mean(axis=0)
    moved = centre + (corners - centre) * grow + (each + shift) * scale
    if rng.random() < 0.12:
        moved = boxed(moved, rng.uniform(0.3, 1.0))
    return moved.astype(np.float32)


def mislead(rng, corners):
    """Corners as the detector gives them before they are refined: now and then far off."""
    corners = np.asarray(corners, np.float32)
    width = np.linalg.norm(corners[1] - corners[0])
    height = np.linalg.norm(corners[3] - corners[0])
    scale = rng.choice([0.3, 0.7, 1.3, 2.4], p=[0.25, 0.35, 0.27, 0.13])
    each = rng.normal(0, 1, (4, 2)) * (0.035 * width, 0.07 * height)
    shift = rng.normal(0, 1, 2) * (0.03 * width, 0.05 * height)
    grow = 1 + rng.normal(0, 0.05, 2) * scale
    centre = corners.mean(axis=0)
    moved = centre + (corners - centre) * grow + (each + shift) * scale
    if rng.random() < 0.12:
        moved = boxed(moved, rng.uniform(0.3, 1.0))
    return moved.astype(np.float32)


def boxed(corners, share):
    """Corners drawn towards those of their upright box."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    box = np.float32([low, (high[0], low[1]), high, (low[0], high[1])])
    return corners + (box - corners) * share


def refiner_sample(picture, found, corners):
    """The refiner's view of the plate, and where in it the corners are, 0..1."""
    back = np.linalg.inv(wide_map(found))
    points = np.column_stack([corners, np.ones(4)]) @ back.T
    aims = points[:, :2] / points[:, 2:] / (WIDE_WIDTH, WIDE_HEIGHT)
    return wide_view(picture, found), aims.astype(np.float32).ravel()


def read_picture(path):
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def index_rows(folder):
    with open(folder / "index.csv", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def corner_list(row):
    """The corners (tl, tr, br, bl) written in a row of the index."""
    return np.float32(row["vertices_tl_tr_br_bl"].replace(",", " ").split()).reshape(4, 2)


def real_plates(data):
    """(picture, corners, text, corners known) of the training set's crops and plates."""
    folder = pathlib.Path(data) / "train"
    for row in index_rows(folder):
        text = row["plate_text"]
        if not text or any(c not in CHARSET for c in text) or len(text) > LABEL_ROOM:
            continue
        if row["vertices_tl_tr_br_bl"]:
            picture = read_picture(folder / row["file"])
            corners = corner_list(row)
            edge = 0.5 * np.ptp(corners[:, 0])
            low = np.maximum(np.floor(corners.min(axis=0) - edge), 0).astype(int)
            high = np.ceil(corners.max(axis=0) + edge).astype(int)
            yield picture[low[1]:high[1], low[0]:high[0]].copy(), corners - low, text, True
        elif not row["x_min"]:
            picture = read_picture(folder / row["file"])
            h, w = picture.shape[:2]
            inset = np.float32([[.03, .04], [.97, .04], [.97, .96], [.03, .96]])
            yield picture, inset * (w, h), text, False


def is_held_out(text):
    return zlib.crc32(text.encode()) % 20 == 0


def held_out_crops(data):
    """The real plates that never train, rectified: (images, texts)."""
    kept = [(rectify(p, c), t) for p, c, t, _ in real_plates(data) if is_held_out(t)]
    return np.stack([k[0] for k in kept]), [k[1] for k in kept]


def backgrounds(data, limit=350):
    """Scenes that surround a plate in the training pictures, reduced to half size."""
    folder = pathlib.Path(data) / "train"
    files = sorted({r["file"] for r in index_rows(folder)
                    if not r["set"].startswith("cn_crops")})
    step = max(1, len(files) // limit)
    scenes = [read_picture(folder / f) for f in files[::step]]
    return [cv2.resize(s, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for s in scenes]


class Sampler:
    """Gives rectified samples, drawn and real."""

    def __init__(self, data, templates, fonts, real_share):
        self.artist = PlateArtist(fonts, templates, scale=0.62)
        self.scenes = backgrounds(data)
        self.real_share = real_share
        plates = [p for p in real_plates(data) if not is_held_out(p[2])]
        self.plates = plates
        heads = [p[2][0] for p in plates]
        count = {h: heads.count(h) for h in set(heads)}
        weights = np.array([min(count[h], PROVINCE_CAP) / count[h] for h in heads])
        self.weights = weights / weights.sum()

    def drawn(self, rng):
        """Two photographs of one drawn plate: (picture, corners, text, two lines, True)."""
        plate = self.artist.draw(rng)
        for _ in range(PHOTOGRAPHS):
            picture, corners = photograph(rng, plate, self.scenes)
            yield picture, corners, plate.text, plate.two_lines, True

    def real(self, rng):
        """A real plate: (picture, corners, text, two lines, corners known)."""
        picture, corners, text, known = self.plates[int(rng.choice(len(self.plates), p=self.weights))]
        width = float(np.linalg.norm(corners[1] - corners[0]))
        if rng.random() < 0.6:
            if rng.random() < 0.5:
                picture = np.clip(light(rng, picture.astype(np.float32)), 0, 255)
            if rng.random() < 0.5:
                picture = lens(rng, picture.astype(np.float32), width)
        return picture.astype(np.uint8), corners, text, False, known

    def shard(self, rng, size=SHARD):
        """Plates for the reader, and those of known corners for the refiner."""
        images, labels, views, aims = [], [], [], []
        real = round(size * self.real_share)
        while len(images) < size:
            for picture, corners, text, two, known in \
                    [self.real(rng)] if len(images) < real else self.drawn(rng):
                for _ in range(CUTS):
                    images.append(rectify(picture, shake(rng, corners), two))
                    labels.append(encode(text))
                if known:
                    view, aim = refiner_sample(picture, mislead(rng, corners), corners)
                    views.append(view)
                    aims.append(aim)
        return {"images": np.stack(images), "labels": np.stack(labels),
                "views": np.stack(views), "aims": np.stack(aims)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="the plates' folder (train/, templates/)")
    parser.add_argument("--shards", required=True, type=pathlib.Path)
    parser.add_argument("--fonts", default="/usr/share/fonts")
    parser.add_argument("--real-share", type=float, default=0.2)
    parser.add_argument("--size", type=int, default=SHARD, help="plates in a shard")
    parser.add_argument("--ring", type=int, default=RING, help="shards kept at a time")
    parser.add_argument("--rounds", type=int, default=0, help="stop after so many shards a worker; 0: never")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    def make(worker):
        sampler = Sampler(args.data, str(pathlib.Path(args.data) / "templates"), args.fonts,
                          args.real_share)
        rng = np.random.default_rng((args.seed, worker))
        return lambda: sampler.shard(rng, args.size)

    write_shards(args.shards, args.workers, args.ring, args.rounds, "images", make)


if __name__ == "__main__":
    main()
