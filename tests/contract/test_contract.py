"""The stage protocol, held against a running stage. See conftest.py for how to point it at one."""

import concurrent.futures
import json
import os
import random
import re
import time

import pytest

from stagekit.artifacts import decode
from stagekit.errors import all_errors
from stagekit.images import Limits
from stagekit.kinds import KINDS
from stagekit.options import PART, check_options, fingerprint_of_run
from stagekit.wire import decode as decode_parts
from tests.contract import fuzz
from tests.pictures import bomb, encoded, picture

FREE = {"MIT", "Apache-2.0", "BSD-3-Clause"}
"""Licences under which nobody need ask whether commercial use is allowed."""


def refused(answer, *codes):
    """Asserts a problem document of one of these codes; returns it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text[:300]
    problem = answer.json()
    assert problem["code"] in codes, problem
    assert problem["status"] == answer.status_code == all_errors()[problem["code"]].status
    assert problem["title"] and problem["stage"]
    assert len(problem["detail"]) > 20, "the detail says what to do next"
    assert re.fullmatch("[0-9a-f]{32}", problem["trace_id"])
    return problem


def run(target, inputs, **options):
    return target.post("/run", files=inputs, **options)


def test_health(target):
    assert target.get("/livez").status_code == 200
    ready = target.get("/readyz")
    assert ready.status_code == 200 and ready.json()["status"] in ("ready", "busy")


def test_info(info):
    assert info["contract"] == 1
    assert re.fullmatch("sha256:[0-9a-f]{64}", info["fingerprint"])
    assert info["stage"] and info["engine"] and info["version"] and info["licence"]
    assert info["runtime"]["python"].startswith("3.")
    assert isinstance(info["stand_in"], bool)
    licences = [info["licence"], *(weight["licence"] for weight in info["weights"])]
    assert info["commercial"] in (("yes",) if FREE.issuperset(licences) else ("unclear", "no"))
    assert info["start_seconds"] >= info["setup_seconds"] >= 0
    assert {*info["inputs"].values(), *info["outputs"].values(), *info["extras"].values()} <= KINDS.keys()
    for weight in info["weights"]:
        assert weight["file"] and re.fullmatch(r"\w+:[0-9a-f]+", weight["digest"]) and weight["licence"]


def test_run_gives_every_output_of_its_kind(target, info, inputs):
    answer = run(target, inputs)
    assert answer.status_code == 200, answer.text[:500]
    parts = decode_parts(answer.headers["content-type"], answer.content)
    assert set(parts) == set(info["outputs"])
    for name, part in parts.items():
        decode(name, (info["outputs"] | info["extras"])[name], part.data, Limits())


def test_extras_are_given_on_request(target, info, inputs):
    answer = run(target, inputs, params={"extras": "true"})
    parts = decode_parts(answer.headers["content-type"], answer.content)
    assert set(parts) == {*info["outputs"], *info["extras"]}
    for name, part in parts.items():
        decode(name, (info["outputs"] | info["extras"])[name], part.data, Limits())


def test_run_tells_what_made_it_and_how_long_it_took(target, info, inputs):
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = run(target, inputs, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert answer.headers["howsfit-engine"] == info["engine"]
    assert answer.headers["howsfit-fingerprint"] == info["fingerprint"]
    assert answer.headers["traceparent"].split("-")[1] == trace
    phases = dict(re.findall(r"(\w+);dur=([\d.]+)", answer.headers["server-timing"]))
    assert {"queue", "decode", "run", "encode"} <= set(phases)
    for warning in json.loads(answer.headers.get("howsfit-warnings", "[]")):
        assert warning["code"] and warning["detail"]


def test_one_output_raw(target, info, inputs):
    for name, kind in info["outputs"].items():
        answer = run(target, inputs, params={"artifact": name})
        assert answer.headers["content-type"] == ("application/json" if KINDS[kind].document else "image/png")
        decode(name, kind, answer.content, Limits())
    refused(run(target, inputs, params={"artifact": "moon"}), "missing-artifact")


def test_options_are_checked_and_change_the_fingerprint_where_they_are_not_the_defaults(target, info, inputs):
    schema = info["option_schema"]["properties"]

    def asked(**options):
        return run(target, inputs | {PART: json.dumps(options).encode()})

    plain = run(target, inputs).headers["howsfit-fingerprint"]
    for name, option in schema.items():
        assert option["description"].endswith(".") and check_options(schema, {name: option["default"]}, "") == {}
        same = asked(**{name: option["default"]})
        assert (same.status_code, same.headers["howsfit-fingerprint"]) == (200, plain)
        other = list(option.get("enum", (option.get("minimum"), option.get("maximum"))))
        other = next(value for value in other if value != option["default"])
        answer = asked(**{name: other})
        assert answer.status_code == 200, answer.text
        assert answer.headers["howsfit-fingerprint"] == fingerprint_of_run(plain, {name: other}) != plain
        said = refused(asked(**{name: "no such value"}), "bad-option")
        assert name in said["detail"]
    assert all(name in refused(asked(moon=1), "bad-option")["detail"] for name in ("moon", *schema))
    for body in (b"[]", b"{", b"{" * 5000, b"\xff", b'{"seed": 1e999'):
        refused(run(target, inputs | {PART: body}), "bad-option")
    assert run(target, inputs | {PART: b""}).headers["howsfit-fingerprint"] == plain


def test_same_inputs_same_bytes(target, inputs):
    first, second = (run(target, inputs) for _ in range(2))
    parts = [decode_parts(answer.headers["content-type"], answer.content) for answer in (first, second)]
    assert parts[0] == parts[1]


def test_a_missing_input_is_named(target, inputs):
    for name in inputs:
        others = {other: data for other, data in inputs.items() if other != name} or {"": b""}
        problem = refused(run(target, others), "missing-artifact")
        assert name in problem["detail"] or "" in others


def test_an_unknown_input_is_named(target, inputs):
    problem = refused(run(target, inputs | {"moon": b"x"}), "missing-artifact")
    assert "moon" in problem["detail"]


@pytest.mark.parametrize("garbage", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(99), b"{}", b"[]"], ids=repr)
def test_garbage_is_refused(target, inputs, garbage):
    for name in inputs:
        refused(run(target, inputs | {name: garbage}), "unreadable-image", "wrong-kind")


def test_broken_and_odd_images(target, info, inputs):
    huge, tiny = bomb(10_000), encoded(picture("L", (1, 1), 0))
    for name, kind in info["inputs"].items():
        if not KINDS[kind].document:
            refused(run(target, inputs | {name: huge}), "image-too-large")
            refused(run(target, inputs | {name: tiny}), "image-too-small")
            refused(run(target, inputs | {name: inputs[name][: len(inputs[name]) // 2]}), "unreadable-image")
    assert run(target, inputs).status_code == 200, "the service goes on"


def test_an_image_of_another_size_or_mode_is_of_the_wrong_kind(target, info, inputs):
    for name, kind in info["inputs"].items():
        if not (KINDS[kind].document or KINDS[kind].any_size):
            mode = "L" if kind in ("mask", "labels") else "RGB"
            colour = 0 if mode == "L" else (0, 0, 0)
            refused(run(target, inputs | {name: encoded(picture(mode, (700, 900), colour))}), "wrong-kind")
            refused(run(target, inputs | {name: encoded(picture("RGBA", (768, 1024), (1, 2, 3, 4)))}), "wrong-kind")


def test_a_request_that_is_not_multipart(target):
    refused(target.post("/run", json={"person": 1}), "missing-artifact")
    refused(target.post("/run"), "missing-artifact")
    headers = {"content-type": "multipart/form-data; boundary=x"}
    refused(target.post("/run", content=b"--x\r\ncut short", headers=headers), "missing-artifact")


def test_a_deadline_is_kept(target, inputs):
    refused(run(target, inputs, headers={"howsfit-timeout-ms": "0"}), "deadline-exceeded")
    refused(run(target, inputs, headers={"howsfit-timeout-ms": "soon"}), "missing-artifact")


@pytest.mark.parametrize("name", fuzz.HEADERS)
def test_headers_that_are_not_understood_are_ignored_or_refused(target, name):
    for value in fuzz.HEADERS[name]:
        headers = {"content-type": b"multipart/form-data; boundary=b", name: value}
        refused(target.post("/run", content=b"--b--", headers=headers), "missing-artifact")


def test_a_timeout_is_a_plain_number(target, inputs):
    for value in fuzz.HEADERS["howsfit-timeout-ms"]:
        problem = refused(run(target, inputs, headers={"howsfit-timeout-ms": value}), "missing-artifact")
        assert "Howsfit-Timeout-Ms" in problem["detail"] and len(problem["detail"]) < 300


@pytest.mark.parametrize("query", ["extras=maybe", "artifact=%ff%ed%a0%80", "artifact=" + 5000 * "x"], ids=len)
def test_queries_that_are_not_understood_are_refused_in_words(target, query):
    problem = refused(target.post("/run?" + query, files={"moon": b"x"}), "missing-artifact")
    assert len(problem["detail"]) < 500 and "type_error" not in problem["detail"] and "[{" not in problem["detail"]


def test_bodies_of_any_form_are_refused_at_once(target):
    for body in fuzz.BODIES:
        began = time.monotonic()
        refused(
            target.post("/run", content=body, headers={"content-type": "multipart/form-data; boundary=b"}),
            "missing-artifact",
        )
        assert time.monotonic() - began < 3, body[:60]


@pytest.mark.long
def test_no_contents_make_it_fail(target, info, inputs):
    """As many as the time allows; HOWSFIT_FUZZ_S=600 with another HOWSFIT_FUZZ_SEED looks further."""
    allowed_s, seed = float(os.environ.get("HOWSFIT_FUZZ_S", "2")), int(os.environ.get("HOWSFIT_FUZZ_SEED", "1"))
    began, number = time.monotonic(), 0
    while time.monotonic() - began < allowed_s or number < 5:
        number += 1
        made = f"{info['stage']} seed={seed} number={number}"
        answer = run(target, fuzz.spoilt(inputs, info["inputs"], random.Random(made)), params={"extras": "true"})
        assert answer.status_code < 500, (made, answer.text)
        if answer.status_code != 200:
            refused(answer, *all_errors())
    assert run(target, inputs).status_code == 200, "the service goes on"


def test_a_crowd_is_queued_or_told_to_come_back(target, info, inputs):
    crowd = info["limits"]["queue_size"] + info["limits"]["concurrency"] + 6
    began = time.monotonic()
    run(target, inputs)
    patience_ms = str(int(max(2.0, 4 * (time.monotonic() - began)) * 1000))  # on a busy machine too, one gets through
    with concurrent.futures.ThreadPoolExecutor(crowd) as pool:
        asked = [pool.submit(run, target, inputs, headers={"howsfit-timeout-ms": patience_ms}) for _ in range(crowd)]
        answers = [future.result() for future in asked]
    assert any(answer.status_code == 200 for answer in answers)
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, "overloaded", "deadline-exceeded")
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1


def test_unknown_paths_and_methods_are_problems_too(target):
    for answer, status in ((target.get("/moon"), 404), (target.get("/run"), 405)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == {404: "not-found", 405: "method-not-allowed"}[status] and problem["trace_id"]


def test_metrics(target, info, inputs):
    run(target, inputs)
    text = target.get("/metrics").text
    stage = info["stage"]
    assert re.search(rf'howsfit_stage_duration_seconds_count{{outcome="succeeded",stage="{stage}"}} [1-9]', text)
    assert f'howsfit_stage_ready{{stage="{stage}"}} 1.0' in text
    assert f'howsfit_queue_depth{{stage="{stage}"}}' in text


def test_the_debug_page_shows_runs_and_loads_nothing_from_elsewhere(target, info, inputs):
    run(target, inputs)
    page = target.get("/debug")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert info["engine"] in page.text and "data:image/jpeg;base64," in page.text
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page.text) and "<script" not in page.text


def test_the_api_is_described(target, info):
    assert target.get("/docs").status_code == 200
    body = target.get("/openapi.json").json()["paths"]["/run"]["post"]["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert set(schema["required"]) == set(info["inputs"])
