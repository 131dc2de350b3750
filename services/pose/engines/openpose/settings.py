"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from services.pose.engines.openpose.models import MODELS
from stagekit.settings import read_over


class OpenposeSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    openpose_model: str = "body_25"
    """The network that OpenPose runs: body_25, coco, or mobilenet, which is small and may be used commercially."""


def read_openpose_settings() -> OpenposeSettings:
    """Raises ValueError naming the setting for a model that is none."""
    settings = read_over(OpenposeSettings())
    if settings.openpose_model not in MODELS:
        raise ValueError(f"HOWSFIT_OPENPOSE_MODEL must be one of {', '.join(MODELS)}, not {settings.openpose_model!r}.")
    return settings
