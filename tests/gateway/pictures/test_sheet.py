"""Contact sheets: what is drawn where, and that labels can be read."""

import io
import unicodedata

import numpy as np
import pytest
from PIL import Image

from gateway.pictures.sheet import MARGIN, PICTURE, TITLE, Tile, draw_sheet, wrapped
from stagekit.wire import Part
from tests.pictures import encoded


def drawn(*tiles):
    with Image.open(io.BytesIO(draw_sheet(tiles))) as sheet:
        assert sheet.format == "PNG"
        return np.asarray(sheet.convert("RGB"))


def caption(title):
    """The pixels below a picture of one tile."""
    return drawn(Tile(title))[MARGIN + PICTURE[1] :]


def part(colour, size=(768, 1024), form="PNG"):
    return Part(encoded(Image.new("RGB", size, colour), form), f"image/{form.lower()}")


@pytest.mark.parametrize(("count", "rows", "across"), [(1, 1, 1), (4, 1, 4), (5, 1, 5), (6, 2, 3), (10, 2, 5)])
def test_rows_are_of_equal_length(count, rows, across):
    sheet = drawn(*[Tile("a")] * count)
    assert [round(sheet.shape[0] / 600), round(sheet.shape[1] / 410)] == [rows, across]


def test_pictures_keep_their_form_whatever_size_they_have():
    sheet = drawn(
        Tile("wide", picture=part((200, 0, 0), (3000, 1500), "JPEG")), Tile("tall", picture=part((0, 0, 200)))
    )
    red, blue = (np.argwhere(np.abs(sheet.astype(int) - colour).max(-1) < 6) for colour in ((200, 0, 0), (0, 0, 200)))
    assert (np.ptp(red, axis=0) + 1).tolist() == [192, 384]
    assert (np.ptp(blue, axis=0) + 1).tolist() == [512, 384]


def test_hangul_is_drawn_as_letters_of_its_own():
    """A font without a letter draws the same box for each such letter."""
    first, second = caption("빨간 셔츠"), caption("파란 바지")
    assert first.shape == second.shape and (first != second).any()
    assert (caption("가") != caption("힣")).any() and (caption("A") != caption("가")).any()
    assert (caption(unicodedata.normalize("NFD", "빨간 셔츠")) == first).all(), "as a Mac's file names spell it"


def test_text_stays_within_its_tile():
    for text in ("words " * 30, "한" * 80, "W" * 80, ""):
        lines = wrapped(text, TITLE, PICTURE[0])
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        sheet = drawn(Tile(text, [text]), Tile("b"))
        gap = sheet[:, MARGIN + PICTURE[0] + 2 : MARGIN + PICTURE[0] + 22]
        assert (gap == 255).all()


def test_a_sentence_stands_in_the_place_of_a_picture_and_a_failure_is_red():
    for tile, red in (
        (Tile("a", sentence="It waits."), False),
        (Tile("a", sentence="Nobody was found.", failed=True), True),
        (Tile("a", picture=Part(b"\x89PNG no more", "image/png")), True),
    ):
        inside = drawn(tile)[MARGIN : MARGIN + PICTURE[1], MARGIN : MARGIN + PICTURE[0]].astype(int)
        assert ((inside[..., 0] - inside[..., 1]).max() > 100) == red and inside.min() < 120
