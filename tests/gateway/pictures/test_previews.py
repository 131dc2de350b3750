"""Previews of whatever the gateway keeps."""

import io

import pytest
from PIL import Image

from gateway.pictures.previews import rendered
from stagekit.errors import UnreadableImage
from stagekit.wire import Part
from tests.pictures import encoded, exif_of, with_exif


@pytest.mark.parametrize("form, media_type", [("PNG", "image/png"), ("GIF", "application/octet-stream"),
                                              ("BMP", "application/octet-stream"), ("AVIF", "image/avif"),
                                              ("HEIF", "image/heic")])  # fmt: skip
def test_a_picture_of_any_form_becomes_a_small_jpeg(form, media_type):
    small = rendered(Part(encoded(Image.new("RGB", (900, 600), "teal"), form), media_type), 90)
    with Image.open(io.BytesIO(small.data)) as image:
        assert (small.media_type, image.format, image.size) == ("image/jpeg", "JPEG", (90, 60))


def test_it_stands_upright_on_white():
    lying = Image.new("RGBA", (800, 400), (0, 0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    small = rendered(Part(encoded(lying, "PNG", exif=exif), "image/png"), 50)
    with Image.open(io.BytesIO(small.data)) as image:
        assert image.size == (50, 100) and min(image.getpixel((25, 50))) > 250


def test_an_error_in_its_metadata_does_not_matter():
    exif = exif_of((0x0112, 3, 1, b"\x06\x00\x00\x00"), (0x011A, 10, 1, b"\xff\xff\x00\x00"))
    small = rendered(Part(with_exif(Image.new("RGB", (800, 400)), exif), "image/jpeg"), 50)
    assert Image.open(io.BytesIO(small.data)).size == (50, 100)


@pytest.mark.parametrize("size", [(65000, 64), (64, 65000)])
def test_that_of_a_strip_is_small(size):
    small = rendered(Part(encoded(Image.new("L", size), "PNG"), "image/png"), 320)
    assert max(Image.open(io.BytesIO(small.data)).size) <= 4 * 320


def test_a_document_stays_and_what_is_broken_is_told():
    document = Part(b'{"people": []}', "application/json")
    assert rendered(document, 64) is document
    with pytest.raises(UnreadableImage):
        rendered(Part(b"no picture", "application/octet-stream"), 64)


@pytest.mark.parametrize(("wanted", "form"), [("jpeg", "JPEG"), ("webp", "WEBP"), ("png", "PNG")])
def test_it_comes_in_the_format_that_is_wanted_at_its_own_size_or_smaller(wanted, form):
    picture = Part(encoded(Image.effect_noise((300, 200), 60).convert("RGB"), "BMP"), "application/octet-stream")
    for width, size in ((None, (300, 200)), (150, (150, 100))):
        made = rendered(picture, width, wanted)
        with Image.open(io.BytesIO(made.data)) as image:
            assert (made.media_type, image.format, image.size) == (f"image/{wanted}", form, size)
    if wanted != "png":
        sizes = [len(rendered(picture, None, wanted, quality).data) for quality in (20, 60, 95)]
        assert sizes == sorted(sizes) and sizes[0] < sizes[2] / 2


def test_what_is_in_the_format_already_stays_as_it_is():
    picture = Part(encoded(Image.new("P", (90, 60)), "PNG"), "image/png")
    assert rendered(picture, None, "png") is picture and rendered(picture) is picture
