"""The containers: built, started, sent a photo through, and compared with one process."""

import io
import json
import subprocess

import pytest
from PIL import Image

from gateway.settings import STAGES
from tests.compose import Compose

pytestmark = pytest.mark.cluster

compose = Compose("howsfit-test")


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
    assert set(states) == {stage.replace("_", "-") for stage in STAGES} | {"gateway"}


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
