"""Images uploaded once and used often, preprocessing alone, and batches."""

import hashlib
import io
import time
import zipfile

import pytest
from PIL import Image

import stagekit.pictures  # noqa: F401  without it Pillow writes no HEIC
from tests.gateway.requests import other_photo, post, upload
from tests.pictures import encoded, multi_picture, picture
from tests.servers import ROOT

PERSON_STAGES = {"resize", "pose", "densepose", "human_parse", "agnostic"}
GARMENTS = [(ROOT / "howsfit" / "samples" / f"garment_{name}.jpg").read_bytes() for name in ("tee", "jumper", "top")]
UNKNOWN = "sha256:" + 64 * "0"


def ran(document):
    return {stage["stage"] for stage in document["stages"] if not stage["reused"]}


def completed(api, batch, within_s=90):
    deadline = time.monotonic() + within_s
    while batch["status"] != "completed" and time.monotonic() < deadline:
        time.sleep(0.1)
        batch = api.get(batch["urls"]["get"]).json()
    return batch


def test_an_uploaded_image_is_known_by_its_digest(api, bundled):
    answer = api.post("/v1/images", files={"image": ("me.png", bundled[0], "text/html")})
    document = answer.json()
    assert answer.status_code == 201 and answer.headers["location"] == document["urls"]["get"]
    assert document["id"] == "sha256:" + hashlib.sha256(bundled[0]).hexdigest()
    assert (document["media_type"], document["bytes"]) == ("image/jpeg", len(bundled[0]))
    assert (document["width"], document["height"]) == Image.open(io.BytesIO(bundled[0])).size
    assert upload(api, bundled[0]) == document["id"]
    content = api.get(document["urls"]["content"])
    assert content.content == bundled[0] and content.headers["content-type"] == "image/jpeg"


def test_of_several_pictures_in_a_file_the_first_is_kept_and_given_back(api, bundled):
    first = encoded(picture(size=(300, 400)), "JPEG")
    other = encoded(picture(size=(90, 80), colour=(1, 2, 3)), "JPEG")
    document = api.post("/v1/images", files={"image": multi_picture(first, other)}).json()
    assert (document["media_type"], document["width"], document["height"]) == ("image/jpeg", 300, 400)
    assert (document["id"], document["bytes"]) == ("sha256:" + hashlib.sha256(first).hexdigest(), len(first))
    assert api.get(document["urls"]["content"]).content == first
    with_film = bundled[0] + b"\x00\x00\x00\x18ftypmp42" + bytes(5000)
    person = api.post("/v1/preprocess/person", files={"photo": with_film}).json()
    assert api.get(person["artifacts"]["photo"]).content == bundled[0]


@pytest.mark.parametrize("kind, media_type", [("AVIF", "image/avif"), ("HEIF", "image/heic")])
def test_what_phones_take_is_dressed_and_shown(api, bundled, kind, media_type):
    photo = encoded(Image.open(io.BytesIO(bundled[0])), kind, quality=90)
    document = post(api, photo, bundled[1], prefer="wait=100").json()
    assert document["status"] == "succeeded", document["error"]
    kept = api.get(document["artifacts"]["photo"])
    assert kept.content == photo and kept.headers["content-type"] == media_type
    shown = Image.open(io.BytesIO(api.get(document["artifacts"]["photo"] + "?width=100").content))
    size = Image.open(io.BytesIO(bundled[0])).size
    assert (shown.format, shown.width) == ("JPEG", 100)
    uploaded = api.get(f"/v1/images/{upload(api, photo)}/content?width=100")
    assert Image.open(io.BytesIO(uploaded.content)).size == shown.size
    assert Image.open(io.BytesIO(api.get(document["output"]["tryon_photo"]).content)).size == size


@pytest.mark.parametrize(
    "path, name", [("/v1/images", "image"), ("/v1/preprocess/person", "photo"), ("/v1/preprocess/cloth", "garment")]
)
def test_what_cannot_be_read_is_told_by_its_name_before_a_job_begins(api, path, name):
    for data, code, told in (
        (b"%PDF-1.7", "unreadable-image", f"The {name} cannot be read: it is a PDF"),
        (encoded(picture("1", size=(65000, 64), colour=0)), "image-too-narrow", f"The {name} has 65000 x 64"),
    ):
        answer = api.post(path, files={name: data})
        assert (answer.status_code, answer.json()["code"]) == (422, code) and answer.json()["detail"].startswith(told)


def test_uploaded_images_are_dressed_as_files_are(api, bundled):
    photo, garment = upload(api, bundled[0]), upload(api, bundled[1])
    by_file = post(api, *bundled, prefer="wait=100").json()
    by_id = api.post("/v1/tryons", data={"photo_id": photo, "garment_id": garment}, headers={"Prefer": "wait=100"})
    assert by_id.json()["status"] == "succeeded" and ran(by_id.json()) == set()
    mixed = {"data": {"photo_id": photo}, "files": {"garment": bundled[1]}}
    assert api.post("/v1/tryons", **mixed, headers={"Prefer": "wait=100"}).json()["status"] == "succeeded"
    assert len({api.get(d["output"]["tryon"]).content for d in (by_file, by_id.json())}) == 1


def test_a_deleted_image_is_gone_but_its_tryons_are_not(api, bundled):
    photo = upload(api, other_photo(bundled, 61))
    data, files = {"photo_id": photo}, {"garment": bundled[1]}
    document = api.post("/v1/tryons", data=data, files=files, headers={"Prefer": "wait=100"}).json()
    assert api.delete(f"/v1/images/{photo}").status_code == 204
    for answer in (api.get(f"/v1/images/{photo}"), api.post("/v1/tryons", data=data, files=files)):
        assert answer.status_code == 404 and answer.json()["code"] == "not-found"
    assert api.get(document["artifacts"]["photo"]).status_code == 200
    again = post(api, other_photo(bundled, 61), bundled[1], prefer="wait=100").json()
    assert ran(again) >= PERSON_STAGES, "what the cache knew of it was forgotten too"


@pytest.mark.parametrize(
    "form, status",
    [
        ({"data": {"photo_id": UNKNOWN, "garment_id": UNKNOWN}}, 404),
        ({"data": {"photo_id": "../../etc/passwd", "garment_id": UNKNOWN}}, 400),
        ({"data": {"photo_id": UNKNOWN}}, 404),
        ({"data": {}}, 400),
        ({"data": {"photo_id": UNKNOWN}, "files": {"photo": b"x"}}, 400),
    ],
    ids=["unknown", "no id", "no garment", "nothing", "file and id"],
)
def test_what_is_no_image_is_refused(api, form, status):
    answer = api.post("/v1/tryons", **form)
    assert answer.status_code == status and answer.json()["detail"]


def test_a_person_is_preprocessed_alone_and_a_tryon_reuses_it(api, bundled):
    photo = other_photo(bundled, 62)
    answer = api.post("/v1/preprocess/person", files={"photo": photo}, headers={"Prefer": "wait=100"})
    document = answer.json()
    assert answer.status_code == 200 and (document["kind"], document["status"]) == ("person", "succeeded")
    assert {stage["stage"] for stage in document["stages"]} == PERSON_STAGES | {"category"}
    assert {"person", "parse", "pose", "densepose", "agnostic"} <= set(document["output"])
    names = zipfile.ZipFile(io.BytesIO(api.get(document["urls"]["dataset"]).content)).namelist()
    assert "test/image-parse-v3/00001_00.png" in names and "test_pairs.txt" not in names
    assert not ran(post(api, photo, bundled[1], prefer="wait=100").json()) & PERSON_STAGES


def test_a_garment_is_preprocessed_alone(api):
    garment = encoded(Image.open(io.BytesIO(GARMENTS[1])), "JPEG", quality=63)
    answer = api.post("/v1/preprocess/cloth", files={"garment": garment}, headers={"Prefer": "wait=100"})
    document = answer.json()
    assert (document["kind"], document["status"]) == ("cloth", "succeeded"), document["error"]
    assert {stage["stage"] for stage in document["stages"]} == {"cloth_mask", "category"}
    assert Image.open(io.BytesIO(api.get(document["output"]["cloth"]).content)).size == (768, 1024)


def test_the_list_can_be_filtered_by_kind(api, bundled):
    api.post("/v1/preprocess/cloth", files={"garment": bundled[1]}, headers={"Prefer": "wait=100"})
    page = api.get("/v1/tryons?kind=cloth&limit=1").json()
    assert {document["kind"] for document in page["tryons"]} == {"cloth"}
    if page["next"]:
        assert {document["kind"] for document in api.get(page["next"]).json()["tryons"]} <= {"cloth"}


def test_a_batch_dresses_every_person_in_every_garment(api, bundled):
    photos = [upload(api, other_photo(bundled, quality)) for quality in (64, 65)]
    garments = [upload(api, garment) for garment in GARMENTS[:2]]
    wanted = {"photo_ids": photos, "garment_ids": garments}
    answer = api.post("/v1/batches", json=wanted, headers={"Idempotency-Key": "spring"})
    assert answer.status_code == 202 and answer.headers["location"] == answer.json()["urls"]["get"]
    again = api.post("/v1/batches", json=wanted, headers={"Idempotency-Key": "spring"}).json()
    assert again["id"] == answer.json()["id"] and len(again["tryons"]) == 4
    other = api.post("/v1/batches", json=wanted | {"garment_ids": garments[:1]}, headers={"Idempotency-Key": "spring"})
    assert other.status_code == 409

    batch = completed(api, again)
    assert batch["counts"] == {"succeeded": 4}
    pairs = {(item["photo_id"], item["garment_id"]) for item in batch["tryons"]}
    assert pairs == {(photo, garment) for photo in photos for garment in garments}
    documents = [api.get(item["url"]).json() for item in batch["tryons"]]
    assert {document["batch"] for document in documents} == {batch["id"]}
    runs = [stage["stage"] for document in documents for stage in document["stages"] if not stage["reused"]]
    assert runs.count("resize") == 2 and runs.count("pose") == 2, "the stages of a person run once"
    assert Image.open(io.BytesIO(api.get(batch["tryons"][0]["tryon"]).content)).size == (768, 1024)

    assert api.delete(batch["urls"]["get"]).status_code == 204
    assert api.get(batch["urls"]["get"]).status_code == 404
    assert {api.get(item["url"]).status_code for item in batch["tryons"]} == {404}
    assert api.get(f"/v1/images/{photos[0]}").status_code == 200


def test_a_batch_can_be_canceled(api, bundled):
    photos = [upload(api, other_photo(bundled, quality)) for quality in (66, 67)]
    garments = [upload(api, garment) for garment in GARMENTS]
    batch = api.post("/v1/batches", json={"photo_ids": photos, "garment_ids": garments}).json()
    canceled = completed(api, api.post(batch["urls"]["cancel"]).json())
    assert canceled["counts"]["canceled"] >= 4 and set(canceled["counts"]) <= {"canceled", "succeeded"}


def test_a_batch_of_unknown_images_is_refused_whole(api, bundled):
    known = upload(api, bundled[0])
    before = api.get("/v1/tryons?limit=1").json()["tryons"]
    answer = api.post("/v1/batches", json={"photo_ids": [known], "garment_ids": [known, UNKNOWN]})
    assert answer.status_code == 404 and UNKNOWN in answer.json()["detail"]
    assert api.get("/v1/tryons?limit=1").json()["tryons"] == before


def test_priority_and_deadline_are_kept_and_told(api, bundled):
    form = {"files": {"photo": other_photo(bundled, 68), "garment": bundled[1]}}
    document = api.post("/v1/tryons", **form, data={"priority": 5, "deadline_s": 0.05}).json()
    assert document["priority"] == 5 and document["deadline_at"] > document["created_at"]
    deadline = time.monotonic() + 30
    while document["status"] in ("queued", "processing") and time.monotonic() < deadline:
        document = api.get(document["urls"]["get"]).json()
    assert (document["status"], document["error"]["code"]) == ("failed", "deadline-exceeded")
    for wrong in ({"priority": 101}, {"deadline_s": 0}, {"deadline_s": "soon"}):
        assert api.post("/v1/tryons", **form, data=wrong).status_code == 400


def test_a_small_picture_of_a_garment_is_told_of(api, bundled):
    answer = api.post("/v1/images", files={"image": encoded(picture(size=(1, 1)))})
    assert answer.status_code == 201, "whether a picture can be worked on, the stages say"


def test_results_and_uploads_come_in_other_formats(api, bundled):
    image_id = upload(api, bundled[0])
    document = post(api, *bundled, prefer="wait=100").json()
    for url in (f"/v1/images/{image_id}/content", document["output"]["tryon_photo"], document["output"]["tryon"]):
        for form in ("jpeg", "png", "webp"):
            answer = api.get(url, params={"format": form, "quality": 70})
            assert answer.status_code == 200 and answer.headers["content-type"] == f"image/{form}"
            assert Image.open(io.BytesIO(answer.content)).format == form.upper()
    for wrong in ({"format": "gif"}, {"quality": 0}, {"quality": 101}):
        assert api.get(document["output"]["tryon"], params=wrong).status_code == 400
    pose = api.get(document["artifacts"]["pose"], params={"format": "webp"})
    assert pose.headers["content-type"] == "application/json"
