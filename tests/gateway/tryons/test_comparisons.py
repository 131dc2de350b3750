"""Comparisons whose gateway is killed in the middle: real processes."""

import json

import httpx
import pytest

from tests.gateway.small_cluster import SmallStages, garment, gateway, patiently, photo, wait_for

pytestmark = pytest.mark.slow


def test_a_comparison_goes_on_when_its_gateway_is_back(tmp_path):
    variants = [{"label": label} for label in "abc"]
    with SmallStages(tmp_path / "stages") as stages:
        served = gateway(tmp_path, stages.addresses()).start()
        try:
            with httpx.Client(base_url=served.url, timeout=30) as client:
                held = stages.hold("tryon")
                files = {"photo": photo(1), "garment": garment(1)}
                answer = client.post("/v1/comparisons", files=files, data={"variants": json.dumps(variants)})
                assert answer.status_code == 202 and answer.json()["status"] == "processing"
                wait_for(lambda: stages.runs("tryon"))
                served.kill()
                held.unlink()
                served.start()

                def now():
                    return patiently(client, "GET", answer.json()["urls"]["get"]).json()

                wait_for(lambda: now()["status"] == "completed")
                assert now()["counts"] == {"succeeded": 3}
                assert client.get(now()["urls"]["sheet"]).status_code == 200
                assert len(stages.runs("resize")) == 1, "what was made before is not made again"
        finally:
            served.stop()
