"""Blob stores: a local folder and a real S3 server, held to the same."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.stub import Stubber

from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.storage.blobs import (
    BlobCorrupt,
    BlobMissing,
    LocalBlobs,
    StorageFull,
    StorageUnavailable,
    chosen_store,
    digest_of,
)
from stagekit.wire import Part
from tests import stores
from tests.servers import ROOT, free_port

PICTURE = Part(b"\x89PNG" + bytes(range(256)) * 40, "image/png")
NOWHERE = "sha256:" + "0" * 64


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path):
    if request.param == "local":
        return LocalBlobs(tmp_path / "blobs")
    return request.getfixturevalue("s3").blobs("tests", prefix=f"{tmp_path.name}/")


def damage(store, digest, data=b"other bytes"):
    """Overwrite a blob behind the store's back."""
    name = digest.removeprefix("sha256:")
    if isinstance(store, LocalBlobs):
        next(store.folder.rglob(name + ".*")).write_bytes(data)
    else:
        store._s3.put_object(Bucket=store.bucket, Key=store._key(name), Body=data)


async def everything(store):
    return [blob async for page in store.scan() for blob in page]


def test_what_was_put_is_got_until_it_is_deleted(store):
    async def go():
        await store.check()
        document = Part(b"{}", "application/json")
        digest = await store.put(PICTURE)
        other = await store.put(document)
        assert digest == digest_of(PICTURE.data) and digest.startswith("sha256:")
        assert await store.get(digest) == PICTURE and await store.get(other) == document
        assert await store.has(digest) and not await store.has(NOWHERE)
        await store.delete(digest)
        await store.delete(digest)  # again: no error
        assert not await store.has(digest) and await store.has(other)
        with pytest.raises(BlobMissing, match="Start the try-on again"):
            await store.get(digest)

    asyncio.run(go())


def test_the_same_bytes_are_one_blob_and_an_empty_one_is_one_too(store):
    async def go():
        digests = {await store.put(Part(b"same", kind)) for kind in ("image/png", "application/octet-stream")}
        assert len(digests) == 1 and (await store.get(digests.pop())).data == b"same"
        empty = await store.put(Part(b"", "image/png"))
        assert await store.get(empty) == Part(b"", "image/png")
        assert {(b.digest, b.bytes) for b in await everything(store)} == {(digest_of(b"same"), 4), (empty, 0)}

    asyncio.run(go())


def test_a_scan_tells_digest_size_and_age_and_putting_again_makes_it_young(store):
    async def go():
        digests = {await store.put(Part(b"%d" % n, "image/png")) for n in range(5)}
        await asyncio.sleep(2.1)
        again = await store.put(Part(b"0", "image/png"))
        found = {blob.digest: blob for blob in await everything(store)}
        assert set(found) == digests and all(blob.bytes == 1 for blob in found.values())
        # S3 tells whole seconds.
        assert all(1 < blob.age_s < 30 for digest, blob in found.items() if digest != again)
        assert found[again].age_s < min(b.age_s for d, b in found.items() if d != again)

    asyncio.run(go())


def test_a_corrupt_blob_is_given_to_nobody_then_missing_and_healed_by_putting_it_again(store):
    async def go():
        digest = await store.put(PICTURE)
        damage(store, digest)
        with pytest.raises(BlobCorrupt, match="damaged"):
            await store.get(digest)
        assert not await store.has(digest)
        await store.put(PICTURE)
        damage(store, digest)
        await store.put(PICTURE)
        assert await store.get(digest) == PICTURE

    asyncio.run(go())


def test_many_writers_and_readers_of_the_same_content(store):
    async def go():
        data = Part(os.urandom(300_000), "image/png")
        digest = await store.put(data)

        async def write_and_read():
            await store.put(data)
            assert await store.get(digest) == data

        await asyncio.gather(*(write_and_read() for _ in range(20)))
        assert [blob.digest for blob in await everything(store)] == [digest]

    asyncio.run(go())


@pytest.mark.parametrize(
    "digest", ["", "x", "sha256:", "sha256:" + "A" * 64, "sha256:../../etc/passwd", NOWHERE + "\n"]
)
def test_what_is_no_digest_is_missing(store, digest):
    async def go():
        for method in (store.get, store.has, store.delete):
            with pytest.raises(BlobMissing, match="no digest"):
                await method(digest)

    asyncio.run(go())


def test_an_unknown_media_type_is_a_bug_of_the_caller(store):
    with pytest.raises(ValueError, match="text/html"):
        asyncio.run(store.put(Part(b"<html>", "text/html")))


def test_what_is_not_ours_is_left_out_of_a_scan(store):
    async def go():
        digest = await store.put(PICTURE)
        if isinstance(store, LocalBlobs):
            (store.folder / "ab" / "cd").mkdir(parents=True)
            (store.folder / "ab" / "cd" / "notes.txt").write_text("mine")
        else:
            store._s3.put_object(Bucket=store.bucket, Key=store._prefix + "ab/notes.txt", Body=b"mine")
        assert [blob.digest for blob in await everything(store)] == [digest]

    asyncio.run(go())


# Local


def test_a_writer_killed_half_way_leaves_nothing_but_what_the_sweep_takes(tmp_path):
    # Killed just before the rename: the worst moment.
    code = (
        "import asyncio, os, sys, pathlib; from gateway.storage.blobs import LocalBlobs; from stagekit.wire import Part\n"
        "os.replace = lambda *a: os.kill(os.getpid(), 9)\n"
        "asyncio.run(LocalBlobs(pathlib.Path(sys.argv[1])).put(Part(b'half', 'image/png')))"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    store = LocalBlobs(tmp_path)

    async def go():
        assert not await store.has(digest_of(b"half")) and await everything(store) == []
        assert len(list((tmp_path / "unfinished").iterdir())) == 1
        assert await store.sweep_unfinished(3600) == 0, "somebody may still be writing it"
        assert await store.sweep_unfinished(-1) == 1
        assert list((tmp_path / "unfinished").iterdir()) == []

    asyncio.run(go())


@pytest.mark.parametrize("how", ["file system of 1 MB", "limit on files"])
def test_a_full_disk_is_told_and_what_was_kept_stays(tmp_path, how):
    mounted = how == "file system of 1 MB"
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "howsfit-test", str(tmp_path)]
    if mounted and (os.geteuid() or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode):
        pytest.skip("only root may mount, and not in every container")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # else passing the limit kills us
    store = LocalBlobs(tmp_path / "blobs")

    async def go():
        digest = await store.put(PICTURE)
        if not mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
        large = Part(os.urandom(2_000_000), "image/png")
        with pytest.raises(StorageFull, match="Free some space") as full:
            await store.put(large)
        assert full.value.problem()["status"] == 507
        assert not await store.has(digest_of(large.data)) and await store.get(digest) == PICTURE
        assert list((store.folder / "unfinished").iterdir()) == []
        small = Part(os.urandom(1000), "image/png")
        assert await store.get(await store.put(small)) == small, "and it goes on as soon as there is room"

    try:
        asyncio.run(go())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
        if mounted:
            subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    store = LocalBlobs(tmp_path / "file")
    for use in (store.check, lambda: store.put(PICTURE)):
        with pytest.raises(StorageUnavailable, match="Check that it exists"):
            asyncio.run(use())


# S3


def test_a_presigned_link_downloads_the_blob_until_it_expires(s3):
    store = s3.blobs("tests")

    async def go():
        digest = await store.put(PICTURE)
        link, short = await store.url_for(digest, 60), await store.url_for(digest, 1)
        async with httpx.AsyncClient() as client:
            answer = await client.get(link)
            assert answer.status_code == 200 and answer.content == PICTURE.data
            assert answer.headers["content-type"] == "image/png"
            assert (await client.get(link.replace(digest[7:], "1" * 64))).status_code == 403, "for this blob only"
            await asyncio.sleep(2.1)
            assert (await client.get(short)).status_code == 403

    asyncio.run(go())


def test_a_link_names_the_public_address_while_the_gateway_talks_to_the_internal_one(s3):
    public = s3.endpoint.replace("127.0.0.1", "localhost")
    store = s3.blobs("tests", public_endpoint=public)

    async def go():
        link = await store.url_for(await store.put(PICTURE), 60)
        assert link.startswith(f"{public}/tests/blobs/")
        async with httpx.AsyncClient() as client:
            assert (await client.get(link)).content == PICTURE.data
            # The host is signed: under the other name the link is not good.
            assert (await client.get(link.replace("localhost", "127.0.0.1"))).status_code == 403

    asyncio.run(go())


def test_a_bucket_that_is_a_host_of_its_own(s3, monkeypatch):
    # What a DNS entry *.localhost would do.
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: resolve("127.0.0.1", *rest, **more))
    port = urlsplit(s3.endpoint).port
    store = s3.blobs("tests", endpoint=f"http://localhost:{port}", addressing="virtual", region="eu-west-1")

    async def go():
        digest = await store.put(PICTURE)
        link = await store.url_for(digest, 60)
        assert link.startswith(f"http://tests.localhost:{port}/blobs/")
        assert await store.get(digest) == PICTURE
        await store.delete(digest)
        assert not await s3.blobs("tests").has(digest), "by its path it is the same bucket"
        await store.put(PICTURE)
        assert httpx.get(link).content == PICTURE.data

    asyncio.run(go())


@pytest.mark.parametrize(
    ("settings", "environ", "host", "region"),
    [
        ({}, {}, "pictures.s3.amazonaws.com/blobs", "us-east-1"),
        ({"s3_region": "ap-northeast-2"}, {}, "pictures.s3.ap-northeast-2.amazonaws.com/blobs", "ap-northeast-2"),
        (
            {"s3_region": "eu-west-1", "s3_addressing": "path"},
            {"AWS_REGION": "us-west-1"},
            "s3.eu-west-1.amazonaws.com/pictures/blobs",
            "eu-west-1",
        ),
        ({}, {"AWS_REGION": "eu-north-1"}, "pictures.s3.eu-north-1.amazonaws.com/blobs", "eu-north-1"),
        ({}, {"AWS_DEFAULT_REGION": "sa-east-1"}, "pictures.s3.sa-east-1.amazonaws.com/blobs", "sa-east-1"),
        ({}, {"AWS_PROFILE": "shop"}, "pictures.s3.eu-central-1.amazonaws.com/blobs", "eu-central-1"),
        (
            {"s3_public_endpoint": "https://s3.eu-west-3.amazonaws.com", "s3_region": "eu-west-3"},
            {},
            "pictures.s3.eu-west-3.amazonaws.com/blobs",
            "eu-west-3",
        ),
        (
            {"s3_bucket": "my.pictures", "s3_region": "eu-west-1"},
            {},
            "s3.eu-west-1.amazonaws.com/my.pictures/blobs",
            "eu-west-1",
        ),
        ({"s3_endpoint": "https://minio.example"}, {}, "minio.example/pictures/blobs", "us-east-1"),
        (
            {
                "s3_endpoint": "http://minio:9000",
                "s3_public_endpoint": "https://minio.example",
                "s3_addressing": "virtual",
            },
            {"AWS_REGION": "eu-north-1"},
            "pictures.minio.example/blobs",
            "eu-north-1",
        ),
    ],
)
def test_a_link_shows_region_and_addressing(settings, environ, host, region, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[profile shop]\nregion = eu-central-1\n")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in ({"AWS_CONFIG_FILE": str(tmp_path / "config")} | environ).items():
        monkeypatch.setenv(name, value)
    keys = {"s3_bucket": "pictures", "s3_access_key": "a", "s3_secret_key": "b"}
    store = chosen_store(Settings(**keys | settings))
    link = urlsplit(asyncio.run(store.url_for(NOWHERE, 60)))
    name = NOWHERE.removeprefix("sha256:")
    assert link.netloc + link.path == f"{host}/{name[:2]}/{name}"
    assert parse_qs(link.query)["X-Amz-Credential"][0].split("/")[2:] == [region, "s3", "aws4_request"]


def test_what_is_no_region_or_addressing_is_refused():
    for wrong in ({"s3_region": "https://eu"}, {"s3_addressing": "host"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Settings(**wrong)


def test_a_bucket_of_another_region_is_told(s3):
    store = s3.blobs("tests")
    with Stubber(store._s3) as server, pytest.raises(StorageUnavailable, match="Set HOWSFIT_S3_REGION"):
        server.add_client_error("put_object", "AuthorizationHeaderMalformed", http_status_code=400)
        asyncio.run(store.check())


def test_wrong_keys_a_missing_bucket_and_no_server_are_each_told(s3):
    nobody = f"http://127.0.0.1:{free_port()}"
    cases = [
        (s3.blobs("tests", secret_key="wrong"), "refuses the gateway's keys"),
        (s3.blobs("tests", endpoint=nobody, attempts=1), "does not answer .EndpointConnectionError"),
    ]
    for store, said in cases:
        for use in (store.check, lambda s=store: s.put(PICTURE), lambda s=store: s.get(NOWHERE)):
            with pytest.raises(StorageUnavailable, match=said) as refused:
                asyncio.run(use())
            assert refused.value.status == 503 and refused.value.retry_after_s
        with pytest.raises(StorageUnavailable):
            asyncio.run(everything(store))
    with pytest.raises(StorageUnavailable, match="There is no bucket 'absent'"):
        asyncio.run(s3.blobs("absent").get(NOWHERE))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.slow
def test_a_server_that_stops_is_told_and_after_its_return_everything_is_there(tmp_path, how):
    with stores.seaweedfs(tmp_path) as server:
        store = server.blobs("tests", attempts=2)
        digest = asyncio.run(store.put(PICTURE))
        server.stop(how)
        for use in (store.get, store.has, store.delete):
            with pytest.raises(StorageUnavailable, match="Try again") as stopped:
                asyncio.run(use(digest))
            assert isinstance(stopped.value, GatewayError) and stopped.value.__cause__ is None
        server.start()
        deadline = time.monotonic() + 20
        while True:  # it takes requests a little before it finds its volumes again
            try:
                assert asyncio.run(store.get(digest)) == PICTURE
                break
            except StorageUnavailable:
                assert time.monotonic() < deadline
                time.sleep(0.2)


def test_a_server_that_never_answers_is_given_up_in_time(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        store = stores.S3Blobs(
            "tests",
            endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}",
            read_timeout_s=0.3,
            attempts=2,
            **stores.KEYS,
        )
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="ReadTimeoutError"):
            asyncio.run(store.put(PICTURE))
        assert time.monotonic() - began < 10
