"""What HR-VITON is given: checked, each trap named, and brought into the form that it was trained on. Needs no Torch."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from services.tryon.engines.hr_viton.inputs import (
    BACKDROP,
    SHOWN_AS,
    check_agnostic,
    check_mask,
    check_parse_agnostic,
    check_pose,
    merge,
    on_backdrop,
    prepare,
)
from services.tryon.engines.hr_viton.settings import read_hr_viton_settings
from stagekit.densepose import check_densepose
from stagekit.errors import GarmentNotFound, WrongKind
from stagekit.formats import BODY_25, CIHP, DENSEPOSE_PALETTE, pose_document

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(
    not (SAMPLES / "cloth").is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)
BOX = (slice(200, 800), slice(200, 560))


def silent(code: str, detail: str) -> None:
    raise AssertionError(f"unexpected warning {code}: {detail}")


def made() -> dict[str, Any]:
    """Inputs without a fault."""
    mask, parse = np.zeros((1024, 768), np.uint8), np.zeros((1024, 768), np.uint8)
    mask[BOX] = 255
    parse[100:200, 330:430] = CIHP["face"]
    parse[800:, 250:500] = CIHP["pants"]
    densepose, agnostic = np.zeros((1024, 768, 3), np.uint8), np.full((1024, 768, 3), 200, np.uint8)
    densepose[BOX] = DENSEPOSE_PALETTE[2]
    agnostic[BOX] = 128
    cloth = np.full((1024, 768, 3), 246, np.uint8)
    cloth[BOX] = (190, 40, 40)
    joints = {"neck": (384, 300), "mid_hip": (384, 620), "right_hip": (330, 622), "left_hip": (438, 618)}
    points = np.zeros((1, 25, 3))
    for name, place in joints.items():
        points[0, BODY_25[name]] = (*place, 0.9)
    return {"cloth": cloth, "cloth_mask": mask, "parse_agnostic": parse, "densepose": densepose, "agnostic": agnostic,
            "pose": pose_document(points)}  # fmt: skip


def test_good_inputs_pass_unchanged() -> None:
    inputs = made()
    arrays = prepare(inputs, silent)
    assert np.array_equal(arrays.cloth, inputs["cloth"])
    assert arrays.cloth_mask.dtype == bool and np.array_equal(arrays.cloth_mask, inputs["cloth_mask"] == 255)


def test_twenty_labels_become_thirteen() -> None:
    published = [[0, 10], [1, 2], [4, 13], [5, 6, 7], [9, 12], [14], [15], [16], [17], [18], [19], [8], [3, 11]]
    merged = merge(np.arange(20, dtype=np.uint8).reshape(4, 5)).ravel()
    assert [sorted(np.flatnonzero(merged == label)) for label in range(13)] == published
    assert np.array_equal(merge(SHOWN_AS), np.arange(13))


@pytest.mark.parametrize("white", [255, 230])
def test_another_backdrop_becomes_the_data_sets(white: int) -> None:
    inputs = made()
    mask = inputs["cloth_mask"] > 0
    cloth = inputs["cloth"].copy()
    cloth[~mask] = white
    corrected = on_backdrop(cloth, mask)
    assert (corrected[:190] == BACKDROP).all() and (corrected[mask] == cloth[mask]).all()
    assert (cloth[~mask] == white).all(), "the input was modified"


def test_an_inverted_mask_is_named() -> None:
    with pytest.raises(WrongKind, match="inverted"):
        check_mask(made()["cloth_mask"] == 0)
    with pytest.raises(GarmentNotFound):
        check_mask(np.zeros((1024, 768), bool))


def test_coco_joints_in_body_25_are_named() -> None:
    points = np.zeros((1, 25, 3))
    coco = {1: (384, 300), 8: (330, 620), 9: (325, 800), 10: (325, 980), 11: (438, 620), 12: (440, 800), 13: (440, 980)}
    for number, place in coco.items():
        points[0, number] = (*place, 0.9)
    with pytest.raises(WrongKind, match="BODY_25"):
        check_pose(pose_document(points))
    check_pose(made()["pose"])


def test_a_parse_that_still_wears_the_garment_is_named() -> None:
    parse = made()["parse_agnostic"]
    parse[BOX] = CIHP["upper_clothes"]
    with pytest.raises(WrongKind, match="upper_clothes"):
        check_parse_agnostic(parse, silent)
    with pytest.raises(WrongKind, match="nobody"):
        check_parse_agnostic(np.zeros((1024, 768), np.uint8), silent)
    warnings: list[str] = []
    check_parse_agnostic(np.where(parse == CIHP["pants"], parse, 0), lambda code, detail: warnings.append(code))
    assert warnings == ["odd-labels"]


def test_the_photo_in_place_of_the_agnostic_is_named() -> None:
    with pytest.raises(WrongKind, match="hides nothing"):
        check_agnostic(np.full((1024, 768, 3), 200, np.uint8))


@needs_samples
def test_published_files_pass() -> None:
    check_densepose(np.array(Image.open(SAMPLES / "image-densepose" / "00006_00.jpg").convert("RGB")))
    for path in sorted((SAMPLES / "image-parse-agnostic-v3.2").iterdir()):
        check_parse_agnostic(np.array(Image.open(path)), silent)
    for path in sorted((SAMPLES / "agnostic-v3.2").iterdir()):
        check_agnostic(np.array(Image.open(path).convert("RGB")))
    for path in sorted((SAMPLES / "cloth-mask").iterdir()):
        check_mask(np.array(Image.open(path).convert("L")) >= 128)
    with pytest.raises(WrongKind, match="wears"):
        check_parse_agnostic(np.array(Image.open(SAMPLES / "image-parse-v3" / "00891_00.png")), silent)
    with pytest.raises(WrongKind):
        check_agnostic(np.array(Image.open(SAMPLES / "image" / "00891_00.jpg").convert("RGB")))
    with pytest.raises(WrongKind):
        check_densepose(np.array(Image.open(SAMPLES / "image" / "00891_00.jpg").convert("RGB")))


@pytest.mark.parametrize(
    "name, value", [("DEVICE", "tpu"), ("PRECISION", "fp8"), ("TRYON_HEIGHT", "700"), ("TRYON_SEED", "x")]
)
def test_settings_are_checked(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("HOWSFIT_" + name, value)
    with pytest.raises(ValueError, match="HOWSFIT_" + name):
        read_hr_viton_settings()
