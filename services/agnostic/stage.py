"""Take the worn garment out of the photo and of the parse."""

from services.agnostic.doubts import warn_of_doubts
from stagekit import Stage

STAGE = Stage(
    name="agnostic",
    inputs=("person", "parse", "pose", "category"),
    outputs=("agnostic", "agnostic_mask", "parse_agnostic"),
    default_engine="viton_hd",
    check=warn_of_doubts,
)
