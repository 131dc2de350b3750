"""Contact sheets: strips below each other, each with its name, as one PNG."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from pylopdf_fonts_ko import sans_path

ROWS = 12
"""Of a sheet."""

_TITLE, _HEAD, _TEXT = 44, 24, 16  # heights in pixels: of the sheet's first line, of a strip's, of letters
_PAPER, _INK, _PALE = "#ffffff", "#1c1c1c", "#777777"


def draw_sheet(title: str, heads: Sequence[str], strips: Sequence[tuple[str, Path]]) -> bytes:
    """heads: what stands above each column. strips: what is said of each, and its file."""
    pictures: list[tuple[str, Image.Image]] = []
    for told, path in strips:
        with Image.open(path) as strip:
            pictures.append((told, strip.convert("RGB")))
    width, height = pictures[0][1].size
    sheet = Image.new("RGB", (width + 16, _TITLE + _HEAD + len(pictures) * (height + _HEAD + 8)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = (ImageFont.truetype(sans_path(), size) for size in (22, _TEXT))
    draw.text((8, 8), title, _INK, large)
    for number, head in enumerate(heads):
        draw.text((8 + number * width // len(heads), _TITLE), head, _PALE, small)
    top = _TITLE + _HEAD
    for told, picture in pictures:
        draw.text((8, top), told, _INK, small)
        sheet.paste(picture, (8, top + _HEAD))
        top += height + _HEAD + 8
    encoded = io.BytesIO()
    sheet.save(encoded, "PNG")
    return encoded.getvalue()


def spread(items: Sequence[tuple[str, Path]], count: int) -> list[tuple[str, Path]]:
    """So many of them, evenly from first to last."""
    return [items[at * len(items) // count] for at in range(count)] if len(items) > count else list(items)
