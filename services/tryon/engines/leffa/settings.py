"""Settings of this engine, read from the environment like the chassis's own."""

from typing import NamedTuple

from stagekit.settings import read_over, require_choices, require_range

SIZES = {1024: 768, 512: 384}
"""Height -> width of the sizes it works at: the published one and a quick preview."""

MODELS = ("viton_hd", "dress_code")

MAX_SEED = 2**32 - 1
MAX_STEPS, DRAFT_STEPS = 100, 8
MAX_GUIDANCE = 10.0


class LeffaSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    device: str = "auto"
    """What Leffa runs on: cpu, cuda, or auto for cuda where there is one."""

    precision: str = "auto"
    """Of Leffa: fp32, fp16, bf16, or auto for fp16 on a card, else bf16 where the processor multiplies it."""

    tryon_height: int = 1024
    """Height that Leffa works at: 1024 as published, or 512 for a preview in a sixth of the time."""

    tryon_seed: int = 0
    """Seed of Leffa's noise."""

    leffa_model: str = "viton_hd"
    """Leffa's weights: viton_hd, which is for tops, dress_code, or both, of which the garment's category chooses."""

    leffa_steps: int = 30
    """Steps of Leffa: its authors take 30 to 50."""

    leffa_keep_mb: float = 2000.0
    """Most memory for what Leffa keeps of garments and of none, in megabytes, on the card where there is one. 30 steps in half
    precision have 2100 of each; with the option ref_acceleration 70."""

    leffa_budget_s: float = 120.0
    """Longest time that a try-on with Leffa may take by the engine's own estimate, in seconds; what would take longer is
    refused before it begins. 0: it may take hours. HOWSFIT_STAGE_TIMEOUT_S ends what takes longer than that."""

    @property
    def models(self) -> tuple[str, ...]:
        """Those of MODELS that are chosen."""
        return MODELS if self.leffa_model == "both" else (self.leffa_model,)


def read_leffa_settings() -> LeffaSettings:
    """Raises ValueError naming the setting for a value that it cannot have."""
    settings = read_over(LeffaSettings())
    allowed = {
        "device": ("auto", "cpu", "cuda"),
        "precision": ("auto", "fp32", "fp16", "bf16"),
        "tryon_height": tuple(SIZES),
        "leffa_model": (*MODELS, "both"),
    }
    require_choices(settings, allowed)
    require_range(settings, "tryon_seed", 0, MAX_SEED)
    require_range(settings, "leffa_steps", 1, MAX_STEPS)
    for name in ("leffa_keep_mb", "leffa_budget_s"):
        if not getattr(settings, name) >= 0:
            raise ValueError(f"HOWSFIT_{name.upper()} must be 0 or more, not {getattr(settings, name)}.")
    return settings
