"""Measures what the product reads, from the lines of `edge-daemon plate test --json FOLDER`.

    edge-daemon plate test --json DIR/plates/dev > lines.jsonl
    python measure.py --data DIR/plates --lines lines.jsonl [--manifest manifest.toml]

Prints and, where a manifest is named, writes there as `[figures]`: whole plates right by region (the
mean over distinct plates), how many of those above a confidence are wrong, and how often plates and
characters of each range of probability are right. The dev pictures are for measuring and choosing
only. How long it takes, `cargo bench --bench recognise` says.
"""

import argparse
import collections
import datetime
import json
import pathlib

import numpy as np

from detector_decode import intersection_over_union
from evaluate import box, distinct_mean, labelled, same
from manifest import write_table

RANGES = (0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.99, 1.0)
# A reading belongs to a labelled plate if their boxes share this (intersection over union).
SHARED = 0.2


def reports(lines, folder):
    """The lines by the file's path below `folder`."""
    found = {}
    for line in lines.read_text(encoding="utf-8").splitlines():
        report = json.loads(line)
        if "error" in report:
            continue
        path = pathlib.Path(report["file"])
        name = path.relative_to(folder) if path.is_relative_to(folder) else path
        found[str(name)] = report
    return found


def pair(report, corners):
    """The reading of a labelled plate, or None."""
    def shared(plate):
        return intersection_over_union(plate["box"], box(corners))

    best = max(report["plates"], key=shared, default=None)
    return best if best and shared(best) > SHARED else None


def alphabet(text):
    return text.translate(str.maketrans("OI", "01"))


def table(chances, right):
    """[from, to, how many, mean probability, part that is right] by ranges."""
    chances, right = np.asarray(chances), np.asarray(right, float)
    rows = []
    for low, high in zip(RANGES, RANGES[1:]):
        inside = (chances >= low) & ((chances < high) | (high == 1.0))
        if inside.any():
            rows.append([low, high, int(inside.sum()), round(float(chances[inside].mean()), 4),
                         round(float(right[inside].mean()), 4)])
    return rows


def measure(folder, found):
    """The figures, and the misses as (file, wanted, read, confidence)."""
    whole, plates, characters, misses = collections.defaultdict(list), [], [], []
    for file, rows in labelled(folder).items():
        for region, wanted, corners, _ in rows:
            plate = pair(found[file], corners)
            text, confidence = (plate["text"], plate["confidence"]) if plate else ("", 0.0)
            right = same(region, wanted, text)
            whole[region].append((wanted, right))
            plates.append((confidence, right))
            if plate and len(text) == len(wanted):
                characters += [(p, alphabet(c) == alphabet(w))
                               for (c, p), w in zip(plate["characters"], wanted)]
            if not right:
                misses.append((file, wanted, text, confidence))
    acted = {f"wrong_of_{threshold}": [sum(not r for c, r in plates if c >= threshold / 100),
                                       sum(c >= threshold / 100 for c, _ in plates)]
             for threshold in (90, 95, 97, 99)}
    return {
        "measured": datetime.date.today().isoformat(),
        "right": {region.lower(): round(distinct_mean(pairs), 4) for region, pairs in whole.items()},
        "distinct_plates": {region.lower(): len({t for t, _ in pairs}) for region, pairs in whole.items()},
        "by_confidence": acted,
        "reliability": {
            "columns": ["from", "to", "count", "mean probability", "right"],
            "plates": table(*zip(*plates)), "characters": table(*zip(*characters)),
        },
    }, misses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path, help="the plates' folder (dev/)")
    parser.add_argument("--lines", required=True, type=pathlib.Path)
    parser.add_argument("--manifest", type=pathlib.Path)
    args = parser.parse_args()
    folder = args.data / "dev"
    figures, misses = measure(folder, reports(args.lines, folder))
    for file, wanted, text, confidence in misses:
        print(f"{file} {wanted} -> {text} {confidence:.2f}")
    print(json.dumps(figures, indent=1, ensure_ascii=False))
    if args.manifest:
        write_table(args.manifest, "figures", figures)


if __name__ == "__main__":
    main()
