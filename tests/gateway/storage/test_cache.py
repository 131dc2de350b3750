"""The stage cache and who holds what: on SQLite and on a real PostgreSQL, in one process and in several."""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from gateway.storage.blobs import BlobCorrupt, LocalBlobs, StorageFull, StorageUnavailable, digest_of
from gateway.storage.cache import StageCache, cache_key
from gateway.storage.database import Database, metadata
from gateway.storage.holdings import Holdings
from stagekit.wire import Part
from tests import stores
from tests.gateway.storage.claimer import CLAIM_S, FINGERPRINT, INPUTS
from tests.servers import ROOT

names = (f"test_{n}" for n in itertools.count())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'howsfit.db'}"
    return request.getfixturevalue("pg").database(next(names))


class House:
    """One gateway's parts, and a stage that counts its runs."""

    def __init__(self, url, folder, store=None, **options):
        self.database = Database(url)
        self.store = store or LocalBlobs(folder / "blobs")
        self.holdings = Holdings(self.database, self.store)
        self.cache = StageCache(self.database, self.holdings, **({"max_bytes": 10**9, "claim_s": CLAIM_S} | options))
        self.runs = []

    async def stage(self, holder, fingerprint="pose-1", inputs=INPUTS, output=b"pose", seconds=0.05, **options):
        """Whether it was reused, and the output's digest."""
        async with self.cache.claim(fingerprint, inputs, holder=holder, **options) as claim:
            if claim.hit is not None:
                return True, claim.hit["outputs"]["pose"]
            self.runs.append(holder)
            await asyncio.sleep(seconds)
            digest = await self.holdings.keep(Part(output, "image/png"), holder)
            await claim.store({"outputs": {"pose": digest}, "engine": "blazepose", "warnings": [], "seconds": 1.5})
            return False, digest

    async def stored(self):
        return {blob.digest async for page in self.store.scan() for blob in page}

    async def rows(self):
        def count(connection):
            return {
                table.name.removeprefix("howsfit_"): connection.execute(table.select()).fetchall()
                for table in metadata.sorted_tables
            }

        return await self.database.transact(count)


@contextlib.asynccontextmanager
async def house(url, folder, **options):
    made = House(url, folder, **options)
    await made.database.create_tables()
    try:
        yield made
    finally:
        await made.database.close()


def test_a_key_is_of_the_fingerprint_the_inputs_in_any_order_and_the_tenant():
    key = cache_key("f", {"a": "1", "b": "2"})
    assert key == cache_key("f", {"b": "2", "a": "1"}) and len(key) == 64
    others = [
        ("g", {"a": "1", "b": "2"}),
        ("f", {"a": "2", "b": "1"}),
        ("f", {"a": "1"}),
        ("f", {"a": '1","b', "b": "2"}),
        ("f", {"a": "1", "b": "2"}, "shop"),
    ]
    assert len({key, *(cache_key(*other) for other in others)}) == 6


def test_the_second_asks_no_stage_and_gets_all_that_was_stored(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            assert await h.stage("job-1") == (False, digest_of(b"pose"))
            assert await h.stage("job-2") == (True, digest_of(b"pose"))
            assert await h.stage("job-3", fingerprint="pose-2") == (False, digest_of(b"pose"))
            assert await h.stage("job-4", inputs={"person": "sha256:other"}) == (False, digest_of(b"pose"))
            async with h.cache.claim("pose-1", INPUTS, holder="job-5") as claim:
                assert claim.hit == {
                    "outputs": {"pose": digest_of(b"pose")},
                    "engine": "blazepose",
                    "warnings": [],
                    "seconds": 1.5,
                }
            assert (await h.rows())["cache_claims"] == []

    asyncio.run(go())


CHAIN = [("resize", "resize-1", ["photo"]), ("pose", "pose-1", ["person"]), ("tryon", "tryon-1", ["pose", "cloth"])]


async def make_chain(h):
    """Results of resize and of pose, as a job left them."""
    outputs = [("resize-1", {"photo": "sha256:photo"}, "person"), ("pose-1", {"person": digest_of(b"person")}, "pose")]
    for fingerprint, inputs, artifact in outputs:
        async with h.cache.claim(fingerprint, inputs, holder="job-1") as claim:
            digest = await h.holdings.keep(Part(artifact.encode(), "image/png"), "job-1")
            await claim.store({"outputs": {artifact: digest}})


def test_what_is_known_is_followed_from_the_uploads_as_far_as_it_leads(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            await make_chain(h)
            found = await h.cache.follow(CHAIN, {"photo": "sha256:photo"}, holder="job-2")
            assert found == {
                "resize": {"outputs": {"person": digest_of(b"person")}},
                "pose": {"outputs": {"pose": digest_of(b"pose")}},
            }
            assert await h.holdings.held_by("job-2") == sorted([digest_of(b"person"), digest_of(b"pose")])
            assert await h.cache.follow(CHAIN, {"photo": "sha256:other"}, holder="job-3") == {}
            assert await h.cache.follow(CHAIN, {"photo": "sha256:photo"}, holder="job-3", tenant="shop") == {}
            await h.store.delete(digest_of(b"person"))
            assert await h.cache.follow(CHAIN, {"photo": "sha256:photo"}, holder="job-4") == {}

    asyncio.run(go())


def test_no_store_neither_looks_nor_keeps(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            assert await h.stage("job-1", no_store=True) == (False, digest_of(b"pose"))
            assert await h.stage("job-2") == (False, digest_of(b"pose"))
            assert await h.stage("job-3", no_store=True) == (False, digest_of(b"pose"))
            assert len((await h.rows())["cache_entries"]) == 1

    asyncio.run(go())


def test_of_many_that_want_the_same_at_once_one_runs_and_all_get_it(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            results = await asyncio.gather(*(h.stage(f"job-{n}", seconds=0.3) for n in range(30)))
            assert len(h.runs) == 1 and sorted(reused for reused, _ in results) == [False] + [True] * 29
            assert len({digest for _, digest in results}) == 1

    asyncio.run(go())


def test_two_gateways_share_entries_and_claims(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as one, house(url, tmp_path) as two:
            jobs = [h.stage(f"job-{n}", seconds=0.3) for n in range(5) for h in (one, two)]
            results = await asyncio.gather(*jobs)
            assert len(one.runs + two.runs) == 1 and sum(not reused for reused, _ in results) == 1

    asyncio.run(go())


def test_a_run_longer_than_a_claim_keeps_it(url, tmp_path):
    async def go():
        async with house(url, tmp_path, claim_s=0.6) as one, house(url, tmp_path, claim_s=0.6) as two:
            results = await asyncio.gather(one.stage("job-1", seconds=2), two.stage("job-2", seconds=2))
            assert sorted(reused for reused, _ in results) == [False, True]

    asyncio.run(go())


def test_after_a_failure_or_a_cancel_the_next_one_runs_at_once(url, tmp_path):
    async def go():
        async with house(url, tmp_path, claim_s=60) as h, house(url, tmp_path, claim_s=60) as other:
            with pytest.raises(RuntimeError, match="no person"):
                async with h.cache.claim("pose-1", INPUTS, holder="job-1"):
                    raise RuntimeError("no person")
            running = asyncio.create_task(h.stage("job-2", seconds=60))
            while not h.runs:
                await asyncio.sleep(0.01)
            waiting = asyncio.create_task(h.stage("job-3"))
            elsewhere = asyncio.create_task(other.stage("job-4"))
            await asyncio.sleep(0.1)
            running.cancel()
            began = time.monotonic()
            results = await asyncio.gather(waiting, elsewhere)
            assert time.monotonic() - began < 5 and sorted(reused for reused, _ in results) == [False, True]
            cancelled = asyncio.create_task(h.stage("job-5", fingerprint="pose-2"))
            await asyncio.sleep(0)
            cancelled.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await cancelled
            assert (await h.rows())["cache_claims"] == []

    asyncio.run(go())


@pytest.mark.parametrize("how", ["vanished", "corrupt"])
def test_an_entry_whose_blob_is_not_what_it_was_counts_as_a_miss(url, tmp_path, how):
    async def go():
        async with house(url, tmp_path) as h:
            _, digest = await h.stage("job-1")
            path = next(h.store.folder.rglob(digest[7:] + "*"))
            if how == "vanished":
                path.unlink()
            else:
                path.write_bytes(b"rust")
                assert await h.stage("job-2") == (True, digest)
                with pytest.raises(BlobCorrupt):
                    await h.store.get(digest)
            assert await h.stage("job-3") == (False, digest)
            assert (await h.store.get(digest)).data == b"pose"
            assert await h.stage("job-4") == (True, digest)

    asyncio.run(go())


def test_a_result_whose_outputs_nobody_kept_is_refused(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            with pytest.raises(ValueError, match="Holdings.keep"):
                async with h.cache.claim("pose-1", INPUTS, holder="job-1") as claim:
                    await claim.store({"outputs": {"pose": digest_of(b"never kept")}})
            assert all(rows == [] for rows in (await h.rows()).values())

    asyncio.run(go())


def test_those_used_longest_ago_go_first_and_with_them_their_blobs_unless_a_job_holds_them(url, tmp_path):
    async def go():
        async with house(url, tmp_path, max_bytes=1050) as h:
            outputs = [bytes([n]) * 100 for n in range(12)]

            async def run(n):
                # Given away at once: only the entry holds it from then on, but for the first.
                reused, digest = await h.stage(f"job-{n}", inputs={"person": str(n)}, output=outputs[n])
                if n != 1:
                    await h.holdings.release(f"job-{n}")
                return reused

            for n in range(10):
                assert not await run(n)
            assert await run(0), "used just now, so the last to go"
            assert await h.cache.size() == 1000
            assert not await run(10)
            assert await h.cache.size() <= 1050 * 0.9
            assert await run(0) and await run(10) and await run(9)
            stored = await h.stored()
            assert digest_of(outputs[1]) in stored, "job-1 holds it"
            assert digest_of(outputs[2]) not in stored
            await h.holdings.release("job-1")
            assert digest_of(outputs[1]) not in await h.stored()
            assert not await run(2)

    asyncio.run(go())


def test_a_blob_stays_as_long_as_anybody_holds_it(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            part = Part(b"photo", "image/jpeg")
            digest = await h.holdings.keep(part, "image:1")
            assert await h.holdings.keep(part, "job-1") == digest
            assert await h.holdings.hold([digest], "job-2")
            assert not await h.holdings.hold([digest, digest_of(b"other")], "job-3")
            assert await h.holdings.held_by("job-2") == [digest] and await h.holdings.held_by("job-3") == []
            assert [await h.holdings.release(name) for name in ("image:1", "job-1", "job-1")] == [0, 0, 0]
            assert await h.store.get(digest) == part
            assert await h.holdings.release("job-2") == 1
            assert await h.stored() == set() and not await h.holdings.hold([digest], "job-4")
            assert all(rows == [] for rows in (await h.rows()).values())

    asyncio.run(go())


def test_forgetting_an_upload_forgets_all_that_was_made_from_it(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            photo, other = [
                await h.holdings.keep(Part(data, "image/png"), "job") for data in (b"photo", b"another photo")
            ]
            for upload in (photo, other):
                # What both photos give, as the frame of two of one size: it leads from neither to the other.
                await h.stage("job", "resize", {"photo": upload}, b"same")
            _, pose = await h.stage("job", "pose", {"person": digest_of(b"person")}, b"pose", origins=[photo])
            _, kept = await h.stage("job", "pose", {"person": digest_of(b"other")}, b"other pose", origins=[other])
            await h.stage("job", "parse", {"person": digest_of(b"person"), "pose": pose}, b"parse", origins=[photo])
            await h.holdings.release("job")
            assert await h.cache.forget([photo]) == 3
            # The uploads were held by the job alone.
            assert await h.stored() == {kept, digest_of(b"same")}
            assert await h.stage("job-2", "pose", {"person": digest_of(b"other")}) == (True, kept)

    asyncio.run(go())


def test_the_sweep_removes_what_nobody_wants_and_nothing_else(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            held = await h.holdings.keep(Part(b"held", "image/png"), "job-1")
            _, cached = await h.stage("job-2", origins=[held])
            _, outlived = await h.stage(
                "job-2", inputs={"person": held}, output=b"x", origins=[held, digest_of(b"gone")]
            )
            await h.holdings.release("job-2")
            await h.store.put(Part(b"written, then its process died", "image/png"))
            (h.store.folder / "unfinished" / "half").write_bytes(b"half")
            await h.database.transact(lambda c: c.execute(text("DELETE FROM howsfit_references WHERE holder = 'x'")))
            await h.database.transact(
                lambda c: c.execute(text("INSERT INTO howsfit_cache_claims VALUES ('dead', 'owner', 1)"))
            )
            assert await h.cache.sweep(grace_s=3600) == 1, "of an upload that is gone; the others are young yet"
            assert len(await h.stored()) == 3 and outlived not in await h.stored()
            await asyncio.sleep(0.05)
            assert await h.cache.sweep(grace_s=0.01) == 1
            assert await h.stored() == {held, cached}
            assert list((h.store.folder / "unfinished").iterdir()) == []
            rows = await h.rows()
            assert rows["cache_claims"] == [] and len(rows["blobs"]) == 2
            await h.holdings.release("job-1")
            await h.cache.sweep(grace_s=3600)
            assert await h.stored() == set(), "with the last who held the upload goes what was made of it"

    asyncio.run(go())


def test_keeping_and_releasing_the_same_at_once_never_loses_what_is_held(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as one, house(url, tmp_path) as two:
            part = Part(b"wanted by many", "image/png")
            one.store.sweep_unfinished = nothing_unfinished
            done = []

            async def job(h, name):
                for _ in range(8):
                    digest = await h.holdings.keep(part, name)
                    assert await h.store.get(digest) == part
                    await h.holdings.release(name)

            async def sweeper():
                while not done:
                    await one.holdings.sweep(grace_s=-1)  # without any grace: the rows alone must protect what is held

            sweeping = asyncio.create_task(sweeper())
            await asyncio.gather(*(job(h, f"{n}-{id(h)}") for n in range(3) for h in (one, two)))
            done.append(True)
            await sweeping
            await one.holdings.collect()
            assert await one.stored() == set() and (await one.rows())["blobs"] == []

    asyncio.run(go())


async def nothing_unfinished(older_than_s):
    return 0


class Unreachable(LocalBlobs):
    """A store that cannot be reached for deleting."""

    broken = True

    def _delete(self, name):
        if self.broken:
            raise StorageUnavailable("not now", retry_after_s=1)
        super()._delete(name)


def test_what_could_not_be_deleted_is_deleted_later(url, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.storage.holdings.CONDEMNED_S", 0.4)

    async def go():
        async with house(url, tmp_path, store=Unreachable(tmp_path)) as h:
            part = Part(b"photo", "image/jpeg")
            digest = await h.holdings.keep(part, "job-1")
            with pytest.raises(StorageUnavailable):
                await h.holdings.release("job-1")
            assert await h.holdings.held_by("job-1") == [] and await h.holdings.collect() == 0
            # Whoever keeps it again waits until no deletion can be under way any more.
            began = time.monotonic()
            await h.holdings.keep(part, "job-2")
            assert 0.2 < time.monotonic() - began < 5 and await h.store.get(digest) == part
            with pytest.raises(StorageUnavailable):
                await h.holdings.release("job-2")
            h.store.broken = False
            await asyncio.sleep(0.5)
            assert await h.holdings.collect() == 1 and await h.stored() == set()

    asyncio.run(go())


def test_of_a_batch_whose_deletion_fails_only_the_one_it_failed_at_has_to_wait(url, tmp_path):
    async def go():
        async with house(url, tmp_path, store=Unreachable(tmp_path)) as h:
            digests = [await h.holdings.keep(Part(b"%d" % n, "image/jpeg"), "job-1") for n in range(5)]
            with pytest.raises(StorageUnavailable):
                await h.holdings.release("job-1")
            condemned = [row.digest for row in (await h.rows())["blobs"] if row.condemned_until is not None]
            assert len(condemned) == 1
            h.store.broken = False
            assert await h.holdings.collect() == 4 and await h.stored() == set(condemned) < set(digests)

    asyncio.run(go())


def test_all_of_it_on_s3(url, tmp_path, s3):
    async def go():
        async with house(url, tmp_path, store=s3.blobs("tests", prefix=f"{tmp_path.name}/")) as h:
            assert await h.stage("job-1", output=url.encode()) == (False, digest := digest_of(url.encode()))
            assert (await h.stage("job-2")) == (True, digest)
            await h.store.delete(digest)
            assert not (await h.stage("job-3", output=url.encode()))[0], "its blob vanished"
            await h.store.put(Part(b"known to nobody", "image/png"))
            assert await h.holdings.sweep(grace_s=60) == 0 and await h.holdings.sweep(grace_s=-1) == 1
            assert await h.stored() == {digest}
            assert await h.cache.forget(INPUTS.values()) == 1
            assert [await h.holdings.release(f"job-{n}") for n in (1, 2, 3)] == [0, 0, 1]
            assert await h.stored() == set()

    asyncio.run(go())


def claimer(url, folder, name, seconds):
    command = [sys.executable, "-m", "tests.gateway.storage.claimer", url, str(folder), name, str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ)


@pytest.mark.slow
def test_of_two_processes_one_runs_and_the_other_gets_it(url, tmp_path):
    processes = [claimer(url, tmp_path, name, 1) for name in ("one", "two")]
    said = sorted(process.communicate(timeout=60)[0].split() for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    maker = said[1][1]
    assert said == [["hit", maker], ["running", maker, "stored", maker]]


@pytest.mark.slow
def test_the_claim_of_a_killed_process_passes_on_and_nothing_of_it_stays(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            dead = claimer(url, tmp_path / "blobs", "dead", 60)
            assert dead.stdout.readline() == "running dead\n"
            assert len((await h.rows())["cache_claims"]) == 1
            dead.send_signal(signal.SIGKILL)
            dead.communicate()
            began = time.monotonic()
            assert not (await h.stage("alive", FINGERPRINT))[0]
            assert time.monotonic() - began < CLAIM_S + 3
            assert (await h.rows())["cache_claims"] == []

    asyncio.run(go())


@pytest.mark.slow
def test_a_restart_of_postgresql_is_waited_for_and_a_long_absence_told(tmp_path, monkeypatch):
    async def go(server):
        async with house(server.database("restarted"), tmp_path) as h:
            await h.stage("job-1")
            running = asyncio.create_task(h.stage("job-2", "pose-2", output=b"other", seconds=0.5))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.to_thread(server.start)
            assert not (await running)[0]
            assert (await h.stage("job-3"))[0] and (await h.stage("job-4", "pose-2"))[0]
            await asyncio.to_thread(server.stop, "immediate")
            monkeypatch.setattr("gateway.storage.database.PAUSES_S", (0.1,))
            with pytest.raises(StorageUnavailable, match="database does not answer"):
                await h.stage("job-5")
            await asyncio.to_thread(server.start)
            assert (await h.stage("job-6"))[0]

    with stores.postgres() as server:
        asyncio.run(go(server))


def test_a_full_disk_below_sqlite_is_told(tmp_path):
    async def go():
        async with house(f"sqlite:///{tmp_path / 'db'}", tmp_path) as h:
            await h.database.transact(lambda c: c.execute(text("PRAGMA max_page_count = 20")))
            with pytest.raises(StorageFull, match="Free some space"):
                for n in range(500):
                    await h.stage(f"job-{n}", inputs={"person": str(n)}, output=b"%d" % n, seconds=0)

    asyncio.run(go())


def test_a_bug_in_a_statement_shows_as_one(url, tmp_path):
    async def go():
        async with house(url, tmp_path) as h:
            with pytest.raises(Exception, match="no_such_table"):
                await h.database.transact(lambda c: c.execute(text("SELECT * FROM no_such_table")))

    asyncio.run(go())
