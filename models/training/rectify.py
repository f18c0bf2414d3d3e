"""The rectification that stands between detector and reader: picture + four corners -> 48 x 168.

Coordinates are continuous: the pixel in column i, row j covers [i, i+1) x [j, j+1), its centre is
(i + 0.5, j + 0.5). Corners come as tl, tr, br, bl of the plate.

1. Each corner is pushed outward: with c the mean of the corners, corner' = c + (1 + 2*MARGIN) *
   (corner - c); the plate then keeps MARGIN of its width and height free on every side.
2. One line: the perspective map H takes the rectangle (0,0) (168,0) (168,48) (0,48) to the pushed
   corners. Output pixel (u, v) is the picture at H(u + 0.5, v + 0.5), bilinear between pixel
   centres, the picture's border pixels repeated outside.
3. Two lines: the same to 168 x 96. Rows [0, SPLIT_UPPER*96) scaled to UPPER_WIDTH x 48 are the left
   part, rows [SPLIT_LOWER*96, 96) scaled to (168 - UPPER_WIDTH) x 48 the right part (bilinear,
   pixel centres aligned; SPLIT_*·96 rounded to whole rows).

`rectify` is the fast form used in training and measuring (OpenCV; within a few grey levels of the
definition), `rectify_exact` the definition. Run as a program it writes test vectors drawn by
`plates.py` for other implementations.
"""

import argparse
import json
import pathlib

import cv2
import numpy as np

WIDTH, HEIGHT = 168, 48
MARGIN = 0.07
WIDE_WIDTH, WIDE_HEIGHT = 144, 48
WIDE_MARGIN = 0.25
SPLIT_UPPER, SPLIT_LOWER, UPPER_WIDTH = 0.46, 0.38, 64


def push_out(corners, margin=MARGIN):
    corners = np.asarray(corners, np.float32).reshape(4, 2)
    centre = corners.mean(axis=0)
    return centre + (1 + 2 * margin) * (corners - centre)


def homography(corners, width, height, margin=MARGIN):
    """The 3x3 map from the output rectangle (continuous coordinates) to the pushed-out corners."""
    rectangle = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    return cv2.getPerspectiveTransform(rectangle, push_out(corners, margin).astype(np.float32))


def wide_view(picture, corners):
    """What the refiner sees: the plate as the detector found it, with more around it."""
    matrix = wide_map(corners)
    half = np.float64([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    back = np.float64([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    return cv2.warpPerspective(picture, back @ matrix @ half, (WIDE_WIDTH, WIDE_HEIGHT),
                               flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                               borderMode=cv2.BORDER_REPLICATE)


def wide_map(corners):
    """The map from the refiner's view (continuous coordinates) to the picture."""
    return homography(corners, WIDE_WIDTH, WIDE_HEIGHT, WIDE_MARGIN)


def rows(part):
    return int(round(part * 2 * HEIGHT))


def fold(tall):
    """A 96 x 168 two-line plate as one line of 48 x 168."""
    upper = cv2.resize(tall[:rows(SPLIT_UPPER)], (UPPER_WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    lower = cv2.resize(tall[rows(SPLIT_LOWER):], (WIDTH - UPPER_WIDTH, HEIGHT),
                       interpolation=cv2.INTER_LINEAR)
    return np.hstack([upper, lower])


def rectify(picture, corners, two_lines=False):
    height = HEIGHT * 2 if two_lines else HEIGHT
    half = np.float64([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    back = np.float64([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    matrix = back @ homography(corners, WIDTH, height) @ half
    plate = cv2.warpPerspective(picture, matrix, (WIDTH, height),
                                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                borderMode=cv2.BORDER_REPLICATE)
    return fold(plate) if two_lines else plate


def sample(picture, x, y):
    """Bilinear samples at continuous coordinates, float64, border repeated."""
    height, width = picture.shape[:2]
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    data = picture.astype(np.float64)
    upper = data[y0, x0] * (1 - fx) + data[y0, x1] * fx
    lower = data[y1, x0] * (1 - fx) + data[y1, x1] * fx
    return upper * (1 - fy) + lower * fy


def scale_exact(picture, width, height):
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return sample(picture, u * picture.shape[1] / width, v * picture.shape[0] / height)


def rectify_exact(picture, corners, two_lines=False):
    """The definition above, word by word; float64 values 0..255."""
    height = HEIGHT * 2 if two_lines else HEIGHT
    matrix = homography(corners, WIDTH, height)
    u, v = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(height) + 0.5)
    points = np.stack([u, v, np.ones_like(u)], -1) @ matrix.T
    plate = sample(picture, points[..., 0] / points[..., 2], points[..., 1] / points[..., 2])
    if not two_lines:
        return plate
    upper = scale_exact(plate[:rows(SPLIT_UPPER)], UPPER_WIDTH, HEIGHT)
    lower = scale_exact(plate[rows(SPLIT_LOWER):], WIDTH - UPPER_WIDTH, HEIGHT)
    return np.hstack([upper, lower])


def write_vectors(folder, artist, seed):
    """Small synthetic pictures, their corners and the expected result, as PNG and one JSON."""
    from degrade import photograph  # only this command draws

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    cases = []
    for name, kind in (("cn_line", "cn_blue"), ("cn_two", "cn_yellow_two"), ("ru_line", "ru_civil"),
                       ("eu_line", "eu_line")):
        plate = artist.draw(rng, kind)
        picture, corners = photograph(rng, plate, [], width=120, clean=True)
        corners = np.round(corners, 2)
        expected = np.round(rectify_exact(picture, corners, plate.two_lines)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{name}_picture.png"), picture[..., ::-1])
        cv2.imwrite(str(folder / f"{name}_expected.png"), expected[..., ::-1])
        cases.append({"name": name, "text": plate.text, "two_lines": plate.two_lines,
                      "corners": [[float(f"{v:.2f}") for v in c] for c in corners]})
    text = json.dumps({"cases": cases}, ensure_ascii=False, indent=1)
    (folder / "vectors.json").write_text(text + "\n", encoding="utf-8")


def main():
    from plates import PlateArtist

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("output", type=pathlib.Path, help="folder for the test vectors")
    parser.add_argument("--templates", help="folder of glyph templates")
    parser.add_argument("--fonts", default="/usr/share/fonts")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    write_vectors(args.output, PlateArtist(args.fonts, args.templates), args.seed)


if __name__ == "__main__":
    main()
