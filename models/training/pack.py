"""Packs the permitted training pictures, at the resolution that training uses, into a small folder.

`python pack.py --data DIR --out DIR` writes plates/train, plates/templates (all glyphs in one file, so
that the other machine needs no fonts) and vehicles (their training split) as WebP with their indices:
what `run.sh --data` takes. Nothing of `plates/dev` is packed.
"""

import argparse
import csv
import pathlib

import cv2

from plates import PACKED, PlateArtist, pack_glyphs

# A scene's longer side, px, by set; a crop stays as it is.
SIDES = {"cn_toll_hyperlpr": 900, "cn_misc_scenes": 1280, "cn_easypr": 1280, "rlucian_eu": 960}
VEHICLE_SIDE = 576
COORDINATES = ("x_min", "y_min", "x_max", "y_max")


def pack_picture(source, target, side, quality):
    """Writes one picture no larger than `side`; the factor by which it shrank."""
    picture = cv2.imread(str(source))
    if picture is None:
        raise SystemExit(f"{source}: cannot be read as a picture")
    factor = min(1.0, side / max(picture.shape[:2]))
    if factor < 1:
        size = [max(1, round(length * factor)) for length in picture.shape[1::-1]]
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), picture, [cv2.IMWRITE_WEBP_QUALITY, quality])
    return factor


def shrunk(row, factor):
    """The row of a picture that shrank by `factor`."""
    row = dict(row)
    for name in COORDINATES:
        if row[name]:
            row[name] = f"{float(row[name]) * factor:.1f}"
    corners = row.get("vertices_tl_tr_br_bl")
    if corners:
        pairs = (pair.split(",") for pair in corners.split())
        row["vertices_tl_tr_br_bl"] = " ".join(
            ",".join(f"{float(value) * factor:.1f}" for value in pair) for pair in pairs)
    return row


def pack_folder(source, target, keep, side_of, quality):
    """Packs the pictures of an index of which `keep(row)`; returns how many."""
    with open(source / "index.csv", encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if keep(row)]
    factors = {}
    packed = []
    for row in rows:
        file = row["file"]
        name = str(pathlib.PurePosixPath(file).with_suffix(".webp"))
        if file not in factors:
            factors[file] = pack_picture(source / file, target / name, side_of(row), quality)
        packed.append({**shrunk(row, factors[file]), "file": name})
    with open(target / "index.csv", "w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0].keys())
        writer.writeheader()
        writer.writerows(packed)
    return len(factors)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--quality", type=int, default=72, help="of WebP, 1 to 100")
    parser.add_argument("--fonts", default="/usr/share/fonts")
    args = parser.parse_args()
    plates = args.out / "plates"
    count = pack_folder(args.data / "plates/train", plates / "train", lambda row: True,
                        lambda row: SIDES.get(row["set"], 10_000), args.quality)
    count += pack_folder(args.data / "vehicles", args.out / "vehicles",
                         lambda row: row["split"] == "train", lambda row: VEHICLE_SIDE, args.quality)
    (plates / "templates").mkdir(parents=True, exist_ok=True)
    pack_glyphs(plates / "templates" / PACKED,
                PlateArtist(args.fonts, str(args.data / "plates/templates")))
    size = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    print(f"{count} pictures, {size / 2**20:.1f} MiB in {args.out}")


if __name__ == "__main__":
    main()
