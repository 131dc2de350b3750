"""People and garments of flat colours, drawn from the polygons that their labels are."""

import cv2
import numpy as np

SIZE = (720, 1280)  # of a photo: width and height
ITEM_SIZE = (800, 900)
GROUND, ITEM_GROUND = (214, 210, 205), (250, 250, 250)
FINE = 4  # drawn so many times as large, for true edges

HAIR, FACE, NECK, TORSO, RIGHT_SLEEVE, LEFT_SLEEVE = 0, 1, 2, 7, 8, 9
TROUSERS, RIGHT_TROUSER, LEFT_TROUSER, RIGHT_ARM, LEFT_ARM, RIGHT_SHOE, LEFT_SHOE = 10, 11, 12, 14, 15, 16, 17

COLOURS = {
    HAIR: (60, 40, 30), FACE: (230, 190, 170), NECK: (215, 170, 150), TORSO: (180, 60, 60), RIGHT_SLEEVE: (150, 50, 90),
    LEFT_SLEEVE: (120, 90, 40), TROUSERS: (40, 60, 110), RIGHT_TROUSER: (50, 75, 130), LEFT_TROUSER: (35, 50, 90),
    RIGHT_ARM: (240, 200, 150), LEFT_ARM: (200, 160, 120), RIGHT_SHOE: (20, 20, 20), LEFT_SHOE: (90, 90, 90),
}  # fmt: skip


class Person:
    """Somebody who stands 1060 pixels tall times `scale`, her head's top at y = 110, moved by `x` pixels; names of sides are
    her own."""

    def __init__(self, x=0, scale=1.0, top_colour=(180, 60, 60), colours=None, ground=GROUND):
        self.x, self.scale, self.ground = x, scale, ground
        self.colours = COLOURS | {TORSO: top_colour} if colours is None else colours

    def regions(self):
        """Category and corners (n, 2) of each part, from the lowest to the topmost."""
        parts = [
            (HAIR, ellipse(0, 90, 66, 92)),
            (NECK, box(-28, 150, 28, 222)),
            (FACE, ellipse(0, 92, 48, 74)),
            (RIGHT_ARM, [(-128, 350), (-92, 350), (-112, 590), (-150, 590)]),
            (LEFT_ARM, [(128, 350), (92, 350), (112, 590), (150, 590)]),
            (TROUSERS, box(-92, 500, 92, 640)),
            (RIGHT_TROUSER, [(-92, 620), (-4, 620), (-20, 1010), (-84, 1010)]),
            (LEFT_TROUSER, [(92, 620), (4, 620), (20, 1010), (84, 1010)]),
            (RIGHT_SHOE, box(-90, 1004, -14, 1060)),
            (LEFT_SHOE, box(90, 1004, 14, 1060)),
            (TORSO, [(-60, 190), (60, 190), (118, 230), (100, 560), (-100, 560), (-118, 230)]),
            (RIGHT_SLEEVE, [(-118, 228), (-88, 300), (-90, 400), (-134, 400)]),
            (LEFT_SLEEVE, [(118, 228), (88, 300), (90, 400), (134, 400)]),
        ]
        return [(category, np.array(corners) * self.scale + (360 + self.x, 110)) for category, corners in parts]

    def photo(self):
        """uint8 RGB (1280, 720, 3)."""
        return painted(SIZE, self.ground, [(self.colours[category], corners) for category, corners in self.regions()])

    def landmarks(self):
        """17 joints, flat: of the first the face's middle, of the second nothing."""
        face = np.array((0, 92)) * self.scale + (360 + self.x, 110)
        return [*face.tolist(), 2, 0, 0, 0, *([360 + self.x, 400.0, 1] * 15)]


GARMENT = [
    (5, [(340, 120), (460, 120), (440, 200), (360, 200)]),
    (4, [(250, 150), (345, 130), (455, 130), (550, 150), (560, 780), (240, 780)]),
    (2, [(250, 150), (120, 420), (200, 460), (252, 330)]),
    (3, [(550, 150), (680, 420), (600, 460), (548, 330)]),
]
"""Of a T-shirt: the inside that shows at the neck, which the torso's outline goes across, then torso and sleeves."""


def garment(colour, back=False):
    """uint8 RGB (900, 800, 3)."""
    parts = [(colour, corners) for _, corners in GARMENT[1:]]
    if not back:
        parts.append((tuple(value // 2 for value in colour), GARMENT[0][1]))
    return painted(ITEM_SIZE, ITEM_GROUND, parts)


def painted(size, ground, parts):
    picture = np.full((size[1] * FINE, size[0] * FINE, 3), ground, np.uint8)
    for colour, corners in parts:
        points = np.rint(np.asarray(corners, float) * FINE - 0.5).astype(np.int32)
        cv2.fillPoly(picture, [points], colour)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def box(x0, y0, x1, y1):
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def ellipse(x, y, width, height):
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return np.column_stack([x + width * np.cos(turns), y + height * np.sin(turns)])
