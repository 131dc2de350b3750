"""Options of engines, chosen for one request: a real gateway with all default engines."""

import json

import pytest

from tests.gateway.requests import other_photo, upload

TUCKED = {"tryon": {"hem": "tucked"}}


def post(api, bundled, options, **fields):
    files = {"photo": bundled[0], "garment": bundled[1]}
    return api.post("/v1/tryons", files=files, data={"options": options} | fields, headers={"prefer": "wait=100"})


def ran(document):
    return {stage["stage"] for stage in document["stages"] if not stage["reused"]}


def stage_of(document, name):
    return next(stage for stage in document["stages"] if stage["stage"] == name)


def test_with_another_option_only_the_generator_and_what_follows_it_run(api, bundled):
    pictures = (other_photo(bundled, 81), bundled[1])
    plain = post(api, pictures, "{}").json()
    tucked = post(api, pictures, json.dumps(TUCKED)).json()
    assert ran(tucked) <= {"tryon", "paste_back"} and "tryon" in ran(tucked)
    assert tucked["options"] == TUCKED and plain["options"] == {}
    made = [stage_of(document, "tryon") for document in (plain, tucked)]
    assert [stage["options"] for stage in made] == [{}, {"hem": "tucked"}]
    assert made[0]["fingerprint"] != made[1]["fingerprint"]
    again = post(api, pictures, json.dumps(TUCKED)).json()
    assert ran(again) == set() and stage_of(again, "tryon")["options"] == {"hem": "tucked"}
    assert api.get(again["output"]["tryon"]).content == api.get(tucked["output"]["tryon"]).content
    assert b'{"hem": "tucked"}' in api.get(again["output"]["tryon"]).content[:2000], "the picture tells it too"


def test_an_option_that_is_the_default_changes_nothing(api, bundled):
    pictures = (other_photo(bundled, 82), bundled[1])
    plain = post(api, pictures, "").json()
    said = post(api, pictures, '{"tryon": {"hem": "hanging"}}').json()
    assert ran(said) == set()
    assert stage_of(said, "tryon")["fingerprint"] == stage_of(plain, "tryon")["fingerprint"]


def test_json_and_batches_take_them_too(api, bundled):
    ids = [upload(api, picture) for picture in bundled]
    wanted = {"photo_id": ids[0], "garment_id": ids[1], "options": TUCKED}
    single = api.post("/v1/tryons", json=wanted, headers={"prefer": "wait=100"}).json()
    assert single["status"] == "succeeded" and single["options"] == TUCKED
    batch = api.post("/v1/batches", json={"photo_ids": ids[:1], "garment_ids": ids[1:], "options": TUCKED})
    assert batch.status_code == 202, batch.text
    assert api.get(batch.json()["tryons"][0]["url"]).json()["options"] == TUCKED


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('{"tryon": {"him": 1}}', ("him", "hem", "light")),
        ('{"tryon": {"hem": "torn"}}', ("hem", "hanging", "tucked", "torn")),
        ('{"try": {"hem": "tucked"}}', ("'try'", "tryon")),
        ('{"tryon": {"hem": NaN}}', ("hem",)),
        ('{"tryon": {"hem": [1]}}', ("hem",)),
        ('{"tryon": 3}', ("options", "JSON object")),
        ("hem=tucked", ("options", "JSON object")),
        ("[" * 2000, ("options", "JSON object")),
    ],
)
def test_what_no_engine_takes_is_refused_and_what_there_is_is_named(api, bundled, options, said):
    answer = post(api, bundled, options)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in ("bad-option", "bad-request")
    assert all(word in answer.json()["detail"] for word in said), answer.json()["detail"]
    batch = {"photo_ids": [upload(api, bundled[0])], "garment_ids": [upload(api, bundled[1])], "options": options}
    assert api.post("/v1/batches", json=batch).status_code == 400


@pytest.mark.parametrize(
    ("options", "about"),
    [
        ({"tryon": {"hem": "torn"}}, ("tryon", "hem")),
        ({"agnostic": {"recipes": 1}}, ("agnostic", "recipes")),
        ({"tryon": {"\ud800": 1}}, ("tryon", "?")),
        ({"try": {"hem": "tucked"}}, ("try", None)),
    ],
)
def test_a_refusal_tells_programs_which_one_it_is_about(api, bundled, options, about):
    problem = post(api, bundled, json.dumps(options)).json()
    assert (problem["stage"], problem.get("option")) == about


def test_a_stage_that_does_not_run_takes_none(api, bundled):
    answer = api.post("/v1/preprocess/cloth", files={"garment": bundled[1]}, data={"options": json.dumps(TUCKED)})
    assert answer.status_code == 400 and "'tryon'" in answer.json()["detail"]


def test_they_are_part_of_what_makes_two_requests_the_same(api, bundled):
    files = {"photo": bundled[0], "garment": bundled[1]}
    headers = {"idempotency-key": "with options"}
    first = api.post("/v1/tryons", files=files, data={"options": json.dumps(TUCKED)}, headers=headers)
    again = api.post("/v1/tryons", files=files, data={"options": json.dumps(TUCKED)}, headers=headers)
    other = api.post("/v1/tryons", files=files, headers=headers)
    assert first.json()["id"] == again.json()["id"] and other.status_code == 409


def test_the_stage_graph_tells_them(api):
    stages = {stage["stage"]: stage for stage in api.get("/v1/stages").json()["stages"]}
    hem = stages["tryon"]["option_schema"]["properties"]["hem"]
    assert hem["enum"] == ["hanging", "tucked"] and hem["default"] == "hanging" and hem["description"]


def test_catvtons_mask_is_had_by_choosing_its_engine(api, bundled):
    """It waits for one stage more than the stage's own engine, and has options of its own."""
    files, wait = {"photo": other_photo(bundled, 83)}, {"prefer": "wait=100"}
    wanted = {"engines": '{"agnostic": "catvton_mask"}', "options": '{"agnostic": {"layer": "outer"}}'}
    masks = []
    for data in ({}, wanted, wanted | {"options": ""}):
        document = api.post("/v1/preprocess/person", files=files, data=data, headers=wait).json()
        assert document["status"] == "succeeded", document["error"]
        masks.append(api.get(document["artifacts"]["agnostic_mask"]).content)
        assert {"agnostic", "parse_agnostic", "densepose"} <= document["artifacts"].keys()
        stage = stage_of(document, "agnostic")
        assert stage["engine"] == ("catvton_mask" if data else "viton_hd")
        assert stage["options"] == ({"layer": "outer"} if "layer" in data.get("options", "") else {})
    assert len(set(masks)) == 3
    refused = api.post(
        "/v1/preprocess/person", files=files, data=wanted | {"options": '{"agnostic": {"recipe": "hd"}}'}
    )
    assert refused.json()["code"] == "bad-option" and "It has: layer." in refused.json()["detail"]
    served = {stage["stage"]: stage for stage in api.get("/v1/stages").json()["stages"]}["agnostic"]
    assert "densepose" not in served["inputs"] and [e["engine"] for e in served["engines"]] == [
        "viton_hd",
        "catvton_mask",
    ]
