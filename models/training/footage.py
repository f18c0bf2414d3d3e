"""Draws the demonstration's footage: cars at the entry and at the exit of a car park.

Everything is drawn by this code: the yard, the sky, the barrier, the cars; the plates by
`plates.py`. Each lane is one H.264 film of 1280 x 720 at 10 frames a second; `cars.toml` beside them
says which car is in which frames, its plate, and what it is there to show. The plates are invented.
Needs GStreamer's `gst-launch-1.0` with `x264enc`.
"""

import argparse
import dataclasses
import pathlib
import subprocess

import cv2
import numpy as np

from degrade import lay
from plates import Plate, PlateArtist

WIDTH, HEIGHT, RATE = 1280, 720, 10
FOCAL, CAMERA_HEIGHT, TILT = 1700.0, 1.55, np.radians(7.0)
CENTRE = (WIDTH / 2, HEIGHT * 0.46)
LANE_X = 0.35
FAR, STOP = 19.0, 5.6
BOOM_Z, BOOM_Y = 3.9, 1.02
SHIFT = 4
# Frames of a film, and how many of them show an empty lane first: nobody leaves before he came.
LENGTH, QUIET = 540, {"entry": 0, "exit": 130}


@dataclasses.dataclass
class Weather:
    """Light of a scene: sky colours (BGR), ambient tint, how bright lamps look, rain."""

    sky_high: tuple
    sky_low: tuple
    tint: tuple
    lamps: float
    rain: float

    def mix(self, other, part):
        def between(a, b):
            return tuple(np.add(np.multiply(a, 1 - part), np.multiply(b, part))) \
                if isinstance(a, tuple) else a * (1 - part) + b * part
        return Weather(*(between(getattr(self, f.name), getattr(other, f.name))
                         for f in dataclasses.fields(self)))


WEATHER = {
    "day": Weather((225, 185, 140), (240, 228, 212), (1.0, 1.0, 1.0), 0.1, 0.0),
    "dusk": Weather((110, 72, 60), (110, 130, 190), (0.52, 0.45, 0.45), 0.8, 0.0),
    "rain": Weather((150, 148, 145), (178, 176, 174), (0.68, 0.67, 0.66), 0.55, 1.0),
}


@dataclasses.dataclass
class Shape:
    """A car body in metres: width, height of the nose's top, of the bonnet's rear end, of the roof,
    length of the bonnet, setback of the roof's front edge, colour (BGR)."""

    width: float
    nose: float
    scuttle: float
    roof: float
    bonnet: float
    rake: float
    colour: tuple


SALOON = Shape(1.80, 0.80, 0.98, 1.45, 1.05, 0.75, (60, 60, 62))
HATCH = Shape(1.74, 0.84, 1.02, 1.52, 0.85, 0.70, (175, 60, 40))
OFFROAD = Shape(1.90, 1.00, 1.14, 1.74, 1.00, 0.50, (205, 205, 208))
VAN = Shape(1.98, 1.05, 1.22, 2.15, 0.55, 0.45, (225, 228, 230))


def painted(shape, colour):
    return dataclasses.replace(shape, colour=colour)


@dataclasses.dataclass
class Visit:
    """One car of a lane: its plate, body and what happens to it."""

    plate: str
    kind: str
    shape: Shape
    weather: str
    shows: str
    admitted: bool = True
    smeared: bool = False


ENTRY = [
    Visit("京A12345", "cn_blue", SALOON, "day", "permit holder"),
    Visit("沪C8K610", "cn_blue", painted(HATCH, (40, 45, 170)), "day", "public car"),
    Visit("粤BD12345", "cn_green", painted(OFFROAD, (190, 170, 120)), "day", "electric car, eight characters"),
    Visit("浙F3M902", "cn_blue", painted(SALOON, (45, 75, 60)), "day", "on the deny list", admitted=False),
    Visit("苏E40718", "cn_yellow", VAN, "dusk", "yellow plate of a lorry or bus"),
    Visit("A123BC77", "ru_civil", painted(OFFROAD, (50, 48, 46)), "dusk", "Russian plate"),
    Visit("川A7P265", "cn_blue", painted(HATCH, (215, 215, 215)), "rain", "permit holder in the rain"),
    Visit("湘A6H31K", "cn_blue", painted(SALOON, (130, 95, 70)), "rain", "smeared plate nobody can read",
          smeared=True),
]
EXIT = [visit for visit in ENTRY if visit.admitted]


class View:
    """A pinhole camera above the lane; x to the right, y up, z along the lane, in metres."""

    def __init__(self):
        self.forward = np.array([0, -np.sin(TILT), np.cos(TILT)])
        self.up = np.array([0, np.cos(TILT), np.sin(TILT)])

    def project(self, points):
        points = np.asarray(points, np.float64).reshape(-1, 3) - (0, CAMERA_HEIGHT, 0)
        depth = np.maximum(points @ self.forward, 0.25)
        return np.stack([CENTRE[0] + FOCAL * points[:, 0] / depth,
                         CENTRE[1] - FOCAL * (points @ self.up) / depth], 1)


VIEW = View()


def fill(image, points, colour):
    """A filled polygon of points in space, edges smoothed, positions to a sixteenth of a pixel."""
    flat = np.clip(VIEW.project(points), -20000, 20000)
    cv2.fillPoly(image, [np.round(flat * 2 ** SHIFT).astype(np.int32)],
                 tuple(float(c) for c in colour), cv2.LINE_AA, SHIFT)


def shade(colour, factor):
    return tuple(min(255.0, c * factor) for c in colour)


def ellipse(x, y, z, rx, ry, steps=28):
    angles = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles), np.full(steps, z)], 1)


def rectangle(x0, y0, x1, y1, z):
    return [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]


def ground(x0, z0, x1, z1, y=0.0):
    return [(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)]


def yard(rng):
    """The yard in neutral light, and a mask of the sky."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    fill(image, ground(-60, 1.2, 60, 200), (104, 103, 101))
    fill(image, ground(-60, 24, -2.6, 200), (86, 118, 92))
    fill(image, ground(3.3, 24, 60, 200), (86, 118, 92))
    horizon = int(VIEW.project([(0, 0, 200)])[0, 1])
    sky = np.zeros((HEIGHT, WIDTH), np.uint8)
    sky[:horizon + 1] = 255
    far = rectangle(-40, 0, -3.5, 9.5, 70), rectangle(-2.6, 0, 9, 6.5, 90), rectangle(12, 0, 45, 12, 80)
    for wall, colour in zip(far, ((150, 158, 166), (128, 132, 140), (160, 163, 165))):
        fill(image, wall, colour)
        fill(sky, wall, (0,))
        x0, x1, y1, z = wall[0][0], wall[1][0], wall[2][1], wall[0][2]
        for floor in np.arange(1.5, y1 - 1.5, 3.0):
            for x in np.arange(x0 + 1, x1 - 1.5, 2.6):
                fill(image, rectangle(x, floor, x + 1.5, floor + 1.6, z - 0.1), (112, 100, 88))
    for x, z, size in ((-7, 42, 2.2), (-10.5, 46, 2.8), (9, 44, 2.4), (13.5, 50, 3.0), (6.6, 60, 2.2)):
        for _ in range(26):
            blob = ellipse(x + rng.normal(0, size * 0.4), size * 0.9 + rng.normal(0, size * 0.33), z,
                           size * 0.42, size * 0.34)
            tone = rng.uniform(0.65, 1.1)
            fill(image, blob, shade((58, 96, 66), tone))
            fill(sky, blob, (0,))
    grain = rng.normal(0, 5.0, (HEIGHT, WIDTH)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.9) * 1.6 + cv2.GaussianBlur(grain, (0, 0), 14) * 14
    textured = image.astype(np.float32) + grain[..., None]
    image = np.where(sky[..., None] > 0, image, np.clip(textured, 0, 255).astype(np.uint8))
    for x0, x1 in ((-2.4, -1.75), (2.45, 3.1)):
        fill(image, ground(x0, 1.5, x1, 24, 0.15), (150, 152, 154))
        edge = x1 if x0 < 0 else x0
        for number, z in enumerate(np.arange(1.5, 24, 0.75)):
            colour = (60, 190, 225) if number % 2 else (55, 55, 55)
            fill(image, [(edge, 0, z), (edge, 0, z + 0.75), (edge, 0.15, z + 0.75), (edge, 0.15, z)], colour)
    fill(image, ground(-1.6, 4.75, 2.3, 4.95, 0.0), (215, 215, 212))
    for z in np.arange(8, 24, 3.0):
        fill(image, ground(0.3, z, 0.42, z + 1.4), (190, 190, 186))
    booth = 6.5
    fill(image, rectangle(2.5, 0.15, 3.4, 2.5, booth), (196, 190, 182))
    fill(image, rectangle(2.6, 1.1, 3.3, 2.1, booth - 0.02), (120, 104, 84))
    fill(image, rectangle(2.42, 2.5, 3.5, 2.65, booth - 0.05), (70, 72, 150))
    for shape, colour in ((rectangle(2.5, 0.15, 3.4, 2.65, booth), 0),):
        fill(sky, shape, (colour,))
    return image, sky


def lit_yard(image, sky, weather):
    """The yard under a sky, float BGR."""
    ramp = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None] * 2.2
    ramp = np.clip(ramp, 0, 1)[..., None]
    heaven = np.float32(weather.sky_high) * (1 - ramp) + np.float32(weather.sky_low) * ramp
    part = cv2.GaussianBlur(sky, (0, 0), 1.2).astype(np.float32)[..., None] / 255
    land = image.astype(np.float32) * np.float32(weather.tint)
    if weather.rain:
        land = land * (1 - 0.22 * weather.rain)
    return land * (1 - part) + np.broadcast_to(heaven, land.shape) * part


def boom(image, angle, colour):
    """The barrier's arm, hinged on the left, `angle` 0 closed, pi/2 open."""
    hinge = np.array([-1.72, BOOM_Y, BOOM_Z])
    along = np.array([np.cos(angle), np.sin(angle), 0])
    across = np.array([-np.sin(angle), np.cos(angle), 0]) * 0.05
    length = 4.0
    for number in range(10):
        a, b = hinge + along * length * number / 10, hinge + along * length * (number + 1) / 10
        tone = (235, 235, 235) if number % 2 else (45, 45, 205)
        fill(image, [a - across, b - across, b + across, a + across], np.multiply(tone, colour))
    fill(image, rectangle(-1.92, 0, -1.62, BOOM_Y + 0.18, BOOM_Z), np.multiply((60, 140, 225), colour))


def car(image, lights, visit, plate, z, weather):
    """Draws the car with its nose at `z`; lamps go to `lights` as (x, y, radius, strength)."""
    body, x = visit.shape, LANE_X
    tint = np.float32(weather.tint)

    def put(points, colour, factor=1.0):
        moved = [(x + p[0], p[1], z + p[2]) for p in points]
        fill(image, moved, np.multiply(shade(colour, factor), tint))

    w = body.width / 2
    colour = body.colour
    shadow = [(x + px, 0.01, z + pz) for px, pz in
              ((-w - .12, -.15), (w + .12, -.15), (w + .16, 4.2), (-w - .16, 4.2))]
    layer = np.zeros((HEIGHT, WIDTH), np.uint8)
    fill(layer, shadow, (255,))
    top_row = max(0, int(VIEW.project(shadow)[:, 1].min()) - 20)
    layer = cv2.GaussianBlur(layer[top_row:], (0, 0), 5).astype(np.float32)
    image[top_row:] *= (1 - layer * (0.6 / 255))[..., None]
    for side in (-1, 1):
        put([(side * (w - .24), 0, .5), (side * w, 0, .5), (side * w, .62, .5), (side * (w - .24), .62, .5)],
            (28, 28, 28))
    back = body.bonnet + body.rake
    top = w * 0.74
    belt = w * 0.95
    for side in (-1, 1):
        put([(side * w, .3, .1), (side * w, body.nose, .1), (side * belt, body.scuttle, body.bonnet),
             (side * belt, body.scuttle, 4.0), (side * w, .3, 4.0)], colour, 0.55)
        put([(side * belt, body.scuttle, body.bonnet), (side * top, body.roof, back),
             (side * top, body.roof, 3.6), (side * belt, body.scuttle, 3.9)], (40, 36, 32))
    put([(-belt, body.scuttle, body.bonnet), (belt, body.scuttle, body.bonnet),
         (top, body.roof, back), (-top, body.roof, back)], colour, 0.8)
    put([(-top, body.roof, back), (top, body.roof, back), (top * .9, body.roof + .05, back + .6),
         (-top * .9, body.roof + .05, back + .6)], colour, 1.1)
    slope = body.roof - body.scuttle

    def on_glass(u, v):
        half = (belt + (top - belt) * v) * 0.92
        return (u * half, body.scuttle + slope * v, body.bonnet + body.rake * v - .01)

    put([on_glass(-1, .05), on_glass(1, .05), on_glass(1, .9), on_glass(-1, .9)], (66, 60, 54))
    put([on_glass(-.75, .05), on_glass(-.15, .05), on_glass(.25, .9), on_glass(-.35, .9)], (96, 90, 82))
    for seat in (-.48, .48):
        put([(seat * belt + px, body.scuttle + .1 + slope * .42 + py, body.bonnet + .3)
             for px, py, _ in ellipse(0, 0, 0, .12, .15)], (44, 40, 38))
    put([(-belt * .97, body.scuttle, body.bonnet), (belt * .97, body.scuttle, body.bonnet),
         (w * .93, body.nose, .06), (-w * .93, body.nose, .06)], colour, 1.15)
    put([(-.25 * w, body.scuttle, body.bonnet), (.25 * w, body.scuttle, body.bonnet),
         (.35 * w, body.nose, .07), (-.35 * w, body.nose, .07)], colour, 1.22)
    for side in (-1, 1):
        put([(side * (w + .09) + px, body.scuttle + .06 + py, body.bonnet + .1)
             for px, py, _ in ellipse(0, 0, 0, .11, .075)], colour, 0.9)
    put([(-w, .28, 0), (-w * .9, .2, 0), (w * .9, .2, 0), (w, .28, 0), (w, body.nose - .1, 0),
         (w * .93, body.nose, .05), (-w * .93, body.nose, .05), (-w, body.nose - .1, 0)], colour)
    put([(-w * .8, .2, -.01), (w * .8, .2, -.01), (w * .7, .36, -.01), (-w * .7, .36, -.01)], (34, 34, 34))
    lamp_y = body.nose - .16
    put(rectangle(-w * .5, body.nose - .24, w * .5, body.nose - .07, -.01), (30, 30, 30))
    for bar in range(3):
        y = body.nose - .22 + bar * .055
        put(rectangle(-w * .48, y, w * .48, y + .014, -.015), (150, 150, 150))
    put([(px, lamp_y + .005 + py, -.02) for px, py, _ in ellipse(0, 0, 0, .07, .055)], (170, 170, 175))
    for side in (-1, 1):
        put([(side * w * .58, lamp_y - .07, -.01), (side * w * .97, lamp_y - .05, .02),
             (side * w * .95, lamp_y + .1, .04), (side * w * .56, lamp_y + .07, -.01)], (176, 178, 180))
        put([(side * w * .76 + px, lamp_y + py, -.01) for px, py, _ in ellipse(0, 0, 0, .075, .06)],
            (225, 228, 230))
        put([(side * w * .78 + px, .33 + py, -.01) for px, py, _ in ellipse(0, 0, 0, .06, .05)],
            (150, 150, 150))
        spot = VIEW.project([(x + side * w * .76, lamp_y, z)])[0]
        lights.append((spot, 0.1 * FOCAL / z, weather.lamps))
    hang_plate(image, visit, plate, z, tint)


def hang_plate(image, visit, plate, z, tint):
    """Puts the plate on the bumper, as large as it is in life."""
    span = plate.corners[2] - plate.corners[0]
    wide = 0.52 if visit.kind.startswith("ru") else 0.48 if len(visit.plate) == 8 else 0.44
    tall = wide * span[1] / span[0]
    low = .40
    places = [(LANE_X - wide / 2, low + tall, z - .03), (LANE_X + wide / 2, low + tall, z - .03),
              (LANE_X + wide / 2, low, z - .03), (LANE_X - wide / 2, low, z - .03)]
    quad = np.float32(VIEW.project(places))
    x0, y0 = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 8, 0)
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int) + 8
    area = image[y0:min(y1, HEIGHT), x0:min(x1, WIDTH)]
    if min(area.shape[:2]) < 4:
        return
    lit = plate.image.copy()
    lit[..., :3] = np.clip(lit[..., 2::-1] * np.sqrt(tint) * 0.97, 0, 255)  # it reflects the lamps
    area[:] = lay(area.copy(), plate, lit, quad - np.float32([x0, y0]))


def glow(image, lights):
    """Adds the light of lamps: a small bright core and a wide halo."""
    for (x, y), radius, strength in lights:
        if strength <= 0 or y > HEIGHT + 60:
            continue
        reach = int(radius * 4) + 2
        x0, y0, x1, y1 = max(0, int(x) - reach), max(0, int(y) - reach), int(x) + reach, int(y) + reach
        area = image[y0:y1, x0:x1]
        if area.size == 0:
            continue
        v, u = np.mgrid[y0:y0 + area.shape[0], x0:x0 + area.shape[1]].astype(np.float32)
        distance = ((u - x) ** 2 + (v - y) ** 2) / radius ** 2
        halo = np.exp(-distance * 1.6) * 230 + np.exp(-distance * 0.35) * 45
        area += halo[..., None] * np.float32((0.86, 0.95, 1.0)) * strength


def fall(rng, image, amount):
    """Rain in the air."""
    layer = np.zeros((HEIGHT, WIDTH), np.uint8)
    for _ in range(int(110 * amount)):
        x, y = int(rng.integers(-40, WIDTH)), int(rng.integers(-40, HEIGHT))
        length = int(rng.integers(18, 48))
        cv2.line(layer, (x, y), (x + length // 7, y + length), 255, 1, cv2.LINE_AA)
    image += layer[..., None].astype(np.float32) * 0.16


def smear(rng, plate):
    """Mud over a plate, so that nothing on it can be read."""
    image = plate.image.astype(np.float32)
    h, w = image.shape[:2]
    image[..., :3] = cv2.GaussianBlur(image[..., :3], (0, 0), h / 9)
    coarse = cv2.resize(rng.random((3, 8)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    cover = np.clip(0.55 + coarse * 0.6, 0, 0.97)[..., None]
    image[..., :3] += (np.float32((112, 96, 74)) - image[..., :3]) * cover
    return Plate(np.clip(image, 0, 255).astype(np.uint8), plate.text, plate.kind, plate.two_lines,
                 plate.corners)


def ease(part):
    return part * part * (3 - 2 * part)


def course(visit):
    """(distance of the nose, barrier's angle) of every frame of a visit."""
    frames = []
    approach, halt, leave = 18, 11, 9
    for i in range(approach):
        frames.append((STOP + (FAR - STOP) * (1 - np.sin(np.pi / 2 * (i + 1) / approach)), 0.0))
    open_at = np.pi * 0.47
    if not visit.admitted:
        frames += [(STOP, 0.0)] * (halt + 10)
        frames += [(STOP + (FAR - STOP) * ((i + 1) / 16) ** 2, 0.0) for i in range(16)]
        return frames
    frames += [(STOP, 0.0)] * halt
    frames += [(STOP, open_at * ease((i + 1) / 5)) for i in range(5)]
    frames += [(STOP - (STOP - 0.6) * ((i + 1) / leave) ** 1.7, open_at) for i in range(leave)]
    return frames


class Film:
    """An H.264 file written frame by frame through GStreamer."""

    def __init__(self, path, quantizer):
        form = f"width={WIDTH} height={HEIGHT} format=bgr framerate={RATE}/1"
        self.process = subprocess.Popen(
            ["gst-launch-1.0", "-q", "fdsrc", "fd=0", "!", "rawvideoparse", *form.split(), "!",
             "videoconvert", "!", "video/x-raw,format=I420", "!", "x264enc", "pass=quant",
             f"quantizer={quantizer}", "key-int-max=30", "speed-preset=slow", "!",
             "video/x-h264,profile=high", "!", "h264parse", "!", "mp4mux", "faststart=true", "!",
             "filesink", f"location={path}"], stdin=subprocess.PIPE)

    def add(self, frame):
        self.process.stdin.write(frame.tobytes())

    def close(self):
        self.process.stdin.close()
        if self.process.wait():
            raise SystemExit("gst-launch-1.0 failed")


def film_lane(name, visits, artist, folder, seed, quantizer):
    """Draws one lane's film and returns its cars' entries. Both lanes' films are equally long, so
    that they stay in step when they are shown again and again."""
    rng = np.random.default_rng(seed)
    image, sky = yard(rng)
    film = Film(folder / f"{name}.mp4", quantizer)
    entries, number = [], 0
    weather = WEATHER[visits[0].weather]

    empty = {}

    def frame(light, angle, visit=None, plate=None, z=0.0):
        nonlocal number
        if empty.get("light") != light:
            empty.update(light=light, picture=lit_yard(image, sky, light))
        picture = empty["picture"].copy()
        lights = []
        if visit:
            car(picture, lights, visit, plate, z, light)
        glow(picture, lights)
        boom(picture, angle, np.float32(light.tint))
        if light.rain:
            fall(rng, picture, light.rain)
        film.add(cv2.GaussianBlur(np.clip(picture, 0, 255).astype(np.uint8), (0, 0), 0.6))
        number += 1

    for _ in range(QUIET[name]):
        frame(weather, 0.0)
    for visit in visits:
        following = WEATHER[visit.weather]
        for i in range(10):
            frame(weather.mix(following, (i + 1) / 10), np.pi * 0.47 * max(0, 1 - i / 4) if entries else 0)
        weather = following
        plate = artist.draw(np.random.default_rng(seed + 17), visit.kind, visit.plate)
        if visit.smeared:
            plate = smear(rng, plate)
        first = number
        for z, angle in course(visit):
            frame(weather, angle, visit, plate, z)
        entries.append((name, first, number - 1, visit))
    while number < LENGTH:
        frame(weather, 0.0)
    film.close()
    return entries


def describe(entries):
    lines = ["# Written by models/training/footage.py. Frames count from 0, at 10 a second."]
    for lane, first, last, visit in entries:
        lines += ["", "[[car]]", f'lane = "{lane}"', f'file = "{lane}.mp4"', f"first_frame = {first}",
                  f"last_frame = {last}", f'plate = "{visit.plate}"', f'kind = "{visit.kind}"',
                  f"readable = {str(not visit.smeared).lower()}",
                  f"admitted = {str(visit.admitted).lower()}", f'weather = "{visit.weather}"',
                  f'shows = "{visit.shows}"']
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("output", type=pathlib.Path, help="folder for the films and cars.toml")
    parser.add_argument("--templates", help="folder of glyph templates; fonts alone without it")
    parser.add_argument("--fonts", default="/usr/share/fonts")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--quantizer", type=int, default=27, help="higher: smaller files")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    artist = PlateArtist(args.fonts, args.templates, scale=0.8)
    entries = film_lane("entry", ENTRY, artist, args.output, args.seed, args.quantizer)
    entries += film_lane("exit", EXIT, artist, args.output, args.seed + 1, args.quantizer)
    (args.output / "cars.toml").write_text(describe(entries), encoding="utf-8")


if __name__ == "__main__":
    main()
