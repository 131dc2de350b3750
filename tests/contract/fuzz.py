"""Requests to a stage's /run that nobody would send: broken, absurd, or well-formed with contents that no photograph has."""

import json
import random

import numpy as np
from PIL import Image

from stagekit.formats import CIHP_LABELS, HEIGHT, WIDTH
from tests.pictures import encoded

NUMBERS = (0, -0.0, 1, -1, 0.5, 1e-300, 767, 768, 1023, 1024, 9999, -9999, 1e5, 1e30, 10**30, 2**63, 10**400, 1e308)
VALUES = (None, True, "", "1", "é", [], {}, [[]], [None], float("nan"), float("inf"), float("-inf"), *NUMBERS)
MODES = ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F")
SIZES = ((WIDTH, HEIGHT), (64, 64), (65, 640), (200, 300), (HEIGHT, WIDTH))

HEADERS = {
    "howsfit-timeout-ms": (b"\xb2", b"1e500", b"-1", b"9" * 400, b"1.5", b"x" * 5000, b"", b"\xd9\xa1", b"0x10", b"1_0"),
    "traceparent": (b"\xe9", b"", b"00-" + 32 * b"\xb2" + b"-b7ad6b7169203331-01", b"x" * 5000, b"00-" + 32 * b"0", b"ff"),
    "content-type": (b"", b"\xe9", b"multipart/form-data; boundary*=idna''b", b"multipart/form-data; boundary=" + 900 * b"x"),
    "accept": (b"\xff", b"x/" * 999),
    "content-encoding": (b"gzip", b"moon"),
}  # fmt: skip
"""What a header may hold that is none of ours."""

BODIES = (
    b"",
    b"--b--",
    b"--b",
    b"\r\n--b--\r\n",
    b"--b\r\n\r\n\r\n--b--",
    b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--",
    b'--b\r\nContent-Disposition: form-data; name="\xff\xed\xa0\x80"\r\n\r\n1\r\n--b--',
    b"--b\r\nContent-Disposition: form-data; name*=undefined''a\r\n\r\n1\r\n--b--",
    b'--b\r\nContent-Disposition: form-data; name="' + b"x" * 100_000 + b'"\r\n\r\n1\r\n--b--',
    b"--b\r\n" + b"x: y\r\n" * 100_000 + b"\r\n\r\n--b--",
    b"".join(b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n1\r\n' % i for i in range(50_000)) + b"--b--",
    b"--b" * 50_000,
    b"\r\n--b" * 50_000,
)  # fmt: skip
"""Bodies of multipart/form-data; boundary=b without the inputs of any stage."""


CATEGORIES_SENT = (
    b'{"category": "lower"}',
    b'{"category": "dress", "x": []}',
    b'{"category": null}',
    b'{"category": {}}',
)


def spoilt(inputs: dict[str, bytes], kinds: dict[str, str], dice: random.Random) -> dict[str, bytes]:
    """The valid inputs of a stage, one or more of them changed. kinds: of each input."""
    changed = dict(inputs)
    for name in dice.sample(sorted(inputs), dice.choice((1, 1, 1, len(inputs)))):
        changed[name] = _spoilt(name, kinds[name], inputs, dice)
    return changed


def _spoilt(name: str, kind: str, inputs: dict[str, bytes], dice: random.Random) -> bytes:
    way = dice.random()
    if way < 0.1:
        return dice.choice([*inputs.values(), b"", b"\x00", dice.randbytes(5000)])
    if way < 0.25:
        return _broken(inputs[name], dice)
    if kind == "keypoints":
        return _pose(dice) if way < 0.7 else _document(inputs[name], dice)
    if kind == "transform":
        return _frame(dice) if way < 0.7 else _document(inputs[name], dice)
    if kind == "category":
        return dice.choice(CATEGORIES_SENT) if way < 0.7 else _document(inputs[name], dice)
    return _image(kind, dice, any_mode=way < 0.5)


def _broken(data: bytes, dice: random.Random) -> bytes:
    """Cut, with bytes changed, or with a piece of it twice."""
    a, b = sorted(dice.randrange(len(data)) for _ in range(2))
    flipped = bytearray(data)
    for _ in range(dice.choice((1, 10, 1000))):
        flipped[dice.randrange(len(data))] = dice.randrange(256)
    return dice.choice((data[:a], data[a:], data[:b] + data[a:], bytes(flipped)))


def _image(kind: str, dice: random.Random, any_mode: bool) -> bytes:
    """Blocks of random colours, as coarse as the dice say; of the right mode and size, or of others."""
    mode = {"mask": "L", "map": "L", "labels": "L"}.get(
        kind, dice.choice(("RGB", "RGBA")) if kind == "picture" else "RGB"
    )
    size = (WIDTH, HEIGHT) if kind != "picture" else dice.choice(SIZES)
    if any_mode:
        mode, size = dice.choice(MODES), dice.choice(SIZES)
    grain = dice.choice((1, 1, 2, 7, 64))
    pixels = np.random.default_rng(dice.randrange(2**32)).integers(0, 256, (grain, grain, 4), np.uint8)
    if kind == "mask":
        pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
    if kind == "labels" and dice.random() < 0.9:
        pixels %= len(CIHP_LABELS)
    colours = {"1": "L", "P": "L", "CMYK": "CMYK", "LA": "RGBA", "I;16": "L", "I": "L", "F": "L"}.get(mode, mode)
    planes = [
        Image.fromarray(np.ascontiguousarray(pixels[:, :, i]))
        for i in range(len(Image.new(colours, (1, 1)).getbands()))
    ]
    image = Image.merge(colours, planes).resize(size, Image.Resampling.NEAREST)
    image = image if image.mode == mode else image.convert(mode)
    form = {"CMYK": "JPEG", "F": "TIFF", "I": "TIFF"}.get(mode) or dice.choice(
        ("PNG", "PNG", "WEBP" if mode in ("RGB", "RGBA") else "PNG")
    )
    return encoded(image, form)


def _pose(dice: random.Random) -> bytes:
    """People whose joints lie anywhere, or all in one place, or are mostly missing."""
    reach = dice.choice((1e-9, 3, 100, 768, 9999))
    found = dice.choice((0.0, 0.3, 0.8, 1.0))
    same = [dice.uniform(-reach, reach) for _ in range(2)] if dice.random() < 0.2 else None

    def joint() -> list[float]:
        if dice.random() > found:
            return [0, 0, 0]
        place = same or [dice.uniform(-reach / 4, reach), dice.choice((dice.uniform(-reach / 4, reach), 300))]
        return [*place, dice.choice((dice.random(), 1, 1e-9, -1))]

    people = [
        {"pose_keypoints_2d": [number for _ in range(25) for number in joint()]}
        for _ in range(dice.choice((0, 1, 1, 1, 3)))
    ]
    return json.dumps({"version": 1.3, "people": people}).encode()


def _frame(dice: random.Random) -> bytes:
    sides = [dice.choice((1, 64, 500, 768, 3000, 1e5, 1e-3, 700.5)) for _ in range(3)]
    x, y = (dice.choice((0, -1e5, -100, 0.3, 50, 9e5)) for _ in range(2))
    box = [x, y, x + sides[0], y + sides[0] * dice.choice((4 / 3, 4 / 3, 1, 1.9))]
    return json.dumps({"photo_size": sides[1:], "box": box, "person_size": [WIDTH, HEIGHT]}).encode()


def _document(data: bytes, dice: random.Random) -> bytes:
    """A JSON document with some of its values replaced by others."""
    root = [json.loads(data)]
    for _ in range(dice.choice((1, 1, 5))):
        at, key = root, 0
        while isinstance(at[key], (list, dict)) and at[key] and dice.random() < 0.9:
            at = at[key]
            key = dice.choice(list(at) if isinstance(at, dict) else range(len(at)))
        at[key] = dice.choice(VALUES)
    text = json.dumps(root[0]).replace("1e+308", "1e400")
    return text.encode(dice.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")), "replace")
