"""Two gateways in containers that share PostgreSQL and SeaweedFS: one finishes what the other one left."""

import json
import subprocess
import time

import pytest

from tests.compose import Compose
from tests.gateway.requests import upload
from tests.servers import ROOT

pytestmark = pytest.mark.cluster

compose = Compose("howsfit-test-shared", "docker-compose.yml", "docker-compose.shared.yml")
GARMENTS = [(ROOT / "howsfit" / "samples" / f"garment_{name}.jpg").read_bytes() for name in ("tee", "jumper", "top")]
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
    print("reached")
except OSError:
    print("out of reach")
"""


@pytest.fixture(scope="module")
def cluster():
    """A client of the address that stands for both gateways."""
    with compose.up() as client:
        yield client


@pytest.fixture(scope="module")
def uploaded(cluster, bundled):
    """Ids of the person, and of the garments."""
    return upload(cluster, bundled[0]), [upload(cluster, garment) for garment in GARMENTS]


@pytest.fixture(scope="module")
def pictures(cluster, uploaded):
    """Garment id -> the person dressed in it."""
    photo, garments = uploaded
    batch = cluster.post("/v1/batches", json={"photo_ids": [photo], "garment_ids": garments}).json()
    ended = [finished(cluster, item["url"]) for item in batch["tryons"]]
    assert [tryon["status"] for tryon in ended] == ["succeeded"] * 3, [tryon["error"] for tryon in ended]
    made = cluster.get(batch["urls"]["get"]).json()["tryons"]
    return {item["garment_id"]: cluster.get(item["tryon"]).content for item in made}


def finished(cluster, url):
    """The try-on, once it has ended: the stream of its events ends then."""
    cluster.get(url + "/events")
    return cluster.get(url).json()


def inspected(service):
    container = compose("ps", "--all", "--quiet", service).strip()
    done = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]


def executors(status):
    """Try-on -> the gateway that has it, of those that stand so. The API does not tell."""
    query = f"SELECT workflow_uuid, executor_id FROM dbos.workflow_status WHERE status = '{status}'"
    rows = compose("exec", "-T", "postgres", "psql", "-U", "howsfit", "-At", "-F", " ", "-c", query)
    return dict(line.split() for line in rows.splitlines())


def test_everything_is_kept_in_the_shared_stores(cluster, pictures):
    assert len(set(pictures.values())) == 3
    for service in ("gateway", "worker"):
        assert compose("exec", "-T", service, "find", "/data", "-type", "f") == ""


@pytest.mark.parametrize("store", [("postgres", "5432"), ("seaweedfs", "8333")], ids=lambda store: store[0])
def test_only_gateways_reach_the_stores(cluster, store):
    assert compose("exec", "-T", "worker", "python", "-c", KNOCK, *store) == "reached\n"
    assert compose("exec", "-T", "pose", "python", "-c", KNOCK, *store) == "out of reach\n"


@pytest.mark.parametrize("service", ["front", "gateway", "worker", "postgres", "seaweedfs"])
def test_containers_are_confined(cluster, service):
    host = inspected(service)
    assert host["HostConfig"]["ReadonlyRootfs"] and host["HostConfig"]["CapDrop"] == ["ALL"]
    assert host["Config"]["User"] not in ("", "0", "root")
    assert any(host["NetworkSettings"]["Ports"].values()) == (service == "front"), "nothing else is published"


def test_when_a_gateway_is_killed_the_address_stays_and_the_other_finishes_its_tryons(cluster, uploaded, pictures):
    photo, garments = uploaded
    gateway, worker = (inspected(service)["Config"]["Hostname"] for service in ("gateway", "worker"))
    garment_of = {}
    for garment in garments + garments[:1]:
        wanted = {"photo_id": photo, "garment_id": garment}
        # Nothing is reused: each runs through all stages.
        tryon = cluster.post("/v1/tryons", data=wanted, headers={"Cache-Control": "no-store"}).json()
        garment_of[tryon["id"]] = garment

    deadline = time.monotonic() + 30
    while gateway not in executors("PENDING").values():
        assert time.monotonic() < deadline, "the gateway took none"
    compose("kill", "gateway")
    for _ in range(20):
        assert cluster.get("/v1/tryons").status_code == 200
    left = [tryon for tryon, executor in executors("PENDING").items() if executor == gateway]
    assert left, "the gateway had ended all before it was killed"

    ended = {tryon: finished(cluster, f"/v1/tryons/{tryon}") for tryon in garment_of}
    assert {tryon["status"] for tryon in ended.values()} == {"succeeded"}, [t["error"] for t in ended.values()]
    assert {executors("SUCCESS")[tryon] for tryon in left} == {worker}
    for tryon, garment in garment_of.items():
        assert cluster.get(ended[tryon]["output"]["tryon"]).content == pictures[garment]
