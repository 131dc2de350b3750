"""A try-on as a VITON-HD data-set folder: the layout, names and file types that the published loaders read.

Source: the published VITON-HD archive (Choi et al., CVPR 2021) as HR-VITON's test loader walks it. Those of IDM-VTON and
CatVTON read `image`, `cloth`, `image-densepose` and `agnostic-mask` of it; CatVTON's pairs are in `test_pairs_unpaired.txt`.
"""

import io
import zipfile
from collections.abc import Mapping

from PIL import Image

from gateway.cluster.graph import UPLOADS
from stagekit.wire import EXTENSIONS, Part

PERSON, CLOTH = "00001_00", "00002_00"
"""Names in the data set's style. The cloth's differs from the person's: the pair is unpaired."""

LAYOUT = {
    "person": f"test/image/{PERSON}.jpg",
    "cloth": f"test/cloth/{CLOTH}.jpg",
    "cloth_mask": f"test/cloth-mask/{CLOTH}.jpg",
    "parse": f"test/image-parse-v3/{PERSON}.png",
    "parse_agnostic": f"test/image-parse-agnostic-v3.2/{PERSON}.png",
    "densepose": f"test/image-densepose/{PERSON}.jpg",
    "agnostic": f"test/agnostic-v3.2/{PERSON}.jpg",
    "agnostic_mask": f"test/agnostic-mask/{PERSON}_mask.png",
    "pose_image": f"test/openpose_img/{PERSON}_rendered.png",
    "pose": f"test/openpose_json/{PERSON}_keypoints.json",
    "frame": f"howsfit/{PERSON}_frame.json",
    "tryon": f"howsfit/{PERSON}_{CLOTH}.png",
    "tryon_photo": f"howsfit/{PERSON}_{CLOTH}_photo.png",
}
"""Artifact -> path below the data root. What the data set has no place for goes to howsfit/, under its own name where it is not
here."""

# The paired loader also opens the cloth under the person's name.
PAIRED = {"cloth": f"test/cloth/{PERSON}.jpg", "cloth_mask": f"test/cloth-mask/{PERSON}.jpg"}
PAIRS = ("test_pairs.txt", "test_pairs_unpaired.txt")
"""Lists of pairs: a line for each, the person's file and the cloth's with one blank between. Both say the same here."""

JPEG_QUALITY = 95


def export(artifacts: Mapping[str, Part]) -> bytes:
    """A ZIP archive of the artifacts in the VITON-HD layout, but for the uploads."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, part in artifacts.items():
            if name not in UPLOADS:
                path = LAYOUT.get(name, f"howsfit/{PERSON}_{CLOTH}_{name}{EXTENSIONS.get(part.media_type, '')}")
                archive.writestr(path, _as_file(part, path))
        for name, path in PAIRED.items():
            if name in artifacts:
                archive.writestr(path, _as_file(artifacts[name], path))
        if "person" in artifacts and "cloth" in artifacts:
            for path in PAIRS:
                archive.writestr(path, f"{PERSON}.jpg {CLOTH}.jpg\n")
    return buffer.getvalue()


def _as_file(part: Part, path: str) -> bytes:
    if not path.endswith(".jpg") or part.media_type == "image/jpeg":
        return part.data
    buffer = io.BytesIO()
    # 4:4:4: the part colours of densepose and the edges of masks must not bleed.
    Image.open(io.BytesIO(part.data)).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
