"""The grounds that shoppers photograph garments on, drawn: floor tiles, planks, a creased sheet, a gradient, dark speckles.

A garment lies on each a little turned, with the shadow of a lamp. All is drawn from a seed, the same at every call.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from bench.garment_pictures import HEIGHT, WIDTH, Picture, cut_out, data_set, luminance, tinted, whole

_DARK = 60  # mean grey level of a garment that is lost on a dark ground: black on black is nobody's picture
_TURN, _SHRUNK = 9.0, (0.78, 0.9)  # degrees to either side, and how large the garment is then


def on_grounds(samples: Path, seed: int = 0) -> Iterator[Picture]:
    """The data set's garments on every ground, one group for each."""
    for number, picture in enumerate(map(whole, data_set(samples))):
        for index, (name, draw) in enumerate(GROUNDS.items()):
            random = np.random.default_rng([seed, number, index])
            rgb = picture.rgb.astype(np.float32)
            if name == "speckled" and luminance(picture.rgb)[picture.truth].mean() < _DARK:
                rgb = tinted(picture.rgb, picture.truth, (205, 70, 60), 0.5)
            yield lay(Picture(name, picture.name, rgb, picture.truth), draw(random), random)


def lay(picture: Picture, ground: np.ndarray, random: np.random.Generator) -> Picture:
    """The garment of a picture, a little turned, on a ground: float (H, W, 3) 0..255."""
    angle, size = random.uniform(-_TURN, _TURN), random.uniform(*_SHRUNK)
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), angle, size)
    matrix[:, 2] += random.uniform(-0.02, 0.02, 2) * (WIDTH, HEIGHT)
    soft = cv2.GaussianBlur(picture.rgb, (0, 0), 0.5 / size)
    garment = cv2.warpAffine(soft, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(cut_out(picture.truth), matrix, (WIDTH, HEIGHT))
    made = ground * (1 - _shadow(alpha, random))[..., None]
    made = garment * alpha[..., None] + made * (1 - alpha[..., None])
    made += cv2.GaussianBlur(random.normal(0, 2.2, made.shape).astype(np.float32), (0, 0), 0.7)
    return Picture(picture.group, picture.name, np.clip(made + 0.5, 0, 255).astype(np.uint8), alpha > 0.5)


def _shadow(alpha: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A dark seam where cloth touches the ground, and the wide shadow of a lamp. Float (H, W), 0..0.55."""
    towards = random.uniform(0, 2 * np.pi)
    reach = random.uniform(6, 16)
    shift = np.float32([[1, 0, reach * np.cos(towards)], [0, 1, reach * np.sin(towards)]])
    wide = cv2.GaussianBlur(cv2.warpAffine(alpha, shift, (WIDTH, HEIGHT)), (0, 0), random.uniform(6, 12))
    return random.uniform(0.2, 0.35) * wide + 0.2 * cv2.GaussianBlur(alpha, (0, 0), 3)


def tiles(random: np.random.Generator) -> np.ndarray:
    """Floor tiles with veins, each a little different, and their joints."""
    across = random.integers(3, 6)
    side, joint = WIDTH / across, random.uniform(4, 8)
    x, y = _turned(random.uniform(-12, 12) + random.choice([0, 45]))
    colour = np.array(random.choice([[205, 196, 184], [168, 160, 150], [222, 222, 220], [150, 96, 72]]), np.float32)
    light = random.normal(1, 0.06, (64, 64)).astype(np.float32)[
        (y // side).astype(int) % 64, (x // side).astype(int) % 64
    ]
    veins = np.abs(_clouds(random, 40) + 0.4 * _clouds(random, 9))
    drawn = colour * (light * (0.92 + 0.1 * np.minimum(veins, 1)))[..., None]
    within = np.minimum(np.minimum(x % side, side - x % side), np.minimum(y % side, side - y % side))
    seam = np.clip(joint / 2 - within + 0.5, 0, 1)[..., None]
    return _lit(drawn * (1 - seam) + colour * random.choice([0.55, 1.15]) * seam, random)


def planks(random: np.random.Generator) -> np.ndarray:
    """Boards with grain, each of another light."""
    side = random.uniform(90, 170)
    x, y = _turned(random.uniform(-8, 8) + random.choice([0, 90]))
    board = (x // side).astype(int) % 64
    colour = np.array(random.choice([[176, 128, 82], [120, 80, 52], [205, 172, 130], [92, 70, 58]]), np.float32)
    warp = 12 * _clouds(random, 60)
    shift = random.uniform(0, 500, 64).astype(np.float32)[board]
    grain = np.sin((x + warp + shift) * random.uniform(0.25, 0.5) + 0.01 * y) + 0.7 * np.sin(
        (x + warp) * 1.3 + shift + 0.004 * y
    )
    light = random.normal(1, 0.1, 64).astype(np.float32)[board]
    drawn = colour * (light * (1 + 0.055 * grain + 0.04 * _clouds(random, 3)))[..., None]
    gap = np.minimum(x % side, side - x % side) < 1.6
    drawn[gap] *= 0.45
    return _lit(drawn, random)


def sheet(random: np.random.Generator) -> np.ndarray:
    """A bed sheet with creases that run everywhere."""
    colour = np.array(random.choice([[232, 230, 226], [214, 220, 228], [228, 214, 204], [190, 200, 196]]), np.float32)
    shade = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(int(random.integers(14, 24))):
        x, y = _turned(random.uniform(0, 180), random.uniform(-0.5, 0.5, 2) * (WIDTH, HEIGHT))
        bent = x + random.uniform(10, 40) * np.sin(y / random.uniform(80, 260) + random.uniform(0, 6))
        width, length = random.uniform(4, 16), random.uniform(120, 420)
        # A crease is light on one side and dark on the other.
        shade += random.uniform(0.4, 1) * bent / width * np.exp(-((bent / width) ** 2) - (y / length) ** 2)
    drawn = colour * (1 + 0.17 * shade + 0.035 * _clouds(random, 50))[..., None]
    return _lit(drawn, random)


def gradient(random: np.random.Generator) -> np.ndarray:
    """A wall and floor of one colour that a lamp lights from one side, or from the middle."""
    colours = [[[240, 240, 238], [120, 124, 132]], [[250, 214, 180], [150, 96, 110]], [[150, 190, 220], [40, 62, 110]],
               [[210, 214, 200], [70, 84, 74]]]  # fmt: skip
    near, far = np.array(random.choice(colours), np.float32)
    x, y = _turned(random.uniform(0, 360))
    along = (x / HEIGHT + 0.5) if random.random() < 0.6 else np.hypot(x, y) / (0.6 * HEIGHT)
    share = np.clip(along, 0, 1)[..., None]
    return _lit(near * (1 - share) + far * share, random)


def speckled(random: np.random.Generator) -> np.ndarray:
    """A dark carpet or stone with speckles of several sizes."""
    colour = np.array(random.choice([[40, 42, 48], [58, 46, 42], [34, 44, 40], [70, 70, 74]]), np.float32)
    drawn = np.repeat(colour[None, None], HEIGHT, 0).repeat(WIDTH, 1)
    for size, share in ((1.0, 0.08), (2.5, 0.06), (6.0, 0.04)):
        spots = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), size)
        bright = np.clip((spots - np.quantile(spots, 1 - share)) / spots.std() * 4, 0, 1)[..., None]
        tint = colour + random.uniform(60, 150) * random.uniform(0.8, 1.2, 3)
        drawn = drawn * (1 - bright) + tint * bright
    return _lit(drawn * (1 + 0.12 * _clouds(random, 5))[..., None], random)


GROUNDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "tiles": tiles,
    "wood": planks,
    "sheet": sheet,
    "gradient": gradient,
    "speckled": speckled,
}


def _turned(degrees: float, middle: np.ndarray | tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every pixel, turned about the middle of the picture, which `middle` shifts."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    x, y = x - WIDTH / 2 - middle[0], y - HEIGHT / 2 - middle[1]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (c * x + s * y).astype(np.float32), (c * y - s * x).astype(np.float32)


def _clouds(random: np.random.Generator, size: float) -> np.ndarray:
    """Smooth noise of standard deviation 1. size: of its spots, in pixels."""
    noise = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), size)
    return np.asarray(noise / noise.std())


def _lit(ground: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """With the light falling off to one side."""
    x, _ = _turned(random.uniform(0, 360))
    return np.clip(ground * (1 + 0.1 * x / HEIGHT)[..., None], 0, 255).astype(np.float32)
