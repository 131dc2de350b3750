"""The shapes that the published preprocessing draws, with Pillow, so that masks are equal to its own to the pixel."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from stagekit.formats import HEIGHT, WIDTH

Point = tuple[float, float]


class Mask:
    """A drawing of 768 x 1024 pixels that is either drawn on or not. Shapes may lie outside of it in part or whole."""

    def __init__(self) -> None:
        self._image = Image.new("L", (WIDTH, HEIGHT), 0)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, start: Point, end: Point, width: int) -> None:
        """A straight bar without rounded ends; `width` in pixels."""
        self._draw.line([start, end], fill=255, width=width)

    def ellipse(self, centre: Point, radius_x: int, radius_y: int) -> None:
        """A filled ellipse with its axes along the picture's."""
        x, y = centre
        self._draw.ellipse((x - radius_x, y - radius_y, x + radius_x, y + radius_y), fill=255, outline=255)

    def disc(self, centre: Point, radius: int) -> None:
        self.ellipse(centre, radius, radius)

    def rectangle(self, left: float, top: float, right: float, bottom: float) -> None:
        self._draw.rectangle((left, top, right, bottom), fill=255, outline=255)

    def polygon(self, corners: Sequence[Point]) -> None:
        self._draw.polygon(list(corners), fill=255, outline=255)

    def drawn(self) -> np.ndarray:
        """(1024, 768) bool."""
        pixels: np.ndarray = np.asarray(self._image) > 0
        return pixels
