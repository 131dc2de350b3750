"""FASHN VTON in its container: without weights it says so, and its Torch gives what the published code gives."""

import pytest

from tests.engines.conftest import CPUS
from tests.engines.test_hr_viton import ASK

pytestmark = pytest.mark.engines

SETTINGS = {
    "HOWSFIT_TRYON_ENGINE": "fashn_vton",
    "HOWSFIT_TRYON_MEMORY": "6g",
    "HOWSFIT_TRYON_CPUS": CPUS,
    "HOWSFIT_TORCH": "2.13",
}


def test_a_torch_that_it_is_not_made_for_is_refused(yard):
    with pytest.raises(pytest.fail.Exception, match="fashn_vton is not made for Torch 1.10: set HOWSFIT_TORCH"):
        yard.build("tryon", **SETTINGS | {"HOWSFIT_TORCH": "1.10"})


@pytest.fixture(scope="module")
def built(yard):
    yard.build("tryon", **SETTINGS)
    return yard


def test_without_weights_the_service_says_where_to_get_them(built):
    built.compose("up", "--detach", "--no-build", "tryon", **SETTINGS)
    said = built.compose("exec", "--no-TTY", "tryon", "python", "-c", ASK, **SETTINGS)
    assert "weights-missing" in said and "/weights/fashn_vton" in said and "https://" in said and "Apache-2.0" in said
    built.compose("down", "--timeout", "10", **SETTINGS)


@pytest.mark.parametrize("golden", ["golden_1.npz", "golden_pre_1.npz", "golden_pre_2.npz"])
def test_golden_runs_hold_in_the_container(built, golden):
    file = f"tests/specs/fashn_vton/{golden}"
    assert "BEYOND" not in built.inside("tryon-fashn_vton", "python", "-m", "tests.parity", "fashn_vton", file)
