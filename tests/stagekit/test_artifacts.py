"""Kinds: what each artifact must be. Runs on Python 3.6 too."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from stagekit.artifacts import KINDS, decode, encode
from stagekit.errors import EngineFailed, StageError, WrongKind
from stagekit.formats import pose_document
from stagekit.images import Limits
from stagekit.stage import ARTIFACTS

rng = np.random.RandomState(1)
VALUES = {
    "picture": rng.randint(0, 256, (90, 70, 3)).astype(np.uint8),
    "image": rng.randint(0, 256, (1024, 768, 3)).astype(np.uint8),
    "mask": (rng.randint(0, 2, (1024, 768)) * 255).astype(np.uint8),
    "labels": rng.randint(0, 20, (1024, 768)).astype(np.uint8),
    "map": rng.randint(0, 256, (1024, 768)).astype(np.uint8),
    "keypoints": pose_document(rng.rand(2, 25, 3) * 500),
    "transform": {"photo_size": [700, 900], "box": [-3.5, 0, 700, 900], "person_size": [768, 1024]},
}


def png(array, mode=None):
    buffer = io.BytesIO()
    Image.fromarray(array, mode).save(buffer, "PNG") if mode else Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def test_every_artifact_has_a_kind():
    assert set(ARTIFACTS.values()) == set(KINDS) == set(VALUES)


@pytest.mark.parametrize("name", sorted(ARTIFACTS))
def test_what_was_encoded_is_decoded(name):
    value = VALUES[ARTIFACTS[name]]
    part = encode(name, value)
    back = decode(name, part.data, Limits())
    assert np.array_equal(back, value) if isinstance(value, np.ndarray) else back == value


def test_a_parse_is_written_as_a_palette_image():
    image = Image.open(io.BytesIO(encode("parse", VALUES["labels"]).data))
    assert image.mode == "P" and image.getpalette()[3 * 13 : 3 * 13 + 3] == [0, 0, 254]


@pytest.mark.parametrize(
    "name, data, message",
    [
        ("person", png(VALUES["picture"]), "70 x 90"),
        ("person", png(VALUES["mask"]), "mode L"),
        ("cloth_mask", png(VALUES["image"]), "mode RGB"),
        ("cloth_mask", png(np.full((1024, 768), 120, np.uint8)), "mid-grey"),
        ("parse", png(VALUES["image"]), "colour map"),
        ("parse", png(np.full((1024, 768), 20, np.uint8)), "value 20"),
        ("pose", b"\xff\xfe", "not JSON"),
        ("pose", b"[" * 100_000, "not JSON"),
        ("pose", b"[]", "people"),
        ("pose", json.dumps({"people": [{"pose_keypoints_2d": [0] * 54}]}).encode(), "COCO-18"),
        ("pose", json.dumps({"people": [{"pose_keypoints_2d": [0] * 74}]}).encode(), "74 numbers"),
        ("pose", b'{"people": [{"pose_keypoints_2d": [NaN]}]}', "finite"),
        ("pose", b'{"people": [1]}', "pose_keypoints_2d"),
        ("frame", b'{"box": [1, 2, 3]}', "photo_size"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_of_the_wrong_kind(name, data, message):
    with pytest.raises(WrongKind, match=message):
        decode(name, data, Limits())


def test_nobody_is_a_pose():
    assert decode("pose", b'{"people": []}', Limits()) == {"people": []}


def test_a_jpeg_mask_is_thresholded_at_128():
    buffer = io.BytesIO()
    soft = np.zeros((1024, 768), np.uint8)
    soft[:, 300:] = 255
    Image.fromarray(soft).save(buffer, "JPEG", quality=30)
    assert set(np.unique(decode("cloth_mask", buffer.getvalue(), Limits()))) == {0, 255}


@pytest.mark.parametrize(
    "name, value",
    [
        ("tryon", VALUES["image"].astype(float)),
        ("tryon", VALUES["picture"]),
        ("parse", np.full((1024, 768), 33, np.uint8)),
        ("cloth_mask", VALUES["labels"]),
        ("pose", {"people": [{"pose_keypoints_2d": [float("nan")] * 75}]}),
        ("frame", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_engine_that_gives_something_else_has_failed(name, value):
    with pytest.raises(EngineFailed, match="malformed"):
        encode(name, value)


@pytest.mark.parametrize("name", sorted(ARTIFACTS))
@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"null", b"{}", b"\x89PNG\r\n\x1a\n" + b"x" * 50])
def test_garbage_is_refused_with_a_typed_error(name, data):
    with pytest.raises(StageError) as caught:
        decode(name, data, Limits())
    assert caught.value.code in ("unreadable-image", "wrong-kind")
