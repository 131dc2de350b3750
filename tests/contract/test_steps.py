"""Progress and cancellation of runs, of a stage whose engine takes many steps: in this Python, and in Python 3.6."""

import concurrent.futures
import contextlib
import io
import json
import sys
import time

import httpx
import pytest
from PIL import Image

from stagekit.options import PART
from tests.contract.conftest import OLD_PYTHON, old_python_path
from tests.pictures import encoded, picture
from tests.servers import free_port, server

PERSON = encoded(picture("RGB", (768, 1024), (9, 9, 9)))


@pytest.fixture(scope="module", params=["this Python", OLD_PYTHON])
def stage(request, tmp_path_factory):
    python = sys.executable if request.param != OLD_PYTHON else old_python_path()
    port, log = free_port(), tmp_path_factory.mktemp("steps") / "log"
    with (
        server(python, "-m", "tests.contract.many_steps", str(port), port=port, log=log) as url,
        httpx.Client(base_url=url, timeout=30) as client,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        yield Stage(client, pool)


class Stage:
    def __init__(self, client, pool):
        self.client, self._pool = client, pool

    def begin(self, name, previews=False, **options):
        """A run in another thread, once it is known by its name."""
        run = self._pool.submit(self.run, {"Howsfit-Run": name, "Howsfit-Previews": str(previews).lower()}, **options)
        wait_until(lambda: self.client.get(f"/runs/{name}").status_code == 200)
        return run

    def run(self, headers, timeout=30, **options):
        files = {"person": PERSON, PART: json.dumps(options).encode()}
        return self.client.post("/run", files=files, headers=headers, timeout=timeout)

    def progress(self, name, after=0):
        return self.client.get(f"/runs/{name}", params={"after": after}).json()

    def steps(self):
        return int(self.client.get("/info").json()["runtime"]["steps"])

    def has_stopped(self):
        """Whether it does no further step, though it was far from its end."""
        time.sleep(0.1)  # the step that it was in
        before = self.steps()
        time.sleep(0.2)
        return self.steps() == before


def wait_until(condition):
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up, "no progress"
        time.sleep(0.01)


def test_every_step_is_told_as_it_is_done(stage):
    assert stage.client.get("/info").json()["progress"] is True
    run = stage.begin("a", steps=8, pause_ms=150)
    told, number = [], 0
    while not run.done():
        answer = stage.client.get("/runs/a", params={"after": number})
        if answer.status_code == 200:
            told.append(answer.json())
            number = told[-1]["number"]
    assert run.result().status_code == 200
    steps = [each["done"] for each in told if each["done"] is not None]
    assert set(range(1, 8)) <= set(steps) and steps == sorted(steps)
    assert {each["of"] for each in told if each["done"]} == {8} and not any(each["preview"] for each in told)
    left = [each["seconds_left"] for each in told if each["done"] in (2, 6)]
    assert 0.5 < left[0] < 5 and left[-1] < left[0]
    assert stage.client.get("/runs/a").status_code == 404, "it has ended"


def test_who_wants_to_sees_what_there_is_so_far(stage):
    run = stage.begin("b", previews=True, steps=16, pause_ms=60)
    assert stage.client.get("/runs/b/preview").status_code == 404, "nothing yet"
    wait_until(lambda: stage.progress("b")["preview"])
    seen = stage.progress("b")
    answer = stage.client.get("/runs/b/preview")
    assert answer.headers["content-type"] == "image/jpeg" and seen["preview"] % 2 == 0
    image = Image.open(io.BytesIO(answer.content))
    assert image.size == (288, 384) and image.getpixel((9, 9))[0] >= 255 * seen["preview"] // 16 - 2
    assert run.result().status_code == 200


def test_a_canceled_run_ends_at_its_next_step(stage):
    run = stage.begin("c", steps=5000)
    assert stage.client.delete("/runs/c").status_code == 204
    problem = run.result().json()
    assert (problem["code"], problem["status"]) == ("canceled", 409)
    assert stage.has_stopped()
    assert stage.client.delete("/runs/c").status_code == 404
    assert stage.run({}, steps=1).status_code == 200, "the engine is free"


def test_who_hangs_up_cancels(stage):
    with contextlib.suppress(httpx.ReadTimeout):
        stage.run({}, timeout=0.3, steps=5000)
        pytest.fail("it cannot be done")
    assert stage.has_stopped()
    assert stage.run({}, steps=1).status_code == 200


def test_a_deadline_that_passes_ends_the_run_too(stage):
    answer = stage.run({"Howsfit-Timeout-Ms": "300"}, steps=5000)
    assert answer.json()["code"] == "deadline-exceeded"
    assert stage.has_stopped()


def test_a_run_that_waits_tells_its_place_and_can_be_canceled_there(stage):
    runs = {"d": stage.begin("d", steps=5000)}
    for name in "ef":
        runs[name] = stage.begin(name, steps=1)
    assert [stage.progress(name)["queue"] for name in "def"] == [None, 1, 2]
    stage.client.delete("/runs/e")
    assert runs["e"].result().json()["code"] == "canceled", "though the one before it goes on"
    assert stage.progress("f")["queue"] == 1
    stage.client.delete("/runs/d")
    assert runs["d"].result().status_code == 409 and runs["f"].result().status_code == 200


def test_a_name_that_is_none_is_ignored(stage):
    assert stage.run({"Howsfit-Run": "../x"}, steps=1).status_code == 200
    assert stage.run({"Howsfit-Run": "x" * 65}, steps=1).status_code == 200
    assert stage.client.get("/runs/no-such").json()["code"] == "not-found"
