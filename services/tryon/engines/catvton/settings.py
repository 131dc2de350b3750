"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from services.tryon.engines.catvton.pictures import VARIANTS
from stagekit.settings import read_over

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
    choices = {
        "device": ("auto", "cpu", "cuda"),
        "precision": ("auto", "fp32", "fp16", "bf16"),
        "catvton_variant": VARIANTS,
    }
    for name, values in choices.items():
        if getattr(settings, name) not in values:
            known = ", ".join(values)
            raise ValueError(f"HOWSFIT_{name.upper()} must be one of {known}, not {getattr(settings, name)!r}.")
    if not 0 <= settings.tryon_seed <= MAX_SEED:
        raise ValueError(f"HOWSFIT_TRYON_SEED must be from 0 to {MAX_SEED}, not {settings.tryon_seed}.")
    if not 1 <= settings.catvton_steps <= MAX_STEPS:
        raise ValueError(f"HOWSFIT_CATVTON_STEPS must be from 1 to {MAX_STEPS}, not {settings.catvton_steps}.")
    if not settings.catvton_budget_s >= 0:
        raise ValueError(
            f"HOWSFIT_CATVTON_BUDGET_S must be seconds, or 0 for no limit, not {settings.catvton_budget_s}."
        )
    return settings
