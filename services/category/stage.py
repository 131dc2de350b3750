"""Tell what the garment is: upper, lower or dress."""

from stagekit import Stage

STAGE = Stage(
    name="category",
    inputs={"cloth": "image", "cloth_mask": "mask"},
    outputs={"category": "category"},
    default_engine="parser",
    optional={"cloth_parse": "labels"},
)
