"""The API does what its OpenAPI document says, whatever it is asked."""

import os
import subprocess
import sys
import time

import httpx
import pytest

from tests.gateway.requests import post, upload
from tests.servers import ROOT, howsfit_serve

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "use_after_free",
)
TRYONS = ["--include-path", "/v1/tryons", "--include-method", "POST"]


def test_the_document_reads_well(api):
    document = api.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names) and all(name.isidentifier() for name in names)
    assert all(operation["summary"] and len(operation["tags"]) == 1 for operation in operations)
    refused = [status for operation in operations for status in operation["responses"] if status[0] in "45"]
    assert len(refused) > 30
    for operation in operations:
        for status, answer in operation["responses"].items():
            if status[0] == "4":
                assert "application/problem+json" in answer["content"], operation["operationId"]


def has_begun_any(url):
    return httpx.get(url + "/v1/tryons").json()["tryons"] or "howsfit_jobs_total{" in httpx.get(url + "/metrics").text


@pytest.mark.slow
def test_no_request_makes_it_fail_or_answer_what_it_does_not_promise(tmp_path, bundled):
    with howsfit_serve(tmp_path, {"HOWSFIT_MAX_WAITING": "20", "HOWSFIT_MAX_WAIT_S": "1"}) as url:
        with httpx.Client(base_url=url) as client:
            images = [upload(client, picture) for picture in bundled]
        command = [sys.executable, "-m", "schemathesis.cli", "run", url + "/openapi.json", "--max-time"]
        command += [os.environ.get("HOWSFIT_FUZZ_S", "30")]
        command += ["--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing,stateful"]
        command += ["--suppress-health-check", "all", "--seed"]
        env = os.environ | {
            "SCHEMATHESIS_HOOKS": "tests.gateway.http.fuzz_hooks",
            "FUZZ_IMAGES": " ".join(images),
            "PYTHONPATH": str(ROOT),
        }
        # On a busy machine the time is over before anything was begun: then what begins things is asked alone.
        for seed, chosen in (("1", []), ("2", TRYONS), ("3", TRYONS)):
            fuzz = [*command, seed, *chosen]
            ended = subprocess.run(fuzz, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=400)
            assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
            if has_begun_any(url):
                break
        assert has_begun_any(url), "it never got past the door"
        # And it still works: with the id of one that waits by its key, the answer comes when those before it are done.
        with httpx.Client(base_url=url, timeout=60) as client:
            for _ in range(60):
                answer = post(client, *bundled, prefer="wait=1", idempotency_key="afterwards")
                if answer.status_code == 200:
                    break
                time.sleep(1)
            assert answer.json()["status"] == "succeeded", answer.text
