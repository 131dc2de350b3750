"""Run by `make test-training`, in the environment of the training."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")

from services.tryon.engines.hr_viton.generator import SpectralConv  # noqa: E402
from tests.parity import hr_viton_training as parity  # noqa: E402
from training.condition_losses import WEIGHTS  # noqa: E402
from training.discriminators import ConditionDiscriminator, ImageDiscriminator  # noqa: E402
from training.profiles import PROFILES  # noqa: E402
from training.spectral import advance  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "specs" / "hr_viton_training" / "golden_train_condition.npz"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_step_of_the_condition_generator_is_the_published_one(capsys, profile):
    """Every term, every gradient, every parameter after the step, in float64."""
    parity.main([str(GOLDEN), "--case", "A", "--steps", "1", "--profile", profile])
    assert "gradients' projections of D" in capsys.readouterr().out


def test_a_gradient_that_is_wrong_is_noticed(monkeypatch):
    monkeypatch.setitem(WEIGHTS, "tv", 2.01)
    with pytest.raises(SystemExit):
        parity.main([str(GOLDEN), "--case", "A", "--steps", "1"])


def test_the_discriminators_have_the_published_names():
    """With dropout, the later layers' numbers are shifted."""
    plain, dropping = (ConditionDiscriminator(dropout=dropout).state_dict() for dropout in (False, True))
    assert [name for name in plain if name.startswith("layer0") and "weight" in name] == [
        f"layer0.{place}.weight" for place in (0, 2, 5, 8, 11)
    ]
    assert [name for name in dropping if name.startswith("layer1") and "bias" in name] == [
        f"layer1.{place}.bias" for place in (0, 2, 6, 10, 13)
    ]
    assert sum(array.numel() for array in plain.values()) == 5_590_914
    image = ImageDiscriminator()
    assert sum(parameter.numel() for parameter in image.parameters()) == 1_339_522
    assert "discriminator_1.model2.0.0.weight_orig" in image.state_dict()


def test_power_iterations_find_the_largest_singular_value():
    conv = SpectralConv(3, 8, 3)
    torch.nn.init.normal_(conv.weight_orig)
    torch.nn.init.normal_(conv.weight_u)
    for _ in range(100):
        advance(conv)
    largest = np.linalg.svd(conv.kernel().detach().flatten(1).numpy(), compute_uv=False)[0]
    assert largest == pytest.approx(1, abs=1e-3)
