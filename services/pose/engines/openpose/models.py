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

_RESEARCH = "OpenPose's own, academic or non-profit research only; the files must not be passed on"
_SERVER = "http://vcl.snu.ac.kr/OpenPose/models/pose/"


class Model(NamedTuple):
    """One published network. Its output is heat maps, background last, then affinity maps, all of an eighth of the input."""

    skeleton: Skeleton

    files: tuple[str, ...]
    """In the engine's folder of weights: description and weights for Caffe, or one frozen graph of TensorFlow."""

    size: tuple[int, int]
    """Height and width of the input: 3 to 4 like the picture, multiples of 16."""

    licence: str

    advice: str
    """Where the files come from."""


MODELS = {
    "body_25": Model(
        Skeleton(BODY_25, _BODY_25_LIMBS),
        ("pose_deploy.prototxt", "pose_iter_584000.caffemodel"),
        (384, 288),
        _RESEARCH,
        f"Download {_SERVER}body_25/pose_iter_584000.caffemodel (104715850 bytes, md5 78287b57cf85fa89c03f1393d368e5b7), "
        "and take pose_deploy.prototxt from models/pose/body_25 of an OpenPose release.",
    ),
    "coco": Model(
        Skeleton(COCO_18, _COCO_LIMBS),
        ("pose_deploy_linevec.prototxt", "pose_iter_440000.caffemodel"),
        (384, 288),
        _RESEARCH,
        f"Download {_SERVER}coco/pose_iter_440000.caffemodel (209274056 bytes, md5 5156d31f670511fce9b4e28b403f2939), "
        "and take pose_deploy_linevec.prototxt from models/pose/coco of an OpenPose release.",
    ),
    "mobilenet": Model(
        Skeleton(COCO_18, _COCO_LIMBS),
        ("openpose_mobilenet_v2_small_coco.pb",),
        (448, 336),
        "Apache-2.0",
        "Take the graph mobilenet_v2_small of the project tf-pose-estimation and save it under that name.",
    ),
}
"""What HOWSFIT_OPENPOSE_MODEL chooses from. OpenPose's own input is 368 high; 384 is the next height of 3 to 4. Mobilenet was
measured: larger inputs lose the hips of who fills the picture, smaller ones are less exact."""
