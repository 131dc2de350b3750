"""Decoded inputs are kept, within bounds."""

import numpy as np
import pytest

from stagekit.artifacts import encode
from stagekit.errors import UnreadableImage
from stagekit.images import Limits
from stagekit.known import KnownInputs


def person(shade):
    return encode("person", "image", np.full((1024, 768, 3), shade, np.uint8)).data


def test_the_same_bytes_are_decoded_once():
    known = KnownInputs(Limits())
    first = known.decode("person", "image", person(7))
    assert known.decode("person", "image", person(7)) is first and (first == 7).all()
    assert known.decode("person", "image", person(8)) is not first


def test_another_artifact_of_the_same_bytes_is_another():
    known = KnownInputs(Limits())
    assert known.decode("person", "image", person(7)) is not known.decode("cloth", "image", person(7))


def test_nobody_can_change_what_is_kept():
    with pytest.raises(ValueError):
        KnownInputs(Limits()).decode("person", "image", person(7))[0, 0] = 0


def test_those_used_longest_ago_go():
    known = KnownInputs(Limits(), max_bytes=2 * 1024 * 768 * 3)
    first, second = known.decode("person", "image", person(1)), known.decode("person", "image", person(2))
    known.decode("person", "image", person(1))
    known.decode("person", "image", person(3))
    assert (
        known.decode("person", "image", person(1)) is first and known.decode("person", "image", person(2)) is not second
    )


def test_a_large_photo_is_not_kept():
    photo = encode("person", "image", np.zeros((1024, 768, 3), np.uint8)).data
    known = KnownInputs(Limits(), largest=1000)
    assert known.decode("person", "image", photo) is not known.decode("person", "image", photo)


def test_what_cannot_be_read_is_refused_each_time():
    known = KnownInputs(Limits())
    for _ in range(2):
        with pytest.raises(UnreadableImage):
            known.decode("person", "image", b"nonsense")
