"""Which pictures are taken, and what of a file is read and kept. Runs on Python 3.6 too."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from stagekit.errors import ImageTooNarrow, UnreadableImage
from stagekit.images import Limits, open_image, to_rgb
from stagekit.picture_files import MOST_SCANS
from stagekit.pictures import MOST_LONG, Picture
from tests.pictures import encoded, exif_of, multi_picture, picture, with_chunk, with_exif, with_segment

ORIENTATION = 0x0112
TURNED = (ORIENTATION, 3, 1, b"\x06\x00\x00\x00")  # to be turned by 90 degrees clockwise

needs_avif = pytest.mark.skipif("AVIF" not in Image.OPEN, reason="this Pillow cannot read AVIF")
needs_heic = pytest.mark.skipif("HEIF" not in Image.OPEN, reason="pillow-heif is not here")


def scene(width=120, height=90):
    """A picture whose four corners differ."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (250, 20, 20)
    pixels[: height // 2, width // 2 :] = (20, 250, 20)
    pixels[height // 2 :, : width // 2] = (20, 20, 250)
    return pixels


def read(data):
    return to_rgb(open_image(data, Limits()))


def same(one, other, least=6):
    return one.shape == other.shape and np.abs(one.astype(int) - other).mean() < least


SCENE = Image.fromarray(scene())
CLOCKWISE = np.rot90(scene(), -1)


# -- the first picture alone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [(60, 40), (400, 300), (120, 90)], ids=["smaller", "larger", "as large"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"quality": 100}], ids=["baseline", "progressive", "fine"]
)
def test_of_several_pictures_in_a_jpeg_the_first_is_taken_and_kept(second, options):
    first, others = encoded(SCENE, "JPEG", **options), [encoded(picture(size=second), "JPEG")] * 2
    data = multi_picture(first, *others)
    if "MPO" in Image.OPEN:
        assert Image.open(io.BytesIO(data)).format == "MPO", "as cameras write it"
    one = Picture(data)
    assert one.media_type == "image/jpeg" and one.file == first and one.size == SCENE.size
    assert same(read(data), scene())


def test_a_jpeg_is_cut_at_its_own_end_and_not_at_that_of_a_preview_in_it():
    small = encoded(picture(size=(20, 20)), "JPEG")
    plain = encoded(SCENE, "JPEG")
    first = with_segment(with_segment(plain, 0xE1, b"Exif\x00\x00" + exif_of(TURNED) + small), 0xEC, b"Ducky" + small)
    for trailer in (b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40, b"SEFH" + b"\xff\xd9" * 9, small, b"\x00"):
        one = Picture(first + trailer)
        assert one.file == first, "with its metadata, without what follows"
        assert same(read(first + trailer), CLOCKWISE)


def test_restart_markers_fill_bytes_and_stray_ones_do_not_end_a_jpeg():
    noise = Image.fromarray(np.random.RandomState(0).randint(0, 256, (90, 120, 3)).astype(np.uint8))
    data = encoded(noise, "JPEG", quality=97)
    at = data.index(b"\xff\xdb")
    padded = data[:at] + b"\xff" * 3 + data[at:]
    for each in (data, padded):
        assert Picture(each + b"more").file == each
        assert np.array_equal(read(each + b"more"), np.array(Image.open(io.BytesIO(data))))
    # With an interval of restarts, which Pillow does not write before 10.2, the scan is full of markers.
    try:
        restarting = encoded(noise, "JPEG", restart_marker_blocks=1)
    except TypeError:
        return
    assert Picture(restarting + b"more").file == restarting


def test_other_files_are_kept_without_what_follows_too():
    for kind in ("PNG", "WEBP"):
        data = encoded(SCENE, kind)
        assert Picture(data).file == data
        assert Picture(data + b"the rest of a larger file").file == data


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_seen(kind):
    frames = [SCENE, picture(size=SCENE.size), picture(size=SCENE.size, colour=(1, 2, 3))]
    try:
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    except KeyError:
        pytest.skip("this Pillow writes no such animation")
    assert same(read(data), scene(), 20), "with the colours that a GIF has"


def test_a_jpeg_of_very_many_scans_is_refused_before_it_keeps_the_decoder_busy():
    data = encoded(SCENE, "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    scan = data[at:-2]
    assert read(data).shape == scene().shape
    with pytest.raises(UnreadableImage, match="layers"):
        Picture(data[:at] + scan * (MOST_SCANS + 1) + data[-2:])


# -- metadata ----------------------------------------------------------------------------------------------------------

FLAWS = {
    "none": exif_of(TURNED),
    "big-endian": exif_of((ORIENTATION, 3, 1, b"\x00\x06\x00\x00"), order=">"),
    "a negative fraction": exif_of(TURNED, (0x011A, 10, 1, struct.pack("<I", 38)), tail=struct.pack("<ii", -72, 1)),
    "a fraction of nothing": exif_of(TURNED, (0x011A, 5, 1, struct.pack("<I", 38)), tail=struct.pack("<II", 72, 0)),
    "a fraction beyond the end": exif_of(TURNED, (0x011A, 5, 1, struct.pack("<I", 1 << 30))),
    "a number as text": exif_of(TURNED, (0x0128, 2, 4, b"inch")),
    "a version as text": exif_of(
        TURNED, (0x8825, 4, 1, struct.pack("<I", 38)), tail=exif_of((0, 2, 4, b"2.2\x00"))[8:]
    ),
    "an unknown type": exif_of(TURNED, (0x0110, 99, 1, b"abcd")),
    "a huge count": exif_of(TURNED, (0x010F, 2, 0xFFFFFFFF, b"\x08\x00\x00\x00")),
    "a broken note of the maker": exif_of(TURNED, (0x927C, 7, 5000, struct.pack("<I", 20)), tail=b"\xff" * 50),
    "more entries told than there are": exif_of(TURNED, count=60000),
    "flawed entries before it": exif_of((0x0100, 77, 1 << 31, b"\xff" * 4), (0x0101, 2, 0, b"\xff" * 4), TURNED),
    "an endless chain": exif_of(TURNED, following=8),
    "twice": exif_of(TURNED, (ORIENTATION, 3, 1, b"\x03\x00\x00\x00")),
    "a wrong one first": exif_of((ORIENTATION, 3, 1, b"\x63\x00\x00\x00"), TURNED),
    "as a long": exif_of((ORIENTATION, 4, 1, b"\x06\x00\x00\x00")),
    "as a byte": exif_of((ORIENTATION, 1, 1, b"\x06\x00\x00\x00")),
    "another magic number": b"IIU\x00" + exif_of(TURNED)[4:],
}
UNTOLD = {
    "nothing": b"",
    "no header": b"hello",
    "a header alone": b"II*\x00",
    "a place beyond the end": b"II*\x00\xff\xff\xff\xff",
    "as text": exif_of((ORIENTATION, 2, 2, b"6\x00\x00\x00")),
    "zero": exif_of((ORIENTATION, 3, 1, b"\x00\x00\x00\x00")),
    "nine": exif_of((ORIENTATION, 3, 1, b"\x09\x00\x00\x00")),
    "cut in it": exif_of(TURNED)[:14],
    "of a preview only": exif_of(following=14, tail=exif_of(TURNED)[8:]),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_a_picture_is_turned_whatever_else_is_wrong_with_its_metadata(kind, flaw):
    assert same(read(with_exif(SCENE, FLAWS[flaw], kind)), CLOCKWISE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("flaw", sorted(UNTOLD))
def test_a_picture_whose_turn_cannot_be_read_is_upright(kind, flaw):
    if kind == "WEBP" and not UNTOLD[flaw]:
        pytest.skip("Pillow writes no WebP with empty EXIF")
    assert same(read(with_exif(SCENE, UNTOLD[flaw], kind)), scene())


@pytest.mark.parametrize("number", range(1, 9))
def test_every_turn_is_that_of_the_standard(number):
    data = with_exif(SCENE, exif_of((ORIENTATION, 3, 1, struct.pack("<I", number))))
    assert np.array_equal(read(data), np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))


@pytest.mark.parametrize(
    "marker, body",
    [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta" + b"\xff\xfe" * 50),
        (0xE1, b'http://ns.adobe.com/xap/1.0/\x00<a tiff:Orientation="3"/>'),
        (0xE2, b"ICC_PROFILE\x00"),
        (0xE2, b"ICC_PROFILE\x00\x09\x02" + b"x" * 40),
        (0xE2, b"MPF\x00"),
        (0xE2, b"MPF\x00II*\x00\xff\xff\xff\xff"),
        (0xE2, b"MPF\x00II*\x00" + struct.pack("<IH", 8, 500)),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04" + b"\xff" * 9),
        (0xEE, b"Adobe"),
        (0xE0, b"JFIF\x00\x01"),
        (0xFE, b"a comment \xff\xd9\xff\xda"),
    ],
    ids=["xmp", "xmp turn", "icc short", "icc numbers", "index short", "index place", "index count", "photoshop", "adobe",
         "jfif", "comment"],
)  # fmt: skip
def test_no_other_segment_of_a_jpeg_matters(marker, body):
    data = with_segment(encoded(SCENE, "JPEG", quality=95), marker, body)
    assert same(read(data), scene()) and Picture(data).file == data


@pytest.mark.parametrize(
    "kind, body, crc",
    [
        (b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(5000000), 9), None),
        (b"iTXt", b"Comment\x00\x01\x00\x00\x00" + zlib.compress(bytes(5000000), 9), None),
        (b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00\xff\xfe\xfd", None),
        (b"tEXt", b"Comment", None),
        (b"zTXt", b"Raw profile type exif\x00\x00" + zlib.compress(b"\nexif\n      99999\nzz"), None),
        (b"iCCP", b"a profile\x00\x00" + zlib.compress(bytes(5000000), 9), None),
        (b"iCCP", b"a profile\x00\x00garbage", None),
        (b"cHRM", b"short", None),
        (b"gAMA", b"", None),
        (b"pHYs", b"1", None),
        (b"acTL", b"", None),
        (b"tEXt", b"Comment\x00with a wrong checksum", 7),
        (b"tRNS", b"", None),
    ],
    ids=["zTXt bomb", "iTXt bomb", "xmp", "tEXt", "raw exif", "profile bomb", "profile", "cHRM", "gAMA", "pHYs", "acTL",
         "checksum", "tRNS"],
)  # fmt: skip
def test_no_chunk_beside_the_picture_of_a_png_matters(kind, body, crc):
    data = with_chunk(encoded(SCENE, "PNG"), kind, body, crc)
    assert np.array_equal(read(data), scene()) and Picture(data).file == data
    behind = encoded(SCENE, "PNG")[:-12] + data[33 : -len(encoded(SCENE, "PNG")) + 33] + encoded(SCENE, "PNG")[-12:]
    assert np.array_equal(read(behind), scene()), "nor one behind it"


def test_the_decoder_still_sees_colours_and_transparency():
    cmyk = encoded(picture("CMYK", colour=(0, 255, 255, 0)), "JPEG")
    assert np.abs(read(cmyk)[50, 40].astype(int) - (255, 0, 0)).max() <= 2
    grey = encoded(picture("L", colour=0), "PNG", transparency=0)
    assert (read(grey) == 255).all()


# -- AVIF and HEIC -----------------------------------------------------------------------------------------------------


@needs_avif
def test_avif_is_read_and_turned_once():
    for number in (1, 3, 6, 8):
        exif = exif_of((ORIENTATION, 3, 1, struct.pack("<I", number)))
        data = encoded(SCENE, "AVIF", quality=95, exif=b"Exif\x00\x00" + exif)
        assert Picture(data).media_type == "image/avif"
        assert same(read(data), np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(with_exif(SCENE, exif))))))


@needs_heic
def test_heic_is_read_and_turned_once():
    for number in (1, 3, 6, 8):
        exif = exif_of((ORIENTATION, 3, 1, struct.pack("<I", number)))
        data = encoded(SCENE, "HEIF", quality=95, exif=b"Exif\x00\x00" + exif)
        assert Picture(data).media_type == "image/heic"
        assert same(read(data), np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(with_exif(SCENE, exif))))))


@pytest.mark.parametrize("kind", [pytest.param("AVIF", marks=needs_avif), pytest.param("HEIF", marks=needs_heic)])
def test_what_is_wrong_with_its_metadata_does_not_matter(kind):
    exif = Image.Exif()
    exif.update({ORIENTATION: 6, 0x011A: 72.0})
    sound = encoded(SCENE, kind, quality=95, exif=exif.tobytes())
    fraction = struct.pack(">HH", 0x011A, 5)
    assert sound.count(fraction) == 1 and sound.count(b"MM\x00*") == 1
    for flawed in (
        sound,
        sound.replace(fraction, struct.pack(">HH", 0x011A, 2)),
        sound.replace(fraction, struct.pack(">HH", 0x011A, 99)),
        sound.replace(b"MM\x00*", b"none"),
    ):
        assert same(read(flawed), CLOCKWISE)
        assert Picture(flawed).file == flawed


@pytest.mark.parametrize("kind", [pytest.param("AVIF", marks=needs_avif), pytest.param("HEIF", marks=needs_heic)])
def test_of_a_moving_photo_the_picture_is_kept(kind):
    data = encoded(SCENE, kind)
    film = struct.pack(">I4s", 5008, b"mpvd") + b"film" * 1250
    assert Picture(data + film + struct.pack(">I4s", 16, b"sefd") + b"trailer!").file == data
    assert same(read(data + film), scene(), 12)


@pytest.mark.parametrize("kind", [pytest.param("AVIF", marks=needs_avif), pytest.param("HEIF", marks=needs_heic)])
def test_one_that_is_cut_short_is_refused(kind):
    data = encoded(Image.fromarray(np.random.RandomState(0).randint(0, 256, (200, 200, 3)).astype(np.uint8)), kind)
    for share in (0.1, 0.4, 0.8):
        with pytest.raises(UnreadableImage, match="cut short"):
            read(data[: int(len(data) * share)])


def test_where_no_library_reads_it_it_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(
        Image, "OPEN", {name: plugin for name, plugin in Image.OPEN.items() if name not in ("AVIF", "HEIF")}
    )
    for brands, name in ((b"heic\x00\x00\x00\x00mif1heic", "HEIC"), (b"mif1\x00\x00\x00\x00heixmiaf", "HEIC"),
                         (b"avif\x00\x00\x00\x00mif1avif", "AVIF"), (b"mif1\x00\x00\x00\x00mif1avif", "AVIF")):  # fmt: skip
        with pytest.raises(UnreadableImage, match="%s.* JPEG" % name):
            Picture(struct.pack(">I4s", 8 + len(brands), b"ftyp") + brands + bytes(100), "photo")


# -- what is none ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, told",
    [
        (b"", "empty"),
        (b"II*\x00\x08\x00\x00\x00", "TIFF"),
        (b"II*\x00\x10\x00\x00\x00CR\x02", "raw file"),
        (b"8BPS\x00\x01", "Photoshop"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg width='1'>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (struct.pack(">I4s4s", 24, b"ftyp", b"mp42") + bytes(12), "video"),
        (struct.pack(">I4s4s", 24, b"ftyp", b"qt  ") + bytes(12), "video"),
        (struct.pack(">I4s4s", 24, b"ftyp", b"crx ") + bytes(12), "raw file"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"PK\x03\x04", "ZIP"),
        (b"hello", "text"),
        (bytes(50), "no picture"),
    ],
)
def test_another_file_is_told_by_its_name_with_what_to_do(data, told):
    with pytest.raises(UnreadableImage, match="The garment cannot be read: it is .*%s.*\\. [A-Z].*\\." % told):
        Picture(data, "garment")


@pytest.mark.parametrize("ours", ["FORMATS", "take_apart", "orientation"])
def test_an_error_of_ours_is_not_told_as_the_files(monkeypatch, ours):
    monkeypatch.setattr("stagekit.pictures." + ours, None)
    with pytest.raises(TypeError):
        Picture(encoded(SCENE, "JPEG"))


def test_a_strip_is_refused_before_it_is_decoded():
    for size, fits in (((65, 65 * MOST_LONG), True), ((64, 64 * MOST_LONG + 1), False), ((65000, 64), False)):
        data = encoded(picture("1", size=size, colour=0))
        if fits:
            assert read(data).shape[:2] == size[::-1]
        else:
            with pytest.raises(ImageTooNarrow, match="%d x %d" % size):
                read(data[:200])


# -- cases of others ---------------------------------------------------------------------------------------------------


def test_files_that_failed_elsewhere_are_read(samples):
    folder = os.path.join(str(samples), "..", "cases")
    if not os.path.isdir(folder):
        pytest.skip("no folder of such files beside the samples")
    shapes = {"exif": (512, 360, 3), "mpo/person_mpo.jpg": (512, 512, 3), "mpo/garment_mpo.jpg": (1024, 768, 3)}
    names = ["mpo/person_mpo.jpg", "mpo/garment_mpo.jpg"]
    names += ["exif/%s.jpg" % name for name in ("plain6", "rational_neg", "short_is_ascii", "gps_version_ascii")]
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        assert read(data).shape == shapes.get(name, shapes["exif"]), name
