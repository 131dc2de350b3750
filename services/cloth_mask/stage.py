"""Cut the garment out of its picture: the framed cloth, and which of its pixels are garment."""

from services.cloth_mask.doubts import warn_of_doubts
from stagekit import Stage

STAGE = Stage(
    name="cloth_mask",
    inputs={"garment": "picture"},
    outputs={"cloth": "image", "cloth_mask": "mask"},
    default_engine="cutout",
    check=warn_of_doubts,
    cut_out=("garment",),
)
