"""Measures both models on the `dev` pictures, as they will be used: detector, rectification, reader.

Figures per set (cn, ru, eu), each the share of plates read wholly right, averaged over distinct
plates: `true_corners` gives the reader the labelled corners (the box's where only a box is known),
`end_to_end` takes the detector's best overlapping plate, its corners refined. No grammar helps here;
`measure.py` says what the product makes of it. In ru and eu, 0 and O as well as 1 and I
count as one; a Chinese plate's serial holds neither O nor I, so they are read as digits there.
The dev pictures are for measuring and choosing only.
"""

import argparse
import collections
import csv
import json
import pathlib
import time

import cv2
import numpy as np
import onnxruntime

import detector_decode
from plates import CHARSET, PROVINCES
from rectify import WIDE_HEIGHT, WIDE_WIDTH, rectify, wide_map, wide_view

# A yellow plate of two lines is twice as wide as high, one of one line three times.
TWO_LINES_BELOW = 2.4


def session(path, threads=1):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def decode(logits):
    """The greedy CTC reading of logits [T, C]."""
    best = logits.argmax(axis=1)
    return "".join(CHARSET[cls - 1] for last, cls in zip([0, *best], best) if cls and cls != last)


def tidy(text):
    """Chinese serials hold no O and no I after the letter of the office."""
    if text[:1] and text[0] in PROVINCES:
        return text[:2] + text[2:].replace("O", "0").replace("I", "1")
    return text


def same(region, wanted, got):
    if region == "CN":
        return wanted == tidy(got)
    plain = str.maketrans("OI", "01")
    return wanted.translate(plain) == got.translate(plain)


class Reader:
    def __init__(self, path):
        self.session = session(path)
        self.spent, self.count = 0.0, 0

    def infer(self, plate):
        """The logits [T, C] of a rectified picture."""
        tensor = plate.astype(np.float32).transpose(2, 0, 1)[None] / 255
        return self.session.run(None, {"plate": tensor})[0][0]

    def read(self, picture, corners, two_lines):
        start = time.perf_counter()
        logits = self.infer(rectify(picture, corners, two_lines))
        self.spent += time.perf_counter() - start
        self.count += 1
        return decode(logits)


class Detector:
    """Finds the plates of an RGB picture, the surest first."""

    def __init__(self, path):
        self.session = session(path)
        self.spent, self.count = 0.0, 0

    def find(self, picture):
        image, scale = detector_decode.network_input(picture[..., ::-1])
        start = time.perf_counter()
        found = detector_decode.decode(self.session.run(None, {"image": image}), scale)
        self.spent += time.perf_counter() - start
        self.count += 1
        return found


class Refiner:
    """Looks at found corners again."""

    def __init__(self, path):
        self.session = session(path)

    def refine(self, picture, corners):
        view = wide_view(picture, corners).astype(np.float32).transpose(2, 0, 1)[None] / 255
        parts = self.session.run(None, {"view": view})[0].reshape(4, 2)
        points = np.column_stack([parts * (WIDE_WIDTH, WIDE_HEIGHT), np.ones(4)]) @ wide_map(corners).T
        return (points[:, :2] / points[:, 2:]).astype(np.float32)


def box(corners):
    return (*corners.min(axis=0), *corners.max(axis=0))


def overlap(found, corners):
    return detector_decode.intersection_over_union(found.box, box(corners))


def labelled(folder):
    """(region, text, corners, two lines) of the labelled plates, by file."""
    files = collections.defaultdict(list)
    with open(folder / "index.csv", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if not row["plate_text"]:
                continue
            corners = np.float32(row["vertices_tl_tr_br_bl"].replace(",", " ").split()).reshape(-1, 2)
            if len(corners) != 4:
                x0, y0, x1, y1 = (float(row[k]) for k in ("x_min", "y_min", "x_max", "y_max"))
                corners = np.float32([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
            two_lines = row["color"] == "yellow" and aspect(ordered(corners)) < TWO_LINES_BELOW
            files[row["file"]].append((row["region"], row["plate_text"], ordered(corners), two_lines))
    return files


def aspect(corners):
    """Width by height of the four sides' means."""
    tl, tr, br, bl = corners
    length = np.linalg.norm
    return (length(tr - tl) + length(br - bl)) / (length(bl - tl) + length(br - tr))


def ordered(corners):
    """Labelled corners turned so that the first is the upper left one, clockwise."""
    middle = corners.mean(axis=0)
    angles = np.arctan2(*(corners - middle).T[::-1])
    around = corners[np.argsort(angles)]
    return np.roll(around, -int(np.argmin(around.sum(axis=1))), axis=0)


def distinct_mean(results):
    """Mean over distinct plates of the mean over their pictures."""
    by_text = collections.defaultdict(list)
    for text, right in results:
        by_text[text].append(right)
    return float(np.mean([np.mean(v) for v in by_text.values()])) if by_text else 0.0


def measure(data, reader, detector, refiner=None, misses=None):
    """Figures by set; `misses` collects (set, way, file, wanted, got, 48x168 picture)."""
    folder = pathlib.Path(data) / "dev"
    results = collections.defaultdict(list)
    for file, plates in labelled(folder).items():
        picture = cv2.imread(str(folder / file))[..., ::-1].copy()
        found = detector.find(picture) if detector else []
        for region, wanted, corners, two in plates:
            tries = [("true_corners", corners, two, reader.read(picture, corners, two))]
            if detector:
                best = max(found, key=lambda f: overlap(f, corners), default=None)
                if best is not None and overlap(best, corners) > 0.2:
                    at = refiner.refine(picture, best.corners) if refiner else best.corners
                    tries.append(("end_to_end", at, best.two_lines,
                                  reader.read(picture, at, best.two_lines)))
                    results[region, "found"].append((wanted, True))
                else:
                    tries.append(("end_to_end", None, False, ""))
                    results[region, "found"].append((wanted, False))
            for way, at, two_lines, text in tries:
                right = same(region, wanted, text)
                results[region, way].append((wanted, right))
                if not right and misses is not None:
                    shown = rectify(picture, at, two_lines) if at is not None else \
                        np.zeros((48, 168, 3), np.uint8)
                    misses.append((region, way, file, wanted, text, shown))
    figures = collections.defaultdict(dict)
    for (region, way), pairs in results.items():
        figures[region.lower()][way] = round(distinct_mean(pairs), 4)
        figures[region.lower()]["plates"] = len({t for t, _ in pairs})
    return dict(figures)


def write_misses(misses, path, way):
    """A sheet of the misses' rectified pictures, and their texts on the screen."""
    chosen = [m for m in misses if m[1] == way]
    for number, (region, _, file, wanted, got, _) in enumerate(chosen):
        print(f"{number:3d} {region} {file} {wanted} -> {got}")
    tiles = [cv2.copyMakeBorder(m[5], 2, 2, 2, 2, cv2.BORDER_CONSTANT) for m in chosen]
    if tiles:
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 8)
        cv2.imwrite(str(path), np.vstack([np.hstack(tiles[i:i + 8])
                                          for i in range(0, len(tiles), 8)])[..., ::-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="the plates' folder (train/, dev/, templates/)")
    parser.add_argument("--reader", required=True, help="reader.onnx")
    parser.add_argument("--detector", help="detector.onnx; without it only true corners are measured")
    parser.add_argument("--refiner", help="refiner.onnx; without it the detector's corners are taken")
    parser.add_argument("--figures", type=pathlib.Path, help="write the figures here (JSON)")
    parser.add_argument("--misses", type=pathlib.Path, help="write a sheet of the misses here (PNG)")
    args = parser.parse_args()
    reader = Reader(args.reader)
    detector = Detector(args.detector) if args.detector else None
    refiner = Refiner(args.refiner) if args.refiner else None
    misses = []
    figures = measure(args.data, reader, detector, refiner, misses)
    if args.misses:
        write_misses(misses, args.misses, "end_to_end" if detector else "true_corners")
    for region, values in sorted(figures.items()):
        print(region, "  ".join(f"{k} {v}" for k, v in values.items()))
    print(f"reader {reader.spent / reader.count * 1e3:.2f} ms per plate (onnxruntime, one thread)")
    if detector:
        print(f"detector {detector.spent / detector.count * 1e3:.2f} ms per picture")
    if args.figures:
        args.figures.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
