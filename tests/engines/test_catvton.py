"""CatVTON in its container: without weights it says so, its Torch gives what the published code gives, and beside the default
stages it dresses people."""

import numpy as np
import pytest

from tests.engines.conftest import CPUS, dress

pytestmark = pytest.mark.engines

SETTINGS = {
    "HOWSFIT_TRYON_ENGINE": "catvton",
    "HOWSFIT_TRYON_MEMORY": "4g",
    "HOWSFIT_TRYON_CPUS": CPUS,
    "HOWSFIT_AGNOSTIC_ENGINE": "catvton_mask",
    "HOWSFIT_TORCH": "2.13",
}
SMALL = "tests.engines.small_catvton"


def test_without_weights_the_service_says_where_to_get_them(built):
    said = built.said_without_weights("tryon", **SETTINGS)
    assert "weights-missing" in said and "/weights/catvton" in said and "https://" in said and "OpenRAIL" in said


def test_the_golden_run_holds_in_the_container(built):
    file = "tests/specs/catvton/golden_1.npz"
    assert "BEYOND" not in built.inside("tryon-catvton", "python", "-m", "tests.parity", "catvton", file)


def test_a_try_on_runs_whole_in_a_cluster(built, bundled):
    built.inside("tryon-catvton", "python", "-m", SMALL, "write", "/weights")
    files = f"docker-compose.yml:{SMALL.replace('.', '/')}.yml"
    built.compose(
        "up", "--build", "--wait", "--wait-timeout", "300", COMPOSE_FILE=files, HOWSFIT_CATVTON_STEPS="3", **SETTINGS
    )
    with built.client() as client:
        engines, drawn = dress(client, bundled)
    assert engines["tryon"] == "catvton" and engines["agnostic"] == "catvton_mask"
    assert drawn.size == (768, 1024) and np.asarray(drawn).std() > 5
