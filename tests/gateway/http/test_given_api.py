"""Artifacts that a request brings in the place of those that stages would make: a real gateway with all default engines."""

import base64
import io
import json

import pytest
from PIL import Image

from tests.gateway.requests import other_photo
from tests.pictures import encoded

WAIT = {"prefer": "wait=100"}


def post(api, files, path="/v1/tryons", **fields):
    return api.post(path, files=files, data=fields, headers=WAIT)


def stages_of(document):
    return {stage["stage"]: stage for stage in document["stages"]}


def as_parts(artifacts):
    return {f"artifacts.{name}": data for name, data in artifacts.items()}


@pytest.fixture(scope="module")
def whole(api, bundled):
    """A try-on, and all that its stages made: (document, artifact -> bytes)."""
    document = post(api, {"photo": bundled[0], "garment": bundled[1]}).json()
    assert document["status"] == "succeeded", document
    return document, {name: api.get(url).content for name, url in document["artifacts"].items()}


def test_with_the_parse_given_it_is_not_made_again_and_the_result_is_the_same(api, bundled, whole):
    pictures = (other_photo(bundled, 77), bundled[1])
    first = post(api, {"photo": pictures[0], "garment": pictures[1]}).json()
    parse = api.get(first["artifacts"]["parse"]).content
    again = post(api, {"photo": pictures[0], "garment": pictures[1], **as_parts({"parse": parse})}).json()
    assert again["status"] == "succeeded", again
    made = stages_of(again)
    assert made["human_parse"] | {"seconds": None} == {
        "stage": "human_parse", "status": "succeeded", "engine": "given", "given": ["parse"], "reused": False,
        "seconds": None, "timings": {}, "options": {}, "fingerprint": None, "made_by": {},
    }  # fmt: skip
    assert all(stage["reused"] for name, stage in made.items() if name != "human_parse"), "the bytes are the same"
    for name in ("tryon", "tryon_photo", "parse"):
        assert api.get(again["artifacts"][name]).content == api.get(first["artifacts"][name]).content


def test_another_parse_gives_another_result_which_the_cache_knows_by_it(api, bundled, whole):
    files = {"photo": bundled[0], "garment": bundled[1], **as_parts({"parse": without(whole[1]["parse"], 5, 6, 7)})}
    first, again = post(api, files).json(), post(api, files).json()
    assert first["status"] == "succeeded", first
    assert api.get(first["output"]["tryon"]).content != whole[1]["tryon"]
    assert not stages_of(first)["tryon"]["reused"] and stages_of(again)["tryon"]["reused"]
    plain = post(api, {"photo": bundled[0], "garment": bundled[1]}).json()
    assert api.get(plain["output"]["tryon"]).content == whole[1]["tryon"], "nobody else gets what was made of it"


def without(parse, *labels):
    """The label map without these."""
    return encoded(Image.open(io.BytesIO(parse)).point([0 if i in labels else i for i in range(256)]), "PNG")


def test_where_only_a_part_is_given_the_stage_makes_the_rest(api, bundled, whole):
    mask = Image.new("L", (768, 1024), 0)
    mask.paste(255, (200, 300, 560, 800))
    files = {"photo": bundled[0], "garment": bundled[1], **as_parts({"cloth_mask": encoded(mask, "PNG")})}
    document = post(api, files).json()
    assert document["status"] == "succeeded", document
    made = stages_of(document)["cloth_mask"]
    assert made["given"] == ["cloth_mask"] and made["engine"] != "given"
    assert api.get(document["artifacts"]["cloth_mask"]).content == encoded(mask, "PNG")
    assert api.get(document["artifacts"]["cloth"]).content == whole[1]["cloth"]


def test_a_parse_of_who_wears_the_garment_tells_what_it_is(api, bundled, whole):
    trousers = Image.new("L", (768, 1024), 9)
    files = {"garment": bundled[1], **as_parts({"cloth_parse": encoded(trousers, "PNG")})}
    document = post(api, files, "/v1/preprocess/cloth").json()
    assert document["status"] == "succeeded", document
    assert api.get(document["artifacts"]["category"]).json() == {"category": "lower"}
    assert stages_of(document)["category"]["engine"] == "parser" and not stages_of(document)["category"]["reused"]
    assert post(api, files, "/v1/preprocess/cloth").json()["stages"][-1]["reused"]
    plain = post(api, {"garment": bundled[1]}, "/v1/preprocess/cloth").json()
    assert api.get(plain["artifacts"]["category"]).json() == {"category": "upper"}


def test_a_mask_that_was_painted_in_a_browser_is_taken(api, bundled):
    painted = Image.new("RGBA", (768, 1024), (0, 0, 0, 0))
    painted.paste((255, 255, 255, 255), (200, 300, 560, 800))
    files = {"garment": bundled[1], **as_parts({"cloth_mask": encoded(painted, "PNG"), "cloth": bundled_canvas()})}
    document = post(api, files | {"photo": bundled[0]}).json()
    assert document["status"] == "succeeded", document
    kept = Image.open(io.BytesIO(api.get(document["artifacts"]["cloth_mask"]).content))
    assert kept.mode == "L" and kept.getpixel((300, 400)) == 255 and kept.getpixel((10, 10)) == 0
    assert stages_of(document)["cloth_mask"]["engine"] == "given"


def bundled_canvas():
    return encoded(Image.new("RGB", (768, 1024), (200, 30, 30)), "PNG")


def test_a_person_that_is_framed_already_needs_no_photo(api, bundled, whole):
    files = {"garment": bundled[1], **as_parts({"person": whole[1]["person"]})}
    document = post(api, files).json()
    assert document["status"] == "succeeded", document
    assert document["kind"] == "tryon" and list(document["output"]) == ["tryon"]
    assert set(document["images"]) == {"garment"}
    assert "resize" not in {name for name, stage in stages_of(document).items() if stage["engine"] != "given"}
    person = post(api, as_parts({"person": whole[1]["person"]}), "/v1/preprocess/person").json()
    assert person["status"] == "succeeded" and person["kind"] == "person" and "agnostic" in person["output"]


def test_json_takes_base64_and_objects(api, bundled, whole):
    pose = json.loads(whole[1]["pose"])
    body = {
        "photo": base64.b64encode(bundled[0]).decode(),
        "garment": base64.b64encode(bundled[1]).decode(),
        "artifacts": {"pose": pose, "parse": base64.b64encode(whole[1]["parse"]).decode()},
    }
    answer = api.post("/v1/tryons", json=body, headers=WAIT)
    document = answer.json()
    assert document["status"] == "succeeded", document
    assert {n for n, s in stages_of(document).items() if s["engine"] == "given"} == {"pose", "human_parse"}
    assert json.loads(api.get(document["artifacts"]["pose"]).content) == pose


@pytest.mark.parametrize(
    ("artifacts", "status", "code", "said"),
    [
        ({"prase": b"x" * 50}, 400, "bad-request", ("'prase'", "did you mean 'parse'")),
        ({"photo": b"x" * 50}, 400, "bad-request", ("'photo'",)),
        ({"parse": b"x" * 50}, 422, "unreadable-image", ("parse",)),
        ({"parse": encoded(Image.new("L", (76, 102)), "PNG")}, 422, "wrong-kind", ("76 x 102", "768 x 1024")),
        ({"person": encoded(Image.new("L", (768, 1024)), "PNG")}, 422, "wrong-kind", ("mode L", "RGB")),
        ({"pose": b"[1, 2, 3]" + b" " * 20}, 422, "wrong-kind", ("pose", "JSON object")),
        ({"pose": b'{"people": ' + b" " * 20}, 422, "wrong-kind", ("pose",)),
        ({"tryon_photo": encoded(Image.new("RGB", (300, 400)), "PNG")}, 400, "bad-request", ("left to do",)),
    ],
)  # fmt: skip
def test_what_is_no_such_artifact_is_refused_at_the_door(api, bundled, artifacts, status, code, said):
    answer = post(api, {"photo": bundled[0], "garment": bundled[1], **as_parts(artifacts)})
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert all(word in answer.json()["detail"] for word in said), answer.json()["detail"]


@pytest.mark.parametrize(
    "artifacts", ["parse", 3, ["parse"], {"parse": 3}, {"parse": None}, {"parse": "no base64"}, {"": "x"}]
)
def test_malformed_ones_are_refused_in_words(api, artifacts):
    answer = api.post("/v1/tryons", json={"artifacts": artifacts})
    assert answer.status_code == 400, answer.text
    assert "Traceback" not in answer.text and "pydantic" not in answer.text


def test_one_that_is_sent_twice_is_refused_by_its_name(api, bundled):
    files = [("artifacts.pose", b"{}"), ("artifacts.pose", b"{}")]
    answer = api.post("/v1/tryons", files=files)
    assert answer.status_code == 400 and "'artifacts.pose' was sent twice" in answer.json()["detail"]
    answer = api.post("/v1/tryons", files={"artifacts": b"{}", "artifacts.pose": b"{}"})
    assert answer.status_code == 400 and "part of its own" in answer.json()["detail"]


def test_the_values_of_an_artifact_are_looked_at_by_its_stage(api, bundled):
    parse = encoded(Image.new("L", (768, 1024), 77), "PNG")
    document = post(api, {"photo": bundled[0], "garment": bundled[1], **as_parts({"parse": parse})}).json()
    assert document["status"] == "failed" and document["error"]["code"] == "wrong-kind"
    assert "77" in document["error"]["detail"]


def test_they_are_part_of_what_makes_two_requests_the_same(api, bundled, whole):
    files = {"photo": bundled[0], "garment": bundled[1]}
    headers = {"idempotency-key": "with a parse"}
    given = files | as_parts({"parse": whole[1]["parse"]})
    first, again = (api.post("/v1/tryons", files=given, headers=headers) for _ in range(2))
    other = api.post("/v1/tryons", files=files, headers=headers)
    assert first.json()["id"] == again.json()["id"] and other.status_code == 409


def test_deleting_the_tryon_forgets_what_was_made_of_them(api, bundled, whole):
    files = {"photo": bundled[0], "garment": bundled[1], **as_parts({"parse": without(whole[1]["parse"], 2)})}
    first = post(api, files).json()
    kept = first["artifacts"]["parse"]
    assert api.delete(first["urls"]["get"]).status_code == 204
    assert api.get(kept).status_code == 404
    assert not stages_of(post(api, files).json())["tryon"]["reused"]


def test_the_category_is_told_by_the_picture_or_by_the_caller(api, bundled):
    told = post(api, {"garment": bundled[1]}, "/v1/preprocess/cloth").json()
    assert json.loads(api.get(told["output"]["category"]).content) == {"category": "upper"}
    assert stages_of(told)["category"]["engine"] == "parser"
    pictures = {"photo": other_photo(bundled, 74), "garment": bundled[1]}
    post(api, pictures)
    said = post(api, pictures, category="upper").json()
    assert said["status"] == "succeeded" and stages_of(said)["category"]["given"] == ["category"]
    anew = [stage["stage"] for stage in said["stages"] if not stage["reused"]]
    assert anew == ["category"], "it is the same artifact"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"category": "trousers"}, "must be one of"),
        ({"category": "upper", "artifacts.category": '{"category": "upper"}'}, "not both"),
        ({"artifacts.category": '{"category": "trousers"}'}, "none of upper, lower, dress"),
    ],
)
def test_other_categories_are_refused(api, bundled, fields, said):
    answer = post(api, {"photo": bundled[0], "garment": bundled[1]}, **fields)
    assert answer.status_code in (400, 422) and said in answer.json()["detail"], answer.text


def test_a_person_is_made_ready_for_a_top_or_for_what_the_request_says(api, bundled):
    photo = other_photo(bundled, 75)
    person = post(api, {"photo": photo}, "/v1/preprocess/person").json()
    assert person["status"] == "succeeded" and stages_of(person)["category"]["given"] == ["category"]
    worn = post(api, {"photo": photo, "garment": bundled[1]}).json()
    assert stages_of(worn)["agnostic"]["reused"], "a later try-on of a top needs nothing more"
    lower = post(api, {"photo": photo}, "/v1/preprocess/person", category="lower").json()
    assert not stages_of(lower)["agnostic"]["reused"] and stages_of(lower)["human_parse"]["reused"]
    masks = [api.get(document["artifacts"]["agnostic_mask"]).content for document in (person, lower)]
    assert masks[0] != masks[1]
