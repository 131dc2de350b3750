"""Leffa in its container: without weights it says so, its Torch gives what the published code gives, and beside the default
stages it dresses people."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.engines.conftest import CPUS
from tests.engines.test_hr_viton import ASK

pytestmark = pytest.mark.engines

SETTINGS = {
    "HOWSFIT_TRYON_ENGINE": "leffa",
    "HOWSFIT_TRYON_MEMORY": "4g",
    "HOWSFIT_TRYON_CPUS": CPUS,
    "HOWSFIT_AGNOSTIC_RECIPE": "hd",
    "HOWSFIT_TORCH": "2.13",
}
SMALL = "tests.engines.small_leffa"


@pytest.fixture(scope="module")
def built(yard):
    yard.build("tryon", **SETTINGS)
    return yard


def test_without_weights_the_service_says_where_to_get_them(built):
    built.compose("up", "--detach", "--no-build", "tryon", **SETTINGS)
    said = built.compose("exec", "--no-TTY", "tryon", "python", "-c", ASK, **SETTINGS)
    assert "weights-missing" in said and "/weights/leffa" in said and "https://" in said and "unclear" in said
    built.compose("down", "--timeout", "10", **SETTINGS)


@pytest.mark.parametrize("golden", ["golden_1.npz", "golden_2_accelerated.npz"])
def test_golden_runs_hold_in_the_container(built, golden):
    assert "BEYOND" not in built.inside(
        "tryon-leffa", "python", "-m", "tests.parity", "leffa", f"tests/specs/leffa/{golden}"
    )


def test_a_try_on_runs_whole_in_a_cluster(built, bundled):
    built.inside("tryon-leffa", "python", "-m", SMALL, "write", "/weights")
    chosen = SETTINGS | {
        "COMPOSE_FILE": f"docker-compose.yml:{SMALL.replace('.', '/')}.yml",
        "HOWSFIT_LEFFA_STEPS": "3",
        "HOWSFIT_LEFFA_BUDGET_S": "0",
    }
    built.compose("up", "--build", "--wait", "--wait-timeout", "300", **chosen)
    with built.client() as client:
        pictures = dict(zip(("photo", "garment"), bundled, strict=True))
        answer = client.post("/v1/tryons", files=pictures, headers={"Prefer": "wait=120"}).raise_for_status().json()
        assert answer["status"] == "succeeded", answer["error"]
        assert {stage["stage"]: stage["engine"] for stage in answer["stages"]}["tryon"] == "leffa"
        drawn = Image.open(io.BytesIO(client.get(answer["artifacts"]["tryon"]).content))
    assert drawn.size == (768, 1024) and np.asarray(drawn).std() > 5
