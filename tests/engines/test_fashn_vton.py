"""FASHN VTON in its container: without weights it says so, its Torch gives what the published code gives, and beside the
default stages it dresses people, though it, or the gateway, is killed in between."""

import contextlib
import json
import time

import httpx
import pytest

from tests.engines.conftest import CPUS, wait_until_answered

pytestmark = pytest.mark.engines

SETTINGS = {
    "HOWSFIT_TRYON_ENGINE": "fashn_vton",
    "HOWSFIT_TRYON_MEMORY": "6g",
    "HOWSFIT_TRYON_CPUS": CPUS,
    "HOWSFIT_TORCH": "2.13",
}
SMALL = "tests.engines.small_fashn_vton"
IN_STEP_S = 1
"""A run of its many steps takes longer."""


def test_a_torch_that_it_is_not_made_for_is_refused(yard):
    with pytest.raises(pytest.fail.Exception, match="fashn_vton is not made for Torch 1.10: set HOWSFIT_TORCH"):
        yard.build("tryon", **SETTINGS | {"HOWSFIT_TORCH": "1.10"})


def test_without_weights_the_service_says_where_to_get_them(built):
    said = built.said_without_weights("tryon", **SETTINGS)
    assert "weights-missing" in said and "/weights/fashn_vton" in said and "https://" in said and "Apache-2.0" in said


@pytest.mark.parametrize("golden", ["golden_1.npz", "golden_pre_1.npz", "golden_pre_2.npz"])
def test_golden_runs_hold_in_the_container(built, golden):
    file = f"tests/specs/fashn_vton/{golden}"
    assert "BEYOND" not in built.inside("tryon-fashn_vton", "python", "-m", "tests.parity", "fashn_vton", file)


@pytest.fixture(scope="module")
def cluster(built):
    """All default stages, and the engine with a small network."""
    built.environment["COMPOSE_FILE"] = f"docker-compose.yml:{SMALL.replace('.', '/')}.yml"
    no_limit = {"HOWSFIT_FASHN_BUDGET_S": "0", "HOWSFIT_STAGE_TIMEOUT_S": "1800"}
    built.environment |= SETTINGS | {"HOWSFIT_FASHN_STEPS": "50"} | no_limit
    built.inside("tryon-fashn_vton", "python", "-m", SMALL, "write", "/weights")
    # Not --wait: where much else runs, Torch's start takes longer than it allows.
    built.compose("up", "--build", "--detach")
    with built.client() as client:
        wait_until_answered(client, "/readyz", f"{built.project}-tryon-1")
    return built


@pytest.fixture(scope="module")
def undisturbed(cluster, bundled):
    """What is made where nothing is killed."""
    with cluster.client() as client:
        tryon = order(client, bundled)
        list(stages_of(cluster, tryon))
        return result(client, tryon)


@pytest.mark.parametrize("victim", ["tryon", "gateway"])
def test_a_try_on_goes_on_when_what_runs_it_was_killed_in_mid_step(cluster, bundled, undisturbed, victim):
    with cluster.client() as client:
        tryon = order(client, bundled)
        next(stage for stage in stages_of(cluster, tryon) if stage == ("tryon", "processing"))
        time.sleep(IN_STEP_S)
        standing = {stage["stage"]: stage["status"] for stage in client.get(tryon).json()["stages"]}
        assert standing["tryon"] == "processing", "it ended before anything was killed"
        cluster.compose("kill", victim)
        cluster.compose("start", victim)
        told = list(stages_of(cluster, tryon))
        assert told.count(("tryon", "succeeded")) == 1
        assert told.count(("pose", "processing")) == 1, "what was made before is not made again"
        assert result(client, tryon) == undisturbed


def order(client, bundled):
    """The address of a try-on of which nothing is reused."""
    files = dict(zip(("photo", "garment"), bundled, strict=True))
    answer = client.post("/v1/tryons", files=files, headers={"Cache-Control": "no-store"})
    return answer.raise_for_status().json()["urls"]["get"]


def stages_of(cluster, tryon):
    """(stage, status) as its events tell them from the first one to its end. A gateway that is away is waited for."""
    last, deadline = {}, time.monotonic() + 600
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(httpx.TransportError),
            cluster.client() as client,
            client.stream("GET", f"{tryon}/events", headers=last) as stream,
        ):
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if (name, value) == ("event", "completed"):
                    return
                if name == "data":
                    data = json.loads(value)
                elif name == "id":
                    last = {"Last-Event-ID": value}
                    yield data["stage"], data["status"]
        time.sleep(0.5)
    pytest.fail("The try-on did not end in ten minutes.")


def result(client, tryon):
    """The picture of a try-on that succeeded."""
    document = client.get(tryon).json()
    assert document["status"] == "succeeded", document["error"]
    assert {stage["stage"]: stage["engine"] for stage in document["stages"]}["tryon"] == "fashn_vton"
    return client.get(document["artifacts"]["tryon"]).content
