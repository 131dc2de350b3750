"""Whole jobs that fail because something around the gateway does: real disks, stores and stages that misbehave.

Each time the job ends `failed` with a problem that says what to do, half a file is nowhere, and once the cause is mended a
retry makes it succeed.
"""

import asyncio
import contextlib
import errno
import hashlib
import io
import os
import sqlite3
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from PIL import Image

from gateway.storage.blobs import StorageUnavailable
from stagekit.wire import Part, encode
from tests import stores
from tests.gateway.small_cluster import SmallStages, ended, garment, gateway, photo, s3_settings, wait_for
from tests.pictures import encoded

pytestmark = pytest.mark.slow

RETRY_S = {"HOWSFIT_STAGE_RETRY_S": "1"}
GOOD = encoded(Image.new("RGB", (768, 1024), (1, 2, 3)))


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


def post(client, number):
    answer = client.post("/v1/tryons", files={"photo": photo(number), "garment": garment(number)})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def doing(client, tryon_id):
    stages = client.get(f"/v1/tryons/{tryon_id}").json()["stages"]
    return {stage["stage"] for stage in stages if stage["status"] == "processing"}


def check_failed(client, tryon_id, code, advice, stage=None):
    """stage: the only one at which it may have failed."""
    document = ended(client, tryon_id, within_s=45)
    problem = document["error"]
    assert document["status"] == "failed" and problem["code"] == code and advice in problem["detail"], problem
    assert {s["stage"]: s["status"] for s in document["stages"]}[problem["stage"]] == "failed"
    assert stage in (None, problem["stage"])
    assert document["output"] is None


def check_mended(client, tryon_id):
    assert client.post(f"/v1/tryons/{tryon_id}/retry").status_code == 200
    document = ended(client, tryon_id, within_s=45)
    assert document["status"] == "succeeded" and document["error"] is None, document["error"]
    picture = Image.open(io.BytesIO(client.get(document["output"]["tryon_photo"]).content))
    uploads = [Image.open(io.BytesIO(client.get(document["artifacts"][name]).content)) for name in ("photo", "garment")]
    assert [picture.getpixel(at) for at in ((0, 0), (0, 95))] == [upload.getpixel((0, 0)) for upload in uploads]


def check_files(data):
    """On the disk is what the database knows and somebody holds, whole, and nothing else."""
    # What a canceled stage's thread was writing when the job failed, it writes to the end.
    wait_for(lambda: not any((data / "blobs" / "unfinished").iterdir()), within_s=10)
    files = [path for path in (data / "blobs").rglob("*") if path.is_file()]
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.stem for path in files), "half a file"
    with contextlib.closing(sqlite3.connect(data / "howsfit.sqlite")) as database:
        known = database.execute("SELECT DISTINCT digest FROM howsfit_references").fetchall()
    assert {f"sha256:{path.stem}" for path in files} == {digest for (digest,) in known}


# -- the disk ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of this size, mounted on the folder."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    mount = [*sudo, "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root only, or with sudo")
    try:
        yield
    finally:
        subprocess.run([*sudo, "umount", "--lazy", str(folder)], check=True)


def fill(path):
    with path.open("wb", buffering=0) as filler, pytest.raises(OSError) as full:
        while True:
            filler.write(bytes(4096))
    assert full.value.errno == errno.ENOSPC


def test_a_full_disk(tmp_path, stages):
    data = tmp_path / "data"
    (data / "blobs").mkdir(parents=True)
    with small_disk(data / "blobs", "400k"), running(gateway(tmp_path, stages.addresses(), **RETRY_S)) as client:
        holds = [stages.hold(stage) for stage in ("resize", "cloth_mask")]
        tryon = post(client, 1)
        fill(data / "blobs" / "filler")
        for hold in holds:
            hold.unlink()
        check_failed(client, tryon, "storage-full", "Free some space")
        refused = client.post("/v1/tryons", files={"photo": photo(2), "garment": garment(2)})
        assert refused.status_code == 507 and refused.json()["code"] == "storage-full"
        (data / "blobs" / "filler").unlink()
        check_mended(client, tryon)
        client.delete(f"/v1/tryons/{tryon}")
        assert [path for path in (data / "blobs").rglob("*") if path.is_file()] == []


def test_a_full_disk_with_the_database_on_it(tmp_path, stages):
    """Even that a job failed could not be written down: it waits, and goes on by itself when there is room again."""
    data = tmp_path / "data"
    data.mkdir()
    with small_disk(data, "2m"), running(gateway(tmp_path, stages.addresses(), **RETRY_S)) as client:
        holds = [stages.hold(stage) for stage in ("resize", "cloth_mask")]
        tryon = post(client, 3)
        wait_for(lambda: doing(client, tryon) == {"resize", "cloth_mask"})
        fill(data / "filler")
        for hold in holds:
            hold.unlink()
        refused = client.post("/v1/tryons", files={"photo": photo(4), "garment": garment(4)})
        assert refused.status_code == 507 and "Free some space" in refused.json()["detail"]
        time.sleep(3)
        assert client.get(f"/v1/tryons/{tryon}").json()["status"] == "processing"
        (data / "filler").unlink()
        assert ended(client, tryon)["status"] == "succeeded"
        check_files(data)


# -- S3 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "secret", "advice"),
    [(10, None, "check that it runs"), (11, "another", "Check keys")],
    ids=["gone", "keys"],
)
def test_s3_that_is_gone_or_refuses_the_keys(tmp_path, stages, s3, number, secret, advice):
    bucket = f"failures-{number}"
    settings = RETRY_S | s3_settings(s3, bucket)
    with running(gateway(tmp_path, stages.addresses(), **settings)) as client:
        hold = stages.hold("tryon")
        tryon = post(client, number)
        wait_for(lambda: doing(client, tryon) == {"tryon"})
        s3.stop()
        try:
            if secret:
                s3.set_secret(secret)
                s3.start()
            hold.unlink()
            check_failed(client, tryon, "storage-unavailable", advice)
            refused = client.post("/v1/tryons", files={"photo": photo(99), "garment": garment(99)})
            assert refused.status_code == 503 and refused.json()["code"] == "storage-unavailable"
            assert int(refused.headers["Retry-After"]) > 0
        finally:
            s3.stop()
            s3.set_secret(stores.KEYS["secret_key"])
            s3.start()
        wait_for(lambda: works(s3, bucket))
        check_mended(client, tryon)
        assert client.delete(f"/v1/tryons/{tryon}").status_code == 204
        assert s3.digests(bucket) == []


def works(s3, bucket):
    """SeaweedFS takes requests some seconds before it can do them all in every bucket."""
    store = s3.blobs(bucket)

    async def write_and_read():
        probe = await store.put(Part(bytes(20_000), "application/octet-stream"))
        for digest in s3.digests(bucket):
            await store.get(digest)
        await store.delete(probe)
        return True

    try:
        return asyncio.run(write_and_read())
    except StorageUnavailable:
        return False


def test_a_gateway_with_the_wrong_keys_does_not_start_and_says_why(tmp_path, stages, s3):
    settings = s3_settings(s3, "failures") | {"HOWSFIT_S3_SECRET_KEY": "wrong"}
    with pytest.raises(RuntimeError, match="refuses the gateway's keys"):
        gateway(tmp_path, stages.addresses(), **settings).start()


# -- a stage -----------------------------------------------------------------------------------------------------------


class Saboteur:
    """Stands between the gateway and a stage; `answer`, when set, answers /run in its place."""

    def __init__(self, url):
        self.answer = None
        self.over = threading.Event()
        saboteur = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.forward("GET", b"")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if saboteur.answer is None:
                    self.forward("POST", body)
                else:
                    with contextlib.suppress(OSError):  # the gateway has hung up
                        saboteur.answer(self)

            def forward(self, method, body):
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                answer = httpx.request(method, url + self.path, content=body, headers=headers)
                self.reply(answer.content, answer.status_code, **dict(answer.headers))

            def reply(self, body, status=200, length=None, **headers):
                self.send_response(status)
                for name, value in headers.items():
                    if name not in ("date", "server", "content-length", "transfer-encoding"):
                        self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def saboteur(stages):
    with Saboteur(stages.served["tryon"].url) as between:
        yield between


@pytest.fixture(scope="module")
def sabotaged(stages, saboteur, tmp_path_factory):
    """(client, data folder) of a gateway to whom the saboteur is the stage `tryon`."""
    folder = tmp_path_factory.mktemp("sabotaged")
    settings = RETRY_S | {"HOWSFIT_STAGE_TIMEOUT_S": "4"}
    served = gateway(folder, stages.addresses() | {"tryon": saboteur.url}, **settings)
    with running(served) as client:
        yield client, folder / "data"


def multipart(cut=0, warnings="[]", **parts):
    """Answers these artifacts: name=bytes, or (bytes, media type)."""
    made = {
        name: Part(*given) if isinstance(given, tuple) else Part(given, "image/png") for name, given in parts.items()
    }

    def answer(request):
        content_type, body = encode(made)
        request.reply(body[: len(body) - cut], content_type=content_type, howsfit_warnings=warnings)

    return answer


def grey(size=(768, 1024)):
    return encoded(Image.new("L", size))


GARBAGE = {
    "a page": lambda request: request.reply(b"<html>It works!</html>", content_type="text/html"),
    "an error page": lambda request: request.reply(b"<html>Bad gateway</html>", 502, content_type="text/html"),
    "nothing": lambda request: request.reply(b""),
    "not compressed": lambda request: request.reply(b"plain", content_encoding="gzip"),
    "a multipart cut short": multipart(tryon=GOOD, cut=30),
    "no artifact": multipart(),
    "another artifact": multipart(cloth=GOOD),
    "one too many": multipart(tryon=GOOD, cloth=GOOD),
    "a document for a picture": multipart(tryon=(b"{}", "application/json")),
    "a page for a picture": multipart(tryon=(b"<html>", "text/html")),
    "half a picture": multipart(tryon=GOOD[: len(GOOD) // 2]),
    "a damaged picture": multipart(tryon=GOOD[:2000] + b"?" + GOOD[2001:]),
    "a mask for an image": multipart(tryon=grey()),
    "a picture of another size": multipart(tryon=encoded(Image.new("RGB", (76, 102)))),
    "warnings that are none": multipart(tryon=GOOD, warnings='"oh"'),
}


@pytest.mark.parametrize("number", range(len(GARBAGE)), ids=list(GARBAGE))
def test_a_stage_that_answers_garbage(sabotaged, saboteur, number):
    client, data = sabotaged
    saboteur.answer = list(GARBAGE.values())[number]
    tryon = post(client, 100 + number)
    check_failed(client, tryon, "stage-nonsense", "HOWSFIT_STAGES", "tryon")
    check_files(data)
    saboteur.answer = None
    check_mended(client, tryon)
    check_files(data)


def test_a_stage_that_never_answers_or_not_to_the_end(sabotaged, saboteur):
    client, data = sabotaged

    def silent(request):
        saboteur.over.wait(60)

    def trickling(request):
        request.reply(b"", length=10**6)
        while not saboteur.over.wait(0.5):
            request.wfile.write(b" ")

    def hanging_up(request):
        request.reply(b"--", length=10**6)

    modes = {silent: "did not answer in time", trickling: "did not answer in time", hanging_up: "Check that it runs"}
    for number, (mode, advice) in enumerate(modes.items()):
        saboteur.answer = mode
        began = time.monotonic()
        tryon = post(client, 200 + number)
        check_failed(client, tryon, "stage-unreachable", advice, "tryon")
        assert time.monotonic() - began < 30
        check_files(data)
        saboteur.answer = None
        check_mended(client, tryon)
        check_files(data)


def killed_at_work(stages, client, number):
    """Its try-on is under way when the stage `tryon` dies."""
    hold = stages.hold("tryon")
    tryon = post(client, number)
    wait_for(lambda: doing(client, tryon) == {"tryon"} and len(stages.runs("tryon")) > 0)
    hold.unlink()
    stages.served["tryon"].kill()
    return tryon


def test_a_stage_that_is_started_anew_slower_than_a_store_may_be_away(tmp_path):
    """By HOWSFIT_STAGE_RETRY_S alone the try-on would fail after a second."""
    with (
        SmallStages(tmp_path / "stages") as stages,
        running(gateway(tmp_path, stages.addresses(), **RETRY_S)) as client,
    ):
        tryon = killed_at_work(stages, client, 300)
        time.sleep(2)
        loading = stages.mark("hold-start-tryon")
        served = stages.served["tryon"]
        served.launch()
        wait_for(lambda: listens(served.url))
        with httpx.Client(base_url=served.url) as stage:
            for answer in (stage.get("/readyz"), stage.post("/run", files={"agnostic": GOOD, "cloth": GOOD})):
                assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (
                    503,
                    "not-ready",
                    "starting",
                )
                assert int(answer.headers["Retry-After"]) > 0
        time.sleep(2)
        assert client.get(f"/v1/tryons/{tryon}").json()["status"] == "processing"
        loading.unlink()
        document = ended(client, tryon)
        assert document["status"] == "succeeded" and len(stages.runs("tryon")) == 2


def post_when_let_in(client, number, **options):
    """Post once the gateway has seen that a stage which could not start is merely away: before, it refuses."""
    answers = []

    def accepted():
        answers.append(
            client.post("/v1/tryons", files={"photo": photo(number), "garment": garment(number)}, data=options)
        )
        assert answers[-1].status_code == 202 or answers[-1].json()["code"] == "weights-missing", answers[-1].text
        return answers[-1].status_code == 202

    wait_for(accepted, within_s=20)
    return answers[-1].json()["id"]


def test_a_stage_that_lost_its_weights_and_a_deadline_are_not_waited_for(tmp_path):
    with SmallStages(tmp_path / "stages") as stages, running(gateway(tmp_path, stages.addresses())) as client:
        tryon = killed_at_work(stages, client, 301)
        missing = stages.mark("no-weights-tryon")
        served = stages.served["tryon"]
        served.launch()
        began = time.monotonic()
        check_failed(client, tryon, "weights-missing", "Fetch them", "tryon")
        assert time.monotonic() - began < 15
        with httpx.Client(base_url=served.url) as stage:
            answer = stage.post("/run", files={"agnostic": GOOD, "cloth": GOOD})
            assert answer.json()["state"] == "setup_failed" and "Retry-After" not in answer.headers
        served.kill()
        hurried = post_when_let_in(client, 302, deadline_s="3")
        began = time.monotonic()
        assert ended(client, hurried)["error"]["code"] == "deadline-exceeded"
        assert time.monotonic() - began < 8
        missing.unlink()
        served.start()
        check_mended(client, tryon)


def listens(url):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url + "/livez").status_code == 200
    return False
