"""Find people with MediaPipe's BlazePose: its detector on the whole picture, its landmark model on each detection.

Imported only by the engines that use it: it needs MediaPipe and Python 3.11, the rest of stagekit does not.

MediaPipe's own `solutions.pose` keeps only the best detection. Here the two subgraphs that it is built of run as graphs
of their own, so that every person of a picture is found. Both models are part of the mediapipe package (0.10.21).

Source: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020, arXiv:2006.10204.
"""

import math
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import mediapipe
import numpy as np
from mediapipe.framework.formats import rect_pb2
from mediapipe.python import packet_creator, packet_getter
from mediapipe.python._framework_bindings import calculator_graph, image_frame, resource_util

_DETECTION_GRAPH = """
input_stream: "image"
output_stream: "detections"
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }
"""

_LANDMARK_GRAPH = """
input_stream: "image"
input_stream: "roi"
output_stream: "landmarks"
output_stream: "mask_frame"
node {
  calculator: "ConstantSidePacketCalculator"
  output_side_packet: "PACKET:0:complexity"
  output_side_packet: "PACKET:1:with_mask"
  options { [mediapipe.ConstantSidePacketCalculatorOptions.ext] {
    packet { int_value: 1 } packet { bool_value: %s }
  } }
}
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  input_side_packet: "ENABLE_SEGMENTATION:with_mask"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "SEGMENTATION_MASK:mask"
}
node { calculator: "FromImageCalculator" input_stream: "IMAGE:mask" output_stream: "IMAGE_CPU:mask_frame" }
"""

LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 11, 12, 23, 24
"""Positions of some of BlazePose's 33 landmarks; left and right are the person's own."""

_SQUEEZED = 0.1
"""Shoulder width per torso size below which nobody seen from the front is: the sample people have 0.5 and more."""

_ROI_SCALE = 1.25  # the margin that the landmark model was trained with
# Of people whom the picture cuts off at the hips the detector thinks too small, and the landmark model then squeezes the
# hips into the picture: a wider circle halves that error.
_LOW_HIPS = 0.8  # in picture heights
_WIDER = 1.4
_LONG = 1.4  # a picture this many times as long as wide is looked at in parts
_SAME_DETECTION = 0.3  # two detections are of one person when their centres lie closer than this, in radii
_SAME_PERSON = 0.5  # two results are one person when their torsos lie closer than this, in torso sizes


_Detection = tuple[np.ndarray, np.ndarray, float]
"""Mid-hip, a point on the circle around the whole body (both x, y in pixels), score."""


@dataclass(frozen=True)
class BlazePerson:
    """One person of a picture.

    landmarks: (33, 4) float64: x, y in pixels (may lie outside of the picture), z in the same unit (smaller is nearer to the
    camera), visibility 0..1.
    score: the detector's, 0..1.
    mask: (H, W) float32 0..1, the person's silhouette, or None.
    """

    landmarks: np.ndarray
    score: float
    mask: np.ndarray | None

    def torso_size(self) -> float:
        """The larger of shoulder width and shoulder-to-hip length, in pixels: how large the person is, however cut off."""
        xy = self.landmarks[:, :2]
        shoulders = xy[[LEFT_SHOULDER, RIGHT_SHOULDER]]
        width = math.dist(*shoulders)
        return max(width, math.dist(shoulders.mean(axis=0), xy[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)))

    def is_squeezed(self) -> bool:
        """Whether left and right fall together, as of a body that was not understood, or one seen from right beside it."""
        return math.dist(*self.landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER], :2]) < _SQUEEZED * self.torso_size()

    def lean(self) -> float:
        """How far she is turned clockwise in the picture, in degrees, -180..180: from the hips to the shoulders, 0 upright."""
        xy = self.landmarks[:, :2]
        right, down = xy[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(axis=0) - xy[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
        return math.degrees(math.atan2(right, -down))

    def torso_centre(self) -> np.ndarray:
        """(2,) x, y in pixels."""
        centre: np.ndarray = self.landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP], :2].mean(axis=0)
        return centre


class PeopleFinder:
    """BlazePose for any number of people. Deterministic; may be called from several threads, one at a time."""

    def __init__(self, with_masks: bool = False) -> None:
        """with_masks: also give each person's silhouette (a few milliseconds more)."""
        resource_util.set_resource_dir(os.path.dirname(os.path.dirname(mediapipe.__file__)))
        self._lock = threading.Lock()
        self._detect = _Graph(_DETECTION_GRAPH, ("detections",))
        self._landmark = _Graph(_LANDMARK_GRAPH % str(with_masks).lower(), ("landmarks", "mask_frame"))
        blank = np.zeros((64, 64, 3), dtype=np.uint8)  # warm up
        self._detections(blank)
        self._person(blank, (np.array([32.0, 32.0]), np.array([32.0, 10.0]), 0.0))

    def find(self, image: np.ndarray) -> list[BlazePerson]:
        """Everybody in an RGB picture, (H, W, 3) uint8, largest torso first; an empty list when nobody is found."""
        with self._lock:
            people: list[BlazePerson] = []
            for detection in self._detections_at_any_size(image):
                person = self._person(image, detection)
                if person is not None and person.is_squeezed():
                    person = self._from_farther(image) or person
                if person is not None and not any(_same(person, other) for other in people):
                    people.append(person)
        return sorted(people, key=BlazePerson.torso_size, reverse=True)

    def _from_farther(self, image: np.ndarray) -> BlazePerson | None:
        """Somebody whose head the picture cuts off may be seen only where there is room around it."""
        found: list[_Detection] = []
        self._look_again(_bordered(image), found)
        people = (self._person(image, detection) for detection in found)
        return next((person for person in people if person is not None and not person.is_squeezed()), None)

    def _detections_at_any_size(self, image: np.ndarray) -> list[_Detection]:
        """The detector sees 224 x 224 pixels: in a wide picture it looks at square parts too, and where it finds nobody it
        looks from farther off, then from nearer.
        """
        found = self._detections(image)
        shortest, longest = sorted(image.shape[:2])
        if longest > _LONG * shortest:
            self._look_again(_parts(image, shortest), found)
        if not found:
            self._look_again(_bordered(image), found)
        if not found:
            self._look_again(_parts(image, shortest * 5 // 8), found)
        return found

    def _look_again(self, views: Iterable[tuple[np.ndarray, np.ndarray]], found: list[_Detection]) -> None:
        """Add to `found` what is new in views of a picture; each view comes with its offset in the picture."""
        for view, offset in views:
            for centre, top, score in self._detections(view):
                radius = math.dist(centre, top)
                if all(math.dist(centre + offset, other[0]) > _SAME_DETECTION * radius for other in found):
                    found.append((centre + offset, top + offset, score))

    def _detections(self, image: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, float]]:
        """(mid-hip, a point on the circle around the whole body, score) of each detection, in pixels, best first."""
        out = self._detect.run(image=_frame(image))
        if "detections" not in out:
            return []
        size = np.array(image.shape[1::-1], dtype=np.float64)
        found = []
        for detection in packet_getter.get_proto_list(out["detections"]):
            points = [np.array([p.x, p.y]) * size for p in detection.location_data.relative_keypoints]
            found.append((points[0], points[1], float(detection.score[0])))
        return sorted(found, key=lambda one: -one[2])

    def _person(self, image: np.ndarray, detection: _Detection) -> BlazePerson | None:
        person = self._person_in_circle(image, detection)
        if person is None or person.landmarks[[LEFT_HIP, RIGHT_HIP], 1].mean() < _LOW_HIPS * image.shape[0]:
            return person
        centre, top, score = detection
        wider = self._person_in_circle(image, (centre, centre + _WIDER * (top - centre), score))
        return person if wider is None else _with_lower_body_of(wider, person)

    def _person_in_circle(self, image: np.ndarray, detection: _Detection) -> BlazePerson | None:
        """What the landmark model sees in the circle that a detection describes."""
        centre, top, score = detection
        height, width = image.shape[:2]
        out = self._landmark.run(image=_frame(image), roi=_roi(centre, top, width, height))
        if "landmarks" not in out:
            return None
        points = packet_getter.get_proto(out["landmarks"]).landmark
        landmarks = np.array([(p.x * width, p.y * height, p.z * width, p.visibility) for p in points])
        mask = None
        if "mask_frame" in out:
            mask = packet_getter.get_image_frame(out["mask_frame"]).numpy_view().reshape(height, width).copy()
        return BlazePerson(landmarks, score, mask)


class _Graph:
    """A running MediaPipe graph that is fed one timestamp after the other."""

    def __init__(self, config: str, outputs: tuple[str, ...]) -> None:
        self._graph = calculator_graph.CalculatorGraph(graph_config=config)
        self._packets: dict[str, Any] = {}
        self._timestamp = 0
        for name in outputs:
            self._graph.observe_output_stream(name, self._packets.__setitem__, True)
        self._graph.start_run()

    def run(self, **inputs: Any) -> dict[str, Any]:
        """Input packets by stream -> the output packets that are not empty."""
        self._timestamp += 1
        self._packets.clear()
        for name, packet in inputs.items():
            self._graph.add_packet_to_input_stream(name, packet.at(self._timestamp))
        self._graph.wait_until_idle()
        return {name: packet for name, packet in self._packets.items() if not packet.is_empty()}


def _with_lower_body_of(wider: BlazePerson, person: BlazePerson) -> BlazePerson:
    """Hips and legs from the wider look, the rest as the mean of both."""
    landmarks = (person.landmarks + wider.landmarks) / 2
    landmarks[LEFT_HIP:] = wider.landmarks[LEFT_HIP:]
    return BlazePerson(landmarks, person.score, person.mask)


def _frame(image: np.ndarray) -> Any:
    return packet_creator.create_image_frame(
        image_format=image_frame.ImageFormat.SRGB, data=np.ascontiguousarray(image)
    )


def _roi(centre: np.ndarray, top: np.ndarray, width: int, height: int) -> Any:
    """The square that the landmark model looks at: upright for the person, whose circle reaches from centre to top."""
    dx, dy = top - centre
    side = 2 * math.hypot(dx, dy) * _ROI_SCALE
    rect = rect_pb2.NormalizedRect(
        x_center=centre[0] / width,
        y_center=centre[1] / height,
        width=side / width,
        height=side / height,
        rotation=math.pi / 2 - math.atan2(-dy, dx),
    )
    return packet_creator.create_proto(rect)


def _bordered(image: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The picture with a wide border, for people who fill it."""
    border = max(image.shape[:2]) // 2
    bordered = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
    yield bordered, np.array([-border, -border], dtype=np.float64)


def _parts(image: np.ndarray, side: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Overlapping square parts of the picture, for people who are small in it."""
    height, width = image.shape[:2]
    for y in _starts(height, side):
        for x in _starts(width, side):
            yield image[y : y + side, x : x + side], np.array([x, y], dtype=np.float64)


def _starts(length: int, side: int) -> list[int]:
    """Where parts of `side` pixels begin that cover `length` with an overlap of at least a third."""
    count = 1 + math.ceil((length - side) / (side * 2 / 3))
    return [round(position) for position in np.linspace(0, length - side, count)]


def _same(one: BlazePerson, other: BlazePerson) -> bool:
    apart = math.dist(one.torso_centre(), other.torso_centre())
    return apart < _SAME_PERSON * max(one.torso_size(), other.torso_size())
