"""Find the joints of the person."""

from stagekit import Stage

STAGE = Stage(
    name="pose",
    inputs=("person",),
    outputs=("pose", "pose_image"),
    default_engine="blazepose",
)
