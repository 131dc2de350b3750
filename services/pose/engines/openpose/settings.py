"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from services.pose.engines.openpose.models import MODELS
from stagekit.settings import read_over, require_choices

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5)


class OpenposeSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    openpose_model: str = "body_25"
    """The network that OpenPose runs: body_25, coco, or mobilenet, which is small and may be used commercially."""

    openpose_scales: str = "1"
    """Sizes at which OpenPose looks at a picture, of the model's own, separated by commas; the mean of the maps is taken."""


def read_openpose_settings() -> OpenposeSettings:
    """Raises ValueError naming the setting for a model that is none."""
    settings = read_over(OpenposeSettings())
    require_choices(settings, {"openpose_model": MODELS})
    return settings


def read_scales() -> tuple[float, ...]:
    """The scales to look at, smallest first. Raises ValueError naming the setting for any but SCALES."""
    setting = read_openpose_settings().openpose_scales
    try:
        scales = tuple(sorted({float(scale) for scale in setting.split(",")}))
    except ValueError:
        scales = ()
    if not scales or not set(scales) <= set(SCALES):
        known = ", ".join(f"{scale:g}" for scale in SCALES)
        raise ValueError(f"HOWSFIT_OPENPOSE_SCALES must be some of {known}, separated by commas, not {setting!r}.")
    return scales
