"""The containers: built, started, sent a photo through, and compared with one process."""

import contextlib
import io
import json
import subprocess
import time

import httpx
import pytest
from PIL import Image

from stagekit.folders import stage_names
from tests.compose import Compose

pytestmark = pytest.mark.cluster

# Of a stage that is stopped nobody need wait for a minute whether it comes back.
compose = Compose("howsfit-test", HOWSFIT_STAGE_RETRY_S="0")


@pytest.fixture(scope="module")
def cluster():
    """A client of the cluster's gateway."""
    with compose.up() as client:
        yield client


@pytest.fixture(scope="module")
def result(cluster, bundled):
    photo, garment = bundled
    files = {"photo": photo, "garment": garment}
    return cluster.post("/v1/tryons", files=files, headers={"Prefer": "wait=100"}).json()


def test_every_service_is_healthy(cluster):
    states = {}
    for line in compose("ps", "--format", "json").splitlines():
        service = json.loads(line)
        states[service["Service"]] = service["Health"]
    assert set(states.values()) == {"healthy"}
    assert set(states) == {stage.replace("_", "-") for stage in stage_names()} | {"gateway"}


def test_a_photo_through_the_containers_gives_what_one_process_gives(cluster, result, tryon, artifacts):
    assert result["status"] == "succeeded", result["error"]
    made_by = [[(s["stage"], s["engine"], s["fingerprint"]) for s in t["stages"]] for t in (result, tryon)]
    assert sorted(made_by[0]) == sorted(made_by[1])
    differing = [name for name, data in artifacts.items() if cluster.get(result["artifacts"][name]).content != data]
    assert differing == []
    assert Image.open(io.BytesIO(artifacts["tryon"])).size == (768, 1024)


def test_containers_are_confined(cluster):
    for service in ("gateway", "pose"):
        container = compose("ps", "--quiet", service).strip()
        inspected = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
        host = json.loads(inspected.stdout)[0]
        assert host["HostConfig"]["ReadonlyRootfs"] and host["HostConfig"]["CapDrop"] == ["ALL"]
        assert host["Config"]["User"] not in ("", "0", "root")
        published = [ports for ports in host["NetworkSettings"]["Ports"].values() if ports]
        assert bool(published) == (service == "gateway")


def test_a_stage_that_is_down_is_told_and_comes_back(cluster, bundled, result):
    photo, garment = bundled
    files = {"photo": photo, "garment": garment}
    anew = {"Prefer": "wait=60", "Cache-Control": "no-store"}
    compose("stop", "pose")
    assert cluster.get("/readyz").status_code == 503 and cluster.get("/livez").status_code == 200
    known = cluster.post("/v1/tryons", files=files, headers={"Prefer": "wait=60"}).json()
    assert known["status"] == "succeeded", "what was made before needs no stage"
    document = cluster.post("/v1/tryons", files=files, headers=anew).json()
    assert document["status"] == "failed" and document["error"]["code"] == "stage-unreachable"
    assert "pose" in document["error"]["detail"]
    compose("up", "--wait", "--no-build", "pose")
    document = cluster.post(f"/v1/tryons/{document['id']}/retry").json()
    document = cluster.get(document["urls"]["events"]).text.rpartition("data: ")[2]
    assert json.loads(document)["status"] == "succeeded", document


def test_an_engine_without_its_weights_stops_nothing_that_does_not_need_it(cluster, bundled, result):
    """The last test of these: the pose is another engine's from here on."""
    photo, garment = bundled
    files = {"photo": photo, "garment": garment}
    compose("up", "--detach", "--build", "pose", HOWSFIT_POSE_ENGINE="openpose")
    compose("restart", "gateway")
    told = when(cluster, lambda told: told["stages"]["pose"].get("code") == "weights-missing")
    command = "docker compose run --rm weights pull openpose/body_25"
    assert told["stages"]["pose"]["command"] == command and command in told["detail"]
    when(cluster, lambda told: all(stage["ready"] for name, stage in told["stages"].items() if name != "pose"))

    refused = cluster.post("/v1/tryons", files=files)
    assert refused.status_code == 503 and refused.json()["command"] == command
    assert cluster.get(result["output"]["tryon"]).status_code == 200
    cloth = cluster.post("/v1/preprocess/cloth", files={"garment": garment}, headers={"Prefer": "wait=60"}).json()
    assert cloth["status"] == "succeeded", cloth["error"]

    compose("--profile", "fallbacks", "up", "--detach", "--no-build", "--no-recreate", "pose-default")
    when(cluster, lambda told: told["status"] == "ready")
    anew = {"Prefer": "wait=60", "Cache-Control": "no-store"}
    document = cluster.post("/v1/tryons", files=files, headers=anew).json()
    assert document["status"] == "succeeded", document["error"]
    assert {stage["stage"]: stage["engine"] for stage in document["stages"]}["pose"] == "blazepose"
    (warning,) = (warning for warning in document["warnings"] if warning["code"] == "fallback")
    assert warning["stage"] == "pose" and command in warning["detail"]


def when(cluster, good, within_s=90):
    """What /readyz says as soon as it is good."""
    give_up = time.monotonic() + within_s
    while True:
        with contextlib.suppress(httpx.TransportError):
            told = cluster.get("/readyz").json()
            if good(told):
                return told
            assert time.monotonic() < give_up, told
        assert time.monotonic() < give_up, "no answer"
        time.sleep(0.5)
