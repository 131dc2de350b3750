"""Dress the person in the cloth."""

from stagekit import Stage

STAGE = Stage(
    name="tryon",
    inputs={
        "agnostic": "image",
        "agnostic_mask": "mask",
        "parse_agnostic": "labels",
        "densepose": "image",
        "cloth": "image",
        "cloth_mask": "mask",
        "person": "image",
        "parse": "labels",
        "pose": "keypoints",
        "category": "category",
    },
    outputs={"tryon": "image"},
    default_engine="tps",
)
