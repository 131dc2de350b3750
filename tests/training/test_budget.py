"""Run by `make test-training`, in the environment of the training."""

import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")

from rich.console import Console  # noqa: E402

from training.budget import GIB, NotEnoughMemory, budget  # noqa: E402
from training.profiles import EIGHT_GB, PLAIN, named  # noqa: E402


@pytest.mark.parametrize(
    ("kind", "batch", "profile", "published"),
    [("generator", 1, PLAIN, 10.96), ("condition", 8, PLAIN, 8.92), ("condition", 8, EIGHT_GB, 5.79)],
)
def test_what_is_computed_is_what_was_counted_on_the_published_classes(kind, batch, profile, published):
    """At 1024 x 768 and 256 x 192, in GiB; the last is said there of what our profile does."""
    assert budget(kind, 1024, 768, batch, profile).total / GIB == pytest.approx(published, rel=0.04)


def test_the_profile_fits_a_card_of_8_gb_at_full_size():
    assert budget("generator", 1024, 768, 1, EIGHT_GB).on_a_card < 4.5 * GIB


def test_a_training_that_would_not_fit_is_refused_with_the_setting_that_helps():
    found = budget("generator", 256, 192, 1, PLAIN)
    found.demand(8 * GIB)
    with pytest.raises(NotEnoughMemory, match=r"--profile 8gb it needs 2\.\d GiB"):
        found.demand(int(2.9 * GIB))
    with pytest.raises(NotEnoughMemory, match="a device with more memory"):
        found.demand(1 * GIB)


def test_sixteen_bits_and_parts_of_a_batch_need_less():
    whole = budget("generator", 256, 256, 4, PLAIN).total
    in_parts = budget("generator", 256, 256, 4, EIGHT_GB)
    assert in_parts.total < whole
    assert in_parts.total == budget("generator", 256, 256, 1, EIGHT_GB).total
    half = budget("generator", 256, 256, 4, named("8gb", "bfloat16"))
    assert half.total < in_parts.total


def test_the_table_names_every_block():
    console = Console(width=120, record=True)
    console.print(budget("generator", 256, 256, 1, EIGHT_GB).table())
    said = console.export_text()
    assert all(name in said for name in ("head_0", "up_4", "perceptual network", "discriminator's step", "GiB"))
