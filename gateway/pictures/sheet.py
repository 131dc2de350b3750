"""A contact sheet: pictures side by side, each with what there is to say of it. Pure: pictures in, a PNG out."""

import functools
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont
from pylopdf_fonts_ko import sans_path

from gateway.pictures.previews import rendered
from stagekit.errors import UnreadableImage
from stagekit.wire import Part

PICTURE = (384, 512)
"""Width and height that a picture is fitted into: half of a result's."""

MOST_ACROSS = 5
GAP, MARGIN = 24, 32
TITLE, TEXT = 24, 17
"""Sizes of letters, in pixels."""

PAPER, EMPTY, INK, PALE, WRONG = "#ffffff", "#eeeeee", "#1c1c1c", "#666666", "#a01414"


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet, or the sentence that stands where there is none."""

    title: str
    lines: Sequence[str] = ()
    """What stands below the title."""
    picture: Part | None = None
    sentence: str = ""
    failed: bool = False


def draw_sheet(tiles: Sequence[Tile], across: int | None = None) -> bytes:
    """The sheet as a PNG. across: tiles of a row; default: rows of equal length, as far as that can be."""
    if across is None:
        across = -(-len(tiles) // -(-len(tiles) // MOST_ACROSS))
    table = [tiles[at : at + across] for at in range(0, len(tiles), across)]
    captions = [[_caption(tile) for tile in row] for row in table]
    heights = [PICTURE[1] + GAP + max(map(_height, row)) for row in captions]
    width = 2 * MARGIN + across * PICTURE[0] + (across - 1) * GAP
    sheet = Image.new("RGB", (width, 2 * MARGIN + sum(heights) + (len(table) - 1) * GAP), PAPER)
    top = MARGIN
    for row, captioned, tall in zip(table, captions, heights, strict=True):
        for number, (tile, caption) in enumerate(zip(row, captioned, strict=True)):
            left = MARGIN + number * (PICTURE[0] + GAP)
            _draw_picture(sheet, tile, left, top)
            _draw_lines(sheet, caption, left, top + PICTURE[1] + GAP // 2)
        top += tall + GAP
    encoded = io.BytesIO()
    sheet.save(encoded, "PNG")
    return encoded.getvalue()


@dataclass(frozen=True)
class _Line:
    text: str
    size: int
    colour: str

    @property
    def step(self) -> int:
        """To the next line, in pixels."""
        return round(self.size * 1.45)


def _caption(tile: Tile) -> list[_Line]:
    title = [_Line(text, TITLE, INK) for text in wrapped(tile.title, TITLE, PICTURE[0])]
    return title + [_Line(text, TEXT, PALE) for line in tile.lines for text in wrapped(line, TEXT, PICTURE[0])]


def _height(lines: Iterable[_Line]) -> int:
    return sum(line.step for line in lines)


def _draw_picture(sheet: Image.Image, tile: Tile, left: int, top: int) -> None:
    width, height = PICTURE
    try:
        picture = None if tile.picture is None else rendered(tile.picture, width, "png")
        sentence, colour = tile.sentence, WRONG if tile.failed else PALE
    except UnreadableImage as error:
        picture, sentence, colour = None, error.detail, WRONG
    if picture is None:
        ImageDraw.Draw(sheet).rectangle((left, top, left + width - 1, top + height - 1), EMPTY)
        said = [_Line(text, TEXT, colour) for text in wrapped(sentence, TEXT, width - 2 * GAP)]
        _draw_lines(sheet, said, left + GAP, top + max(GAP, (height - _height(said)) // 2))
        return
    with Image.open(io.BytesIO(picture.data)) as image:
        image.thumbnail(PICTURE, Image.Resampling.LANCZOS)
        sheet.paste(image, (left + (width - image.width) // 2, top + (height - image.height) // 2))


def _draw_lines(sheet: Image.Image, lines: Iterable[_Line], left: int, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    for line in lines:
        draw.text((left, top), line.text, line.colour, _font(line.size))
        top += line.step


def wrapped(text: str, size: int, width: int) -> list[str]:
    """The text in lines of at most so many pixels, between words where that can be."""
    font = _font(size)
    lines = [""]
    # Composed, as the font has them: what comes from a Mac's file names spells Hangul letter by letter.
    for word in unicodedata.normalize("NFC", text).split():
        if lines[-1] and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for letter in word:
            if font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line]


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Noto Sans KR, which has Latin letters and Hangul; it comes as a package, since the gateway's image has no fonts."""
    return ImageFont.truetype(sans_path(), size)
