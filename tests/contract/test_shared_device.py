"""Two stages in processes of their own that share a device, one of which is killed while it has it."""

import concurrent.futures
import json

import httpx
import pytest

from stagekit.options import PART
from tests.contract.test_steps import PERSON, wait_until
from tests.gateway.small_cluster import Served

pytestmark = pytest.mark.slow


@pytest.fixture
def stages(tmp_path):
    env = {"HOWSFIT_DEVICE_LOCK": str(tmp_path / "device")}
    both = [Served("tests.contract.many_steps:app", env, tmp_path / f"{number}.log") for number in range(2)]
    for stage in both:
        stage.start()
    yield both
    for stage in both:
        stage.stop()


def run(stage, name, steps):
    files = {"person": PERSON, PART: json.dumps({"steps": steps}).encode()}
    return httpx.post(f"{stage.url}/run", files=files, headers={"Howsfit-Run": name}, timeout=60)


def progress_of(stage, name):
    return httpx.get(f"{stage.url}/runs/{name}").json()


def device_of(stage):
    return httpx.get(f"{stage.url}/readyz").json()["device"]


def test_the_next_in_line_goes_on_when_the_holder_is_killed(stages):
    holder, waiter = stages
    with concurrent.futures.ThreadPoolExecutor() as pool:
        lost = pool.submit(run, holder, "a", 5000)
        wait_until(lambda: progress_of(holder, "a").get("done"))
        assert device_of(holder) == {"awake": True, "place": 0, "line": 1}
        waiting = pool.submit(run, waiter, "b", 2)
        wait_until(lambda: progress_of(waiter, "b").get("queue") == 1)
        assert device_of(waiter) == {"awake": False, "place": 1, "line": 2}
        holder.kill()
        answer = waiting.result()
        assert answer.status_code == 200 and "device;dur=" in answer.headers["server-timing"]
        with pytest.raises(httpx.TransportError):
            lost.result()
    holder.start()
    assert run(holder, "c", 2).status_code == 200
    assert device_of(waiter) == {"awake": False, "place": None, "line": 1}, "it stepped aside"
