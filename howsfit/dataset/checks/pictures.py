"""Traps of any picture: broken, turned, of another size or mode, under another ending."""

import numpy as np

from howsfit.dataset.checks.opened import File
from howsfit.dataset.checks.rewriting import picture_file
from howsfit.dataset.checks.traps import of_files
from howsfit.dataset.layout import PLACES
from stagekit.formats import HEIGHT, WIDTH
from stagekit.orientation import UPRIGHT, turned

PICTURES = tuple(artifact for artifact in PLACES if artifact != "pose")
_COLOURED = ("person", "cloth", "densepose", "agnostic", "pose_image")
_SUFFIXES = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "WEBP": (".webp",), "BMP": (".bmp",), "GIF": (".gif",)}
_FLAT = 3  # levels between the darkest and the brightest of a picture that shows nothing


@of_files(
    "broken",
    on=tuple(PLACES),
    means="The file is broken, cut short or empty; a loader stops there in the middle of an epoch.",
    mend="Get or make it again, or take the sample out of the lists of pairs.",
    last=True,
)
def broken(file: File) -> str | None:
    if file.artifact == "pose":
        return None if file.document is not None else file.trouble
    return None if file.image is not None else file.trouble


def upright(file: File) -> bytes | None:
    assert file.image is not None
    image = turned(file.image, file.orientation)
    return picture_file(np.asarray(image), file.path) if image.mode in ("L", "RGB") else None


@of_files(
    "turned",
    on=PICTURES,
    means="Its Exif metadata ask for a turn. Viewers do it, loaders do not: photo and labels are not the same way up.",
    mend="Turn the pixels and drop the metadata; labels that were made of the turned photo have to be made again.",
    safe=upright,
    last=True,
)
def is_turned(file: File) -> str | None:
    if file.image is None or file.orientation == UPRIGHT:
        return None
    return f"orientation {file.orientation}"


@of_files(
    "lying",
    on=PICTURES,
    means="It is wider than high in a set of upright pictures: somebody lies on the side, or it is no picture of this "
    "set.",
    mend="Turn it by hand (AI Hub's by 270 degrees), or take it out.",
    last=True,
)
def lying(file: File) -> str | None:
    assert file.image is not None
    width, height = file.image.size
    return f"{width} x {height}" if width > height and file.sample.size[0] <= file.sample.size[1] else None


@of_files(
    "wrong-size",
    on=PICTURES,
    means="It has not the size of the other pictures. Loaders scale each file by itself, and labels no longer lie on "
    "the photo.",
    mend="Scale it like the photo: pictures smoothly, labels and masks by the nearest pixel. Another shape than 3:4 "
    "has to be framed.",
)
def wrong_size(file: File) -> str | None:
    assert file.image is not None
    width, height = file.image.size
    if (width, height) == file.sample.size:
        return None
    shape = "" if width * HEIGHT == height * WIDTH else ", and not 3:4"
    return f"{width} x {height}{shape}"


def in_rgb(file: File) -> bytes | None:
    """Not where something would have to be guessed: what lies behind transparency, but for garments, which lie on "
    "white."""
    image = file.image
    assert image is not None
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.asarray(image)[..., 3:].astype(np.float32) / 255
        if alpha.min() < 1 and file.artifact != "cloth":
            return None
        rgb = np.asarray(image)[..., :3] * alpha + 255 * (1 - alpha)
        return picture_file(np.rint(rgb).astype(np.uint8), file.path)
    return picture_file(np.asarray(image.convert("RGB")), file.path) if image.mode in ("L", "P", "1") else None


@of_files(
    "wrong-mode",
    on=_COLOURED,
    means="It is no RGB picture. Loaders take it as it is: a channel is missing or too many, and the network stops or "
    "sees nonsense.",
    mend="Convert it to RGB; what is transparent has to get the colour that it should have.",
    safe=in_rgb,
)
def wrong_mode(file: File) -> str | None:
    image = file.image
    assert image is not None
    if image.mode == "RGB" or is_part_map(file):
        return None
    names = {
        "L": "grey",
        "P": "palette",
        "RGBA": "transparency",
        "LA": "grey with transparency",
        "CMYK": "print colours",
    }
    return f"mode {image.mode}" + (f" ({names[image.mode]})" if image.mode in names else "")


def is_part_map(file: File) -> bool:
    """Whether a densepose holds DensePose's part ids instead of their colours, which is a trap of its own."""
    return (
        file.artifact == "densepose"
        and file.image is not None
        and file.image.mode in ("L", "P")
        and 0 < file.pixels.max() <= 24
    )


@of_files(
    "blank",
    on=_COLOURED,
    means="All of it has one colour: whatever made it found nothing, or failed.",
    mend="Make it again; look at the photo if it stays so.",
)
def blank(file: File) -> str | None:
    if file.image is None or file.image.mode not in ("RGB", "L"):
        return None
    seen = file.pixels[::4, ::4]
    if any(int(seen[..., channel].ptp()) >= _FLAT for channel in range(3)) if seen.ndim == 3 else seen.ptp() >= _FLAT:
        return None
    return f"all of it is {tuple(seen[0, 0].tolist()) if seen.ndim == 3 else seen[0, 0]}"


@of_files(
    "misnamed",
    on=tuple(PLACES),
    means="Loaders make the file's name of the sample's and an ending of their own, and this has another: to them it "
    "is missing.",
    mend="Rename it, or write it in the format that the ending says.",
)
def misnamed(file: File) -> str | None:
    wanted = file.sample.name + PLACES[file.artifact].ending
    return None if file.path.name == wanted else f"should be {wanted}"


def as_png(file: File) -> bytes | None:
    """Pixels of a JPEG under .png keep their values; the other way they would not."""
    assert file.image is not None
    is_picture = file.path.suffix.lower() == ".png" and file.image.mode in ("L", "RGB")
    return picture_file(file.pixels, file.path) if is_picture else None


@of_files(
    "other-content",
    on=PICTURES,
    means="The file is of another format than its ending says. Pillow and OpenCV do not care; TensorFlow and others "
    "stop.",
    mend="Write it in the format of its ending, or rename it.",
    safe=as_png,
    level="warning",
)
def other_content(file: File) -> str | None:
    assert file.image is not None
    format_ = str(file.image.format)
    return None if file.path.suffix.lower() in _SUFFIXES.get(format_, (f".{format_.lower()}",)) else f"it is {format_}"
