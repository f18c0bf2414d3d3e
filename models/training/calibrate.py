"""Finds the reader's temperature, so that a plate's probability means what it says.

A plate's probability is the product over its characters of the highest softmax(logits / T) within
the character's run of steps in the greedy CTC reading. T is chosen so that this probability best
foretells (log loss) whether the whole plate is right, on plates that never trained: the held-out
real crops and as many freshly drawn plates. Prints T, and how often plates of each range of
probability are right.
"""

import argparse
import pathlib

import numpy as np

from evaluate import Reader, decode
from plates import PlateArtist
from degrade import photograph
from reader_data import backgrounds, held_out_crops, shake
from rectify import rectify


def softmax(logits):
    power = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return power / power.sum(axis=-1, keepdims=True)


def probability(logits, temperature):
    """The chance of the greedy reading: each character's best step, multiplied; 0 of nothing."""
    chances = softmax(logits / temperature)
    best = logits.argmax(axis=1)
    if not best.any():
        return 0.0
    product, peak, last = 1.0, 1.0, 0
    for cls, row in zip(best, chances):
        if cls != last:
            product, peak = product * peak, 0.0 if cls else 1.0
        if cls:
            peak = max(peak, row[cls])
        last = cls
    return product * peak


def drawn_plates(data, fonts, count, seed):
    """Freshly drawn and photographed plates: (48 x 168 picture, text)."""
    rng = np.random.default_rng(seed)
    artist = PlateArtist(fonts, str(pathlib.Path(data) / "templates"), scale=0.62)
    scenes = backgrounds(data, 60)
    for _ in range(count):
        plate = artist.draw(rng)
        picture, corners = photograph(rng, plate, scenes)
        yield rectify(picture, shake(rng, corners), plate.two_lines), plate.text


def log_loss(chances, right):
    chances = np.clip(chances, 1e-4, 1 - 1e-4)
    return -np.mean(np.where(right, np.log(chances), np.log(1 - chances)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="the plates' folder (train/, dev/, templates/)")
    parser.add_argument("--reader", required=True, help="reader.onnx")
    parser.add_argument("--fonts", default="/usr/share/fonts")
    parser.add_argument("--seed", type=int, default=99)
    args = parser.parse_args()
    reader = Reader(args.reader)
    images, texts = held_out_crops(args.data)
    samples = list(zip(images, texts)) + list(drawn_plates(args.data, args.fonts, len(texts), args.seed))
    logits = [reader.infer(image) for image, _ in samples]
    right = np.array([decode(l) == text for l, (_, text) in zip(logits, samples)])
    half = len(texts)
    print(f"right: real crops {right[:half].mean():.3f} of {half}, drawn {right[half:].mean():.3f}")
    grid = np.exp(np.linspace(np.log(0.4), np.log(5), 60))
    losses = [log_loss(np.array([probability(l, t) for l in logits]), right) for t in grid]
    best = float(grid[int(np.argmin(losses))])
    chances = np.array([probability(l, best) for l in logits])
    for low, high in ((0, .3), (.3, .6), (.6, .8), (.8, .9), (.9, .97), (.97, 1.01)):
        inside = (chances >= low) & (chances < high)
        if inside.any():
            print(f"probability {low:.2f}..{min(high, 1):.2f}: {int(inside.sum())} plates, "
                  f"mean {chances[inside].mean():.3f}, right {right[inside].mean():.3f}")
    print(f"temperature {best:.3f}")


if __name__ == "__main__":
    main()
