"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over


class BlazeposeSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    pose_hands: int = 0
    """1: blazepose also finds the fingers, and gives them in the pose document where OpenPose's --hand does; 0: it does not."""


def read_blazepose_settings() -> BlazeposeSettings:
    """Raises ValueError naming the setting for a value that it cannot have."""
    settings = read_over(BlazeposeSettings())
    if settings.pose_hands not in (0, 1):
        raise ValueError(f"HOWSFIT_POSE_HANDS must be 0 or 1, not {settings.pose_hands}.")
    return settings
