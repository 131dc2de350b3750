"""Make the files of a garment and of all who go with it."""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from gateway.tryons.dataset import JPEG_QUALITY
from howsfit import files
from howsfit.dataset.layout import PLACES, path_of
from howsfit.dataset.pairing.description import Description, Size
from howsfit.dataset.pairing.framing import (
    Body,
    Frame,
    body_in,
    body_of_labels,
    frame_garment,
    frame_person,
    frame_whole,
)
from howsfit.dataset.pairing.labels import (
    MOST_PIXELS,
    BadLabel,
    Regions,
    as_body_25,
    draw_mask,
    framed,
    move_joints,
    same_shape,
    whole,
)
from howsfit.dataset.pairing.plan import Group, Wearer, cloth_name, frame_path, is_made
from howsfit.dataset.pairing.reasons import Finding, Reason, Unfit
from stagekit.errors import StageError
from stagekit.formats import CIHP_PALETTE, HEIGHT, WIDTH, pose_document
from stagekit.images import to_rgb
from stagekit.orientation import UPRIGHT
from stagekit.pictures import Picture
from stagekit.png import write_png

_TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}

Content = bytes | Path
"""Of a file: its bytes, or the file that it is the same as."""


class Photo(NamedTuple):
    """pixels: uint8 RGB (H, W, 3), upright; same: the file, if it can be taken as it is."""

    pixels: np.ndarray
    same: Path | None

    @property
    def size(self) -> Size:
        return self.pixels.shape[1], self.pixels.shape[0]


class Maker:
    """Makes groups of one source, each file whole or not at all. A pair's frame comes last."""

    def __init__(self, root: Path, out: Path, description: Description) -> None:
        self._root = root
        self._out = out
        self._source = description

    def make(self, group: Group) -> list[Finding]:
        """Make what is not there yet. Returns what was left out."""
        waiting = [wearer for wearer in group.wearers if not is_made(self._out, self._source, group, wearer)]
        if not waiting:
            return []
        try:
            cloth = self._cloth(group)
        except Unfit as unfit:
            return [Finding(group.cloth, unfit.reason)] + [
                Finding(wearer.photo, Reason.UNFIT_CLOTH, group.cloth) for wearer in waiting
            ]
        left_out = []
        for wearer in waiting:
            try:
                person, frame = self._person(wearer)
            except Unfit as unfit:
                left_out.append(Finding(wearer.photo, unfit.reason))
                continue
            cloth = self._write(group, cloth_name(self._source, group, wearer), cloth)
            self._write(group, wearer.name, person)
            write(frame_path(self._out, wearer.name), _json(frame))
        return left_out

    def _write(self, group: Group, name: str, contents: Mapping[str, Content]) -> dict[str, Content]:
        """Returns the files, of which the next one of the same content is a link."""
        written: dict[str, Content] = {}
        for artifact, content in contents.items():
            written[artifact] = write(path_of(self._out, group.part, artifact, name), content)
        return written

    def _cloth(self, group: Group) -> dict[str, Content]:
        photo = _read(self._root / group.cloth)
        contents = self._taken(group.labels)
        regions = self._regions(group.labels, "cloth_mask", photo.size)
        if self._source.cloth.frame == "as is":
            contents["cloth"] = _as_is(photo)
            frame = frame_whole(*photo.size)
        else:
            frame = self._garment_frame(photo, regions)
            contents["cloth"] = _jpeg(frame.cut(photo.pixels))
        if regions is not None and self._source.cloth_mask is not None:
            contents["cloth_mask"] = _jpeg(draw_mask(regions, framed(frame.box), self._source.cloth_mask))
        return contents

    def _garment_frame(self, photo: Photo, regions: Regions | None) -> Frame:
        frame = None
        if regions is not None and self._source.cloth_mask is not None and self._source.cloth.frame == "garment":
            frame = frame_garment(draw_mask(regions, whole(photo.size), self._source.cloth_mask), *photo.size)
        return frame or frame_whole(*photo.size)

    def _person(self, wearer: Wearer) -> tuple[dict[str, Content], dict[str, Any]]:
        """Files, and the document of the frame."""
        photo, turn = self._upright(_read(self._root / wearer.photo))
        contents = self._taken(wearer.labels)
        regions = self._regions(wearer.labels, "parse", photo.size)
        if self._source.person.frame == "as is":
            contents["person"] = _as_is(photo)
            box = (0, 0, *photo.size)
        else:
            frame = self._person_frame(photo, regions)
            contents["person"] = _jpeg(frame.cut(photo.pixels))
            box = frame.box
        if regions is not None and self._source.parse is not None:
            contents["parse"] = write_png(regions.draw(framed(box), self._source.parse.labels), CIHP_PALETTE)
        document = {"photo_size": list(photo.size), "box": list(box), "person_size": [WIDTH, HEIGHT], "turned": turn}
        joints = self._joints(wearer, photo.size, box)
        if joints is not None and self._source.pose is not None:
            if self._source.pose.joints:
                contents["pose"] = _json(pose_document(as_body_25(joints, self._source.pose.joints)))
            else:
                document["landmarks"] = joints.round(2).tolist()
        return contents, document

    def _upright(self, photo: Photo) -> tuple[Photo, int]:
        """The photo as its labels have it, and by how much it was turned for it. Raises Unfit."""
        person = self._source.person
        size, turn = person.size, 0
        if size is not None and person.turn and same_shape(photo.size, size[::-1]) and not same_shape(photo.size, size):
            turn = person.turn
            photo = Photo(np.array(Image.fromarray(photo.pixels).transpose(_TURNS[turn])), None)
        if size is not None and not same_shape(photo.size, size):
            raise Unfit(Reason.WRONG_SIZE)
        return photo, turn

    def _person_frame(self, photo: Photo, regions: Regions | None) -> Frame:
        body: Body | None = None
        if regions is not None and self._source.parse is not None:
            body = body_of_labels(regions.draw(whole(photo.size), self._source.parse.labels), *photo.size)
        body = body or body_in(photo.pixels)
        return frame_person(body, *photo.size, at_thigh=self._source.person.frame == "thigh")

    def _regions(self, labels: Mapping[str, str], name: str, photo: Size) -> Regions | None:
        rule = self._source.parse if name == "parse" else self._source.cloth_mask
        if rule is None or name not in labels:
            return None
        try:
            return Regions(self._root / labels[name], rule, photo)
        except BadLabel:
            return None  # `plan` knows of it, so that its lack is told

    def _joints(self, wearer: Wearer, photo: Size, box: tuple[int, int, int, int]) -> np.ndarray | None:
        if self._source.pose is None or "pose" not in wearer.labels:
            return None
        try:
            joints = move_joints(self._root / wearer.labels["pose"], self._source.pose, photo, box)
            if self._source.pose.joints:
                as_body_25(joints, self._source.pose.joints)
        except BadLabel:
            return None
        return joints

    def _taken(self, labels: Mapping[str, str]) -> dict[str, Content]:
        """What is taken as it is, where it is of the layout's kind of file."""
        return {
            name: self._root / path
            for name, path in labels.items()
            if name in self._source.take and path.lower().endswith(os.path.splitext(PLACES[name].ending)[1])
        }


def write(path: Path, content: Content) -> Path:
    """Bytes, or a hard link; a copy where the file system has none. Whole or not at all."""
    if isinstance(content, bytes):
        files.write(path, content)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with files.beside(path) as temporary:
            os.link(os.path.realpath(content), temporary)
    except OSError:
        files.write(path, content.read_bytes())
    return path


def _read(path: Path) -> Photo:
    """Raises Unfit."""
    try:
        data = path.read_bytes()
        picture = Picture(data)
        picture.check_size(MOST_PIXELS)
        image = picture.decode()
        same = picture.media_type == "image/jpeg" and image.mode == "RGB" and picture.orientation == UPRIGHT
        return Photo(to_rgb(picture.upright(image)), path if same else None)
    except (OSError, StageError):
        raise Unfit(Reason.BROKEN) from None


def _as_is(photo: Photo) -> Content:
    if photo.size != (WIDTH, HEIGHT):
        raise Unfit(Reason.NOT_FRAMED)
    return photo.same or _jpeg(photo.pixels)


def _jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
