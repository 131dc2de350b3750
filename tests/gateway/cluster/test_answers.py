"""What the gateway takes from a stage, and what not."""

import json

import pytest
from PIL import Image

from gateway.cluster.answers import check_answer
from stagekit.wire import Part
from tests.pictures import encoded


def png(mode, size=(768, 1024)):
    return Part(encoded(Image.new(mode, size)), "image/png")


def document(value):
    return Part(json.dumps(value).encode(), "application/json")


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("image", png("RGB")),
        ("image", Part(encoded(Image.new("RGB", (768, 1024)), "JPEG"), "image/jpeg")),
        ("mask", png("L")),
        ("mask", png("1")),
        ("map", png("L")),
        ("labels", png("P")),
        ("labels", png("L")),
        ("picture", png("RGBA", (64, 80))),
        ("picture", Part(encoded(Image.new("RGB", (64, 80)), "WEBP"), "image/webp")),
        ("keypoints", document({"people": []})),
        ("transform", document({})),
        ("category", document({"category": "dress"})),
    ],
)
def test_what_is_of_its_kind_is_taken(kind, part):
    check_answer({"it": kind}, {"it": part})


@pytest.mark.parametrize(
    ("kind", "part", "said"),
    [
        ("image", png("RGB", (767, 1024)), "767 x 1024"),
        ("image", png("RGBA"), "mode RGBA"),
        ("mask", png("RGB"), "no mask"),
        ("map", png("RGB"), "no map"),
        ("labels", png("RGB"), "no labels"),
        ("image", Part(png("RGB").data, "image/jpeg"), "no whole picture"),
        ("image", Part(png("RGB").data, "application/octet-stream"), "no whole picture"),
        ("image", Part(png("RGB").data[:-12], "image/png"), "no whole picture"),
        ("image", document({}), "no whole picture"),
        ("keypoints", document([]), "no JSON object"),
        ("keypoints", Part(b"{", "application/json"), "no JSON object"),
        ("category", document({"category": "hat"}), "none of upper, lower, dress"),
        ("category", document({"category": ["upper"]}), "none of upper, lower, dress"),
        ("transform", Part(b"\xff", "application/json"), "no JSON object"),
        ("transform", Part(b"{}", "text/plain"), "no JSON object"),
        ("transform", Part(b"[" * 10**6, "application/json"), "no JSON object"),
    ],
)
def test_what_is_not_is_named(kind, part, said):
    with pytest.raises(ValueError, match=f"'it'.*{said}"):
        check_answer({"it": kind}, {"it": part})


def test_just_what_is_declared_must_be_there():
    with pytest.raises(ValueError, match="gave nothing, but declares 'pose'"):
        check_answer({"pose": "keypoints"}, {})
    with pytest.raises(ValueError, match="gave 'a', 'pose'"):
        check_answer({"pose": "keypoints"}, {"pose": document({}), "a": document({})})
