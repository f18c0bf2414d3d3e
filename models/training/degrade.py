"""Puts a drawn plate in front of a camera: perspective, light, dirt, weather, blur, noise, JPEG.

`photograph(rng, plate, backgrounds)` returns an RGB picture a little larger than the plate and the
plate's corners in it (tl, tr, br, bl, continuous coordinates).
"""

import cv2
import numpy as np


def view(rng, aspect, strength=1.0):
    """The four corners of a plate of width 1 seen from a random direction, centred on 0."""
    hard = rng.random() < 0.25
    yaw = rng.normal(0, np.radians(26 if hard else 13)) * strength
    pitch = rng.normal(np.radians(6), np.radians(14 if hard else 8)) * strength
    roll = rng.normal(0, np.radians(9 if hard else 3.5)) * strength
    yaw, pitch = np.clip([yaw, pitch], -1.05, 0.9)
    half = np.array([[-.5, -.5 / aspect, 0], [.5, -.5 / aspect, 0],
                     [.5, .5 / aspect, 0], [-.5, .5 / aspect, 0]])
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    turn = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) \
        @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]) \
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    points = half @ turn.T
    distance = rng.uniform(3, 14)
    return points[:, :2] * (distance / (distance + points[:, 2:]))


def backdrop(rng, backgrounds, width, height):
    """A patch of a real scene, or a plain surface with a shade and some edges."""
    if backgrounds and rng.random() < 0.75:
        scene = backgrounds[int(rng.integers(len(backgrounds)))]
        scale = rng.uniform(0.6, 2.5)
        w = int(min(scene.shape[1], max(8, width / scale)))
        h = int(min(scene.shape[0], max(8, height / scale)))
        x = int(rng.integers(scene.shape[1] - w + 1))
        y = int(rng.integers(scene.shape[0] - h + 1))
        return cv2.resize(scene[y:y + h, x:x + w], (width, height)).astype(np.float32)
    corners = rng.uniform(0, 235, (2, 2, 1)) * rng.uniform(0.7, 1.15, 3)
    patch = cv2.resize(corners.astype(np.float32), (width, height))
    for _ in range(int(rng.integers(0, 4))):
        y = int(rng.integers(height))
        patch[y:y + int(rng.integers(1, max(2, height // 4)))] *= rng.uniform(0.3, 1.6)
    return np.clip(patch, 0, 255)


def cloud(rng, width, height, cells=4):
    """Smooth noise in 0..1."""
    coarse = rng.random((cells, max(2, cells * width // max(height, 1)))).astype(np.float32)
    return np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)


def wear(rng, image):
    """What happens to the plate itself: dirt, fading, scratches, rust at the bolts."""
    height, width = image.shape[:2]
    picture = image[..., :3].astype(np.float32)
    if rng.random() < 0.3:
        mud = np.float32((110, 95, 75)) * rng.uniform(0.4, 1.3)
        cover = np.clip((cloud(rng, width, height, int(rng.integers(3, 9))) - rng.uniform(0.4, 0.8)) * 2.5, 0, 1)
        picture += (mud - picture) * (cover * rng.uniform(0.2, 0.75))[..., None]
    if rng.random() < 0.25:
        picture += (picture.mean(axis=(0, 1)) - picture) * rng.uniform(0.1, 0.5)
    for _ in range(int(rng.poisson(0.3))):
        start = (int(rng.integers(width)), int(rng.integers(height)))
        end = (start[0] + int(rng.normal(0, width / 5)), start[1] + int(rng.normal(0, height / 3)))
        cv2.line(picture, start, end, rng.uniform(30, 230, 3).tolist(), 1, cv2.LINE_AA)
    return np.dstack([np.clip(picture, 0, 255).astype(np.uint8), image[..., 3]])


def light(rng, picture):
    """Shadow edges, glare, exposure, colour cast; night now and then. Works in place."""
    height, width = picture.shape[:2]
    if rng.random() < 0.3:
        ramp = cv2.resize(rng.uniform(0.45, 1.3, (2, 2)).astype(np.float32), (width, height))
        picture *= ramp[..., None]
    if rng.random() < 0.12:
        a, b = rng.uniform(0, width, 2)
        edge = np.array([[a, 0], [width * 2, 0], [width * 2, height], [b, height]], np.int32)
        shade = np.ones((height, width), np.float32)
        cv2.fillConvexPoly(shade, edge, float(rng.uniform(0.35, 0.75)))
        picture *= shade[..., None]
    if rng.random() < 0.1:
        spot = np.zeros((height, width), np.float32)
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(width * rng.uniform(0.05, 0.3)) + 1, int(height * rng.uniform(0.1, 0.5)) + 1)
        cv2.ellipse(spot, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        spot = cv2.blur(spot, (max(3, axes[0]), max(3, axes[1])))
        picture += spot[..., None] * rng.uniform(40, 170)
    if rng.random() < 0.5:
        picture *= np.float32(rng.uniform(0.8, 1.2, 3))
    draw = rng.random()
    if draw < 0.16:
        picture *= np.exp(rng.uniform(np.log(0.05), np.log(0.5)))
    elif draw < 0.26:
        picture *= rng.uniform(1.2, 2.2)
    elif draw < 0.55:
        level = picture.mean()
        picture -= level
        picture *= rng.uniform(0.45, 1.25)
        picture += level * rng.uniform(0.7, 1.25)
    if rng.random() < 0.15:
        picture += (np.float32(rng.uniform(90, 235)) - picture) * rng.uniform(0.1, 0.5)
    if rng.random() < 0.12:
        grey = picture.mean(axis=2, keepdims=True)
        picture += (grey - picture) * rng.uniform(0.5, 1.0)
    return picture


def surround(rng, canvas, quad):
    """What a plate is mounted in: a recess, a panel, a bumper's cut-out. Its edges are no plate's."""
    across, down = quad[1] - quad[0], quad[3] - quad[0]
    left, right = rng.uniform(0.02, 0.45, 2)
    top, bottom = rng.uniform(0.05, 0.7, 2)
    taper = rng.normal(0, 0.12, 2)
    around = np.float32([quad[0] - across * (left + taper[0]) - down * top,
                         quad[1] + across * (right + taper[1]) - down * top,
                         quad[2] + across * (right - taper[1]) + down * bottom,
                         quad[3] - across * (left - taper[0]) + down * bottom])
    layer = canvas.copy()
    tone = (rng.uniform(0, 250) * rng.uniform(0.85, 1.15, 3)).tolist()
    points = np.int32(np.round(around * 16))
    cv2.fillPoly(layer, [points], tone, cv2.LINE_AA, shift=4)
    canvas += (layer - canvas) * rng.uniform(0.3, 1.0)
    for thickness in range(1, 1 + int(rng.integers(0, 3))):
        edge = (rng.uniform(0, 250) * rng.uniform(0.9, 1.1, 3)).tolist()
        moved = points + np.int32(rng.normal(0, 12, 2))
        cv2.polylines(canvas, [moved], True, edge, thickness, cv2.LINE_AA, shift=4)
    return np.clip(canvas, 0, 255)


def stamp(rng, picture, quad):
    """A camera's date and time, written near the plate or over its edge."""
    height = np.linalg.norm(quad[3] - quad[0])
    text = "".join(rng.choice(list("0123456789/:- "), int(rng.integers(6, 14))))
    low = rng.random() < 0.7
    y = (quad[2:] if low else quad[:2])[:, 1].mean() + height * rng.uniform(*((0.05, 0.9) if low else (-0.6, 0.1)))
    x = quad[:, 0].min() + np.ptp(quad[:, 0]) * rng.uniform(-0.5, 0.7)
    at = (int(x), int(y))
    scale = height * rng.uniform(0.3, 0.7) / 22
    # OpenCV writes on bytes only.
    written = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        cv2.putText(written, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(written, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (245, 245, 245), 1, cv2.LINE_AA)
    return written.astype(np.float32)


def rain(rng, picture):
    height, width = picture.shape[:2]
    layer = np.zeros((height, width), np.float32)
    slant = rng.normal(0, 0.2)
    for _ in range(int(rng.integers(5, 40))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        length = rng.uniform(0.1, 0.4) * height
        cv2.line(layer, (x, y), (int(x + slant * length), int(y + length)), 1.0, 1, cv2.LINE_AA)
    picture += (rng.uniform(120, 220) - picture) * (layer * rng.uniform(0.15, 0.5))[..., None]
    return picture


def lens(rng, picture, width):
    """Blur, motion, low resolution, noise, sharpening and JPEG, in the order a camera has them."""
    size = picture.shape[1::-1]
    unit = max(0.5, width / 130)
    if rng.random() < 0.5:
        sigma = 0.3 + rng.gamma(1.5, 0.3) if rng.random() < 0.8 else rng.uniform(1.0, 2.1)
        picture = cv2.GaussianBlur(picture, (0, 0), float(sigma) * unit)
    if rng.random() < 0.15:
        length = int(rng.integers(2, 7) * unit) + 1
        kernel = np.zeros((length, length), np.float32)
        angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
        middle = (length - 1) / 2
        dx, dy = np.cos(angle) * middle, np.sin(angle) * middle
        cv2.line(kernel, (round(middle - dx), round(middle - dy)), (round(middle + dx), round(middle + dy)), 1.0)
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    if rng.random() < 0.2:
        factor = rng.uniform(0.3, 0.8)
        small = (max(12, int(size[0] * factor)), max(5, int(size[1] * factor)))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.45:
        sigma = rng.gamma(1.5, 4) * min(1.0, picture.std() / 40)
        if rng.random() < 0.6:
            noise = rng.standard_normal(picture.shape[:2], np.float32)[..., None]
        else:
            noise = rng.standard_normal(picture.shape, np.float32)
        picture = picture + noise * np.float32(sigma)
    if rng.random() < 0.25:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
        picture = picture + (picture - soft) * rng.uniform(0.3, 1.8)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.55:
        quality = int(rng.uniform(18, 92))
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done:
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return picture


def lay(canvas, plate, image, quad):
    """Warps the plate's picture so that its corners meet `quad` and blends it onto the canvas."""
    height, width = canvas.shape[:2]
    target = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    shrink = target / np.linalg.norm(plate.corners[1] - plate.corners[0])
    corners = plate.corners
    if shrink < 0.9:
        size = (max(8, round(image.shape[1] * shrink)), max(4, round(image.shape[0] * shrink)))
        corners = corners * np.float32([size[0] / image.shape[1], size[1] / image.shape[0]])
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    matrix = cv2.getPerspectiveTransform(np.float32(corners - 0.5), np.float32(quad - 0.5))
    warped = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_LINEAR,
                                 borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0))
    colour = cv2.warpPerspective(np.ascontiguousarray(image[..., :3]), matrix, (width, height),
                                 flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = warped[..., 3:].astype(np.float32) / 255
    canvas += (colour - canvas) * cover
    return canvas


def photograph(rng, plate, backgrounds, width=None, clean=False):
    """One picture of the plate, about `width` pixels wide, and its corners."""
    if width is None:
        low, high = (32, 100) if rng.random() < 0.45 else (60, 260)
        width = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    span = plate.corners[2] - plate.corners[0]
    quad = view(rng, span[0] / span[1]) * width
    pad = width * rng.uniform(0.2, 0.35)
    quad = quad - quad.min(axis=0) + pad + rng.uniform(0, 1, 2)
    size = np.ceil(quad.max(axis=0) + pad).astype(int)
    canvas = backdrop(rng, backgrounds, int(size[0]), int(size[1]))
    if clean:
        return np.clip(lay(canvas, plate, plate.image, quad), 0, 255).astype(np.uint8), quad
    if rng.random() < 0.35:
        canvas = surround(rng, canvas, quad)
    canvas = lay(canvas, plate, wear(rng, plate.image), quad)
    canvas = light(rng, canvas)
    if rng.random() < 0.04:
        canvas = stamp(rng, canvas, quad)
    if rng.random() < 0.05:
        canvas = rain(rng, canvas)
    return lens(rng, canvas, width), quad
