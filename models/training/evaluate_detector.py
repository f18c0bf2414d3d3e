"""Measure the detector on labelled scenes: recall, corners, kinds, speed.

A labelled plate counts as found if a detection overlaps its box enough.
Further detections are counted apart: scenes may hold plates nobody labelled.
"""

import argparse
import csv
import datetime
import json
import pathlib
import time

import cv2
import numpy

from detector_decode import THRESHOLD, decode, intersection_over_union, network_input
from evaluate import ordered
from export_detector import session


def scenes(folder):
    """Each file of the index with the rows of its plates."""
    with open(folder / "index.csv", newline="", encoding="utf-8") as index:
        grouped = {}
        for row in csv.DictReader(index):
            grouped.setdefault(row["file"], []).append(row)
    return grouped


def detect(runner, picture, threshold=THRESHOLD):
    """Plates that the exported network finds in a BGR picture."""
    image, scale = network_input(picture)
    return decode(runner.run(None, {"image": image}), scale, threshold)


def measure(runner, folder, threshold):
    """One record for each labelled plate, extra detections by picture, CPU seconds."""
    records, extra, seconds = [], {}, []
    for file, rows in scenes(folder).items():
        picture = cv2.imread(str(folder / file))
        image, scale = network_input(picture)
        start = time.process_time()
        outputs = runner.run(None, {"image": image})
        seconds.append(time.process_time() - start)
        found = decode(outputs, scale, threshold)
        claimed = set()
        for row in rows:
            if not row["x_min"]:
                continue
            box = [float(row[name]) for name in ("x_min", "y_min", "x_max", "y_max")]
            overlaps = [intersection_over_union(plate.box, box) for plate in found]
            best = int(numpy.argmax(overlaps)) if overlaps else -1
            iou = overlaps[best] if overlaps else 0.0
            record = {
                "file": file, "set": row["set"], "region": row["region"], "iou": iou,
                "width": (box[2] - box[0]) * scale, "box": box,
            }
            if iou >= 0.5:
                claimed.add(best)
                plate = found[best]
                record["score"] = plate.score
                if row["color"]:
                    record["kind_right"] = plate.kind == row["color"]
                corners = numpy.float32(
                    [corner.split(",") for corner in row["vertices_tl_tr_br_bl"].split()]
                )
                # A few outlines have more points than four; their corners are unknown.
                if len(corners) == 4:
                    corners = ordered(corners)
                    width = numpy.linalg.norm(corners[1] - corners[0])
                    error = numpy.linalg.norm(plate.corners - corners, axis=1).mean()
                    record["corner_error"] = float(error / width)
            records.append(record)
        extra[file] = [plate for index, plate in enumerate(found) if index not in claimed]
    return records, extra, seconds


def summary(records):
    """Figures of a group of records."""
    figures = {"plates": len(records)}
    ious = numpy.array([record["iou"] for record in records])
    figures["recall_50"] = round(float((ious >= 0.5).mean()), 4)
    figures["recall_70"] = round(float((ious >= 0.7).mean()), 4)
    errors = [record["corner_error"] for record in records if "corner_error" in record]
    if errors:
        figures["corner_error_mean"] = round(float(numpy.mean(errors)), 4)
        figures["corner_error_median"] = round(float(numpy.median(errors)), 4)
    kinds = [record["kind_right"] for record in records if "kind_right" in record]
    if kinds:
        figures["kind_right"] = round(float(numpy.mean(kinds)), 4)
    return figures


def write_misses(records, extra, folder, path):
    """A sheet of the plates missed (IoU below .7), label white, detections red."""
    tiles = []
    for record in sorted(records, key=lambda record: record["iou"]):
        if record["iou"] >= 0.7:
            break
        picture = cv2.imread(str(folder / record["file"]))
        x_min, y_min, x_max, y_max = (round(side) for side in record["box"])
        cv2.rectangle(picture, (x_min, y_min), (x_max, y_max), (255, 255, 255), 1)
        for plate in extra[record["file"]]:
            cv2.polylines(picture, [numpy.int32(plate.corners)], True, (0, 0, 255), 2)
        reach = max(x_max - x_min, 30)
        left, top = max(x_min - reach, 0), max(y_min - reach, 0)
        view = picture[top : y_max + reach, left : x_max + reach]
        scale = min(240 / view.shape[1], 180 / view.shape[0])
        view = cv2.resize(view, None, fx=scale, fy=scale)[:180, :240]
        tile = numpy.zeros((200, 240, 3), numpy.uint8)
        tile[: view.shape[0], : view.shape[1]] = view
        text = f"{record['file'][:20]} {record['iou']:.2f} w{record['width']:.0f}"
        cv2.putText(tile, text, (2, 195), 0, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles = tiles[:48]
    while not tiles or len(tiles) % 6:
        tiles.append(numpy.zeros((200, 240, 3), numpy.uint8))
    rows = [numpy.hstack(tiles[index : index + 6]) for index in range(0, len(tiles), 6)]
    cv2.imwrite(str(path), numpy.vstack(rows))


def figures_of(records, extra, seconds):
    """The figures as one object: all, by region and by set, extra, speed."""
    figures = {"measured": datetime.date.today().isoformat(), "all": summary(records)}
    for key in ("region", "set"):
        for name in sorted({record[key] for record in records}):
            figures[name] = summary([record for record in records if record[key] == name])
    figures["extra_detections"] = sum(map(len, extra.values()))
    figures["pictures"] = len(extra)
    figures["milliseconds"] = round(1000 * float(numpy.median(seconds)), 2)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="the .onnx")
    parser.add_argument("--scenes", type=pathlib.Path, required=True, help="folder with index.csv")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    parser.add_argument("--misses", type=pathlib.Path, help="write a sheet of the misses here (.png)")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    records, extra, seconds = measure(session(arguments.model), arguments.scenes, arguments.threshold)
    figures = figures_of(records, extra, seconds)
    for name, value in figures.items():
        print(f"{name:20s} {json.dumps(value)}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if arguments.misses:
        write_misses(records, extra, arguments.scenes, arguments.misses)


if __name__ == "__main__":
    main()
