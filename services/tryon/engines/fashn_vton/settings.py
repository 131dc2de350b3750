"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over, require_choices, require_range

MAX_SEED = 2**32 - 1
MAX_STEPS, DRAFT_STEPS = 100, 8
MAX_GUIDANCE = 5.0


class FashnVtonSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    device: str = "auto"
    """What FASHN VTON runs on: cpu, cuda, or auto for cuda where there is one."""

    precision: str = "auto"
    """Of FASHN VTON: fp32, bf16, or auto for bf16 where the processor multiplies it."""

    tryon_seed: int = 0
    """Seed of FASHN VTON's noise: the same seed gives the same picture."""

    fashn_steps: int = 30
    """Steps of FASHN VTON: 20 are fast, 50 careful."""

    fashn_budget_s: float = 120.0
    """Longest time that a try-on with FASHN VTON may take by the engine's own estimate, in seconds; what would take longer is
    refused before it begins. 0: it may take hours. HOWSFIT_STAGE_TIMEOUT_S ends what takes longer than that."""


def read_fashn_vton_settings() -> FashnVtonSettings:
    """Raises ValueError naming the setting for a value that it cannot have."""
    settings = read_over(FashnVtonSettings())
    require_choices(settings, {"device": ("auto", "cpu", "cuda"), "precision": ("auto", "fp32", "bf16")})
    require_range(settings, "tryon_seed", 0, MAX_SEED)
    require_range(settings, "fashn_steps", 1, MAX_STEPS)
    if not settings.fashn_budget_s >= 0:
        raise ValueError(f"HOWSFIT_FASHN_BUDGET_S must be seconds, or 0 for no limit, not {settings.fashn_budget_s}.")
    return settings
