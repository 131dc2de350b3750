"""Tell what the garment is: upper, lower or dress."""

from stagekit import Stage

STAGE = Stage(
    name="category",
    inputs=("cloth", "cloth_mask"),
    outputs=("category",),
    default_engine="parser",
)
