"""The public API, against a real gateway with all default engines."""

import concurrent.futures
import io
import re
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from gateway.pictures.provenance import packet_in
from stagekit.folders import stage_names
from tests.gateway.requests import post
from tests.pictures import bomb, encoded, picture


def test_a_tryon_ends_in_a_picture(api, tryon):
    assert tryon["status"] == "succeeded" and tryon["error"] is None
    answer = api.get(tryon["output"]["tryon"])
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (768, 1024)
    assert tryon["started_at"] <= tryon["completed_at"] and tryon["metrics"]["total_seconds"] > 0


def test_it_says_what_made_it(tryon):
    assert [stage["stage"] for stage in tryon["stages"]] == list(dict.fromkeys(s["stage"] for s in tryon["stages"]))
    assert {stage["stage"] for stage in tryon["stages"]} == set(stage_names())
    for stage in tryon["stages"]:
        assert stage["status"] == "succeeded" and stage["engine"] and stage["fingerprint"].startswith("sha256:")
        assert stage["made_by"]["licence"] and stage["timings"]["run"] > 0
        assert stage["reused"] or stage["seconds"] >= stage["timings"]["run"]
    assert any(warning["code"] == "stand-in" and "tps" in warning["detail"] for warning in tryon["warnings"])


def test_the_pictures_say_that_software_composed_them_and_nothing_else_does(api, tryon):
    engines = {stage["stage"]: f"{stage['engine']} {stage['made_by']['version']}" for stage in tryon["stages"]}
    made_by = {"tryon": engines["tryon"], "tryon_photo": f"{engines['tryon']}, {engines['paste_back']}"}
    for name, url in tryon["artifacts"].items():
        packet = packet_in(api.get(url).content)
        if name in made_by:
            assert b"digitalsourcetype/compositeSynthetic" in packet and made_by[name].encode() in packet
        else:
            assert packet is None, name


def test_without_prefer_it_answers_at_once_and_can_be_watched(api, bundled):
    answer = post(api, *bundled)
    assert answer.status_code == 202
    document = answer.json()
    assert answer.headers["location"] == document["urls"]["get"] and document["status"] in ("queued", "processing")
    deadline = time.monotonic() + 60
    while document["status"] not in ("succeeded", "failed") and time.monotonic() < deadline:
        document = api.get(document["urls"]["get"]).json()
        time.sleep(0.05)
    assert document["status"] == "succeeded"


def test_prefer_wait_answers_after_its_time(api, bundled):
    answer = post(api, *bundled, prefer="respond-async, wait=0")
    assert answer.status_code == 202 and answer.headers["preference-applied"] == "wait=0"
    assert post(api, *bundled, prefer="wait=60").status_code == 200


def test_the_dataset_has_the_layout_of_viton_hd(api, tryon):
    archive = zipfile.ZipFile(io.BytesIO(api.get(tryon["urls"]["dataset"]).content))
    expected = {
        "test/image/00001_00.jpg": ("JPEG", "RGB"),
        "test/cloth/00002_00.jpg": ("JPEG", "RGB"),
        "test/cloth-mask/00002_00.jpg": ("JPEG", "L"),
        "test/image-parse-v3/00001_00.png": ("PNG", "P"),
        "test/image-parse-agnostic-v3.2/00001_00.png": ("PNG", "P"),
        "test/image-densepose/00001_00.jpg": ("JPEG", "RGB"),
        "test/agnostic-v3.2/00001_00.jpg": ("JPEG", "RGB"),
        "test/agnostic-mask/00001_00_mask.png": ("PNG", "L"),
        "test/openpose_img/00001_00_rendered.png": ("PNG", "RGB"),
    }
    for path, form in expected.items():
        image = Image.open(io.BytesIO(archive.read(path)))
        assert (image.format, image.mode) == form and image.size == (768, 1024), path
    assert "test/openpose_json/00001_00_keypoints.json" in archive.namelist()


def test_the_pairs_name_files_of_the_dataset_as_the_loaders_open_them(api, tryon):
    archive = zipfile.ZipFile(io.BytesIO(api.get(tryon["urls"]["dataset"]).content))
    for pairs in ("test_pairs.txt", "test_pairs_unpaired.txt"):
        person, cloth = archive.read(pairs).decode().removesuffix("\n").split(" ")
        mask = person.replace(".jpg", "_mask.png")
        for path in (f"image/{person}", f"image-densepose/{person}", f"agnostic-mask/{mask}", f"cloth/{cloth}"):
            assert f"test/{path}" in archive.namelist(), path


def test_the_agnostic_mask_is_white_where_the_agnostic_is_gray(api, tryon):
    archive = zipfile.ZipFile(io.BytesIO(api.get(tryon["urls"]["dataset"]).content))
    mask = np.array(Image.open(io.BytesIO(archive.read("test/agnostic-mask/00001_00_mask.png"))))
    agnostic, person = (
        np.array(Image.open(io.BytesIO(api.get(tryon["artifacts"][name]).content))) for name in ("agnostic", "person")
    )
    assert set(np.unique(mask)) == {0, 255}, "loaders divide by 255 and do not round"
    assert (agnostic[mask == 255] == 128).all() and np.array_equal(agnostic[mask == 0], person[mask == 0])
    labels = np.array(Image.open(io.BytesIO(archive.read("test/image-parse-v3/00001_00.png"))))
    assert (mask[labels == 5] == 255).mean() > 0.9, "what is worn on top is repainted"
    assert (mask[labels == 13] == 0).all(), "the face is kept"


def test_the_stage_graph_is_told(api):
    stages = {stage["stage"]: stage for stage in api.get("/v1/stages").json()["stages"]}
    assert set(stages) == set(stage_names())
    assert stages["pose"]["needs"] == ["resize"] and stages["resize"]["needs"] == []
    assert all(stage["health"]["ready"] for stage in stages.values())


NO_PHOTOS = {
    "no image": (b"hello", "unreadable-image"),
    "a bomb of 100 megapixels": (bomb(10_000), "image-too-large"),
    "empty": (b"", "unreadable-image"),
}
BAD_PHOTOS = {
    "one pixel": (encoded(picture(size=(1, 1))), "image-too-small"),
    "a JPEG cut short": (encoded(picture(size=(900, 900)), "JPEG")[:4000], "unreadable-image"),
    "nobody in it": (encoded(picture(size=(800, 600))), "no-person"),
}


@pytest.mark.parametrize("photo, code", NO_PHOTOS.values(), ids=NO_PHOTOS)
def test_what_is_no_picture_is_refused_at_once(api, bundled, photo, code):
    for files in ({"photo": photo, "garment": bundled[1]}, {"photo": bundled[0], "garment": photo}):
        answer = api.post("/v1/tryons", files=files)
        assert answer.status_code in (413, 422) and answer.json()["code"] == code, answer.text


@pytest.mark.parametrize("photo, code", BAD_PHOTOS.values(), ids=BAD_PHOTOS)
def test_a_bad_photo_fails_the_tryon_with_a_reason(api, bundled, photo, code):
    answer = post(api, photo, bundled[1], prefer="wait=60")
    document = answer.json()
    assert answer.status_code == 200 and document["status"] == "failed" and document["output"] is None
    assert document["error"]["code"] == code and document["error"]["stage"] == "resize"
    assert document["error"]["detail"] and document["error"]["trace_id"] == document["trace_id"]
    assert {stage["status"] for stage in document["stages"]} <= {"succeeded", "failed", "skipped"}


def test_a_garment_all_of_one_colour_fails_with_a_reason(api, bundled):
    document = post(api, bundled[0], encoded(picture(size=(768, 1024))), prefer="wait=60").json()
    assert (document["status"], document["error"]["code"]) == ("failed", "garment-not-found")


def odd_forms():
    photo = Image.open("howsfit/samples/person.jpg").convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 8
    alpha = photo.copy()
    alpha.putalpha(255)
    grey16 = Image.fromarray(__import__("numpy").asarray(photo.convert("L")).astype("uint16") * 257)
    return {
        "CMYK": encoded(photo.convert("CMYK"), "JPEG"),
        "palette": encoded(photo.convert("P")),
        "alpha": encoded(alpha),
        "16-bit": encoded(grey16),
        "turned by EXIF": encoded(photo.rotate(-90, expand=True), "JPEG", exif=exif.tobytes()),
        "WebP": encoded(photo, "WEBP"),
    }


@pytest.mark.parametrize("form", ["CMYK", "palette", "alpha", "16-bit", "turned by EXIF", "WebP"])
def test_odd_but_readable_photos_are_dressed(api, bundled, form):
    document = post(api, odd_forms()[form], bundled[1], prefer="wait=60").json()
    assert document["status"] == "succeeded", document["error"]
    person = Image.open(io.BytesIO(api.get(document["artifacts"]["person"]).content))
    assert not person.getexif() and "icc_profile" not in person.info


def test_of_two_people_the_larger_is_dressed_with_a_warning(api, bundled):
    portrait = Image.open(io.BytesIO(bundled[0])).convert("RGB")
    both = Image.new("RGB", (1400, 700), (200, 200, 205))
    both.paste(portrait.resize((640, 640)), (60, 60))
    both.paste(portrait.resize((360, 360)), (960, 340))
    document = post(api, encoded(both, "JPEG", quality=95), bundled[1], prefer="wait=60").json()
    assert document["status"] == "succeeded", document["error"]
    assert "several-people" in {warning["code"] for warning in document["warnings"]}
    frame = api.get(document["artifacts"]["frame"]).json()
    left, _, right, _ = frame["box"]
    assert left < 380 < right < 960, "the box is around the larger one"


def test_malformed_requests_are_refused_with_a_problem(api, bundled):
    for answer, status in (
        (api.post("/v1/tryons"), 400),
        (api.post("/v1/tryons", files={"photo": bundled[0]}), 400),
        (api.post("/v1/tryons", data={"photo": "text", "garment": "text"}), 400),
        (api.post("/v1/tryons", json={"photo": 1}), 400),
        (api.post("/v1/tryons", content=b"--x", headers={"content-type": "multipart/form-data; boundary=x"}), 400),
        (post(api, bytes(26_000_000), bundled[1]), 413),
        (post(api, bytes(52_000_000), bundled[1]), 413),
        (api.get("/v1/tryons/moon"), 404),
        (api.get("/v1/tryons/..%2f..%2fetc"), 404),
        (api.get("/moon"), 404),
        (api.delete("/v1/stages"), 405),
    ):
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status and answer.json()["title"]


def test_a_body_that_hides_its_length_is_cut_off(api):
    def endless():
        yield b'--x\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\n'
        for _ in range(60):
            yield bytes(1_000_000)

    answer = api.post("/v1/tryons", content=endless(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert 400 <= answer.status_code < 500
    assert api.get("/livez").status_code == 200


def test_an_unknown_artifact_is_not_found(api, tryon):
    answer = api.get(f"/v1/tryons/{tryon['id']}/artifacts/moon")
    assert answer.status_code == 404 and "tryon" in answer.json()["detail"]


def test_an_upload_is_never_served_as_a_page(api, bundled):
    page = encoded(picture(size=(80, 80)), "GIF") + b"<html><script>alert(1)</script>"
    document = post(api, page, bundled[1], prefer="wait=60").json()
    answer = api.get(document["artifacts"]["photo"])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_several_at_once_do_not_mix(api, bundled, artifacts):
    """The students' server kept every upload in test_1.jpg."""
    photo, garment = bundled
    mirrored = encoded(Image.open(io.BytesIO(photo)).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda p: post(api, p, garment, prefer="wait=100", cache_control="no-store").json(),
                [photo, mirrored] * 2,
            )
        )
    pictures = [api.get(answer["output"]["tryon"]).content for answer in answers]
    assert pictures[0] == pictures[2] == artifacts["tryon"]
    assert pictures[1] == pictures[3] != pictures[0]


def test_health_metrics_and_debug_page(api, tryon):
    assert api.get("/livez").status_code == 200
    assert api.get("/readyz").json()["status"] == "ready"
    assert 'howsfit_jobs_total{outcome="succeeded"}' in api.get("/metrics").text
    page = api.get("/debug").text
    assert "blazepose" in page and "<script" not in page
    shown = set(re.findall(r"<figcaption>(\w+)", page))
    assert shown >= {"garment", "cloth_mask", "agnostic_mask", "tryon_photo"} and shown.isdisjoint({"pose", "category"})
    assert api.get("/", follow_redirects=False).headers["location"] == "/debug"
    assert "make web" in page


def test_a_preview_is_small_and_of_an_unbroken_picture(api, tryon, bundled):
    address = tryon["artifacts"]["tryon"]
    preview = api.get(address, params={"width": 96})
    assert preview.headers["content-type"] == "image/jpeg" and len(preview.content) < 10_000
    with Image.open(io.BytesIO(preview.content)) as image:
        assert image.size == (96, 128)
    assert api.get(tryon["artifacts"]["pose"], params={"width": 96}).json()["people"]
    assert api.get(address, params={"width": 9}).status_code == 400
    broken = post(api, bundled[0][:3000], bundled[1], prefer="wait=30").json()
    answer = api.get(broken["artifacts"]["photo"], params={"width": 96})
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable-image")
