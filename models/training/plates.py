"""Draws number plates: Chinese, Russian and European, from glyph templates and free fonts.

`PlateArtist(fonts, templates)` holds the glyphs; `artist.draw(rng)` returns a `Plate`: an RGBA
picture, the text a reader should give, the kind, whether it has two lines, and the exact corners
of the plate in that picture (tl, tr, br, bl; continuous coordinates, a pixel's centre at +0.5).
The picture is clean: `degrade.py` puts it in front of a camera.

Run as a program it writes a contact sheet to look at.
"""

import argparse
import glob
import os
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import strokes

PROVINCES = "京沪津渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新"
FREQUENT = "京沪津津渝冀川浙皖苏赣鲁豫鄂鄂湘粤粤粤粤闽"
SPECIAL = "学警港澳挂使领民航应急"
DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHARSET = PROVINCES + SPECIAL + DIGITS + LETTERS
# Drawn beside plates only.
MARKS = "-:/"
# All glyphs in one file, in the templates' folder of a packed set.
PACKED = "glyphs.npz"
CN_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
RU_LETTERS = "ABEKMHOPCTYX"

CJK_FONTS = (
    ("NotoSansCJK-Bold.ttc", 2), ("NotoSansCJK-Regular.ttc", 2), ("wqy-microhei.ttc", 0),
    ("wqy-zenhei.ttc", 0), ("NotoSerifCJK-Bold.ttc", 2),
)
# No face with a dotted or slashed zero: it would teach the reader Q and 0 mixed up.
LATIN_FONTS = (
    "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansCondensed.ttf",
    "DejaVuSansCondensed-Bold.ttf", "LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf",
    "Roboto-Regular.ttf", "Roboto-Medium.ttf", "Roboto-Bold.ttf", "RobotoCondensed-Regular.ttf",
    "RobotoCondensed-Medium.ttf", "RobotoCondensed-Bold.ttf", "NotoSansCJK-Bold.ttc",
    "wqy-microhei.ttc",
)

KINDS = {
    "cn_blue": 34, "cn_green": 13, "cn_green_large": 3, "cn_yellow": 6, "cn_yellow_two": 5,
    "cn_trailer": 1.5, "cn_motorcycle": 1, "cn_learner": 1.5, "cn_police": 2.5, "cn_army": 1.5,
    "cn_black": 1.5, "cn_hongkong": 2, "cn_consular": 1.5, "cn_embassy": 1, "cn_aviation": 1,
    "cn_emergency": 1, "ru_civil": 15, "ru_square": 2, "ru_other": 2.5, "eu_line": 14,
    "eu_yellow": 3, "eu_two": 1.5,
}


@dataclass
class Plate:
    """A drawn plate; `corners` are tl, tr, br, bl of the plate itself inside `image`."""

    image: np.ndarray
    text: str
    kind: str
    two_lines: bool
    corners: np.ndarray


class GlyphSet:
    """Ink masks (uint8, 255 = ink) by character; `get` may return None."""

    def __init__(self, name):
        self.name = name
        self.masks = {}

    def get(self, char):
        return self.masks.get(char)


class FontGlyphs(GlyphSet):
    """Glyphs of one font file, drawn on demand; Latin ones keep their height and their bearing."""

    SIZE = 120

    def __init__(self, path, index):
        super().__init__(os.path.basename(path))
        self.font = ImageFont.truetype(path, self.SIZE, index=index)
        box = self.font.getbbox("H")
        self.top, self.bottom = box[1], box[3]

    def get(self, char):
        if char not in self.masks:
            image = Image.new("L", (self.SIZE * 2, self.SIZE * 2), 0)
            ImageDraw.Draw(image).text((self.SIZE // 2, 0), char, 255, font=self.font)
            mask = np.asarray(image)
            rows, cols = np.where(mask > 40)
            if char in DIGITS or char in LETTERS:
                mask = mask[self.top - 1:self.bottom + 2, cols.min():cols.max() + 1]
            else:
                mask = mask[rows.min():rows.max() + 1, cols.min():cols.max() + 1]
            self.masks[char] = np.ascontiguousarray(mask)
        return self.masks[char]


def russian_glyphs(weight):
    """The Russian plates' own characters, in a stroke weight."""
    glyphs = GlyphSet(f"russian strokes {weight}")
    glyphs.masks = strokes.masks(weight)
    return glyphs


def read_mask(path):
    """The ink of a template picture (dark on light, or opaque on transparent), cut to its bounds."""
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if image.ndim == 3 and image.shape[2] == 4 and image[..., 3].min() < 128:
        mask = image[..., 3]
    else:
        grey = image if image.ndim == 2 else cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY)
        mask = 255 - grey
    rows, cols = np.where(mask > 100)
    mask = mask[rows.min():rows.max() + 1, cols.min():cols.max() + 1]
    scale = 120 / mask.shape[0]
    size = (max(4, round(mask.shape[1] * scale)), 120)
    return cv2.resize(mask, size, interpolation=cv2.INTER_AREA)


def template_sets(folder):
    """The glyph sets found in a folder of templates, by the lines they are made for."""
    sets = {"line": [], "green": [], "upper": [], "lower": []}

    def load(slot, name, pattern, prefix="", keep=None):
        glyphs = GlyphSet(name)
        for path in sorted(glob.glob(os.path.join(folder, pattern))):
            char = os.path.splitext(os.path.basename(path))[0][len(prefix):].upper()
            char = "冀" if char == "翼" else char
            if len(char) == 1 and char in CHARSET and (keep is None or char in keep):
                glyphs.masks[char] = read_mask(path)
        if glyphs.masks:
            sets[slot].append(glyphs)

    load("line", "pengfei 140", "pengfei/font_model/140_?.jpg", "140_")
    load("line", "huangxinping white", "huangxinping/images/white/?.png")
    load("line", "huangxinping black", "huangxinping/images/black/?.png")
    load("green", "pengfei green", "pengfei/font_model/green_?.jpg", "green_")
    load("green", "huangxinping green", "huangxinping/images/green/?.png")
    load("upper", "pengfei 220 up", "pengfei/font_model/220_up_?.jpg", "220_up_")
    load("upper", "pengfei 220", "pengfei/font_model/220_?.jpg", "220_", PROVINCES)
    load("upper", "huangxinping top", "huangxinping/images/yellow/top/?.png")
    load("lower", "pengfei 220 down", "pengfei/font_model/220_down_?.jpg", "220_down_")
    load("lower", "pengfei 220 digits", "pengfei/font_model/220_?.jpg", "220_", DIGITS)
    load("lower", "huangxinping bottom", "huangxinping/images/yellow/bottom/?.png")
    return sets


def pack_glyphs(path, artist):
    """Writes every glyph of an artist into one file, for a machine without fonts."""
    arrays = {}
    for slot, sets in [*artist.templates.items(), ("cjk", artist.cjk), ("latin", artist.latin)]:
        for number, glyphs in enumerate(sets):
            for char in (CHARSET if slot != "latin" else DIGITS + LETTERS) + MARKS:
                mask = glyphs.get(char)
                if mask is not None:
                    arrays[f"{slot} {number:02d} {ord(char)}"] = mask
    np.savez_compressed(path, **arrays)


def unpack_glyphs(path):
    """What `pack_glyphs` wrote: (templates by slot, sets for Chinese characters, sets for Latin ones)."""
    sets = {"line": {}, "green": {}, "upper": {}, "lower": {}, "cjk": {}, "latin": {}}
    with np.load(path) as arrays:
        for key in arrays.files:
            slot, number, code = key.split()
            glyphs = sets[slot].setdefault(number, GlyphSet(f"{slot} {number}"))
            glyphs.masks[chr(int(code))] = arrays[key]
    found = {slot: [numbered[number] for number in sorted(numbered)] for slot, numbered in sets.items()}
    return {slot: found[slot] for slot in ("line", "green", "upper", "lower")}, found["cjk"], found["latin"]


def pick(rng, items):
    return items[int(rng.integers(len(items)))]


def some(rng, alphabet, count):
    return "".join(pick(rng, alphabet) for _ in range(count))


def province(rng):
    """A province: those with many cars, which are also most often taken for one another, more."""
    return pick(rng, FREQUENT if rng.random() < 0.45 else PROVINCES)


def cn_serial(rng, count=5):
    """Digits with up to two letters, as registered plates have them."""
    chars = [pick(rng, DIGITS) for _ in range(count)]
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.4, 0.35, 0.2, 0.05]))):
        chars[int(rng.integers(count))] = pick(rng, CN_LETTERS)
    return "".join(chars)


EU_PATTERNS = (
    "A AA 9999", "AA A 999", "AA AA 99", "AAA A 99", "AA AA 999", "AA99 AAA", "AA-999-AA",
    "AA 999 AA", "9999 AAA", "99-AAA-9", "AA-99-99", "9-AAA-99", "AA 99999", "AAA 9999",
    "A 999 AAA", "AA 99 AAA", "9A9 9999", "AAA-999", "AA 999AA", "AA 9999A", "A 99999 A",
    "9-AAA-999", "AAA 999", "AA 999999", "AA 99 999", "99 AA 99", "AAA 99A", "AAA-9999", "AA9999 A",
    "AAA9A99", "9AAA999", "999 AAA", "A 9999 AA", "AA9 9999",
)


def fill(rng, pattern, letters=LETTERS):
    return "".join(pick(rng, letters) if c == "A" else pick(rng, DIGITS) if c == "9" else c
                   for c in pattern)


class Canvas:
    """A plate being drawn: measures in millimetres, ink collected in one mask per colour."""

    def __init__(self, width, height, scale, fill_colour):
        self.scale = scale
        self.size = (width, height)
        shape = (round(height * scale), round(width * scale))
        self.base = np.empty(shape + (3,), np.float32)
        self.base[:] = fill_colour
        self.inks = {}

    def ink(self, colour):
        key = tuple(float(c) for c in colour)
        if key not in self.inks:
            self.inks[key] = np.zeros(self.base.shape[:2], np.uint8)
        return self.inks[key]

    def stamp(self, mask, x, y, width, height, colour):
        """Puts a glyph's mask into the box; parts beyond the plate are cut."""
        ink = self.ink(colour)
        left, top = round(x * self.scale), round(y * self.scale)
        size = max(2, round(width * self.scale)), max(2, round(height * self.scale))
        glyph = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        x0, y0 = max(left, 0), max(top, 0)
        x1 = min(left + size[0], ink.shape[1])
        y1 = min(top + size[1], ink.shape[0])
        if x1 > x0 and y1 > y0:
            part = ink[y0:y1, x0:x1]
            np.maximum(part, glyph[y0 - top:y1 - top, x0 - left:x1 - left], out=part)

    def rect(self, x, y, width, height, colour):
        s = self.scale
        self.base[max(0, round(y * s)):round((y + height) * s),
                  max(0, round(x * s)):round((x + width) * s)] = colour

    def disc(self, x, y, radius, colour):
        s = self.scale
        cv2.circle(self.ink(colour), (round(x * s), round(y * s)), max(1, round(radius * s)), 255,
                   -1, cv2.LINE_AA)

    def border(self, inset, thickness, radius, colour):
        """A rounded frame line inside the plate's edge."""
        if thickness <= 0:
            return
        outer = rounded(self.base.shape, inset * self.scale, radius * self.scale)
        inner = rounded(self.base.shape, (inset + thickness) * self.scale, radius * self.scale)
        np.maximum(self.ink(colour), cv2.subtract(outer, inner), out=self.ink(colour))

    def finish(self, rng):
        """Merges the inks, their strokes made a little bolder, thinner or softer."""
        picture = self.base
        sigma = rng.uniform(0.4, 1.3)
        gain = rng.uniform(1.3, 2.5)
        shift = rng.uniform(-0.25, 0.28)
        for colour, mask in self.inks.items():
            soft = cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32) / 255
            soft = np.clip((soft - 0.5) * gain + 0.5 + shift * (soft > 0.02), 0, 1)[..., None]
            picture += (np.float32(colour) - picture) * soft
        return picture


def rounded(shape, inset, radius):
    mask = np.zeros(shape[:2], np.uint8)
    height, width = shape[:2]
    inset = int(round(inset))
    radius = int(round(min(max(radius, 1), height / 3)))
    x1, y1 = width - 1 - inset, height - 1 - inset
    cv2.rectangle(mask, (inset + radius, inset), (x1 - radius, y1), 255, -1)
    cv2.rectangle(mask, (inset, inset + radius), (x1, y1 - radius), 255, -1)
    for x in (inset + radius, x1 - radius):
        for y in (inset + radius, y1 - radius):
            cv2.circle(mask, (x, y), radius, 255, -1)
    return mask


def end_bolts(rng, picture, width, height, scale):
    """What holds a Russian plate: a bolt at each end, bare, rusty, with a washer or a coloured cap."""
    tone = jitter(rng, pick(rng, ((60, 60, 60), (60, 60, 60), (110, 80, 60), (170, 170, 170), (170, 40, 50))), 30)
    radius = rng.uniform(2.5, 6) if rng.random() < 0.85 else rng.uniform(6, 10)
    y = height * rng.uniform(0.42, 0.6)
    for x in (rng.uniform(8, 20), width - rng.uniform(7, 22)):
        middle = (round(x * scale), round((y + rng.normal(0, 2)) * scale))
        if rng.random() < 0.3:
            washer = jitter(rng, (150, 150, 150), 50).tolist()
            cv2.circle(picture, middle, max(1, round(radius * 1.7 * scale)), washer, -1, cv2.LINE_AA)
        cv2.circle(picture, middle, max(1, round(radius * scale)), tone.tolist(), -1, cv2.LINE_AA)


def jitter(rng, colour, spread=14):
    return np.clip(np.float32(colour) + rng.normal(0, spread, 3), 0, 255)


class PlateArtist:
    """Draws plates from template glyphs (if a folder is given) and fonts found on the system."""

    def __init__(self, fonts="/usr/share/fonts", templates=None, scale=0.8):
        self.scale = scale
        packed = os.path.join(templates, PACKED) if templates else ""
        if os.path.exists(packed):
            self.templates, self.cjk, self.latin = unpack_glyphs(packed)
        else:
            self._load_glyphs(fonts, templates)
        self.russian = [russian_glyphs(weight) for weight in range(8, 18)]
        names = list(KINDS)
        weights = np.array([KINDS[n] for n in names], float)
        self.kinds, self.weights = names, weights / weights.sum()

    def _load_glyphs(self, fonts, templates):
        found = {os.path.basename(p): p
                 for p in glob.glob(os.path.join(fonts, "**", "*.tt[fc]"), recursive=True)}
        self.cjk = [FontGlyphs(found[n], i) for n, i in CJK_FONTS if n in found]
        self.latin = [FontGlyphs(found[n], 0) for n in LATIN_FONTS if n in found]
        if not self.cjk or not self.latin:
            raise SystemExit(f"no usable fonts under {fonts}: see models/training/README.md")
        self.templates = template_sets(templates) if templates else \
            {"line": [], "green": [], "upper": [], "lower": []}

    def draw(self, rng, kind=None, text=None):
        """One plate of a random or the named kind, with a random or the given text."""
        kind = kind or str(rng.choice(self.kinds, p=self.weights))
        region = kind.split("_")[0]
        plate = getattr(self, "_" + region)(rng, kind, text)
        return self._frame(rng, plate)

    # Glyphs

    def _style(self, rng, slots, template_share):
        """A choice of glyph sets for one plate: (sets for Chinese characters, sets for the rest)."""
        cjk_font, latin_font = pick(rng, self.cjk), pick(rng, self.latin)
        templates = [g for s in slots for g in self.templates[s]]
        order = [templates[i] for i in rng.permutation(len(templates))]
        cjk = order + [cjk_font] if rng.random() < template_share else [cjk_font]
        latin = order + [latin_font] if rng.random() < max(template_share, 0.8) else [latin_font]
        return cjk, latin

    @staticmethod
    def _mask(style, char):
        for glyphs in style[0 if char not in DIGITS + LETTERS else 1]:
            mask = glyphs.get(char)
            if mask is not None:
                return mask
        raise KeyError(char)

    def _boxed(self, rng, canvas, style, char, box, colour):
        """A character filling its box, as on Chinese plates; the narrow ones stay narrow."""
        mask = self._mask(style, char)
        x, y, width, height = box
        natural = mask.shape[1] / mask.shape[0] * height
        if char in "1IJ" and natural < width:
            drawn = max(natural, 0.22 * width)
        else:
            drawn = width * rng.uniform(0.9, 1.02)
        canvas.stamp(mask, x + (width - drawn) / 2 + rng.normal(0, 0.6),
                     y + rng.normal(0, 0.6), drawn, height, colour)

    def _run(self, rng, canvas, style, text, box, colour, condense, gap):
        """A line of characters with their own widths, fitted into the box; `*` is a seal."""
        x, y, width, height = box
        widths = []
        for char in text:
            if char == "*":
                widths.append(height * rng.uniform(0.3, 0.5))
            elif char in " -":
                widths.append(height * (0.22 if char == " " else 0.3))
            else:
                mask = self._mask(style, char)
                widths.append(mask.shape[1] / mask.shape[0] * height * condense)
        total = sum(widths) + gap * height * (len(text) - 1)
        fit = min(1.0, width / total)
        left = x + (width - total * fit) * rng.uniform(0.3, 0.7)
        for char, own in zip(text, widths):
            own *= fit
            if char == "-":
                canvas.stamp(np.full((4, 4), 255, np.uint8), left + own * 0.15, y + height * 0.46,
                             own * 0.7, height * 0.09, colour)
            elif char == "*":
                self._seal(rng, canvas, left + own / 2, y, height)
            elif char != " ":
                canvas.stamp(self._mask(style, char), left, y + rng.normal(0, 0.4), own, height,
                             colour)
            left += own + gap * height * fit

    # Chinese

    def _cn(self, rng, kind, text):
        if kind in ("cn_yellow_two", "cn_trailer", "cn_motorcycle"):
            return self._cn_two(rng, kind, text)
        white, black, red = jitter(rng, (238, 238, 238)), jitter(rng, (18, 18, 18), 6), (205, 25, 30)
        head = province(rng) + pick(rng, CN_LETTERS)
        paint, ink = {
            "cn_blue": ((25, 65, 170), white), "cn_yellow": ((238, 178, 20), black),
            "cn_learner": ((238, 178, 20), black), "cn_police": ((236, 236, 236), black),
            "cn_army": ((236, 236, 236), black), "cn_black": ((22, 22, 26), white),
            "cn_hongkong": ((22, 22, 26), white), "cn_consular": ((22, 22, 26), white),
            "cn_embassy": ((22, 22, 26), white), "cn_aviation": ((40, 150, 90), white),
            "cn_emergency": ((236, 236, 236), black), "cn_green": ((80, 200, 130), black),
            "cn_green_large": ((80, 200, 130), black),
        }[kind]
        accents = {}
        if text is None:
            if kind in ("cn_blue", "cn_yellow", "cn_black"):
                text = head + cn_serial(rng)
            elif kind == "cn_green":
                text = head + pick(rng, "DFDFABCEGHJK") + \
                    (pick(rng, CN_LETTERS) if rng.random() < 0.2 else pick(rng, DIGITS)) + \
                    some(rng, DIGITS, 4)
            elif kind == "cn_green_large":
                text = head + some(rng, DIGITS, 5) + pick(rng, "DF")
            elif kind == "cn_learner":
                text = head + cn_serial(rng, 4) + "学"
            elif kind == "cn_police":
                head = head[0] + ("O" if rng.random() < 0.15 else head[1])
                text = head + cn_serial(rng, 4) + "警"
            elif kind == "cn_army":
                text = some(rng, CN_LETTERS, 2) + cn_serial(rng)
            elif kind == "cn_hongkong":
                text = ("粤Z" if rng.random() < 0.8 else head) + cn_serial(rng, 4) + pick(rng, "港澳")
            elif kind == "cn_consular":
                text = head + some(rng, DIGITS, 4) + "领"
            elif kind == "cn_embassy":
                text = "使" + some(rng, DIGITS, 6) if rng.random() < 0.5 else \
                    some(rng, DIGITS, 6) + "使"
            elif kind == "cn_aviation":
                text = "民航" + pick(rng, CN_LETTERS) + some(rng, DIGITS, 4)
            elif kind == "cn_emergency":
                text = head[0] + "X" + pick(rng, LETTERS[:8]) + some(rng, DIGITS, 3) + "应急"
        if kind == "cn_army":
            accents = {0: red, 1: red}
        elif kind == "cn_police":
            accents = {len(text) - 1: red}
        elif kind == "cn_emergency":
            accents = {1: red, 6: red, 7: red}
        if kind == "cn_aviation" and rng.random() < 0.4:
            paint, ink = (236, 236, 236), black
        eight = len(text) == 8
        width, pitch, cell, first = (480, 52, 43, 161.5) if eight else (440, 57, 45, 151.5)
        paint = jitter(rng, paint)
        canvas = Canvas(width, 140, self.scale, paint)
        if kind == "cn_green":
            top = np.float32((225, 245, 232)) if rng.random() < 0.8 else paint * 0.5 + 110
            ramp = np.linspace(0, 1, canvas.base.shape[0], dtype=np.float32) ** rng.uniform(0.6, 1.3)
            canvas.base[:] = (top + (paint - top) * ramp[:, None])[:, None]
        elif kind == "cn_green_large":
            canvas.rect(0, 0, 130, 140, jitter(rng, (235, 190, 30)))
        slots = ["green", "line"] if eight else ["line"]
        style = self._style(rng, slots, 0.72)
        for i, char in enumerate(text):
            x = 15.5 if i == 0 else 15.5 + 45 + (9 if eight else 12) if i == 1 \
                else first + pitch * (i - 2)
            box_width = 45 if i == 0 else cell
            self._boxed(rng, canvas, style, char, (x, 25, box_width, 90), accents.get(i, ink))
        if not eight:
            canvas.disc(134, 70 + rng.normal(0, 1), rng.uniform(4, 6.5), ink)
        canvas.border(rng.uniform(2, 7), rng.choice([0, 2, 2.5, 3.5]), 8, ink)
        return self._done(rng, canvas, text, kind, False)

    def _cn_two(self, rng, kind, text):
        yellow = rng.random() < 0.85
        if kind == "cn_motorcycle" and not yellow:
            paint, ink = jitter(rng, (25, 65, 170)), jitter(rng, (238, 238, 238))
        else:
            paint, ink = jitter(rng, (238, 178, 20)), jitter(rng, (18, 18, 18), 6)
        if text is None:
            head = province(rng) + pick(rng, CN_LETTERS)
            text = head + (cn_serial(rng, 4) + "挂" if kind == "cn_trailer" else cn_serial(rng))
        canvas = Canvas(440, 220 if kind != "cn_motorcycle" else 270, self.scale, paint)
        grow = canvas.size[1] / 220
        upper = self._style(rng, ["upper"], 0.75)
        lower = self._style(rng, ["lower"], 0.85)
        for i, char in enumerate(text[:2]):
            box = (110 + 140 * i, 15 * grow, 80, 60 * grow)
            self._boxed(rng, canvas, upper, char, box, ink)
        if rng.random() < 0.8:
            canvas.disc(220, 45 * grow, rng.uniform(4, 7), ink)
        count = len(text) - 2
        for i, char in enumerate(text[2:]):
            box = (220 - 40 * count + 80 * i + 7.5, 90 * grow, 65, 110 * grow)
            self._boxed(rng, canvas, lower, char, box, ink)
        canvas.border(rng.uniform(2, 7), rng.choice([0, 2, 3]), 8, ink)
        return self._done(rng, canvas, text, kind, True)

    # Russian

    def _ru(self, rng, kind, text):
        region = some(rng, DIGITS, 2) if rng.random() < 0.5 else pick(rng, "1279") + some(rng, DIGITS, 2)
        chance = rng.random()
        if chance < 0.2:
            region = pick(rng, ("77", "78", "50", "99", "97", "177", "197", "199", "777", "178", "161"))
        elif chance < 0.45:
            # The 4 is the digit that a region is misread by.
            region = pick(rng, ("4" + pick(rng, DIGITS), pick(rng, DIGITS[1:]) + "4", "174", "154", "164", "124"))
        paint, ink = (232, 232, 232), jitter(rng, (20, 20, 20), 6)
        letters, digits = some(rng, RU_LETTERS, 3), some(rng, DIGITS, 4)
        latin = [pick(rng, self.latin)]
        if self.templates["line"] and rng.random() < 0.4:
            latin.insert(0, pick(rng, self.templates["line"] + self.templates["lower"]))
        if rng.random() < 0.8:
            latin.insert(0, pick(rng, self.russian))
        style = (None, latin)
        condense = rng.uniform(0.78, 1.05)
        small = rng.uniform(0.72, 0.85)
        if kind == "ru_square":
            return self._ru_square(rng, kind, text, region, paint, ink, style, condense)
        if kind == "ru_other" and text is None:
            main, paint, ink = [
                (letters[:2] + digits[:3], (240, 190, 20), ink),
                (letters[:2] + digits, paint, ink),
                (letters[0] + digits, (30, 70, 170), jitter(rng, (235, 235, 235))),
                (digits + letters[:2], (25, 25, 28), jitter(rng, (235, 235, 235))),
                (letters[:2] + digits[:3] + letters[2], paint, ink),
            ][int(rng.integers(5))]
        elif text is None:
            main = letters[0] + digits[:3] + letters[1:]
        else:
            cut = 6
            main, region = text[:cut], text[cut:]
        canvas = Canvas(520, 112, self.scale, jitter(rng, paint, 10))
        split = 520 - (128 if len(region) == 2 else 140) + rng.uniform(-6, 6)
        step = (split - 30) / len(main)
        for i, char in enumerate(main):
            height = 76.0 if char in DIGITS else 76 * small
            mask = self._mask(style, char)
            width = min(mask.shape[1] / mask.shape[0] * height * condense, step * 0.95)
            canvas.stamp(mask, 20 + step * i + (step - width) / 2, 94 - height + rng.normal(0, 0.5),
                         width, height, ink)
        line = rng.uniform(2, 4)
        canvas.stamp(np.full((4, 4), 255, np.uint8), split, 3, line, 106, ink)
        room = 520 - split - 14
        tall = rng.uniform(56, 66)
        # Beyond the region's digits there is room for a bolt.
        kept = rng.uniform(8, 24) if rng.random() < 0.7 else 0.0
        self._run(rng, canvas, style, region, (split + 7, rng.uniform(9, 14), room - kept, tall), ink,
                  condense * rng.uniform(1.0, 1.45), rng.uniform(0.04, 0.14))
        if rng.random() < 0.9:
            self._run(rng, canvas, style, "RUS", (split + 12, 80, room * 0.5, 20), ink, condense, 0.12)
            if rng.random() < 0.8:
                for i, stripe in enumerate(((240, 240, 240), (40, 60, 170), (200, 40, 40))):
                    canvas.rect(split + room * 0.62, 80 + 7 * i, room * 0.36, 7, stripe)
        canvas.border(rng.uniform(1, 4), rng.choice([0, 2, 3, 4]), 9, ink)
        return self._done(rng, canvas, main + region, kind, False)

    def _ru_square(self, rng, kind, text, region, paint, ink, style, condense):
        if text is None:
            letters = some(rng, RU_LETTERS, 3)
            text = letters[0] + some(rng, DIGITS, 3) + letters[1:] + region
        canvas = Canvas(290, 170, self.scale, jitter(rng, paint, 10))
        upper, lower, region = text[:4], text[4:6], text[6:]
        for i, char in enumerate(upper):
            height = 66 if char in DIGITS else 50
            mask = self._mask(style, char)
            width = min(mask.shape[1] / mask.shape[0] * height * condense, 52)
            canvas.stamp(mask, 30 + 60 * i + (52 - width) / 2, 78 - height, width, height, ink)
        step = 120 / max(3, len(region) + 0.5)
        for i, char in enumerate(lower):
            mask = self._mask(style, char)
            width = min(mask.shape[1] / mask.shape[0] * 54 * condense, 50)
            canvas.stamp(mask, 18 + 56 * i + (52 - width) / 2, 98, width, 54, ink)
        for i, char in enumerate(region):
            mask = self._mask(style, char)
            width = min(mask.shape[1] / mask.shape[0] * 48 * condense, step * 0.92)
            canvas.stamp(mask, 142 + step * i, 90, width, 48, ink)
        self._run(rng, canvas, style, "RUS", (150, 144, 60, 14), ink, condense, 0.12)
        canvas.border(rng.uniform(1, 4), rng.choice([0, 2, 3]), 9, ink)
        return self._done(rng, canvas, text, kind, True)

    # European and other Latin formats

    def _eu(self, rng, kind, text):
        yellow = kind == "eu_yellow"
        paint = (236, 190, 30) if yellow else (235, 235, 232)
        inks = [(18, 18, 20)] * 7 + [(150, 20, 25), (20, 40, 120), (15, 80, 50)]
        ink = jitter(rng, (18, 18, 20) if yellow else pick(rng, inks), 6)
        if not yellow and rng.random() < 0.05:
            paint, ink = (25, 25, 28), jitter(rng, (235, 235, 235))
        pattern = text or fill(rng, pick(rng, EU_PATTERNS))
        latin = self.latin + [g for g in self.templates["line"] + self.templates["lower"]]
        style = (None, [pick(rng, latin), pick(rng, self.latin)])
        condense = rng.uniform(0.62, 1.05)
        gap = rng.uniform(0.05, 0.2)
        if kind == "eu_two":
            return self._eu_two(rng, kind, pattern, paint, ink, style, condense, gap)
        width = rng.choice([520, 520, 520, 440, 340, 305], p=[0.3, 0.3, 0.2, 0.1, 0.05, 0.05])
        height = 112 if width >= 440 else width * 0.5 * rng.uniform(0.85, 1.05)
        canvas = Canvas(width, height, self.scale, jitter(rng, paint, 10))
        band = rng.random() < 0.65 and width >= 440
        left, right = (48, width - 10) if band else (12, width - 12)
        if band:
            canvas.rect(0, 0, 42, height, jitter(rng, (20, 50, 160)))
            for angle in np.arange(12) * np.pi / 6:
                canvas.disc(21 + 13 * np.cos(angle), 34 + 13 * np.sin(angle), 1.8, (235, 205, 40))
            code = some(rng, LETTERS, int(rng.integers(1, 4)))
            self._run(rng, canvas, style, code, (6, 72, 30, 24), (238, 238, 238), 0.8, 0.1)
            if rng.random() < 0.15:
                canvas.rect(width - 42, 0, 42, height, jitter(rng, (20, 50, 160)))
                right = width - 48
        tall = height * rng.uniform(0.58, 0.72)
        top = (height - tall) / 2 + rng.uniform(-2, 2)
        shown = pattern.replace("-", pick(rng, "- ")) if rng.random() < 0.5 else pattern
        if rng.random() < 0.15:
            shown = shown.replace(" ", "").replace("-", "")
        if rng.random() < 0.5:
            shown = shown.replace("-", " ").replace(" ", "*", 1)
        self._run(rng, canvas, style, shown, (left, top, right - left, tall), ink, condense, gap)
        if rng.random() < 0.12:
            self._run(rng, canvas, style, some(rng, LETTERS, int(rng.integers(5, 12))),
                      (width * 0.2, height * 0.03, width * 0.6, height * 0.1), ink, 0.9, 0.1)
        canvas.border(rng.uniform(1, 4), rng.choice([0, 2, 3, 4]), 9, ink)
        return self._done(rng, canvas, pattern.replace(" ", "").replace("-", ""), kind, False)

    def _eu_two(self, rng, kind, pattern, paint, ink, style, condense, gap):
        plain = pattern.replace("-", " ")
        head, _, tail = plain.partition(" ")
        if not tail:
            head, tail = plain[:3], plain[3:]
        width = rng.uniform(240, 340)
        height = width * rng.uniform(0.58, 0.75)
        canvas = Canvas(width, height, self.scale, jitter(rng, paint, 10))
        left = 12.0
        if rng.random() < 0.5:
            canvas.rect(0, 0, 40, height * rng.choice([0.45, 1.0]), jitter(rng, (20, 50, 160)))
            left = 46.0
        tall = height * 0.34
        self._run(rng, canvas, style, head, (left, height * 0.09, width - left - 12, tall), ink,
                  condense, gap)
        self._run(rng, canvas, style, tail, (left, height * 0.54, width - left - 12, tall), ink,
                  condense, gap)
        canvas.border(rng.uniform(1, 4), rng.choice([0, 2, 3]), 9, ink)
        return self._done(rng, canvas, (head + tail).replace(" ", ""), kind, True)

    @staticmethod
    def _seal(rng, canvas, x, y, height):
        """Stickers and a coat of arms between the groups, one above the other."""
        places = ((0.5,), (0.25, 0.75), (0.2, 0.6))[int(rng.integers(3))]
        for part in places:
            radius = height * rng.uniform(0.12, 0.24)
            tone = pick(rng, ((60, 90, 170), (190, 50, 50), (70, 140, 80), (200, 120, 40), (150, 150, 150)))
            middle = y + height * part
            if rng.random() < 0.4:
                shield = np.full((6, 5), 255, np.uint8)
                canvas.stamp(shield, x - radius, middle - radius, 2 * radius, 2.2 * radius, jitter(rng, tone))
            else:
                canvas.disc(x, middle, radius, jitter(rng, tone))
            canvas.disc(x, middle, radius * rng.uniform(0.25, 0.6), jitter(rng, (215, 215, 215), 40))

    # Finish

    @staticmethod
    def _done(rng, canvas, text, kind, two_lines):
        width, height = canvas.size
        s = canvas.scale
        picture = canvas.finish(rng)
        bolts = pick(rng, (0, 0, 2, 2, 4))
        tone = jitter(rng, pick(rng, ((190, 190, 190), (90, 90, 90), (30, 40, 60), (230, 230, 230))))
        if kind == "ru_civil" and rng.random() < 0.8:
            bolts = 0
            end_bolts(rng, picture, width, height, s)
        inset_x, inset_y = width * rng.uniform(0.1, 0.27), height * rng.uniform(0.06, 0.12)
        spots = [(inset_x, inset_y), (width - inset_x, inset_y),
                 (inset_x, height - inset_y), (width - inset_x, height - inset_y)][:bolts]
        for x, y in spots:
            radius = max(1, round(rng.uniform(3.5, 6.5) * s))
            cv2.circle(picture, (round(x * s), round(y * s)), radius, tone.tolist(), -1, cv2.LINE_AA)
        alpha = rounded(picture.shape, 0, rng.uniform(4, 11) * s)
        image = np.dstack([np.clip(picture, 0, 255).astype(np.uint8), alpha])
        h, w = image.shape[:2]
        corners = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
        return Plate(image, text, kind, two_lines, corners)

    def _frame(self, rng, plate):
        """Now and then a holder around the plate; the corners stay those of the plate."""
        if rng.random() > (0.6 if plate.kind.startswith("ru") else 0.35):
            return plate
        h, w = plate.image.shape[:2]
        side = int(h * rng.uniform(0.03, 0.1))
        foot = int(h * rng.choice([0.05, 0.12, 0.2], p=[0.5, 0.3, 0.2]))
        image = np.zeros((h + side + foot, w + 2 * side, 4), np.uint8)
        image[..., :3] = jitter(rng, pick(rng, ((25, 25, 25), (25, 25, 25), (150, 150, 150), (200, 200, 205))))
        image[..., 3] = rounded(image.shape, 0, side)
        if foot > 0.08 * h and rng.random() < 0.5:
            caption = some(rng, LETTERS + DIGITS + " ", int(rng.integers(8, 20)))
            tone = [255 - int(c) for c in image[0, 0, :3]]
            cv2.putText(image, caption, (int(w * rng.uniform(0.1, 0.35)), side + h + int(foot * 0.85)),
                        cv2.FONT_HERSHEY_SIMPLEX, foot / 32, [*tone, 255], 1, cv2.LINE_AA)
        area = image[side:side + h, side:side + w]
        cover = plate.image[..., 3:].astype(np.float32) / 255
        area[..., :3] = (area[..., :3] * (1 - cover) + plate.image[..., :3] * cover).astype(np.uint8)
        area[..., 3] = 255
        return Plate(image, plate.text, plate.kind, plate.two_lines, plate.corners + side)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("output", help="the contact sheet to write (PNG)")
    parser.add_argument("--templates", help="folder of glyph templates")
    parser.add_argument("--fonts", default="/usr/share/fonts")
    parser.add_argument("--kind", choices=sorted(KINDS))
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    artist = PlateArtist(args.fonts, args.templates)
    rng = np.random.default_rng(args.seed)
    tiles = []
    for i in range(args.count):
        kind = args.kind or artist.kinds[i % len(artist.kinds)]
        plate = artist.draw(rng, kind)
        cover = plate.image[..., 3:].astype(np.float32) / 255
        flat = plate.image[..., :3] * cover + 110 * (1 - cover)
        tiles.append(cv2.resize(flat.astype(np.uint8), (240, 96), interpolation=cv2.INTER_AREA))
        print(i, plate.kind, plate.text)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 6)
    rows = [np.hstack(tiles[i:i + 6]) for i in range(0, len(tiles), 6)]
    cv2.imwrite(args.output, np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
