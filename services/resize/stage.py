"""Find the person in a photo and bring her to the size and proportions that the other stages work at."""

from stagekit import Stage

STAGE = Stage(
    name="resize",
    inputs={"photo": "picture"},
    outputs={"person": "image", "frame": "transform"},
    default_engine="framing",
)
