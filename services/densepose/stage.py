"""Paint the visible body surface by its parts."""

from stagekit import Stage

STAGE = Stage(
    name="densepose",
    inputs=("person", "pose"),
    outputs=("densepose",),
    default_engine="skeleton",
)
