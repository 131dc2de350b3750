"""The wire format. Runs on Python 3.6 too."""

import time

import pytest

from stagekit.errors import MissingArtifact
from stagekit.wire import MAX_HEAD, MAX_PARTS, Part, decode, encode

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


def part(name, head=b""):
    return b'--b\r\nContent-Disposition: form-data; name="%s"\r\n%s\r\n1\r\n' % (name, head)


def test_parts_and_their_headers_are_bounded_before_they_are_read():
    kind = "multipart/form-data; boundary=b"
    as_many = b"".join(part(b"%d" % number) for number in range(MAX_PARTS))
    assert len(decode(kind, as_many + b"--b--")) == MAX_PARTS
    head = b"x: " + b"y" * (MAX_HEAD - 60) + b"\r\n"
    assert decode(kind, part(b"a", head) + b"--b--")["a"].data == b"1"
    for said, body in {
        "more than 32 parts": b"".join(part(b"%d" % number) for number in range(200000)),
        "longer than 4096": part(b"a", b"x: y\r\n" * 500000),
        "longer than": part(b"x" * 5000000),
        "no name": part(b"")[:3] + b"\r\n\r\n" + b"x" * 10000000 + b"\r\n",
    }.items():
        began = time.perf_counter()
        with pytest.raises(MissingArtifact, match=said):
            decode(kind, body + b"--b--")
        assert time.perf_counter() - began < 0.5, said


@pytest.mark.parametrize(
    "parameter",
    ["boundary*=moon''b", "boundary*=undefined''b", "boundary*0*=idna''b", "boundary=" + 71 * "b",
     "boundary*%s=b" % (5000 * "9"), 'boundary="', "boundary=" + 100000 * '";'],
    ids=lambda text: text[:22],
)  # fmt: skip
def test_refuses_a_boundary_that_nobody_writes(parameter):
    with pytest.raises(MissingArtifact):
        decode("multipart/form-data; " + parameter, part(b"a") + b"--b--")


@pytest.mark.parametrize("name", [b"name*=moon''a", b"name*=undefined''a", b"name*0*=idna''a", b"x=y"])
def test_refuses_a_name_in_another_form(name):
    body = b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n1\r\n--b--" % name
    with pytest.raises(MissingArtifact, match="no name"):
        decode("multipart/form-data; boundary=b", body)


def test_bytes_of_any_kind_in_a_name_can_be_told_of():
    for name in (b"\xff", b"\xed\xa0\x80", "\u0301".encode("utf-8"), b"\x00", b"x" * 3000):
        with pytest.raises(MissingArtifact) as refused:
            decode("multipart/form-data; boundary=b", 2 * part(name) + b"--b--")
        assert len(refused.value.detail.encode("utf-8")) < 300
