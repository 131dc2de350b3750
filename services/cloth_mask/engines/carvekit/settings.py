"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over, require_choices

_ALLOWED = {"carvekit_model": ("tracer_b7", "u2net"), "carvekit_matting": ("none", "fba")}


class CarvekitSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    carvekit_model: str = "tracer_b7"
    """The network that finds the garment: tracer_b7, or u2net, which is smaller and less exact."""

    carvekit_matting: str = "none"
    """What draws the outline: none for the network alone, fba for FBA matting, which sees fringes and hairs."""


def read_carvekit_settings() -> CarvekitSettings:
    """Raises ValueError naming the setting for a value that it cannot have."""
    settings = read_over(CarvekitSettings())
    require_choices(settings, _ALLOWED)
    return settings
