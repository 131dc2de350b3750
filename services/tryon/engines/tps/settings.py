"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over

HEMS, LIGHTS = ("hanging", "tucked"), ("match", "keep")


class TpsSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    tryon_hem: str = "hanging"
    """How tps wears a top: hanging over the trousers, or tucked into them as high as the photo shows them."""

    tryon_light: str = "match"
    """Whether a garment gets the light of a dark or tinted photo (match), or keeps the colours of its picture (keep)."""


def read_tps_settings() -> TpsSettings:
    """Raises ValueError naming the setting for any other hem or light."""
    settings = read_over(TpsSettings())
    if settings.tryon_hem not in HEMS:
        raise ValueError(f"HOWSFIT_TRYON_HEM must be hanging or tucked, not {settings.tryon_hem!r}.")
    if settings.tryon_light not in LIGHTS:
        raise ValueError(f"HOWSFIT_TRYON_LIGHT must be match or keep, not {settings.tryon_light!r}.")
    return settings
