"""Previews of whatever the gateway keeps."""

import io

import pytest
from PIL import Image

from gateway.errors import ImageUnreadable
from gateway.previews import preview
from stagekit.wire import Part


def encoded(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("form, media_type", [("PNG", "image/png"), ("GIF", "application/octet-stream"),
                                              ("BMP", "application/octet-stream")])  # fmt: skip
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


def test_a_document_stays_and_what_is_broken_is_told():
    document = Part(b'{"people": []}', "application/json")
    assert preview(document, 64) is document
    with pytest.raises(ImageUnreadable):
        preview(Part(b"no picture", "application/octet-stream"), 64)
