"""The wire format. Runs on Python 3.6 too."""

import pytest

from stagekit.errors import MissingArtifact
from stagekit.wire import Part, decode, encode

PNG = Part(b"\x89PNG\r\n\x1a\n--\r\n--boundary\r\n\r\n\x00\xff", "image/png")
JSON = Part(b'{"a": 1}', "application/json")


def test_what_was_encoded_is_decoded():
    parts = {"person": PNG, "pose": JSON, "empty": Part(b"", "image/png")}
    assert decode(*encode(parts)) == parts


def test_reads_what_curl_writes():
    body = (
        b"--------------------------d74496d66958873e\r\n"
        b'Content-Disposition: form-data; name="person"; filename="a b.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n"
        b"--------------------------d74496d66958873e--\r\n"
    )
    content_type = "multipart/form-data; boundary=------------------------d74496d66958873e"
    assert decode(content_type, body) == {"person": Part(b"\x89PNG\r\n", "image/png")}


def test_reads_a_quoted_boundary_and_a_preamble():
    body = b'hello\r\n--x y\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x y--'
    assert decode('multipart/form-data; boundary="x y"', body)["a"].data == b"1"


@pytest.mark.parametrize("content_type", [None, "", "application/json", "multipart/form-data", "image/png"])
def test_refuses_other_bodies(content_type):
    with pytest.raises(MissingArtifact, match="multipart/form-data"):
        decode(content_type, b"x")


def test_refuses_a_body_cut_short():
    content_type, body = encode({"person": PNG})
    for length in range(len(body) - 4):
        with pytest.raises(MissingArtifact):
            decode(content_type, body[:length])


def test_refuses_a_part_without_name_and_one_sent_twice():
    nameless = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--"
    twice = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 2 + b"--b--"
    with pytest.raises(MissingArtifact, match="no name"):
        decode("multipart/form-data; boundary=b", nameless)
    with pytest.raises(MissingArtifact, match="twice"):
        decode("multipart/form-data; boundary=b", twice)
