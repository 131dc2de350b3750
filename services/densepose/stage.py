"""Paint the visible body surface by its parts."""

from stagekit import Stage

STAGE = Stage(
    name="densepose",
    inputs={"person": "image", "pose": "keypoints"},
    outputs={"densepose": "image"},
    default_engine="skeleton",
)
