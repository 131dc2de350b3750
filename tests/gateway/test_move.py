"""From one gateway on SQLite and a folder to PostgreSQL and S3: real stores, real gateways, the real command."""

import hashlib
import os
import signal
import subprocess
import sys

import httpx
import pytest

from tests.gateway.small_cluster import SmallStages, ended, garment, gateway, photo, s3_settings, wait_for
from tests.gateway.test_chaos import rows
from tests.servers import ROOT

pytestmark = pytest.mark.slow

ADMIN = "an-administrator-of-tests"


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    with SmallStages(tmp_path_factory.mktemp("stages")) as started:
        yield started


def client_of(served, key):
    return httpx.Client(base_url=served.url, timeout=30, headers={"authorization": f"Bearer {key}"})


def post(client, number, **data):
    files = {"photo": photo(number), "garment": garment(number)}
    return client.post("/v1/tryons", files=files, data=data).json()["id"]


def digest_of(folder):
    """Of all files of a folder but the index that SQLite shares between readers, and their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm")
    return hashlib.sha256(b"".join(str(p).encode() + p.read_bytes() for p in files if p.stat().st_size)).hexdigest()


def start_moving(folder, **settings):
    command = [sys.executable, "-u", "-m", "gateway.move", str(folder)]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def move(folder, **settings):
    moving = start_moving(folder, **settings)
    said, _ = moving.communicate(timeout=120)
    return moving.returncode, said


def unchanging(document):
    return {name: value for name, value in document.items() if name != "urls"}


def test_everything_is_there_after_the_move_and_what_was_under_way_goes_on(stages, tmp_path, pg, s3):
    own = {"HOWSFIT_ADMIN_KEY": ADMIN}
    old = gateway(tmp_path, stages.addresses(), **own).start()
    with client_of(old, ADMIN) as admin:
        key = admin.post("/v1/keys", json={"owner": "shop", "name": "till"}).json()["key"]
    shared = {"HOWSFIT_DATABASE_URL": pg.database("moved")} | s3_settings(s3, "moved")
    folder = tmp_path / "data"
    with client_of(old, key) as shop:
        made = ended(shop, post(shop, 1))
        pictures = {name: shop.get(url).content for name, url in made["artifacts"].items()}
        images = [shop.post("/v1/images", files={"image": data(9)}).json()["id"] for data in (photo, garment)]
        batch = shop.post("/v1/batches", json={"photo_ids": images[:1], "garment_ids": images[1:]}).json()
        batch_document = ended(shop, batch["tryons"][0]["tryon_id"])
        held = stages.hold("tryon")
        under_way = post(shop, 2, forget="fetched", retention_s="3600")
        wait_for(lambda: any("tryon" in run for run in stages.runs("tryon")[2:]))
        code, said = move(folder, **shared)
        assert code == 1 and "still works" in said and "Stop it" in said
    old.stop()
    before = digest_of(folder)

    new = gateway(tmp_path, stages.addresses(), "new", **own, **shared).start()
    assert f"3 try-ons are in {folder}" in new.log.read_text(), "it says what it does not show, and what to do"
    code, said = move(folder, **shared)
    assert code == 0 and "Moved 3 jobs" in said and "lost" not in said, said
    assert "Image files: " in said
    assert digest_of(folder) == before, "the source is as it was"
    held.unlink()
    with client_of(new, key) as shop:
        assert unchanging(shop.get(f"/v1/tryons/{made['id']}").json()) == unchanging(made)
        assert {name: shop.get(url).content for name, url in made["artifacts"].items()} == pictures
        assert shop.get(f"/v1/batches/{batch['id']}").json()["counts"] == {"succeeded": 1}
        assert unchanging(shop.get(f"/v1/tryons/{batch_document['id']}").json()) == unchanging(batch_document)
        assert shop.get(f"/v1/images/{images[0]}").status_code == 200
        query = "SELECT job_id, due_at > extract(epoch FROM now()) + 3000, fetched FROM howsfit_retentions"
        assert rows(shared["HOWSFIT_DATABASE_URL"], query) == [(under_way, True, False)]
        assert ended(shop, under_way)["status"] == "succeeded"
        again = ended(shop, post(shop, 1))
        assert all(stage["reused"] for stage in again["stages"]), "what was kept for reuse came along"
    with client_of(new, ADMIN) as admin:
        assert [each["name"] for each in admin.get("/v1/keys").json()["keys"]] == ["till"]
    assert move(folder, **shared)[1].splitlines()[-1].startswith("Moved 0 jobs, 0 keys, 0 batches, 0 image files")
    new.stop()
    new.log.write_text("")
    new.start()
    assert "try-ons are in" not in new.log.read_text()
    new.stop()


def test_killed_in_the_middle_it_has_moved_no_tryon_and_goes_on_when_it_is_run_again(stages, tmp_path, pg, s3):
    old = gateway(tmp_path, stages.addresses()).start()
    with httpx.Client(base_url=old.url, timeout=30) as client:
        made = [ended(client, tryon_id) for tryon_id in [post(client, number) for number in range(20, 28)]]
    old.stop()
    shared = {"HOWSFIT_DATABASE_URL": pg.database("killed")} | s3_settings(s3, "killed")
    for line in ("Making the tables", "Image files: "):
        moving = start_moving(tmp_path / "data", **shared)
        for said in moving.stdout:
            if line in said:
                break
        moving.send_signal(signal.SIGKILL)
        moving.communicate()
    code, said = move(tmp_path / "data", **shared)
    assert code == 0, said
    new = gateway(tmp_path, stages.addresses(), "new", **shared).start()
    with httpx.Client(base_url=new.url, timeout=30) as client:
        for document in made:
            assert unchanging(client.get(f"/v1/tryons/{document['id']}").json()) == unchanging(document)
            assert client.get(document["output"]["tryon"]).status_code == 200
    new.stop()


@pytest.mark.parametrize(
    ("folder", "settings", "said"),
    [
        ("none", {"HOWSFIT_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "There is no howsfit.sqlite in"),
        ("none", {}, "Set HOWSFIT_DATABASE_URL"),
        ("torn", {"HOWSFIT_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(tmp_path, folder, settings, said):
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/howsfit.sqlite").write_text("no database")
    code, told = move(tmp_path / folder, HOWSFIT_DATA_DIR=str(tmp_path / "x"), **settings)
    assert code == 1 and said in told and "Traceback" not in told, told
