"""The allowance of a key: a bucket that refills evenly."""

import asyncio

import pytest

from gateway.callers import rates
from gateway.storage.database import Database

AT = 1_795_000_000.0


@pytest.fixture
def take(database):
    """take(per_minute, at_s): the Allowance after one request, at_s seconds after the first possible one."""
    bucket = Database(database)
    asyncio.run(bucket.create_tables())
    yield lambda per_minute, at_s, key="k": bucket.transact_here(
        lambda c: rates.take_in(bucket, c, key, per_minute, AT + at_s)
    )
    asyncio.run(bucket.close())


def test_a_full_bucket_empties_and_then_refuses(take):
    taken = [take(5, 0) for _ in range(7)]
    assert [each.left for each in taken] == [4, 3, 2, 1, 0, 0, 0]
    assert [each.exceeded for each in taken] == [False] * 5 + [True] * 2
    assert taken[-1].next_in_s == 12, "a fifth of a minute"


def test_what_is_refused_is_not_counted(take):
    for _ in range(50):
        take(5, 0)
    assert not take(5, 12).exceeded and take(5, 12).exceeded


def test_it_refills_evenly_and_not_beyond_its_size(take):
    for _ in range(6):
        take(6, 0)
    assert take(6, 9.9).exceeded
    assert not take(6, 10.1).exceeded and take(6, 10.2).exceeded
    assert take(6, 1000).left == 5


def test_keys_do_not_share_it(take):
    assert not take(1, 0).exceeded and take(1, 0).exceeded
    assert not take(1, 0, "other").exceeded


def test_the_headers_are_those_of_the_draft(take):
    assert take(60, 0).headers() == {"RateLimit-Policy": '"default";q=60;w=60', "RateLimit": '"default";r=59;t=1'}


@pytest.mark.parametrize("per_minute", [7, 49, 97])
def test_no_rounding_loses_or_gives_a_request(take, per_minute):
    taken = [take(per_minute, 0.1) for _ in range(per_minute + 1)]
    assert [each.left for each in taken] == [*range(per_minute - 1, -1, -1), 0]
    assert [each.exceeded for each in taken] == [False] * per_minute + [True]
