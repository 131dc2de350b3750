"""Work on many items with several processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from howsfit.dataset.pool import work


def _double(number):
    return 2 * number


def _fail(number):
    raise ValueError(f"no {number}")


def test_work_takes_no_more_items_than_it_is_busy_with():
    taken = []
    items = (taken.append(number) or number for number in range(400))
    results = work(_double, items, workers=2, chunk=4)
    first = next(results)
    assert first % 2 == 0 and len(taken) < 60
    assert sorted([first, *results]) == [2 * number for number in range(400)]


def test_work_that_fails_says_why():
    with pytest.raises(ValueError, match="no 0"):
        list(work(_fail, range(3), workers=2, chunk=4))


def _die(number):
    os._exit(1)


def test_a_process_that_the_system_ends_is_told():
    with pytest.raises(ValueError, match="fewer --workers"):
        list(work(_die, range(8), workers=2, chunk=1))


def test_who_is_killed_leaves_no_processes():
    program = "import time; from howsfit.dataset.pool import work; list(work(time.sleep, [60] * 8, workers=2, chunk=1))"
    parent = subprocess.Popen([sys.executable, "-c", program])
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    try:
        deadline = time.monotonic() + 30
        while len(started := children.read_text().split()) < 3:  # and the one that watches over what they share
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)
    finally:
        parent.kill()
        parent.wait()
    while any(map(_lives, started)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
    except OSError:
        return False
