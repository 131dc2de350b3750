"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over, require_choices, require_range

SIZES = {1024: 768, 512: 384}
"""Height -> width of the sizes it works at: the published one and a quick preview."""

MAX_SEED = 2**32 - 1


class HrVitonSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    device: str = "auto"
    """What HR-VITON runs on: cpu, cuda, or auto for cuda where there is one."""

    precision: str = "auto"
    """Of HR-VITON's image generator: fp32, bf16, or auto for bf16 where the processor multiplies it."""

    tryon_height: int = 1024
    """Height that HR-VITON works at: 1024, or 512 for a preview in a quarter of the time, enlarged afterwards."""

    tryon_seed: int = 0
    """Seed of HR-VITON's noise: the same seed gives the same picture."""


def read_hr_viton_settings() -> HrVitonSettings:
    """Raises ValueError naming the setting for a value that it cannot have."""
    settings = read_over(HrVitonSettings())
    allowed = {"device": ("auto", "cpu", "cuda"), "precision": ("auto", "fp32", "bf16"), "tryon_height": tuple(SIZES)}
    require_choices(settings, allowed)
    require_range(settings, "tryon_seed", 0, MAX_SEED)
    return settings
