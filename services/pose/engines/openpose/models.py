"""The published models: what their maps mean, which files they are, where those come from."""

from typing import NamedTuple

from services.pose.engines.openpose.decode import Skeleton
from services.pose.layouts import BODY_25, COCO_18

_COCO_LIMBS = (
    ("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("neck", "left_hip"),
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("neck", "right_shoulder"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"), ("right_shoulder", "right_ear"),
    ("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("left_shoulder", "left_ear"), ("neck", "nose"), ("nose", "right_eye"), ("nose", "left_eye"),
    ("right_eye", "right_ear"), ("left_eye", "left_ear"),
)  # fmt: skip
"""Read off the maps of real photographs: along each, one pair of maps points (the test of the order does it again)."""

_BODY_25_LIMBS = (
    ("neck", "mid_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("mid_hip", "right_hip"),
    ("mid_hip", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("neck", "right_shoulder"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"), ("right_shoulder", "right_ear"),
    ("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("left_shoulder", "left_ear"), ("neck", "nose"), ("nose", "right_eye"), ("nose", "left_eye"),
    ("right_eye", "right_ear"), ("left_eye", "left_ear"), ("left_ankle", "left_big_toe"),
    ("left_big_toe", "left_small_toe"), ("left_ankle", "left_heel"), ("right_ankle", "right_big_toe"),
    ("right_big_toe", "right_small_toe"), ("right_ankle", "right_heel"),
)  # fmt: skip
"""Like COCO's, but for the mid-hip and the feet at the end. Not yet checked against the weights: where they are, the test of
the order does it."""


class Model(NamedTuple):
    """One published network. Its output is heat maps, background last, then affinity maps, all of an eighth of the input."""

    name: str

    skeleton: Skeleton

    files: tuple[str, ...]
    """In the engine's folder of weights: description and weights for Caffe, or one frozen graph of TensorFlow."""

    size: tuple[int, int]
    """Height and width of the input: 3 to 4 like the picture, multiples of 16."""

    @property
    def weights(self) -> str:
        """Key of its weights in the manifest."""
        return "openpose/" + self.name


MODELS = {
    "body_25": Model(
        "body_25",
        Skeleton(BODY_25, _BODY_25_LIMBS),
        ("pose_deploy.prototxt", "pose_iter_584000.caffemodel"),
        (384, 288),
    ),
    "coco": Model(
        "coco",
        Skeleton(COCO_18, _COCO_LIMBS),
        ("pose_deploy_linevec.prototxt", "pose_iter_440000.caffemodel"),
        (384, 288),
    ),
    "mobilenet": Model(
        "mobilenet",
        Skeleton(COCO_18, _COCO_LIMBS),
        ("openpose_mobilenet_v2_small_coco.pb",),
        (448, 336),
    ),
}
"""What HOWSFIT_OPENPOSE_MODEL chooses from. OpenPose's own input is 368 high; 384 is the next height of 3 to 4. Mobilenet was
measured: larger inputs lose the hips of who fills the picture, smaller ones are less exact."""
