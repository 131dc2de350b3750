"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over, require_choices, require_range

SMALLEST_SIDE, PUBLISHED_SIDE = 320, 800


class DensePoseSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    device: str = "auto"
    """What Detectron2 runs on: cpu, cuda, or auto for cuda where there is one."""

    densepose_side: int = PUBLISHED_SIDE
    """Pixels of the shorter side at which Detectron2 looks at the picture, 320 to 800: 800 as published, trained from 640."""


def read_densepose_settings() -> DensePoseSettings:
    """Raises ValueError naming the setting for a value that it cannot have."""
    settings = read_over(DensePoseSettings())
    require_choices(settings, {"device": ("auto", "cpu", "cuda")})
    require_range(settings, "densepose_side", SMALLEST_SIDE, PUBLISHED_SIDE)
    return settings
