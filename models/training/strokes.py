"""The characters of Russian plates (GOST R 50577), drawn as strokes with round ends.

No free font has their shapes: the long flag of the 1, the 4 whose upright is only half as high, the
straight tails of the 6 and the 9, the straight 7. Coordinates run 0..100 downwards, and to each
character's own width.
"""

import cv2
import numpy as np

HEIGHT = 120


def arc(x, y, across, down, start, end):
    """Points of an ellipse from one angle to another, degrees, clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 24))
    return [(x + across * np.cos(a), y + down * np.sin(a)) for a in angles]


STROKES = {
    "0": (56, [arc(28, 28, 22, 23, 180, 360) + arc(28, 72, 22, 23, 0, 180) + [(6, 28)]]),
    "1": (42, [[(6, 34), (34, 5), (34, 95)]]),
    "2": (56, [arc(28, 28, 22, 23, 190, 395) + [(6, 95), (51, 95)]]),
    "3": (54, [arc(27, 27, 20, 22, 200, 450), arc(27, 72, 22, 23, -90, 160)]),
    "4": (57, [[(27, 5), (5, 72), (52, 72)], [(41, 48), (41, 95)]]),
    "5": (55, [[(46, 5), (14, 5), (10, 46)] + arc(27, 66, 22, 29, 222, 520)]),
    "6": (56, [[(38, 5), (9, 60)], arc(28, 70, 22, 25, 0, 360)]),
    "7": (55, [[(5, 5), (50, 5), (20, 95)]]),
    "8": (56, [arc(28, 27, 19, 22, 0, 360), arc(28, 72, 23, 23, 0, 360)]),
    "9": (56, [[(18, 95), (47, 40)], arc(28, 30, 22, 25, 0, 360)]),
    "A": (67, [[(5, 95), (33, 5), (62, 95)], [(14, 66), (53, 66)]]),
    "B": (65, [[(8, 95), (8, 5)] + arc(36, 27, 19, 22, -90, 90) + [(8, 49)],
               [(8, 49)] + arc(37, 72, 22, 23, -90, 90) + [(8, 95)]]),
    "E": (62, [[(56, 5), (8, 5), (8, 95), (56, 95)], [(8, 49), (50, 49)]]),
    "K": (66, [[(8, 5), (8, 95)], [(57, 5), (8, 60)], [(25, 42), (61, 95)]]),
    "M": (76, [[(7, 95), (7, 5), (38, 64), (69, 5), (69, 95)]]),
    "H": (66, [[(8, 5), (8, 95)], [(58, 5), (58, 95)], [(8, 49), (58, 49)]]),
    "O": (72, [arc(36, 50, 30, 45, 0, 360)]),
    "P": (62, [[(8, 95), (8, 5)] + arc(35, 29, 21, 24, -90, 90) + [(8, 53)]]),
    "C": (70, [arc(38, 50, 31, 45, -48, -312)]),
    "T": (66, [[(4, 5), (62, 5)], [(33, 5), (33, 95)]]),
    "Y": (66, [[(5, 5), (36, 58)], [(61, 5), (33, 66), (20, 95)]]),
    "X": (66, [[(6, 5), (60, 95)], [(60, 5), (6, 95)]]),
    "D": (66, [[(8, 95), (8, 5)] + arc(28, 50, 30, 45, -90, 90) + [(8, 95)]]),
    "R": (64, [[(8, 95), (8, 5)] + arc(35, 27, 20, 22, -90, 90) + [(8, 49)], [(34, 49), (58, 95)]]),
    "U": (64, [[(8, 5)] + arc(32, 66, 24, 29, 180, 0) + [(56, 5)]]),
    "S": (60, [arc(31, 28, 21, 23, -30, -250) + arc(29, 72, 23, 23, -80, 160)]),
}


def masks(weight):
    """The ink of every character, strokes of `weight` pixels in a height of 120."""
    found = {}
    for char, (width, strokes) in STROKES.items():
        scale = HEIGHT / 100
        mask = np.zeros((HEIGHT, round(width * scale)), np.uint8)
        for stroke in strokes:
            points = np.int32(np.round(np.float32(stroke) * scale * 16))
            cv2.polylines(mask, [points], False, 255, weight, cv2.LINE_AA, shift=4)
        found[char] = mask
    return found
