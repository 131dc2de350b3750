"""The guards against broken, huge and odd pictures. Runs on Python 3.6 too."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from stagekit.errors import ImageTooLarge, ImageTooSmall, UnreadableImage
from stagekit.images import Limits, open_image, to_rgb, to_rgb_or_rgba
from tests.pictures import bomb, encoded, picture


def read(data, limits=Limits()):  # noqa: B008 (immutable)
    return to_rgb(open_image(data, limits))


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"<svg/>", b"%PDF-1.4"]
)
def test_what_is_no_picture(data):
    with pytest.raises(UnreadableImage):
        read(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_cut_short(kind):
    noise = np.random.RandomState(0).randint(0, 255, (200, 200, 3)).astype(np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(UnreadableImage, match=r"cut short|not a JPEG"):
            read(data[: int(len(data) * share)])


def test_a_bomb_is_refused_before_it_is_decoded():
    data = bomb(10_000)
    assert len(data) < 100_000
    with pytest.raises(ImageTooLarge, match="10000 x 10000"):
        read(data)


def test_too_many_bytes():
    with pytest.raises(ImageTooLarge, match="MB"):
        read(encoded(picture()), Limits(max_bytes=10))


def test_one_pixel():
    with pytest.raises(ImageTooSmall, match="1 x 1"):
        read(encoded(picture(size=(1, 1))))


def test_exif_orientation_is_applied():
    upright = np.zeros((100, 80, 3), np.uint8)
    upright[:50] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    data = encoded(Image.fromarray(np.rot90(upright).copy()), "JPEG", exif=exif.tobytes(), quality=95)
    assert np.abs(read(data).astype(int) - upright).mean() < 2


@pytest.mark.parametrize(
    "image, expected",
    [
        (picture("CMYK", colour=(0, 255, 255, 0)), (255, 0, 0)),
        (picture("L", colour=77), (77, 77, 77)),
        (picture("1", colour=1), (255, 255, 255)),
        (picture("LA", colour=(0, 0)), (255, 255, 255)),
        (picture("RGBA", colour=(255, 0, 0, 0)), (255, 255, 255)),
        (picture("RGBA", colour=(255, 0, 0, 255)), (255, 0, 0)),
        (picture("RGB", colour=(255, 0, 0)).convert("P"), (255, 0, 0)),
    ],
    ids=["CMYK", "L", "1", "LA", "transparent", "opaque", "palette"],
)
def test_modes_become_rgb_on_white(image, expected):
    kind = "JPEG" if image.mode == "CMYK" else "PNG"
    pixels = read(encoded(image, kind))
    assert pixels.shape == (100, 80, 3) and pixels.dtype == np.uint8
    assert np.abs(pixels[50, 40].astype(int) - expected).max() <= 2


def test_transparency_is_kept_where_it_is_asked_for_and_says_something():
    for mode, clear in (("RGBA", (255, 0, 0, 0)), ("LA", (9, 0))):
        image = picture(mode, colour=clear)
        assert to_rgb_or_rgba(open_image(encoded(image), Limits())).shape == (100, 80, 4)
        image.putalpha(255)
        assert to_rgb_or_rgba(open_image(encoded(image), Limits())).shape == (100, 80, 3)
    image = picture("RGB", colour=(255, 0, 0)).convert("P")
    pixels = to_rgb_or_rgba(open_image(encoded(image, transparency=image.getpixel((0, 0))), Limits()))
    assert pixels.shape == (100, 80, 4) and not pixels[..., 3].any()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    half = encoded(picture("RGBA", colour=(200, 100, 50, 77)), icc_profile=profile)
    assert (to_rgb_or_rgba(open_image(half, Limits()))[..., 3] == 77).all()


def test_16_bit_grey_keeps_its_range():
    ramp = np.linspace(0, 65535, 8000).reshape(100, 80).astype(np.uint16)
    pixels = read(encoded(Image.fromarray(ramp)))
    assert pixels[0, 0, 0] == 0 and pixels[-1, -1, 0] == 255 and abs(int(pixels[50, 0, 0]) - 128) < 3


def test_a_transparent_palette_colour_is_laid_on_white():
    image = picture("P", colour=0)
    image.putpalette([0, 0, 0] * 256)
    assert (read(encoded(image, transparency=0)) == 255).all()


def test_the_colour_profile_is_applied_and_a_broken_one_ignored():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert tuple(read(encoded(picture(), icc_profile=profile))[0, 0]) == (200, 30, 30)
    assert tuple(read(encoded(picture(), icc_profile=b"broken"))[0, 0]) == (200, 30, 30)
