"""Leffa in its container: without weights it says so, and its Torch gives what the published code gives."""

import pytest

from tests.engines.conftest import CPUS
from tests.engines.test_hr_viton import ASK

pytestmark = pytest.mark.engines

SETTINGS = {
    "HOWSFIT_TRYON_ENGINE": "leffa",
    "HOWSFIT_TRYON_MEMORY": "4g",
    "HOWSFIT_TRYON_CPUS": CPUS,
    "HOWSFIT_TORCH": "2.13",
}


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
