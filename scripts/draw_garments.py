"""Draw the garments of the demo: three flat-lay product pictures, 768 x 1024, on near-white.

    python scripts/draw_garments.py [FOLDER]        (default: howsfit/samples)

Drawn from splines and a light, so that the project may redistribute them; the same bytes each time with the same Pillow.
A garment is a stack of pieces (inner back, sleeves, body, collar). A piece has a shape, colours, and a relief (puffed up
from its outline, with folds and ribs), which one light from the upper left shades.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, SCALE = 768, 1024, 2  # drawn at twice the size, for smooth edges
BACKGROUND = 246
MIDDLE = 384

Points = Sequence[tuple[float, float]]
Colour = tuple[int, int, int]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "howsfit" / "samples")
    for name, draw in (("tee", draw_tee), ("jumper", draw_jumper), ("top", draw_top)):
        Image.fromarray(draw()).save(folder / f"garment_{name}.jpg", quality=90, subsampling=0, optimize=True)


def draw_tee() -> np.ndarray:
    """A short-sleeved T-shirt, deep green, with a sun over mountains and two words."""
    green, cream = (28, 84, 74), (240, 229, 204)
    armhole = [(184, 192), (196, 240), (204, 290), (206, 336)]
    sleeve = smooth([(184, 192), (150, 218), (112, 296), (80, 380)]) + smooth([(80, 380), (120, 410), (172, 424)])
    sleeve += smooth([(172, 424), (188, 380), (206, 336)]) + smooth(armhole)[::-1]
    neck = smooth([(296, 146), (312, 196), (345, 228), (MIDDLE, 238)])
    side = smooth([(206, 336), (216, 470), (213, 590), (205, 700), (199, 822)])
    hem = smooth([(199, 822), (290, 835), (MIDDLE, 838)])
    body = smooth([(296, 146), (240, 166), (184, 192)]) + smooth(armhole) + side + hem
    picture = Picture()
    draw_inner_back(picture, neck, smooth([(296, 146), (340, 166), (MIDDLE, 172)]), green, band=20)
    for mirror in (False, True):
        piece = Piece(mirrored(sleeve) if mirror else sleeve, puff=26)
        piece.fold((120, 300), (172, 380), 9, -7, mirror)
        piece.fold((150, 250), (140, 400), 12, 6, mirror)
        cuff = smooth([(90, 358), (128, 388), (180, 401)])
        piece.seam(mirrored(cuff) if mirror else cuff)
        picture.add(piece, solid(green))
    torso = Piece(symmetric(body + [(MIDDLE, 838)], neck), puff=60)
    for mirror in (False, True):
        for start, end, width, depth in (
            ((214, 350), (300, 470), 13, -7), ((222, 345), (330, 400), 10, -5), ((212, 560), (330, 640), 20, 8),
            ((208, 660), (300, 810), 22, 9), ((268, 590), (258, 815), 16, -7), ((330, 640), (345, 830), 24, 6),
        ):  # fmt: skip
            torso.fold(start, end, width, depth, mirror)
        torso.seam(mirrored(smooth(armhole)) if mirror else smooth(armhole))
    torso.seam(across(smooth([(201, 802), (290, 815), (MIDDLE, 818)])))
    colours = solid(green)
    print_on(colours, mountain_print(cream, green), (MIDDLE, 452))
    picture.add(torso, colours)
    draw_collar(picture, neck, 20, green, ribs=64)
    return picture.finish(weave=1.1)


def draw_jumper() -> np.ndarray:
    """A long-sleeved jumper with navy stripes on ecru, ribbed at neck, cuffs and hem."""
    ecru, navy = (232, 221, 199), (36, 46, 84)
    armhole = [(178, 176), (190, 230), (200, 290), (204, 356)]
    sleeve = smooth([(178, 176), (128, 240), (92, 400), (72, 620), (58, 864)]) + smooth(
        [(58, 864), (92, 874), (128, 870)]
    )
    sleeve += smooth([(128, 870), (150, 680), (168, 520), (204, 356)]) + smooth(armhole)[::-1]
    neck = smooth([(300, 124), (316, 162), (348, 190), (MIDDLE, 197)])
    side = smooth([(204, 356), (212, 520), (210, 660), (204, 740), (213, 812)])
    hem = smooth([(213, 812), (300, 822), (MIDDLE, 824)])
    body = smooth([(300, 124), (240, 146), (178, 176)]) + smooth(armhole) + side + hem
    x, y = grid()
    along_sleeve = y + 0.36 * np.abs(x - MIDDLE)
    across_body = y - 0.00009 * (x - MIDDLE) ** 2
    picture = Picture()
    draw_inner_back(picture, neck, smooth([(300, 124), (342, 142), (MIDDLE, 147)]), ecru, band=26)
    for mirror in (False, True):
        piece = Piece(mirrored(sleeve) if mirror else sleeve, puff=34)
        for start, end, width, depth in (
            ((190, 380), (110, 460), 12, -8), ((175, 430), (96, 540), 13, 8), ((160, 560), (84, 600), 13, -8),
            ((150, 640), (76, 690), 14, 7), ((140, 760), (70, 780), 11, -6), ((136, 806), (66, 812), 9, 6),
        ):  # fmt: skip
            piece.fold(start, end, width, depth, mirror)
        cuff = along_sleeve > 918
        piece.relief += cuff * 1.1 * np.sin(x * 2 * np.pi / 5.5)
        cuff_seam = smooth([(64, 803), (98, 812), (140, 806)])
        piece.seam(mirrored(cuff_seam) if mirror else cuff_seam)
        colours = striped(along_sleeve, ecru, navy, first=300, last=905)
        colours[cuff] = ecru
        picture.add(piece, colours)
    torso = Piece(symmetric(body + [(MIDDLE, 824)], neck), puff=64)
    for mirror in (False, True):
        for start, end, width, depth in (
            ((212, 380), (310, 470), 15, -9), ((216, 366), (340, 410), 11, -5), ((214, 560), (330, 640), 24, 9),
            ((214, 650), (290, 770), 20, -8), ((300, 600), (320, 770), 26, 7),
        ):  # fmt: skip
            torso.fold(start, end, width, depth, mirror)
        torso.seam(mirrored(smooth(armhole)) if mirror else smooth(armhole))
    ribbed = across_body > 766
    torso.relief += ribbed * 1.1 * np.sin(x * 2 * np.pi / 6)
    torso.seam(across(smooth([(206, 763), (300, 766), (MIDDLE, 766)])))
    colours = striped(across_body, ecru, navy, first=236, last=760)
    colours[ribbed] = ecru
    picture.add(torso, colours)
    draw_collar(picture, neck, 26, ecru, ribs=70)
    return picture.finish(weave=2.2)


def draw_top() -> np.ndarray:
    """A sleeveless V-neck top, terracotta with small cream flowers."""
    terracotta, cream = (186, 82, 58), (250, 232, 205)
    armhole = smooth([(216, 122), (232, 190), (230, 260), (196, 330)])
    neck = smooth([(282, 108), (306, 176), (344, 244), (MIDDLE, 292)])
    side = smooth([(196, 330), (206, 460), (203, 580), (188, 700), (174, 800)])
    hem = smooth([(174, 800), (270, 820), (MIDDLE, 826)])
    body = smooth([(282, 108), (250, 112), (216, 122)]) + armhole + side + hem
    picture = Picture()
    draw_inner_back(picture, neck, smooth([(282, 108), (330, 134), (MIDDLE, 142)]), terracotta, band=14)
    for mirror in (False, True):
        inside = smooth([(216, 122), (240, 190), (240, 262), (196, 330)]) + armhole[::-1]
        picture.add(Piece(mirrored(inside) if mirror else inside, puff=4), solid(shaded(terracotta, 0.62)))
    torso = Piece(symmetric(body + [(MIDDLE, 826)], neck), puff=62)
    for mirror in (False, True):
        for start, end, width, depth in (
            ((204, 340), (300, 420), 14, 9), ((230, 300), (310, 390), 9, -5), ((206, 520), (240, 800), 20, -10),
            ((270, 480), (262, 815), 24, 11), ((320, 540), (328, 820), 20, -9), ((362, 440), (368, 820), 26, 9),
        ):  # fmt: skip
            torso.fold(start, end, width, depth, mirror)
        edge = [(px + 9, py) for px, py in armhole]
        torso.seam(mirrored(edge) if mirror else edge)
    torso.seam(across(smooth([(176, 786), (270, 806), (MIDDLE, 812)])))
    colours = solid(terracotta)
    scatter_flowers(colours, cream)
    picture.add(torso, colours)
    draw_collar(picture, neck, 14, terracotta, ribs=0)
    return picture.finish(weave=0.8)


class Piece:
    """One piece of cloth: its shape and its relief, both (2048, 1536) float32."""

    def __init__(self, outline: Points, puff: float) -> None:
        """outline: corners in picture pixels; puff: how far in from the outline the cloth rounds off, in pixels."""
        self.shape = np.zeros((HEIGHT * SCALE, WIDTH * SCALE), np.uint8)
        cv2.fillPoly(self.shape, [fixed(outline)], 255, cv2.LINE_AA, 4)
        depth = cv2.distanceTransform((self.shape > 127).astype(np.uint8), cv2.DIST_L2, 5) / SCALE
        inward = np.clip(depth / puff, 0, 1)
        self.relief = puff * 0.5 * np.sqrt(1 - (1 - inward) ** 2)
        self.relief = cv2.GaussianBlur(self.relief, (0, 0), 2.5 * SCALE)
        self.dark = np.zeros_like(self.relief)

    def fold(
        self, start: tuple[float, float], end: tuple[float, float], width: float, depth: float, mirror: bool
    ) -> None:
        """A soft ridge (depth > 0) or valley from start, where it is strongest, to end; in pixels."""
        x, y = grid()
        if mirror:
            x = 2 * MIDDLE - x
            width, depth = width * 1.15, depth * 0.8  # no garment lies quite symmetrically
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = float(np.hypot(dx, dy))
        along = ((x - start[0]) * dx + (y - start[1]) * dy) / length**2
        aside = ((y - start[1]) * dx - (x - start[0]) * dy) / length
        aside = aside + 0.06 * length * np.sin(3 * along)  # slightly bent
        fade = np.exp(-(((along - 0.4) / 0.38) ** 2))
        self.relief += depth * 0.7 * fade * np.exp(-((aside / width) ** 2))

    def seam(self, curve: Points) -> None:
        """A stitched line: a groove with a darker thread."""
        groove = np.zeros(self.shape.shape, np.uint8)
        cv2.polylines(groove, [fixed(curve)], False, 255, 2, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(groove.astype(np.float32) / 255, (0, 0), 1.2 * SCALE)
        self.relief -= 1.6 * soft
        self.dark += 0.35 * soft


class Picture:
    """Pieces laid one on the other on a near-white ground."""

    def __init__(self) -> None:
        self._canvas = np.full((HEIGHT * SCALE, WIDTH * SCALE, 3), BACKGROUND, np.float32)
        self._covered = np.zeros((HEIGHT * SCALE, WIDTH * SCALE), np.float32)

    def add(self, piece: Piece, colours: np.ndarray, shadow: float = 0.16) -> None:
        """Lay a piece on top; it darkens what it covers a little beyond its own edge."""
        cover = piece.shape.astype(np.float32) / 255
        soft = cv2.GaussianBlur(cover, (0, 0), 5 * SCALE)
        self._canvas *= 1 - shadow * (soft * self._covered)[..., None]
        light = lighting(piece.relief) * (1 - np.minimum(piece.dark, 0.6))
        cloth = np.clip(colours.astype(np.float32) * light[..., None], 0, 255)
        gloss = np.clip(light - 1, 0, 1)[..., None] * 40
        self._canvas += cover[..., None] * (cloth + gloss - self._canvas)
        self._covered = np.maximum(self._covered, cover)

    def finish(self, weave: float) -> np.ndarray:
        """The picture, (1024, 768, 3) uint8; weave: how coarse the cloth's grain is, in grey levels."""
        random = np.random.RandomState(7)
        grain = cv2.GaussianBlur(random.randn(HEIGHT * SCALE, WIDTH * SCALE).astype(np.float32), (0, 0), 1.0) * 3.5
        cloud = cv2.GaussianBlur(random.randn(HEIGHT // 8, WIDTH // 8).astype(np.float32), (0, 0), 4) * 12
        cloud = cv2.resize(cloud, (WIDTH * SCALE, HEIGHT * SCALE), interpolation=cv2.INTER_CUBIC)
        self._canvas += (self._covered * (weave * grain + 1.6 * cloud))[..., None]
        small = cv2.resize(self._canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return np.round(np.clip(small, 0, 255)).astype(np.uint8)


def lighting(relief: np.ndarray) -> np.ndarray:
    """Brightness factor of a relief under soft light from the upper left."""
    soft = cv2.GaussianBlur(relief, (0, 0), 1.0 * SCALE)
    slope_x = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3) / 8 * SCALE
    slope_y = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3) / 8 * SCALE
    up = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    return np.asarray((0.32 + 0.68 * up) + up * (0.30 * slope_x + 0.22 * slope_y))


def draw_inner_back(picture: Picture, neck: Points, back: Points, colour: Colour, band: float) -> None:
    """The inside of the back that the neckline shows, with the back of the collar and a label."""
    inside = across(back) + across(neck)[::-1]
    picture.add(Piece(inside, puff=10), solid(shaded(colour, 0.58)))
    rim = across(back) + [(px, py + band) for px, py in across(back)][::-1]
    visible = Piece(rim, puff=6)
    visible.shape = np.minimum(visible.shape, Piece(inside, puff=6).shape)
    picture.add(visible, solid(shaded(colour, 0.74)))
    top = back[-1][1] + band - 4
    label = [(MIDDLE - 23, top), (MIDDLE + 23, top), (MIDDLE + 22, top + 17), (MIDDLE - 22, top + 17)]
    piece = Piece(label, puff=3)
    piece.shape = np.minimum(piece.shape, Piece(inside, puff=6).shape)
    picture.add(piece, solid((226, 222, 214)))


def draw_collar(picture: Picture, neck: Points, band: float, colour: Colour, ribs: int) -> None:
    """The collar's front: a band below the neckline; ribs: how many run across it, 0 for a plain binding."""
    inner = np.array(across(neck))
    tangent = np.gradient(inner, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / np.linalg.norm(tangent, axis=1, keepdims=True)
    outer = inner + band * normal
    # At the shoulders the band ends where the shoulder seam does.
    outer[:, 1] = np.maximum(outer[:, 1], inner[0, 1] - 1)
    piece = Piece([*map(tuple, inner), *map(tuple, outer[::-1])], puff=band / 2)
    lines = np.zeros(piece.shape.shape, np.uint8)
    for index in np.linspace(0, len(inner) - 1, ribs).astype(int):
        cv2.polylines(lines, [fixed([tuple(inner[index]), tuple(outer[index])])], False, 255, 2, cv2.LINE_AA, 4)
    piece.relief -= 1.3 * cv2.GaussianBlur(lines.astype(np.float32) / 255, (0, 0), 0.8 * SCALE)
    piece.seam([tuple(point) for point in outer])
    picture.add(piece, solid(colour), shadow=0.28)


def mountain_print(ink: Colour, ground: Colour) -> Image.Image:
    """A round badge of a sun, three peaks and waves, and two lines of text; transparent elsewhere."""
    size = 300 * SCALE
    badge = Image.new("RGBA", (size, size + 150 * SCALE), (*ink, 0))
    draw = ImageDraw.Draw(badge)
    middle, radius = size // 2, size // 2 - 14 * SCALE
    draw.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=(*ink, 255))
    sun, sun_radius = middle - 40 * SCALE, 40 * SCALE
    box = (middle - sun_radius, sun - sun_radius, middle + sun_radius, sun + sun_radius)
    draw.ellipse(box, fill=(222, 126, 62, 255))
    for peak, top, half, colour in ((-62, 10, 92, (92, 138, 122)), (70, -2, 100, (58, 112, 98)), (0, 36, 104, ground)):
        x, base = middle + peak * SCALE, middle + 150 * SCALE
        points = [(x, middle + (top - 30) * SCALE), (x + half * SCALE, base), (x - half * SCALE, base)]
        draw.polygon(points, fill=(*colour, 255))
    for wave in range(3):
        level = middle + (72 + 22 * wave) * SCALE
        line = [(x, level + 5 * SCALE * np.sin(x / (17 * SCALE) + wave)) for x in range(0, size, 2)]
        draw.line(line, fill=(*ink, 255), width=5 * SCALE)
    ring = Image.new("L", badge.size, 0)  # keeps what lies within the circle
    ImageDraw.Draw(ring).ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=255)
    badge.putalpha(Image.fromarray(np.minimum(np.array(ring), np.array(badge.getchannel("A")))))
    draw = ImageDraw.Draw(badge)
    for text, points, y in (("HOWSFIT", 62, 286), ("TRAIL CLUB", 26, 356)):
        font = ImageFont.load_default(size=points * SCALE)
        draw.text((middle, y * SCALE), text, fill=(*ink, 255), font=font, anchor="mt", stroke_width=SCALE // 2)
    return badge.resize((int(badge.width * 0.86), int(badge.height * 0.86)), Image.Resampling.LANCZOS)


def print_on(colours: np.ndarray, badge: Image.Image, centre: tuple[float, float]) -> None:
    """Lay a transparent picture, drawn at SCALE, on colours with its centre at a point of the picture."""
    pixels = np.array(badge).astype(np.float32)
    x, y = int(centre[0] * SCALE) - badge.width // 2, int(centre[1] * SCALE) - badge.height // 2
    part = colours[y : y + badge.height, x : x + badge.width]
    part += (pixels[..., :3] - part) * pixels[..., 3:] / 255


def scatter_flowers(colours: np.ndarray, petals: Colour) -> None:
    """Small five-petalled flowers on a jittered lattice."""
    random = np.random.RandomState(3)
    stamp = np.round(colours).astype(np.uint8)
    for row, y in enumerate(range(90, HEIGHT, 46)):
        for x in range(130 + 26 * (row % 2), 660, 52):
            cx, cy = x + random.uniform(-7, 7), y + random.uniform(-7, 7)
            turn, size = random.uniform(0, 2 * np.pi), random.uniform(4.2, 6.2)
            for angle in turn + np.arange(5) * 2 * np.pi / 5:
                petal = fixed([(cx + size * np.cos(angle), cy + size * np.sin(angle))])[0, 0]
                cv2.circle(stamp, petal.tolist(), int(size * 0.62 * SCALE * 16), petals, -1, cv2.LINE_AA, 4)
            cv2.circle(
                stamp,
                fixed([(cx, cy)])[0, 0].tolist(),
                int(size * 0.5 * SCALE * 16),
                (236, 176, 70),
                -1,
                cv2.LINE_AA,
                4,
            )
    colours[:] = stamp


def striped(position: np.ndarray, ground: Colour, stripe: Colour, first: float, last: float) -> np.ndarray:
    """Colours with stripes of 15 pixels every 38 across `position`, from first to last."""
    phase = (position - first) % 38
    edge = np.clip(np.minimum(phase, 15 - phase) * SCALE / 2 + 0.5, 0, 1) * ((position > first) & (position < last))
    colours = np.array(ground) + (np.array(stripe, np.float32) - np.array(ground)) * edge[..., None]
    return np.asarray(colours, np.float32)


def solid(colour: Colour) -> np.ndarray:
    return np.full((HEIGHT * SCALE, WIDTH * SCALE, 3), colour, np.float32)


def shaded(colour: Colour, factor: float) -> Colour:
    return int(colour[0] * factor), int(colour[1] * factor), int(colour[2] * factor)


def grid() -> tuple[np.ndarray, np.ndarray]:
    """x and y in picture pixels of every drawn pixel."""
    y, x = np.mgrid[: HEIGHT * SCALE, : WIDTH * SCALE].astype(np.float32) / SCALE
    return x, y


def smooth(points: Points, steps: int = 24) -> list[tuple[float, float]]:
    """A Catmull-Rom spline through points, ends included."""
    p = np.array([points[0], *points, points[-1]], dtype=np.float64)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        curve.append(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))
    return [(float(x), float(y)) for x, y in np.concatenate([*curve, p[-1:]])]


def mirrored(points: Points) -> list[tuple[float, float]]:
    return [(2 * MIDDLE - x, y) for x, y in points]


def across(half: Points) -> list[tuple[float, float]]:
    """A curve from the left to the middle, continued to the right."""
    return [*half, *mirrored(half)[::-1]]


def symmetric(half: Points, neck: Points) -> list[tuple[float, float]]:
    """A closed outline from its left half, which runs from the neck point down to the hem's middle, and its neckline."""
    return [*half, *mirrored(half)[::-1], *across(neck)[::-1]]


def fixed(points: Points) -> np.ndarray:
    """Picture pixels -> OpenCV's sixteenths of a drawn pixel."""
    return np.round(np.array(points) * SCALE * 16).astype(np.int32).reshape(-1, 1, 2)


if __name__ == "__main__":
    main()
