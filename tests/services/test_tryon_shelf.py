"""What engines keep of people and garments. Needs Torch; `make test-diffusion` runs it."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-diffusion` has it")

from services.tryon.shelf import Shelf, digest  # noqa: E402


@pytest.fixture
def made():
    return []


@pytest.fixture
def of(made):
    """Asks a shelf of 40 bytes for 8 bytes of an owner."""
    shelf = Shelf(40)

    def ask(owner, name="latents", size=2):
        def make():
            made.append((owner, name))
            return (torch.zeros(size),)

        shelf.of(owner, name, make)
        assert shelf.size <= 40

    return ask


def test_what_was_made_is_not_made_again(of, made):
    of("tee")
    of("tee")
    of("tee", "features")
    of("shirt")
    assert made == [("tee", "latents"), ("tee", "features"), ("shirt", "latents")]


def test_the_owner_not_used_for_longest_makes_room(of, made):
    for owner in "abcde":
        of(owner)
    of("a")
    of("f")
    made.clear()
    of("a")
    of("b")
    assert made == [("b", "latents")]


def test_what_two_owners_at_work_have_is_not_given_up_for_more_of_theirs(of, made):
    for _ in range(2):
        for name in range(4):
            of("nothing", name)
            of("tee", name)
    kept = 5
    assert len(made) == 8 + (8 - kept)


def test_what_is_too_large_is_made_each_time(of, made):
    of("tee", size=20)
    of("tee", size=20)
    assert len(made) == 2


def test_pictures_are_named_by_what_they_show():
    one = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert digest(one) == digest(one.copy()) == digest(np.asfortranarray(one))
    assert len({digest(one), digest(one.reshape(4, 3)), digest(one + 1), digest(one, one)}) == 4
