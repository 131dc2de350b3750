"""What a training is, and what it is kept by: the same settings give the same training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Kind = Literal["condition", "generator"]

CONDITION_HEIGHT = 256
"""The condition generator works at no other."""


@dataclass(frozen=True)
class Settings:
    """All that decides about the weights. Who goes on with a training says the same, but for the profile."""

    kind: Kind
    data: str
    """Digest of the list of pairs: their names, in their order."""
    pairs: int
    steps: int
    batch: int
    """Pairs of a step, of all processes together."""
    height: int = CONDITION_HEIGHT
    """Of the pictures, which are 3:4."""
    seed: int = 0
    average: float = 0.999
    """Decay of the weights' moving average."""
    rate: float = 1.0
    """Times the published learning rates."""
    begun_from: str = "nothing"
    """The weights that it began from, in the words of the command."""
    condition: str = ""
    """The condition generator that the image generator is trained behind, alike."""
    perceptual: Literal["imagenet", "random"] = "imagenet"
    """Whose features the perceptual loss compares: VGG19's as it learned them from ImageNet, or of drawn lots."""
    occlusion: bool = True
    profile: str = "plain"
    precision: Literal["full", "bfloat16", "float16"] = "full"

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def factor(self, step: int) -> float:
        """What the learning rates are multiplied by at a step, counted from 0. The condition generator's stay; the image
        generator's fall linearly through the second half, in a hundred steps: as published, where that is 100,000 + 100,000."""
        if self.kind == "condition":
            return self.rate
        constant = self.steps // 2
        decaying, every = self.steps - constant, max(1, self.steps // 200)
        return self.rate * (1 - max(0, step // every * every - constant) / (decaying + 1))


def differences(before: dict[str, Any], now: Settings) -> list[str]:
    """In what two trainings differ, in words; empty where one may go on with the other's weights."""
    there = now.document()
    return [
        f"{field.name} {before.get(field.name)}, not {there[field.name]}"
        for field in fields(Settings)
        if field.name != "profile" and before.get(field.name) != there[field.name]
    ]
