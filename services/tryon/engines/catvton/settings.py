"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from services.tryon.engines.catvton.pictures import VARIANTS
from stagekit.settings import read_over, require_choices, require_range

MAX_SEED = 2**32 - 1
MAX_STEPS, DRAFT_STEPS = 100, 8
MAX_GUIDANCE = 7.5


class CatvtonSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    device: str = "auto"
    """What CatVTON runs on: cpu, cuda, or auto for cuda where there is one."""

    precision: str = "auto"
    """Of CatVTON: fp32, fp16, bf16, or auto for bf16 where card or processor multiplies it, else fp16 on a card."""

    tryon_seed: int = 0
    """Seed of CatVTON's noise: the same seed gives the same picture."""

    catvton_variant: str = "mix-48k-1024"
    """Which of CatVTON's weights dress people by default: mix-48k-1024, vitonhd-16k-512 or dresscode-16k-512, which make
    pictures of half the size in a seventh of the time."""

    catvton_steps: int = 50
    """Steps of CatVTON: its authors take 50."""

    catvton_budget_s: float = 120.0
    """Longest time that a try-on with CatVTON may take by the engine's own estimate, in seconds; what would take longer is
    refused before it begins. 0: it may take hours. HOWSFIT_STAGE_TIMEOUT_S ends what takes longer than that."""


def read_catvton_settings() -> CatvtonSettings:
    """Raises ValueError naming the setting for a value that it cannot have."""
    settings = read_over(CatvtonSettings())
    allowed = {
        "device": ("auto", "cpu", "cuda"),
        "precision": ("auto", "fp32", "fp16", "bf16"),
        "catvton_variant": tuple(VARIANTS),
    }
    require_choices(settings, allowed)
    require_range(settings, "tryon_seed", 0, MAX_SEED)
    require_range(settings, "catvton_steps", 1, MAX_STEPS)
    if not settings.catvton_budget_s >= 0:
        raise ValueError(
            f"HOWSFIT_CATVTON_BUDGET_S must be seconds, or 0 for no limit, not {settings.catvton_budget_s}."
        )
    return settings
