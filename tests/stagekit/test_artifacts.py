"""Kinds: what each artifact must be. Runs on Python 3.6 too."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from stagekit.artifacts import CODECS, decode, encode
from stagekit.errors import EngineFailed, StageError, WrongKind
from stagekit.formats import CIHP_PALETTE, pose_document
from stagekit.images import Limits
from stagekit.kinds import CANVAS, KINDS
from stagekit.wire import Part
from tests.pictures import encoded

rng = np.random.RandomState(1)
VALUES = {
    "picture": rng.randint(0, 256, (90, 70, 3)).astype(np.uint8),
    "image": rng.randint(0, 256, (1024, 768, 3)).astype(np.uint8),
    "mask": (rng.randint(0, 2, (1024, 768)) * 255).astype(np.uint8),
    "labels": rng.randint(0, 20, (1024, 768)).astype(np.uint8),
    "map": rng.randint(0, 256, (1024, 768)).astype(np.uint8),
    "keypoints": pose_document(rng.rand(2, 25, 3) * 500),
    "category": "lower",
    "transform": {"photo_size": [700, 900], "box": [-3.5, 0, 700, 900], "person_size": [768, 1024]},
}


OF = {
    "photo": "picture",
    "person": "image",
    "tryon": "image",
    "cloth_mask": "mask",
    "parse": "labels",
    "parse_edges": "map",
    "pose": "keypoints",
    "category": "category",
    "frame": "transform",
}
"""Some artifacts and their kinds, of every kind one."""


def read(name, data):
    return decode(name, OF[name], data, Limits())


def write(name, value):
    return encode(name, OF[name], value)


def png(array, mode=None):
    buffer = io.BytesIO()
    Image.fromarray(array, mode).save(buffer, "PNG") if mode else Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def pose_with(value):
    return json.dumps({"people": [{"pose_keypoints_2d": [value, 300, 0.9] + [100, 200, 0.9] * 24}]}).encode()


def frame_with(**changes):
    return json.dumps(dict(VALUES["transform"], **changes)).encode()


def test_every_kind_can_be_read_and_written():
    assert set(CODECS) == set(KINDS) == set(VALUES) == set(OF.values())


@pytest.mark.parametrize("name", sorted(OF))
def test_what_was_encoded_is_decoded(name):
    value = VALUES[OF[name]]
    part = write(name, value)
    back = read(name, part.data)
    assert np.array_equal(back, value) if isinstance(value, np.ndarray) else back == value


def test_a_file_is_as_the_table_of_kinds_says():
    for kind, value in VALUES.items():
        part = encode("any", kind, value)
        assert KINDS[kind].document == (part.media_type == "application/json")
        if not KINDS[kind].document:
            image = Image.open(io.BytesIO(part.data))
            assert image.mode in (KINDS[kind].modes or [image.mode])
            assert KINDS[kind].any_size or image.size == CANVAS


def test_a_parse_is_written_as_a_palette_image():
    image = Image.open(io.BytesIO(write("parse", VALUES["labels"]).data))
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
        ("pose", b"[{}]", "list of 1 documents, as ComfyUI"),
        ("pose", b'{"people": [{"pose_keypoints_2d": [true]}]}', "finite"),
        ("pose", pose_with(10**400), "finite"),
        ("pose", pose_with(1e300).replace(b"1e+300", b"1e400"), "finite"),
        ("pose", pose_with(10**30), "finite"),
        ("pose", pose_with(-(10**30)), "finite"),
        ("pose", pose_with(7).replace(b"7", b"7" * 100_000, 1), "finite"),
        ("pose", pose_with(float("inf")), "finite"),
        ("pose", pose_with(99999), "beyond any picture"),
        ("pose", pose_with(-99999), "beyond any picture"),
        ("pose", json.dumps({"people": [{"pose_keypoints_2d": [0.4, 0.5, 0.9] * 25}]}).encode(), "normalised"),
        ("pose", json.dumps({"people": [{"pose_keypoints_2d": [-1, 1.2, 0.9] * 25}]}).encode(), "normalised"),
        ("pose", json.dumps({"people": [{"pose_keypoints_2d": [0] * 75}] * 101}).encode(), "at most 100"),
        ("pose", b" " * 6_000_000, "6.0 MB"),
        ("frame", b"[{}]", "list of 1"),
        ("frame", b'{"box": [1, 2, 3]}', "photo_size"),
        ("frame", frame_with(box=[0, 0, 1, 1e5]), "strip"),
        ("frame", frame_with(box=[0, 0, 99999, 2]), "strip"),
        ("frame", frame_with(box=[0, 0, 700, 0.001]), "at least a pixel"),
        ("frame", frame_with(box=[5, 5, 5, 5]), "at least a pixel"),
        ("frame", frame_with(box=[700, 900, 0, 0]), "at least a pixel"),
        ("frame", frame_with(box=[0, 0, 10**30, 10**30]), "numbers"),
        ("frame", frame_with(box=[0, 0, True, 9]), "numbers"),
        ("frame", frame_with(photo_size=[0, 900]), "photo_size"),
        ("frame", frame_with(photo_size=[700, -900]), "photo_size"),
        ("frame", frame_with(person_size=[1024, 768]), "person_size"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_of_the_wrong_kind(name, data, message):
    with pytest.raises(WrongKind, match=message):
        read(name, data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_document_may_begin_with_a_byte_order_mark(encoding):
    for name, kind in (("pose", "keypoints"), ("frame", "transform")):
        assert read(name, json.dumps(VALUES[kind]).encode(encoding)) == VALUES[kind]


def test_joints_outside_of_the_picture_and_high_confidences_are_a_pose():
    for value in ([-300, 2000, 1.7], [0, 0, 0], [1, 1, 0.4]):
        document = {"people": [{"pose_keypoints_2d": value + [100, 200, 0.9] * 24}]}
        assert read("pose", json.dumps(document).encode()) == document


# -- label maps in colours ---------------------------------------------------------------------------------------------

LABELS = rng.randint(0, 20, (64, 48)).astype(np.uint8).repeat(16, axis=0).repeat(16, axis=1)
COLOURS = np.array(CIHP_PALETTE, np.uint8)


def palette_png(ids, colours):
    image = Image.fromarray(ids)
    image.putpalette(np.asarray(colours, np.uint8).ravel().tolist())
    return encoded(image)


def test_a_palette_in_the_labels_colours_is_mapped_back_whatever_its_ids():
    order = rng.permutation(20)
    places = np.argsort(order).astype(np.uint8)
    assert np.array_equal(read("parse", palette_png(places[LABELS], COLOURS[order])), LABELS)
    high = np.zeros((256, 3), np.uint8) + 77
    high[200:220] = COLOURS
    assert np.array_equal(read("parse", palette_png(LABELS + np.uint8(200), high)), LABELS)
    few = np.where(LABELS == 5, 5, 10).astype(np.uint8)
    adaptive = Image.fromarray(COLOURS[few]).convert("P", palette=Image.ADAPTIVE)
    assert np.array_equal(read("parse", encoded(adaptive)), few)


def test_the_published_palette_of_255_is_the_same_as_that_of_254():
    bright = np.where(COLOURS == 254, 255, np.where(COLOURS == 169, 170, COLOURS))
    assert np.array_equal(read("parse", palette_png(LABELS, bright)), LABELS)
    assert np.array_equal(read("parse", palette_png(19 - LABELS, bright[::-1])), LABELS)


@pytest.mark.parametrize("colours", [rng.randint(0, 256, (20, 3)), np.arange(20)[:, None].repeat(3, 1), COLOURS])
def test_any_other_palette_does_not_matter(colours):
    assert np.array_equal(read("parse", palette_png(LABELS, colours)), LABELS)


def test_a_palette_that_is_half_of_the_labels_is_told():
    colours = np.roll(COLOURS, 1, axis=0)
    colours[7] = 99
    with pytest.raises(WrongKind, match="other ids"):
        read("parse", palette_png(LABELS, colours))


def test_a_colour_map_is_mapped_back_where_every_colour_is_a_labels():
    colour = COLOURS[LABELS]
    assert np.array_equal(read("parse", png(colour)), LABELS)
    assert np.array_equal(read("parse", encoded(Image.fromarray(colour).convert("RGBA"))), LABELS)
    colour[500, 300] = 99
    with pytest.raises(WrongKind, match="colour map"):
        read("parse", png(colour))
    clear = Image.fromarray(COLOURS[LABELS]).convert("RGBA")
    clear.putpixel((3, 3), (0, 0, 0, 0))
    with pytest.raises(WrongKind, match="colour map"):
        read("parse", encoded(clear))
    with pytest.raises(WrongKind, match="90 pixels"):
        read("parse", png(COLOURS[LABELS[:90, :70]]))


def test_documents_and_labels_that_failed_elsewhere(samples):
    folder = os.path.join(str(samples), "..", "cases", "labels")
    if not os.path.isdir(folder):
        pytest.skip("no folder of such files beside the samples")

    def case(name):
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()

    assert len(read("pose", case("pose_bom.json"))["people"]) == 1
    for name, told in (("pose_comfy_list.json", "ComfyUI"), ("pose_normalised.json", "normalised")):
        with pytest.raises(WrongKind, match=told):
            read("pose", case(name))
    shown = np.array(Image.open(io.BytesIO(case("parse_adaptive_p.png"))).convert("RGB"))
    assert np.array_equal(COLOURS[read("parse", case("parse_adaptive_p.png"))], shown)


def test_nobody_is_a_pose():
    assert read("pose", b'{"people": []}') == {"people": []}


def test_a_jpeg_mask_is_thresholded_at_128():
    buffer = io.BytesIO()
    soft = np.zeros((1024, 768), np.uint8)
    soft[:, 300:] = 255
    Image.fromarray(soft).save(buffer, "JPEG", quality=30)
    assert set(np.unique(read("cloth_mask", buffer.getvalue()))) == {0, 255}


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
        write(name, value)


@pytest.mark.parametrize("name", sorted(OF))
@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"null", b"{}", b"\x89PNG\r\n\x1a\n" + b"x" * 50])
def test_garbage_is_refused_with_a_typed_error(name, data):
    with pytest.raises(StageError) as caught:
        read(name, data)
    assert caught.value.code in ("unreadable-image", "wrong-kind")


@pytest.mark.parametrize("document", [b"{}", b"[]", b'"upper"', b'{"category": "Upper"}', b'{"category": ["upper"]}'])
def test_a_category_is_one_of_three(document):
    with pytest.raises(WrongKind, match="one of upper, lower, dress"):
        read("category", document)


def test_a_category_is_decoded_to_its_word():
    assert read("category", b'\xef\xbb\xbf{"category": "dress", "by": "hand"}') == "dress"
    assert write("category", "dress") == Part(b'{"category":"dress"}', "application/json")
    with pytest.raises(EngineFailed, match="malformed"):
        write("category", "shoe")
    with pytest.raises(EngineFailed, match="malformed"):
        write("category", np.zeros(3, np.uint8))
