"""Leffa in its container: without weights it says so, its Torch gives what the published code gives, and beside the default
stages it dresses people."""

import numpy as np
import pytest

from tests.engines.conftest import CPUS, dress

pytestmark = pytest.mark.engines

SETTINGS = {
    "HOWSFIT_TRYON_ENGINE": "leffa",
    "HOWSFIT_TRYON_MEMORY": "4g",
    "HOWSFIT_TRYON_CPUS": CPUS,
    "HOWSFIT_AGNOSTIC_RECIPE": "hd",
    "HOWSFIT_TORCH": "2.13",
}
SMALL = "tests.engines.small_leffa"


def test_without_weights_the_service_says_where_to_get_them(built):
    said = built.said_without_weights("tryon", **SETTINGS)
    assert "weights-missing" in said and "/weights/leffa" in said and "https://" in said and "unclear" in said


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
        engines, drawn = dress(client, bundled)
    assert engines["tryon"] == "leffa"
    assert drawn.size == (768, 1024) and np.asarray(drawn).std() > 5
