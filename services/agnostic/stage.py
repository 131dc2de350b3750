"""Take the worn garment out of the photo and of the parse."""

from services.agnostic.doubts import warn_of_doubts
from stagekit import Stage

STAGE = Stage(
    name="agnostic",
    inputs={
        "person": "image",
        "parse": "labels",
        "pose": "keypoints",
        "densepose": "image",
        "category": "category",
    },
    outputs={"agnostic": "image", "agnostic_mask": "mask", "parse_agnostic": "labels"},
    default_engine="viton_hd",
    check=warn_of_doubts,
)
