"""Engines that dress the upper body only."""

import pytest

from services.tryon.tops import warn_of_what_is_worn_as_top


def warnings_of(inputs):
    told = []
    warn_of_what_is_worn_as_top(inputs, lambda code, detail: told.append((code, detail)))
    return told


@pytest.mark.parametrize(("category", "named"), [("lower", "trousers or a skirt"), ("dress", "a dress")])
def test_what_looks_like_no_top_is_told_apart_from_what_was_said_to_be_one(category, named):
    ((code, detail),) = warnings_of({"category": category})
    assert code == "worn-as-top" and named in detail and "category=upper" in detail


@pytest.mark.parametrize("inputs", [{"category": "upper"}, {}])
def test_of_a_top_nothing_is_said(inputs):
    assert warnings_of(inputs) == []
