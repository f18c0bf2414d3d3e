"""Compares two lists of readings, lines of `file, text, confidence, place` with tabs between.

    compare.py HERE THERE PICTURES

Fails where a plate that one reads with a confidence of 0.5 and more has another text at the other, or
one that is less or more sure by 0.02.
"""

import collections
import pathlib
import sys

SURE, APART = 0.5, 0.02


def readings(path):
    """By file and text the highest confidence."""
    found = collections.defaultdict(float)
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        file, text, confidence, _ = line.split("\t")
        found[file, text] = max(found[file, text], float(confidence))
    return found


def main():
    here, there = readings(sys.argv[1]), readings(sys.argv[2])
    pictures = int(sys.argv[3])
    sure = {plate for read in (here, there) for plate, value in read.items() if value >= SURE}
    apart = {plate: abs(here.get(plate, 0) - there.get(plate, 0)) for plate in sure}
    for plate in sorted(plate for plate in sure if apart[plate] > APART):
        print(*plate, f"here {here.get(plate, 0):.3f}, there {there.get(plate, 0):.3f}")
    widest = max(apart.values(), default=0)
    print(f"{pictures} pictures, {len(sure)} plates read with {SURE} and more; "
          f"confidences differ by at most {widest:.3f}")
    sys.exit(not sure or widest > APART)


if __name__ == "__main__":
    main()
