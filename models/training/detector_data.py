"""Pictures for the plate detector: real scenes, plates replaced and added in
them, and the weather, light and cameras around them.

`--data` is a folder of pictures that holds `plates/train` and `vehicles`, each
with an index.csv. Only pictures whose licence permits it are in them, and only
their training split is read. What is composed is written in shards, a ring of
which the oldest is always replaced, so that training need not wait for it.
"""

import argparse
import csv
import dataclasses
import pathlib

import cv2
import numpy

from degrade import surround
from detector_net import KINDS
from plates import PlateArtist
from shards import write_shards

HEIGHT, WIDTH = 288, 416
SHARD, RING = 512, 24
PLATES_MAX, UNSURE_MAX = 12, 24
GREY = 128
UNKNOWN = -1

# Drawn plates kept for use again.
DRAWN = 600

# A plate narrower than this in the network's frame is neither wanted nor punished.
NARROWEST = 10
# Weight of "no plate here" where an unlabelled plate may well stand.
UNSURE_VEHICLE, UNSURE_SCENE = 0.2, 0.5


@dataclasses.dataclass
class Plate:
    """A plate in a scene: corners tl, tr, br, bl, exact or those of its box."""

    corners: numpy.ndarray
    exact: bool
    kind: int = UNKNOWN
    two_lines: int = UNKNOWN


@dataclasses.dataclass
class Face:
    """A picture of a plate alone, ready to be put into a scene.

    `cover` is its opacity; `corners` are the plate's within the picture;
    `exact` as in `Plate`.
    """

    picture: numpy.ndarray
    cover: numpy.ndarray
    corners: numpy.ndarray
    exact: bool
    kind: int = UNKNOWN
    two_lines: int = UNKNOWN


@dataclasses.dataclass
class Scene:
    """A picture at full, half and quarter size; its plates; its vehicles."""

    sizes: list
    plates: list
    vehicles: list
    complete: bool
    """Every plate that can be seen is labelled."""
    group: str


def rectangle(x_min, y_min, x_max, y_max):
    """Corners tl, tr, br, bl of a box."""
    return numpy.float32([(x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max)])


def kind_index(colour):
    return KINDS.index(colour) if colour in KINDS else UNKNOWN


def _sizes(picture):
    sizes = [picture]
    for _ in range(2):
        sizes.append(cv2.resize(sizes[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return sizes


def _read(path):
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"{path}: cannot be read as a picture")
    return picture


def _rows(folder):
    with open(folder / "index.csv", newline="", encoding="utf-8") as index:
        grouped = {}
        for row in csv.DictReader(index):
            grouped.setdefault(row["file"], []).append(row)
    return grouped


def _box(row):
    return [float(row[name]) for name in ("x_min", "y_min", "x_max", "y_max")]


def load_scenes(data):
    """Every scene of the plate and vehicle sets that training may use."""
    scenes = []
    folder = data / "plates" / "train"
    for file, rows in _rows(folder).items():
        group = rows[0]["set"]
        if "crops" in group:
            continue
        found = []
        for row in rows:
            if row["vertices_tl_tr_br_bl"]:
                corners = numpy.float32(
                    [corner.split(",") for corner in row["vertices_tl_tr_br_bl"].split()]
                )
                two_lines = int(row["color"] == "double")
                found.append(Plate(corners, True, kind_index(row["color"]), two_lines))
            elif row["x_min"]:
                found.append(Plate(rectangle(*_box(row)), False, kind_index("white"), 0))
        complete = group != "rlucian_eu"
        scenes.append(Scene(_sizes(_read(folder / file)), found, [], complete, group))
    folder = data / "vehicles"
    for file, rows in _rows(folder).items():
        if rows[0]["split"] != "train":
            continue
        found = [
            Plate(rectangle(*_box(row)), False) for row in rows if row["class"] == "plate"
        ]
        vehicles = [_box(row) for row in rows if row["class"] not in ("", "plate")]
        group = file.split("/")[0]
        scenes.append(Scene(_sizes(_read(folder / file)), found, vehicles, False, group))
    return scenes


def load_faces(data, scenes):
    """Real plates alone: cut out of scenes by their corners, and the crop sets.

    The wide crops show a tilted plate that touches all four sides, so their
    corners are unknown and their box is the picture.
    """
    faces = []
    for scene in scenes:
        for plate in scene.plates:
            size = plate_size(plate.corners)
            if not plate.exact or size[0] < 60:
                continue
            width, height = (int(side) for side in size)
            flat = rectangle(0, 0, width, height)
            turn = cv2.getPerspectiveTransform(plate.corners, flat)
            cut = cv2.warpPerspective(scene.sizes[0], turn, (width, height))
            cover = numpy.full((height, width), 255, numpy.uint8)
            faces.append(Face(cut, cover, flat, True, plate.kind, plate.two_lines))
    folder = data / "plates" / "train"
    for file, rows in _rows(folder).items():
        group = rows[0]["set"]
        if group == "cn_crops_lprnet_cw":
            cut = _read(folder / file)
            height, width = cut.shape[:2]
            blue, _, red = cut.reshape(-1, 3).mean(axis=0)
            kind = kind_index("blue") if blue > red + 25 else UNKNOWN
            # The crop fades into the scene at its edge.
            cover = numpy.full((height, width), 90, numpy.uint8)
            edge = max(1, height // 20)
            cover[edge:-edge, edge:-edge] = 255
            faces.append(Face(cut, cover, rectangle(0, 0, width, height), False, kind, 0))
    return faces


def drawn_face(artist, rng):
    """A synthetic plate of any kind."""
    plate = artist.draw(rng)
    picture = numpy.ascontiguousarray(plate.image[..., 2::-1])
    if plate.kind.startswith("cn_green"):
        # Its green runs out into white: no one colour prevails.
        kind = kind_index("green")
    else:
        kind = kind_of_colour(numpy.median(picture[plate.image[..., 3] > 128], axis=0))
    return Face(picture, plate.image[..., 3], plate.corners, True, kind, int(plate.two_lines))


def kind_of_colour(colour):
    """The kind of a clean plate by its prevailing colour (BGR)."""
    pixel = numpy.uint8(colour).reshape(1, 1, 3)
    hue, saturation, value = cv2.cvtColor(pixel, cv2.COLOR_BGR2HSV)[0, 0]
    if value < 90:
        return kind_index("black")
    if saturation < 45:
        return kind_index("white")
    if 15 <= hue <= 35:
        return kind_index("yellow")
    if 36 <= hue <= 92:
        return kind_index("green")
    if 93 <= hue <= 130:
        return kind_index("blue")
    return kind_index("other")


def plate_size(corners):
    """Mean width and height of a quadrilateral."""
    tl, tr, br, bl = corners
    width = (numpy.linalg.norm(tr - tl) + numpy.linalg.norm(br - bl)) / 2
    height = (numpy.linalg.norm(bl - tl) + numpy.linalg.norm(br - tr)) / 2
    return float(width), float(height)


def _log_uniform(rng, low, high):
    return float(numpy.exp(rng.uniform(numpy.log(low), numpy.log(high))))


def _affine(points, matrix):
    return points @ matrix[:, :2].T + matrix[:, 2]


class Composer:
    """Draws one training picture after the other from a seed."""

    # Share of each group of scenes among the pictures.
    SHARES = {
        "cn_toll_hyperlpr": 0.22,
        "cn_misc_scenes": 0.09,
        "cn_easypr": 0.03,
        "rlucian_eu": 0.17,
        "openimages_plates": 0.26,
        "vehicles_openimages": 0.09,
        "modes_of_transport": 0.09,
        "road_vehicle_bd": 0.12,
        "rf100_vehicles": 0.03,
    }

    def __init__(self, data, seed):
        self.rng = numpy.random.default_rng(seed)
        scenes = load_scenes(data)
        self.groups = {name: [s for s in scenes if s.group == name] for name in self.SHARES}
        missing = [name for name, found in self.groups.items() if not found]
        if missing:
            raise SystemExit(f"no pictures of {', '.join(missing)} under {data}")
        self.faces = load_faces(data, scenes)
        self.artist = PlateArtist(templates=str(data / "plates" / "templates"))
        self.drawn = []

    def face(self):
        if self.rng.random() < 0.25:
            return self.faces[self.rng.integers(len(self.faces))]
        # Drawing is slow: each drawn plate is used a few times.
        if len(self.drawn) < DRAWN or self.rng.random() < 0.35:
            self.drawn.append(drawn_face(self.artist, self.rng))
            if len(self.drawn) > DRAWN:
                del self.drawn[self.rng.integers(DRAWN)]
            return self.drawn[-1]
        return self.drawn[self.rng.integers(DRAWN)]

    def compose(self):
        """A picture of HEIGHT x WIDTH (BGR), its plates, its unsure boxes."""
        rng = self.rng
        names = list(self.SHARES)
        share = numpy.array(list(self.SHARES.values()))
        group = self.groups[names[rng.choice(len(names), p=share / share.sum())]]
        scene = group[rng.integers(len(group))]
        kept, pasted = self._plan(scene)
        anchor = self._anchor(scene, kept, pasted)
        matrix = self._frame(scene, anchor)
        picture, beyond = self._view(scene, matrix)
        found = []
        unsure = []
        for plate in kept:
            found.append(dataclasses.replace(plate, corners=_affine(plate.corners, matrix)))
        if not scene.complete:
            unsure += self._unsure(scene, matrix)
        if rng.random() < 0.45:
            self._draw_texts(picture, found)
        for hidden, corners, face in pasted:
            if hidden is not None:
                _hide(picture, _affine(hidden, matrix))
            corners = _affine(corners, matrix)
            if hidden is None and _touches(corners, found):
                continue
            if rng.random() < 0.25:
                picture[:] = surround(rng, picture.astype(numpy.float32), corners)
            corners = self._paste(picture, corners, face)
            found.append(Plate(corners, face.exact, face.kind, face.two_lines))
        self._scatter(picture, beyond, found)
        picture, grey = self._weather(picture)
        picture[beyond] = GREY
        if grey:
            found = [dataclasses.replace(plate, kind=UNKNOWN) for plate in found]
        return self._labels(picture, found, unsure)

    def _plan(self, scene):
        """Plates of the scene that stay, and (hidden, corners, face) to put in."""
        rng = self.rng
        kept, pasted = [], []
        for plate in scene.plates:
            width, height = plate_size(plate.corners)
            if width < 20 or rng.random() < 0.4:
                kept.append(plate)
                continue
            face = self.face()
            corners = self._corners_like(plate, face)
            pasted.append((plate.corners, corners, face))
        if not scene.plates or rng.random() < 0.2:
            for box in self._vehicles_to_dress(scene):
                face = self.face()
                pasted.append((None, self._corners_on(box, face), face))
            if not pasted and rng.random() < 0.7:
                height, width = scene.sizes[0].shape[:2]
                side = _log_uniform(rng, 0.06, 0.5) * width
                centre = rng.uniform((0.1, 0.1), (0.9, 0.9)) * (width, height)
                face = self.face()
                pasted.append((None, self._quadrilateral(centre, side, face, 1.0), face))
        return kept, pasted

    def _scatter(self, picture, beyond, found):
        """Add up to two plates, small and middling, where no plate stands."""
        rng = self.rng
        for _ in range(rng.integers(0, 3)):
            face = self.face()
            centre = rng.uniform((0, 0), (WIDTH, HEIGHT))
            corners = self._quadrilateral(centre, _log_uniform(rng, NARROWEST, 170), face, 0.9)
            columns, rows = numpy.clip(corners.astype(int), 0, (WIDTH - 1, HEIGHT - 1)).T
            if beyond[rows, columns].any() or _touches(corners, found):
                continue
            corners = self._paste(picture, corners, face)
            found.append(Plate(corners, face.exact, face.kind, face.two_lines))

    def _vehicles_to_dress(self, scene):
        big = [box for box in scene.vehicles if box[2] - box[0] >= 40]
        self.rng.shuffle(big)
        return big[: self.rng.integers(1, 4)]

    def _corners_like(self, plate, face):
        """Corners for `face` about where and how `plate` stood."""
        rng = self.rng
        width, height = plate_size(plate.corners)
        centre = plate.corners.mean(axis=0)
        ratio = _ratio(face)
        if plate.exact:
            # Keep the plate's own perspective; change its height to the face's.
            wanted = width / ratio * rng.uniform(0.9, 1.1)
            tl, tr, br, bl = plate.corners
            left, right = (tl + bl) / 2, (tr + br) / 2
            down_left, down_right = (bl - tl) / 2, (br - tr) / 2
            grow = wanted / max(height, 1)
            corners = numpy.float32([
                left - down_left * grow,
                right - down_right * grow,
                right + down_right * grow,
                left + down_left * grow,
            ])
            scale = rng.uniform(0.95, 1.3)
            corners = centre + (corners - centre) * scale
            return (corners + rng.normal(0, 0.012 * width, (4, 2))).astype(numpy.float32)
        return self._quadrilateral(centre, width * rng.uniform(0.95, 1.4), face, 0.5)

    def _corners_on(self, box, face):
        """Corners for `face` low in the middle of a vehicle's box."""
        x_min, y_min, x_max, y_max = box
        rng = self.rng
        width = x_max - x_min
        side = width * rng.uniform(0.14, 0.36)
        centre = (
            x_min + width * rng.normal(0.5, 0.14),
            y_min + (y_max - y_min) * rng.uniform(0.55, 0.92),
        )
        return self._quadrilateral(numpy.array(centre), side, face, 0.8)

    def _quadrilateral(self, centre, width, face, strength):
        """A plate of `width` seen from a random side."""
        rng = self.rng
        height = width / _ratio(face)
        corners = rectangle(-width / 2, -height / 2, width / 2, height / 2)
        turn = rng.normal(0, 9 * strength) if rng.random() < 0.75 else rng.uniform(-40, 40) * strength
        yaw = rng.normal(0, 25 * strength)
        pitch = rng.normal(0, 15 * strength)
        turn, yaw, pitch = numpy.radians((turn, numpy.clip(yaw, -60, 60), numpy.clip(pitch, -40, 40)))
        distance = rng.uniform(2.5, 8) * width
        x, y = corners.T
        depth = x * numpy.sin(yaw) + y * numpy.sin(pitch)
        x, y = x * numpy.cos(yaw), y * numpy.cos(pitch) + x * numpy.sin(yaw) * rng.normal(0, 0.15)
        x, y = (side * distance / (distance + depth) for side in (x, y))
        cos, sin = numpy.cos(turn), numpy.sin(turn)
        corners = numpy.stack([x * cos - y * sin, x * sin + y * cos], axis=1)
        return (corners + centre).astype(numpy.float32)

    def _anchor(self, scene, kept, pasted):
        """Corners that the picture is framed around."""
        rng = self.rng
        choices = [plate.corners for plate in kept] + [corners for _, corners, _ in pasted]
        choices = [corners for corners in choices if plate_size(corners)[0] >= 12]
        if choices and rng.random() < 0.92:
            return choices[rng.integers(len(choices))]
        height, width = scene.sizes[0].shape[:2]
        side = width * rng.uniform(0.08, 0.3)
        centre = rng.uniform((0, 0), (width, height))
        return rectangle(-side / 2, -side / 8, side / 2, side / 8) + numpy.float32(centre)

    def _frame(self, scene, anchor):
        """The affine map from the scene into the picture."""
        rng = self.rng
        height, width = scene.sizes[0].shape[:2]
        now = plate_size(anchor)[0]
        chance = rng.random()
        largest = 2.6
        if chance < 0.3:
            # The whole scene as the network would see it, a little nearer or farther.
            wanted = now * min(640 / width, 384 / height) * _log_uniform(rng, 0.75, 1.33)
        elif chance < 0.6:
            wanted = _log_uniform(rng, 36, 190)
        elif chance < 0.88:
            wanted = _log_uniform(rng, NARROWEST, 44)
        else:
            wanted, largest = _log_uniform(rng, 120, 400), 4.5
        scale = min(max(wanted, NARROWEST) / now, largest)
        if chance >= 0.3 and rng.random() < 0.85:
            # A scene made too small would leave the picture empty.
            scale = max(scale, rng.uniform(0.6, 1.0) * WIDTH / width)
        stretch = numpy.exp(rng.normal(0, 0.09))
        across, down = scale * stretch, scale / stretch
        turn = numpy.radians(rng.normal(0, 4)) if rng.random() < 0.4 else 0.0
        cos, sin = numpy.cos(turn), numpy.sin(turn)
        matrix = numpy.array([[cos * across, -sin * down], [sin * across, cos * down]])
        centre = matrix @ anchor.mean(axis=0)
        extent = numpy.ptp(anchor @ matrix.T, axis=0) / 2
        low = numpy.minimum(extent, (WIDTH / 2, HEIGHT / 2))
        place = rng.uniform(low, (WIDTH, HEIGHT) - low)
        if rng.random() < 0.85:
            # No more grey than the scene leaves.
            beyond = numpy.abs(matrix) @ (width / 2, height / 2)
            middle = centre - matrix @ (width / 2, height / 2)
            ends = numpy.stack([beyond + middle, (WIDTH, HEIGHT) - beyond + middle])
            place = numpy.clip(place, ends.min(axis=0), ends.max(axis=0))
        return numpy.column_stack([matrix, place - centre])

    def _view(self, scene, matrix):
        """The scene through `matrix`, shrunk without aliasing, grey beyond it."""
        scale = numpy.sqrt(abs(numpy.linalg.det(matrix[:, :2])))
        level = 0 if scale > 0.7 else 1 if scale > 0.35 else 2
        moved = matrix.copy()
        moved[:, :2] *= 2**level
        # OpenCV counts from pixel centres, the labels from pixel corners.
        moved[:, 2] += moved[:, :2].sum(axis=1) / 2 - 0.5
        picture = cv2.warpAffine(
            scene.sizes[level], moved, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT, borderValue=(GREY, GREY, GREY),
        )
        inside = numpy.ones(scene.sizes[level].shape[:2], numpy.uint8)
        inside = cv2.warpAffine(inside, moved, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST)
        return picture, inside == 0

    def _unsure(self, scene, matrix):
        """Boxes (x_min, y_min, x_max, y_max, weight) that may hide a plate."""
        height, width = scene.sizes[0].shape[:2]
        boxes = [(0, 0, width, height, UNSURE_SCENE)]
        middles = [plate.corners.mean(axis=0) for plate in scene.plates]
        for box in scene.vehicles:
            # A vehicle whose plate is labelled hides no other.
            if not any((middle > box[:2]).all() and (middle < box[2:]).all() for middle in middles):
                boxes.append((*box, UNSURE_VEHICLE))
        found = []
        for x_min, y_min, x_max, y_max, weight in boxes:
            points = _affine(rectangle(x_min, y_min, x_max, y_max), matrix)
            found.append((*points.min(axis=0), *points.max(axis=0), weight))
        return found

    def _paste(self, picture, corners, face):
        """Put `face` with its corners on `corners`; returns the plate's corners."""
        source, mask, points = face.picture, face.cover, face.corners
        shrink = 1.2 * plate_size(corners)[0] / plate_size(points)[0]
        if shrink < 0.9:
            height, width = source.shape[:2]
            size = (max(int(width * shrink), 4), max(int(height * shrink), 3))
            points = points * (size[0] / width, size[1] / height)
            source = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        source = self._light(source, picture, corners)
        height, width = source.shape[:2]
        turn = cv2.getPerspectiveTransform(
            numpy.float32(points) - 0.5, numpy.float32(corners) - 0.5
        )
        # The face may carry a holder that reaches beyond the plate's corners.
        rim = cv2.perspectiveTransform(rectangle(0, 0, width, height)[None], turn)[0]
        x_min, y_min = numpy.maximum(numpy.floor(rim.min(axis=0)).astype(int) - 2, 0)
        x_max, y_max = numpy.minimum(numpy.ceil(rim.max(axis=0)).astype(int) + 2, (WIDTH, HEIGHT))
        if x_max <= x_min or y_max <= y_min:
            return corners
        shift = numpy.array([[1, 0, -x_min], [0, 1, -y_min], [0, 0, 1.0]])
        size = (int(x_max - x_min), int(y_max - y_min))
        plate = cv2.warpPerspective(source, shift @ turn, size, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpPerspective(mask, shift @ turn, size)
        part = mask[..., None].astype(numpy.float32) / 255
        window = picture[y_min:y_max, x_min:x_max]
        window[:] = (plate * part + window * (1 - part)).astype(numpy.uint8)
        if face.exact:
            return corners
        return rectangle(*corners.min(axis=0), *corners.max(axis=0))

    def _light(self, source, picture, corners):
        """The face in the light of the place it is put to."""
        rng = self.rng
        x_min, y_min = numpy.clip(corners.min(axis=0).astype(int), 0, (WIDTH - 1, HEIGHT - 1))
        x_max, y_max = numpy.clip(corners.max(axis=0).astype(int) + 1, 1, (WIDTH, HEIGHT))
        around = picture[y_min:y_max:2, x_min:x_max:2].mean() if x_max > x_min and y_max > y_min else GREY
        gain = numpy.clip((around + 60) / 160, 0.45, 1.25) if rng.random() < 0.7 else 1.0
        gain *= rng.uniform(0.75, 1.15)
        height, width = source.shape[:2]
        slope = rng.normal(0, 0.12, 2)
        shade = (
            gain
            + slope[0] * numpy.linspace(-1, 1, width)[None, :]
            + slope[1] * numpy.linspace(-1, 1, height)[:, None]
        )
        lift = rng.uniform(0, 25) if rng.random() < 0.4 else 0.0
        return numpy.clip(source * shade[..., None] + lift, 0, 255).astype(numpy.uint8)

    def _draw_texts(self, picture, found):
        """Things with letters that are no plates: time stamps, names, signs."""
        rng = self.rng
        for _ in range(rng.integers(1, 4)):
            letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789-:/ "
            text = "".join(rng.choice(list(letters), rng.integers(4, 20)))
            if rng.random() < 0.4:
                text = "20%02d-%02d-%02d %02d:%02d:%02d" % tuple(rng.integers(1, 24, 6))
            ink = self._text_ink(text, int(_log_uniform(rng, 8, 48)))
            height, width = ink.shape
            x = int(rng.integers(-width // 4, max(WIDTH - width, 1)))
            y = int(rng.integers(0, HEIGHT - height))
            margin = int(height * rng.uniform(0.3, 1.5)) if rng.random() < 0.2 else 0
            low = (x - margin, y - margin)
            high = (x + width + margin, y + height + margin)
            if any(
                (plate.corners.min(axis=0) < high).all() and (plate.corners.max(axis=0) > low).all()
                for plate in found
            ):
                continue
            if margin:
                ground = tuple(int(level) for level in rng.integers(0, 255, 3))
                cv2.rectangle(picture, low, high, ground, -1)
            level = (255, 255, 255) if rng.random() < 0.5 else rng.integers(0, 255, 3)
            ink = ink[:, max(-x, 0) : WIDTH - x, None].astype(numpy.float32) / 255
            window = picture[y : y + height, max(x, 0) : max(x, 0) + ink.shape[1]]
            window[:] = window * (1 - ink) + numpy.float32(level) * ink

    def _text_ink(self, text, height):
        """A line of text in one of the free fonts, as its opacity."""
        font = self.artist.latin[self.rng.integers(len(self.artist.latin))]
        gap = numpy.zeros((height, max(1, int(height * self.rng.uniform(0.05, 0.25)))), numpy.uint8)
        parts = []
        for char in text:
            mask = numpy.zeros((2, 1), numpy.uint8) if char == " " else font.get(char)
            width = max(2, round(mask.shape[1] / mask.shape[0] * height))
            if char in "-:/":
                width = max(2, round(height * 0.4))
            parts += [cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), gap]
        return numpy.hstack(parts)

    def _weather(self, picture):
        """Light, blur, noise and compression; also whether the colours are gone."""
        rng = self.rng
        view = picture.astype(numpy.float32)
        if rng.random() < 0.12:
            self._shadow(view)
        if rng.random() < 0.08:
            self._glare(view)
        chance = rng.random()
        if chance < 0.14:
            view *= _log_uniform(rng, 0.06, 0.6)
        elif chance < 0.3:
            view = view * rng.uniform(1.0, 1.3) + rng.uniform(0, 45)
        else:
            view *= rng.uniform(0.7, 1.25)
        if rng.random() < 0.5:
            mean = view.mean()
            view = (view - mean) * rng.uniform(0.65, 1.3) + mean
        if rng.random() < 0.4:
            view *= numpy.exp(rng.normal(0, 0.08, 3)).astype(numpy.float32)
        grey = rng.random() < 0.07
        if rng.random() < 0.3 or grey:
            keep = 0.0 if grey else rng.uniform(0.3, 1.4)
            light = view.mean(axis=2, keepdims=True)
            view = light + (view - light) * keep
        chance = rng.random()
        if chance < 0.2:
            view = cv2.GaussianBlur(view, (0, 0), rng.uniform(0.4, 1.6))
        elif chance < 0.3:
            view = _motion_blur(view, int(rng.integers(3, 10)), rng.uniform(-30, 30))
        if rng.random() < 0.35:
            noise = numpy.empty(view.shape, numpy.int16)
            cv2.randn(noise, (0,) * 3, (int(_log_uniform(rng, 2, 22)),) * 3)
            view += noise
        picture = numpy.clip(view, 0, 255).astype(numpy.uint8)
        if rng.random() < 0.5:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(22, 90))]
            picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
        return picture, grey

    def _shadow(self, view):
        rng = self.rng
        mask = numpy.zeros(view.shape[:2], numpy.float32)
        points = rng.uniform((-50, -50), (WIDTH + 50, HEIGHT + 50), (rng.integers(3, 6), 2))
        cv2.fillPoly(mask, [numpy.int32(points)], 1.0)
        mask = cv2.blur(mask, (int(rng.integers(1, 25)),) * 2)
        view *= 1 - mask[..., None] * rng.uniform(0.2, 0.6)

    def _glare(self, view):
        rng = self.rng
        for _ in range(rng.integers(1, 4)):
            spot = numpy.zeros((HEIGHT // 4, WIDTH // 4), numpy.float32)
            centre = (int(rng.integers(WIDTH // 4)), int(rng.integers(HEIGHT // 4)))
            cv2.circle(spot, centre, int(rng.integers(2, 12)), 1.0, -1)
            spot = cv2.GaussianBlur(spot, (0, 0), rng.uniform(2, 8))
            spot = cv2.resize(spot, (WIDTH, HEIGHT))
            view += spot[..., None] * rng.uniform(150, 400) * rng.uniform(0.7, 1.0, 3).astype(numpy.float32)

    def _labels(self, picture, found, unsure):
        """Fixed-size label arrays; plates cut off or too small become unsure."""
        rows = []
        for plate in found:
            box_min, box_max = plate.corners.min(axis=0), plate.corners.max(axis=0)
            inside = numpy.clip(
                numpy.minimum(box_max, (WIDTH, HEIGHT)) - numpy.maximum(box_min, 0), 0, None
            )
            seen = inside.prod() / max((box_max - box_min).prod(), 1)
            if seen == 0:
                continue
            if seen < 0.85 or plate_size(plate.corners)[0] < NARROWEST:
                unsure.append((*box_min, *box_max, 0.0))
            else:
                rows.append((*plate.corners.ravel(), plate.exact, plate.kind, plate.two_lines))
        labels = numpy.full((PLATES_MAX, 11), numpy.nan, numpy.float32)
        for index, row in enumerate(rows[:PLATES_MAX]):
            labels[index] = row
        boxes = numpy.full((UNSURE_MAX, 5), numpy.nan, numpy.float32)
        # Widest first: should there be too many, the smallest vehicles are dropped.
        unsure.sort(key=lambda box: (box[4] == 0, box[2] - box[0]), reverse=True)
        for index, box in enumerate(unsure[:UNSURE_MAX]):
            boxes[index] = box
        return picture, labels, boxes


def _touches(corners, found):
    """Does a plate on `corners` come near one of those found?"""
    low, high = corners.min(axis=0) - 6, corners.max(axis=0) + 6
    return any(
        (low < plate.corners.max(axis=0)).all() and (high > plate.corners.min(axis=0)).all()
        for plate in found
    )


def _ratio(face):
    width, height = plate_size(face.corners)
    return width / height


def _hide(picture, corners):
    """Cover the plate on `corners` with what stands above and below it."""
    corners = corners + (corners - corners.mean(axis=0)) * 0.12
    x_min, y_min = numpy.floor(corners.min(axis=0)).astype(int)
    x_max, y_max = numpy.ceil(corners.max(axis=0)).astype(int)
    x_min, x_max = max(x_min, 0), min(x_max, WIDTH)
    y_min, y_max = max(y_min, 1), min(y_max, HEIGHT - 1)
    if x_max <= x_min or y_max <= y_min:
        return
    above = cv2.blur(picture[y_min - 1 : y_min, x_min:x_max], (9, 1)).astype(numpy.float32)
    below = cv2.blur(picture[y_max : y_max + 1, x_min:x_max], (9, 1)).astype(numpy.float32)
    part = numpy.linspace(0, 1, y_max - y_min, dtype=numpy.float32)[:, None, None]
    picture[y_min:y_max, x_min:x_max] = above * (1 - part) + below * part


def _motion_blur(view, length, angle):
    kernel = numpy.zeros((length, length), numpy.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), angle, 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(view, -1, kernel / kernel.sum())


def compose_shard(composer, size):
    """The arrays of one shard."""
    pictures = numpy.empty((size, HEIGHT, WIDTH, 3), numpy.uint8)
    labels = numpy.empty((size, PLATES_MAX, 11), numpy.float32)
    unsure = numpy.empty((size, UNSURE_MAX, 5), numpy.float32)
    for index in range(size):
        pictures[index], labels[index], unsure[index] = composer.compose()
    return {"pictures": pictures, "labels": labels, "unsure": unsure}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of pictures")
    parser.add_argument("--shards", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=SHARD, help="pictures in a shard")
    parser.add_argument("--ring", type=int, default=RING, help="shards kept at a time")
    parser.add_argument("--rounds", type=int, default=0, help="stop after so many shards a worker; 0: never")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    def make(worker):
        composer = Composer(arguments.data, (arguments.seed, worker))
        return lambda: compose_shard(composer, arguments.size)

    write_shards(arguments.shards, arguments.workers, arguments.ring, arguments.rounds, "pictures", make)


if __name__ == "__main__":
    main()
