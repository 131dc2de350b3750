"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over

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
    for name, values in {"device": ("auto", "cpu", "cuda"), "precision": ("auto", "fp32", "bf16")}.items():
        if getattr(settings, name) not in values:
            known = ", ".join(values)
            raise ValueError(f"HOWSFIT_{name.upper()} must be one of {known}, not {getattr(settings, name)!r}.")
    if not 0 <= settings.tryon_seed <= MAX_SEED:
        raise ValueError(f"HOWSFIT_TRYON_SEED must be from 0 to {MAX_SEED}, not {settings.tryon_seed}.")
    if not 1 <= settings.fashn_steps <= MAX_STEPS:
        raise ValueError(f"HOWSFIT_FASHN_STEPS must be from 1 to {MAX_STEPS}, not {settings.fashn_steps}.")
    if not settings.fashn_budget_s >= 0:
        raise ValueError(f"HOWSFIT_FASHN_BUDGET_S must be seconds, or 0 for no limit, not {settings.fashn_budget_s}.")
    return settings
