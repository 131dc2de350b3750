"""Bring the result back into the shopper's own photo, at its own size."""

from stagekit import Stage

STAGE = Stage(
    name="paste_back",
    inputs=("photo", "frame", "person", "tryon"),
    outputs=("tryon_photo",),
    default_engine="blend",
)
