"""Label every pixel of the person: hair, face, garments, limbs."""

from stagekit import Stage

STAGE = Stage(
    name="human_parse",
    inputs={"person": "image", "pose": "keypoints"},
    outputs={"parse": "labels"},
    default_engine="posecut",
)
