"""Bring the result back into the shopper's own photo, at its own size."""

from stagekit import Stage

STAGE = Stage(
    name="paste_back",
    inputs={"photo": "picture", "frame": "transform", "person": "image", "tryon": "image"},
    outputs={"tryon_photo": "picture"},
    default_engine="blend",
)
