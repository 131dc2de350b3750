"""Find the joints of the person."""

from services.pose.doubts import warn_of_doubts
from stagekit import Stage

STAGE = Stage(
    name="pose",
    inputs={"person": "image"},
    outputs={"pose": "keypoints", "pose_image": "image"},
    default_engine="blazepose",
    check=warn_of_doubts,
)
