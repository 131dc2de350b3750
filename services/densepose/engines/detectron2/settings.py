"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over

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
    if settings.device not in ("auto", "cpu", "cuda"):
        raise ValueError("HOWSFIT_DEVICE must be one of auto, cpu, cuda, not %r." % settings.device)
    if not SMALLEST_SIDE <= settings.densepose_side <= PUBLISHED_SIDE:
        raise ValueError(
            "HOWSFIT_DENSEPOSE_SIDE must be from %d to %d, not %d."
            % (SMALLEST_SIDE, PUBLISHED_SIDE, settings.densepose_side)
        )
    return settings
