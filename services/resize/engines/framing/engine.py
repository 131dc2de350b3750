"""Find the person in a photo of any size and bring her to 768 x 1024."""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

import stagekit
from services.resize.engines.framing.crop import choose_box, cut_out
from services.resize.engines.framing.extent import extent, silhouette
from stagekit.errors import NoPerson, TurnedPhoto
from stagekit.formats import HEIGHT, WIDTH
from stagekit.weights import in_package

if TYPE_CHECKING:
    from stagekit.people import BlazePerson

_SEARCH_SIDE = 1280  # pixels of the longer side at which people are looked for
_CLEAR_PERSON = 0.4  # a second person counts as clear from this part of the first one's size
_SMALLEST = 80  # pixels; anybody less tall than that has no detail to work with
_BLURRED_FROM = 4.0  # enlargement
_LYING, _UPSIDE_DOWN = 60, 120  # degrees
_ADVICE = "Use a photo of one person who faces the camera, with head and torso visible and good light"


_MODELS = (
    "modules/pose_detection/pose_detection.tflite",
    "modules/pose_landmark/pose_landmark_full.tflite",
)
"""Inside the MediaPipe package."""


class Engine(stagekit.Engine):
    """photo -> person, frame.

    `person` shows the photo's largest person whole, with a margin, on her own background; where 3:4 reaches beyond the photo,
    the background is continued. `frame` is the way back: {"photo_size": [width, height], "box": [x0, y0, x1, y1] in photo
    pixels, partly outside of the photo perhaps, "person_size": [768, 1024]}, so that
    photo_x = x0 + person_x * (x1 - x0) / 768 and the same for y, with x, y measured from the pictures' corners.

    A photo of exactly 768 x 1024 with one person passes through as it is, so that it stays aligned with its annotations.

    Warns: several-people, low-resolution. Raises NoPerson, TurnedPhoto.
    """

    name = "framing"
    version = "3"
    inputs = ("photo",)
    licence = "Apache-2.0"

    def load(self) -> None:
        from stagekit.people import PeopleFinder  # MediaPipe takes seconds to import

        self._finder = PeopleFinder(with_masks=True)

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        photo = inputs["photo"]
        people, scale = self._find(photo)
        several = len(people) > 1 and people[1].torso_size() > _CLEAR_PERSON * people[0].torso_size()
        if several:
            warn("several-people", f"{len(people)} people were found in the photo; the largest one is dressed.")
        _check_upright(people[0])
        if photo.shape[:2] == (HEIGHT, WIDTH) and not several:
            return {"person": photo.copy(), "frame": frame(photo, (0, 0, WIDTH, HEIGHT))}
        inside = silhouette(people[0])
        reach = extent(people[0], inside).scaled(1 / scale)
        tall = reach.whole[3] - reach.whole[1]
        if tall < _SMALLEST:
            raise NoPerson(f"The person in the photo is only {tall:.0f} pixels tall, too small to dress. {_ADVICE}, at least "
                           "500 pixels tall.")  # fmt: skip
        box = choose_box(reach, photo.shape[1], photo.shape[0])
        enlargement = WIDTH / (box[2] - box[0])
        if enlargement > _BLURRED_FROM:
            warn("low-resolution", f"The person is small in the photo and was enlarged {enlargement:.1f} times; the result "
                 "will be blurred. A closer photo gives a better one.")  # fmt: skip
        return {"person": cut_out(photo, box, inside), "frame": frame(photo, box)}

    def _find(self, photo: np.ndarray) -> "tuple[list[BlazePerson], float]":
        """Everybody, largest first, in a copy of the photo of `scale` times its size. Raises NoPerson."""
        scale = min(1.0, _SEARCH_SIDE / max(photo.shape[:2]))
        small = photo
        if scale < 1:
            small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        people = self._finder.find(small)
        if not people:
            raise NoPerson(f"Nobody was found in the photo. {_ADVICE}; avoid photos taken from far away.")
        return people, scale

    def weights(self) -> tuple[dict[str, str], ...]:
        return in_package("mediapipe", "Apache-2.0", *_MODELS)

    def runtime(self) -> dict[str, str]:
        import mediapipe

        return {"framework": "mediapipe " + mediapipe.__version__, "device": "cpu"}


def _check_upright(person: "BlazePerson") -> None:
    """A camera that does not note how it was held leaves its photos on their side. Raises TurnedPhoto."""
    lean = person.lean()
    if abs(lean) >= _UPSIDE_DOWN:
        raise TurnedPhoto("The person stands on her head in the photo. Turn the photo upside down, and send it again.")
    if abs(lean) >= _LYING:
        way = "left" if lean > 0 else "right"
        raise TurnedPhoto(f"The person lies on her side in the photo. Turn the photo to the {way} by a quarter, so that she "
                          "stands, and send it again.")  # fmt: skip


def frame(photo: np.ndarray, box: tuple[int, int, int, int]) -> dict[str, Any]:
    """The `frame` document of a photo and the box that was cut out of it."""
    return {
        "photo_size": [photo.shape[1], photo.shape[0]],
        "box": [float(edge) for edge in box],
        "person_size": [WIDTH, HEIGHT],
    }
