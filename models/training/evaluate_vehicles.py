"""Measures the vehicle detector on the labelled scenes that never train (split `eval`).

Where every vehicle is labelled (`road_vehicle_bd`): average precision at an overlap of one half, by
class, and which part of what is found at the detector's threshold is right; boxes of other vehicles are
regions to ignore. Everywhere: which part of the vehicles is found at the threshold with its class.
"""

import argparse
import datetime
import json
import pathlib
import time

import cv2
import numpy as np
import onnx

from detector_decode import intersection_over_union
from export_detector import session
from vehicles_data import OTHER, scenes
from vehicles_decode import THRESHOLD, decode, network_inputs
from vehicles_net import CLASSES

EXHAUSTIVE = ("road_vehicle_bd",)
# Below this score nothing adds to the average precision.
FLOOR = 0.02
MATCH = 0.5


def inside(box, region):
    """Which part of the box lies in the region."""
    width = min(box[2], region[2]) - max(box[0], region[0])
    height = min(box[3], region[3]) - max(box[1], region[1])
    return max(width, 0) * max(height, 0) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)


def judged(found, scene, kind):
    """Of one class in one scene: (score, is it right?) of what counts; each label is met once."""
    labels = [box for box, mine in zip(scene.boxes, scene.kinds) if mine == kind]
    ignored = [box for box, mine in zip(scene.boxes, scene.kinds) if mine == OTHER]
    free, verdicts = set(range(len(labels))), []
    for vehicle in found:
        if vehicle.kind != kind:
            continue
        fits = [(intersection_over_union(vehicle.box, labels[n]), n) for n in free]
        best = max(fits, default=(0, None))
        if best[0] >= MATCH:
            free.discard(best[1])
            verdicts.append((vehicle.score, True))
        elif not any(inside(vehicle.box, region) > MATCH for region in ignored):
            verdicts.append((vehicle.score, False))
    return verdicts


def average_precision(verdicts, labels):
    """Area under the envelope of precision over recall."""
    if not labels:
        return None
    right = np.array([ok for _, ok in sorted(verdicts, key=lambda verdict: -verdict[0])], float)
    recall = np.concatenate([[0], right.cumsum() / labels])
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * envelope).sum())


def figures_of(results, threshold):
    """By folder and class; `results`: (scene, what was found in it down to FLOOR)."""
    figures = {}
    for folder in sorted({scene.folder for scene, _ in results}):
        mine = [(scene, found) for scene, found in results if scene.folder == folder]
        by_class = {name: figures_of_class(mine, kind, folder, threshold)
                    for kind, name in enumerate(CLASSES)
                    if any((scene.kinds == kind).any() for scene, _ in mine)}
        if by_class:
            figures[folder] = {"pictures": len(mine), **summed(by_class), **by_class}
    return figures


def figures_of_class(results, kind, folder, threshold):
    verdicts = [verdict for scene, found in results for verdict in judged(found, scene, kind)]
    labels = sum(int((scene.kinds == kind).sum()) for scene, _ in results)
    counted = [ok for score, ok in verdicts if score >= threshold]
    figures = {"labels": labels, "found": sum(counted)}
    if folder in EXHAUSTIVE:
        figures["wrong"] = len(counted) - sum(counted)
        figures["ap50"] = round(average_precision(verdicts, labels), 4)
    return figures


def summed(by_class):
    """Recall over all, and where it is known the mean average precision and the precision."""
    total = {key: sum(row.get(key, 0) for row in by_class.values()) for key in ("labels", "found", "wrong")}
    figures = {"labels": total["labels"], "recall": round(total["found"] / total["labels"], 4)}
    scores = [row["ap50"] for row in by_class.values() if "ap50" in row]
    if scores:
        figures["ap50"] = round(float(np.mean(scores)), 4)
        figures["precision"] = round(total["found"] / max(total["found"] + total["wrong"], 1), 4)
    return figures


def of_any_size(path):
    """The model for pictures of any height and width, as bytes."""
    model = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output):
        for place, dimension in enumerate(value.type.tensor_type.shape.dim[2:]):
            dimension.dim_param = f"{value.name}_{place}"
    return model.SerializeToString()


def measure(run, data):
    """What `run(image)` finds in every scene of the split, and the CPU seconds of all looks."""
    results, seconds = [], []
    for scene in scenes(data, "eval").values():
        inputs = list(network_inputs(scene.picture))
        start = time.process_time()
        looks = [(run(image), scale) for image, scale in inputs]
        seconds.append(time.process_time() - start)
        results.append((scene, decode(looks, FLOOR)))
    return results, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="the .onnx")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with index.csv")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    runner = session(of_any_size(args.model))
    results, seconds = measure(lambda image: runner.run(None, {"image": image}), args.data)
    figures = {"measured": datetime.date.today().isoformat(),
               "milliseconds": round(1000 * float(np.median(seconds)), 2),
               **figures_of(results, args.threshold)}
    for name, value in figures.items():
        print(f"{name:20s} {json.dumps(value)}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
