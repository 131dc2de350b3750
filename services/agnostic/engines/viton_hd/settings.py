"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over, require_choices

RECIPES = ("viton_hd", "hd", "dc", "idm", "ootd_dc")


class AgnosticSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    agnostic_recipe: str = "viton_hd"
    """Whose rules hide the worn garment: viton_hd (VITON-HD), hd or dc (Leffa), idm (IDM-VTON), ootd_dc (OOTDiffusion)."""


def read_agnostic_settings() -> AgnosticSettings:
    """Raises ValueError naming the setting for any other recipe."""
    settings = read_over(AgnosticSettings())
    require_choices(settings, {"agnostic_recipe": RECIPES})
    return settings
