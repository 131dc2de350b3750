"""Dress the person in the cloth."""

from stagekit import Stage

STAGE = Stage(
    name="tryon",
    inputs=("agnostic", "parse_agnostic", "densepose", "cloth", "cloth_mask", "person", "parse", "pose", "category"),
    outputs=("tryon",),
    default_engine="tps",
)
