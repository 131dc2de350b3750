"""Previews of whatever the gateway keeps."""

import io

import pytest
from PIL import Image

from gateway.pictures.previews import preview
from stagekit.errors import UnreadableImage
from stagekit.wire import Part
from tests.pictures import encoded, exif_of, with_exif


@pytest.mark.parametrize("form, media_type", [("PNG", "image/png"), ("GIF", "application/octet-stream"),
                                              ("BMP", "application/octet-stream"), ("AVIF", "image/avif"),
                                              ("HEIF", "image/heic")])  # fmt: skip
def test_a_picture_of_any_form_becomes_a_small_jpeg(form, media_type):
    small = preview(Part(encoded(Image.new("RGB", (900, 600), "teal"), form), media_type), 90)
    with Image.open(io.BytesIO(small.data)) as image:
        assert (small.media_type, image.format, image.size) == ("image/jpeg", "JPEG", (90, 60))


def test_it_stands_upright_on_white():
    lying = Image.new("RGBA", (800, 400), (0, 0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    small = preview(Part(encoded(lying, "PNG", exif=exif), "image/png"), 50)
    with Image.open(io.BytesIO(small.data)) as image:
        assert image.size == (50, 100) and min(image.getpixel((25, 50))) > 250


def test_an_error_in_its_metadata_does_not_matter():
    exif = exif_of((0x0112, 3, 1, b"\x06\x00\x00\x00"), (0x011A, 10, 1, b"\xff\xff\x00\x00"))
    small = preview(Part(with_exif(Image.new("RGB", (800, 400)), exif), "image/jpeg"), 50)
    assert Image.open(io.BytesIO(small.data)).size == (50, 100)


@pytest.mark.parametrize("size", [(65000, 64), (64, 65000)])
def test_that_of_a_strip_is_small(size):
    small = preview(Part(encoded(Image.new("L", size), "PNG"), "image/png"), 320)
    assert max(Image.open(io.BytesIO(small.data)).size) <= 4 * 320


def test_a_document_stays_and_what_is_broken_is_told():
    document = Part(b'{"people": []}', "application/json")
    assert preview(document, 64) is document
    with pytest.raises(UnreadableImage):
        preview(Part(b"no picture", "application/octet-stream"), 64)
