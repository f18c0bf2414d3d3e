"""Draws cars that come nearer, frame by frame, to measure what a vote over frames gives.

    python approaches.py --data DIR --out APPROACHES [--cars 150]
    cargo bench --bench vote -- APPROACHES

One folder per car, `NUMBER_PLATE`, with its frames in order. Plate, dirt, light and direction stay
with the car; blur, noise, the shutter and the compression are each frame's own. The backgrounds are
the street scenes of `DIR/vehicles`; the plates are drawn, so that a figure says how votes compare with
single frames, not how real plates are read.
"""

import argparse
import pathlib

import cv2
import numpy as np

from degrade import lay, lens, light, view, wear
from plates import PlateArtist

WIDTH, HEIGHT, FRAMES = 1280, 720, 12
# Plate widths at the first and at the last frame, px: from one that nobody reads to one of a gate.
FAR, NEAR = (24, 60), (70, 170)


def scene(rng, files):
    """A street as the camera's picture."""
    picture = cv2.imread(str(files[int(rng.integers(len(files)))]))[..., ::-1]
    return cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)


def approach(rng, plate, street):
    """The frames of one car as RGB pictures."""
    span = plate.corners[2] - plate.corners[0]
    shape, face = view(rng, span[0] / span[1]), wear(rng, plate.image)
    start = np.array([rng.uniform(0.35, 0.65) * WIDTH, rng.uniform(0.35, 0.5) * HEIGHT])
    end = np.array([rng.uniform(0.3, 0.7) * WIDTH, rng.uniform(0.6, 0.8) * HEIGHT])
    widths = np.geomspace(rng.uniform(*FAR), rng.uniform(*NEAR), FRAMES)
    of_the_car = int(rng.integers(2**32))
    for width in widths:
        part = (width - widths[0]) / (widths[-1] - widths[0])
        quad = shape * width + start + (end - start) * part
        picture = lay(street.copy(), plate, face, quad)
        picture = light(np.random.default_rng(of_the_car), picture)
        yield lens(rng, picture, width)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--cars", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(args.seed)
    artist = PlateArtist(templates=args.data / "plates" / "templates")
    files = sorted((args.data / "vehicles" / "road_vehicle_bd").glob("*.jpg"))
    for number in range(args.cars):
        plate = artist.draw(rng)
        folder = args.out / f"{number:03}_{plate.text}"
        folder.mkdir(parents=True, exist_ok=True)
        for frame, picture in enumerate(approach(rng, plate, scene(rng, files))):
            quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
            cv2.imwrite(str(folder / f"{frame:02}.jpg"), picture[..., ::-1], quality)


if __name__ == "__main__":
    main()
