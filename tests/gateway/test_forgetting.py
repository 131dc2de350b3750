"""What is forgotten as soon as it was fetched: real gateways and stores, broken connections, killed processes."""

import contextlib
import io
import re
import socket
import time
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.gateway.small_cluster import Served, SmallStages, ended, garment, gateway, photo, s3_settings, wait_for
from tests.pictures import encoded

pytestmark = pytest.mark.slow

FETCHED = {"forget": "fetched"}
NOTED, HALF_DELETED = "gateway.tryons.life:Tryons.forget_fetched", "gateway.tryons.subjects:Subjects.forget"
NOTHING_DELETED, ALL_DELETED = "gateway.storage.cache:StageCache.forget", "gateway.tryons.retention:Retentions.drop"


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    with SmallStages(tmp_path_factory.mktemp("stages")) as started:
        yield started


@contextlib.contextmanager
def running(served):
    served.start()
    try:
        with httpx.Client(base_url=served.url, timeout=30) as client:
            yield client
    finally:
        served.stop()


def mortal(served):
    return Served("tests.gateway.dying_gateway:app", served._env, served.log)


def made(client, picture=None, **data):
    files = {"photo": picture or photo(1), "garment": garment(1)}
    answer = client.post("/v1/tryons", files=files, data=data)
    assert answer.status_code == 202, answer.text
    document = ended(client, answer.json()["id"])
    assert document["status"] == "succeeded", document["error"]
    return document


def is_there(client, document):
    return client.get(document["urls"]["get"]).status_code == 200


def files_in(folder):
    return [path for path in (folder / "data" / "blobs").rglob("*") if path.is_file()]


def noise():
    """A photo whose picture in the garment has some megabytes as a PNG: more than the network takes at once."""
    pixels = np.random.default_rng(0).integers(0, 256, (2400, 2400, 3), np.uint8)
    return encoded(Image.fromarray(pixels), "JPEG", quality=90)


def fetch_the_beginning(url, address):
    """Some kilobytes of it, and then the connection breaks."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        connection.connect((urlsplit(url).hostname, urlsplit(url).port))
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        time.sleep(0.5)  # the gateway sends what the network takes


def test_whoever_lost_the_connection_fetches_it_again(tmp_path, stages):
    with running(served := gateway(tmp_path, stages.addresses())) as client:
        document = made(client, noise(), **FETCHED)
        address = document["output"]["tryon_photo"]
        for _ in range(2):
            fetch_the_beginning(served.url, address)
        time.sleep(0.5)
        assert is_there(client, document)
        picture = client.get(address)
        assert len(picture.content) > 4e6 and Image.open(io.BytesIO(picture.content)).size == (2400, 2400)
        wait_for(lambda: not is_there(client, document), within_s=10)
        wait_for(lambda: files_in(tmp_path) == [], within_s=10)
    assert "Traceback" not in served.log.read_text()


@pytest.mark.parametrize("dies_in", [NOTED, HALF_DELETED])
def test_a_gateway_that_dies_after_it_was_fetched_forgets_it_when_it_is_back(tmp_path, stages, dies_in):
    dying = mortal(gateway(tmp_path, stages.addresses(), DIES_IN=dies_in))
    with running(dying) as client:
        document = made(client, reference="ada", **FETCHED)
        with contextlib.suppress(httpx.TransportError):
            assert client.get(document["output"]["tryon"]).status_code == 200
        assert dying.process.wait(20) == -9
    assert files_in(tmp_path), "it did not come to that"
    with running(gateway(tmp_path, stages.addresses())) as client:
        wait_for(lambda: not is_there(client, document), within_s=10)
        wait_for(lambda: files_in(tmp_path) == [], within_s=10)
        assert client.delete("/v1/subjects/ada").json()["jobs"] == 0
        anew = made(client)
        assert not any(stage["reused"] for stage in anew["stages"])


@pytest.mark.parametrize("dies_in", [NOTHING_DELETED, HALF_DELETED, ALL_DELETED])
def test_a_gateway_that_dies_while_it_deletes_ends_that_when_it_is_back(tmp_path, stages, dies_in):
    dying = mortal(gateway(tmp_path, stages.addresses(), DIES_IN=dies_in))
    key = {"Idempotency-Key": "ada's"}
    with running(dying) as client:
        files = {"photo": photo(1), "garment": garment(1)}
        document = ended(client, client.post("/v1/tryons", files=files, headers=key).json()["id"])
        with contextlib.suppress(httpx.TransportError):
            pytest.fail(client.delete(document["urls"]["get"]).text)
        assert dying.process.wait(20) == -9
    with running(gateway(tmp_path, stages.addresses())) as client:
        wait_for(lambda: not is_there(client, document), within_s=10)
        wait_for(lambda: files_in(tmp_path) == [], within_s=10)
        files = {"photo": photo(2), "garment": garment(1)}
        anew = ended(client, client.post("/v1/tryons", files=files, headers=key).json()["id"])
        assert anew["id"] == document["id"] and anew["status"] == "succeeded" and anew["images"] != document["images"]
        assert not any(stage["reused"] for stage in anew["stages"])


def test_another_gateway_forgets_it_and_nobody_is_sent_to_the_storage_for_it(tmp_path, stages, postgres_database, s3):
    shared = {"HOWSFIT_DATABASE_URL": postgres_database, "HOWSFIT_S3_PUBLIC_ENDPOINT": s3.endpoint}
    shared |= s3_settings(s3, "forgetting")
    one = mortal(gateway(tmp_path, stages.addresses(), "one", DIES_IN=HALF_DELETED, **shared))
    with running(gateway(tmp_path, stages.addresses(), "two", **shared)) as other, running(one) as client:
        kept = made(client, photo(2))
        assert client.get(kept["output"]["tryon"]).status_code == 307
        kept_blobs = set(s3.digests("forgetting"))
        document = made(client, photo(3), **FETCHED)
        for name in ("person", "tryon"):
            with contextlib.suppress(httpx.TransportError):
                answer = client.get(document["artifacts"][name])
                assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), name
        assert one.process.wait(20) == -9
        assert set(s3.digests("forgetting")) > kept_blobs, "the pictures are still there"
        wait_for(lambda: not is_there(other, document), within_s=20)
        # The garment is the other one's, too: what was made of it is made anew when it is wanted.
        wait_for(lambda: set(s3.digests("forgetting")) <= kept_blobs, within_s=90)
        assert is_there(other, kept)


@pytest.mark.parametrize("let_go", [True, False], ids=["its stage ends", "its stage goes on"])
def test_what_another_gateway_runs_is_gone_when_it_is_deleted_here(tmp_path, stages, postgres_database, let_go):
    shared = {"HOWSFIT_DATABASE_URL": postgres_database}
    both = [gateway(tmp_path, stages.addresses(), name, **shared) for name in ("one", "two")]
    with running(both[0]) as one, running(both[1]) as two:
        before, hold = len(stages.runs()), stages.hold("agnostic")
        try:
            document = one.post("/v1/tryons", files={"photo": photo(7), "garment": garment(7)}).json()
            wait_for(lambda: "agnostic" in [stage for _, stage, _ in stages.runs()[before:]], within_s=10)
            runs, other = (both[0], two) if document["id"] in both[0].log.read_text() else (both[1], one)
            assert other.delete(document["urls"]["get"]).status_code == 204
            if let_go:
                hold.unlink()
            # Canceled, or let go, by whether DBOS heard first that it was canceled or that it is no longer there.
            over = re.compile(f"job (canceled|let go.*) job={document['id']}")
            wait_for(lambda: over.search(runs.log.read_text()), within_s=10)
        finally:
            hold.unlink(missing_ok=True)
        assert files_in(tmp_path) == [] and not is_there(other, document)
        assert not any(stage["reused"] for stage in made(other, photo(7))["stages"])
    assert "ERROR" not in runs.log.read_text()
    assert len(stages.runs("tryon")) == len(stages.runs("paste_back")), "of the one that was deleted neither ran"
