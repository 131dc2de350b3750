"""What the cut-out garment tells: tops pass, other things are named, worn garments too."""

import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from services.cloth_mask.engines.grabcut.engine import Engine
from services.cloth_mask.stage import STAGE

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no sample photographs in {SAMPLES}")

# Left halves of outlines from the top to the bottom of the middle, x from the middle in pixels of 768 x 1024.
TOPS = {
    "T-shirt": [(0, 170), (-80, 150), (-200, 190), (-310, 380), (-225, 430), (-180, 340), (-185, 850), (0, 860)],
    "cropped T-shirt": [(0, 220), (-90, 200), (-220, 240), (-330, 420), (-240, 470), (-200, 400), (-205, 640), (0, 645)],
    "vest": [(0, 330), (-90, 300), (-120, 130), (-165, 130), (-165, 290), (-230, 400), (-215, 880), (0, 890)],
    "camisole": [(0, 330), (-120, 280), (-150, 120), (-165, 120), (-165, 300), (-210, 370), (-190, 600), (-230, 880),
                 (0, 890)],
    "boxy vest": [(0, 190), (-110, 170), (-250, 180), (-235, 300), (-260, 420), (-260, 800), (0, 805)],
    "swing top": [(0, 220), (-70, 200), (-170, 230), (-160, 320), (-210, 400), (-320, 840), (0, 860)],
    "slim long vest": [(0, 260), (-80, 240), (-90, 80), (-135, 80), (-140, 230), (-180, 340), (-150, 540), (-185, 880),
                       (0, 885)],
    "jumper": [(0, 160), (-80, 150), (-210, 190), (-290, 500), (-310, 860), (-240, 865), (-210, 520), (-180, 370),
               (-190, 820), (0, 825)],
    "cropped jumper": [(0, 220), (-80, 200), (-200, 240), (-280, 540), (-310, 900), (-240, 905), (-200, 560),
                       (-170, 420), (-175, 600), (0, 605)],
    "jumper with its sleeves close": [(0, 170), (-80, 150), (-210, 200), (-290, 500), (-310, 850), (0, 855)],
    "jumper with its sleeves spread": [(0, 360), (-60, 350), (-150, 370), (-370, 480), (-360, 560), (-160, 500),
                                       (-155, 760), (0, 765)],
    "hoodie": [(0, 100), (-100, 130), (-130, 260), (-230, 300), (-310, 600), (-330, 880), (-250, 890), (-200, 600),
               (-200, 900), (0, 905)],
    "turtleneck": [(0, 120), (-80, 120), (-85, 200), (-210, 240), (-300, 560), (-310, 860), (-240, 865), (-190, 480),
                   (-190, 850), (0, 855)],
    "shirt": [(0, 150), (-60, 120), (-100, 170), (-220, 220), (-300, 700), (-230, 720), (-190, 480), (-195, 800),
              (-120, 880), (0, 860)],
    "open cardigan": [(0, 200), (-90, 150), (-210, 190), (-300, 520), (-320, 860), (-245, 865), (-205, 520), (-200, 880),
                      (-20, 890), (0, 780)],
    "batwing": [(0, 240), (-80, 220), (-350, 400), (-330, 480), (-180, 640), (-170, 800), (0, 805)],
}  # fmt: skip
OTHERS = {
    "trousers": ([(0, 80), (-150, 80), (-190, 300), (-180, 950), (-50, 950), (-10, 380), (0, 370)], "two legs"),
    "wide trousers": ([(0, 80), (-140, 80), (-210, 300), (-320, 950), (-60, 950), (-10, 380), (0, 370)], "two legs"),
    "tight trousers": ([(0, 60), (-110, 60), (-140, 250), (-90, 980), (-30, 980), (-8, 330), (0, 320)], "two legs"),
    "shorts": ([(0, 250), (-200, 250), (-290, 750), (-40, 770), (-10, 530), (0, 520)], "two legs"),
    "skirt": ([(0, 150), (-110, 150), (-280, 850), (0, 870)], "neither neckline"),
    "circle skirt": ([(0, 200), (-95, 200), (-330, 780), (0, 830)], "neither neckline"),
    "mini skirt": ([(0, 250), (-190, 250), (-240, 740), (0, 745)], "neither neckline"),
    "pencil skirt": ([(0, 80), (-130, 80), (-200, 300), (-180, 940), (0, 940)], "neither neckline"),
    "fitted dress": ([(0, 140), (-70, 100), (-130, 110), (-120, 220), (-155, 280), (-110, 450), (-170, 640), (-160, 960),
                      (0, 960)], "like .*a dress"),
    "flared dress": ([(0, 90), (-60, 70), (-130, 90), (-210, 220), (-150, 250), (-120, 220), (-105, 420), (-270, 960),
                      (0, 970)], "like a dress"),
    "long dress": ([(0, 60), (-50, 50), (-90, 60), (-85, 150), (-110, 200), (-80, 340), (-190, 990), (0, 990)],
                   "as high as wide"),
}  # fmt: skip
SHOE = [(150, 480), (290, 460), (320, 540), (470, 610), (640, 640), (650, 720), (130, 720), (140, 560)]
BOOT = [(250, 250), (460, 250), (450, 560), (640, 650), (650, 760), (250, 760)]


def drawn(half):
    mirrored = [(-x, y) for x, y in half[::-1]]
    return filled([(384 + x, y) for x, y in [*half, *mirrored]])


def filled(corners):
    mask = np.zeros((1024, 768), np.uint8)
    cv2.fillPoly(mask, [np.array(corners, np.int32)], 255)
    return mask


def warnings_of(mask, cloth=None):
    if cloth is None:
        cloth = np.where(mask[..., None] > 0, (40, 80, 150), (246, 246, 246)).astype(np.uint8)
    found = []
    STAGE.check({}, {"cloth": cloth, "cloth_mask": mask}, lambda code, detail: found.append((code, detail)))
    return found


def cut(picture):
    """Warnings about a picture that the engine cuts out."""
    outputs = Engine().run({"garment": picture}, lambda code, detail: None)
    return warnings_of(outputs["cloth_mask"], outputs["cloth"])


def read(path):
    return np.array(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("name", TOPS)
def test_tops_pass(name):
    mask = drawn(TOPS[name])
    assert warnings_of(mask) == []
    beige = np.where(mask[..., None] > 0, (224, 190, 160), (246, 246, 246)).astype(np.uint8)
    assert warnings_of(mask, beige) == []


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_top_is_told_by_its_measure(name):
    half, reason = OTHERS[name]
    ((code, detail),) = warnings_of(drawn(half))
    assert code == "not-a-top" and re.search(reason, detail) and re.search(r"\d .*(above|below|%)", detail)


@pytest.mark.parametrize("corners", [SHOE, BOOT], ids=["shoe", "boot"])
def test_shoes_are_lopsided(corners):
    ((code, detail),) = warnings_of(filled(corners))
    assert code == "not-a-top" and "mirror image" in detail


def test_a_top_laid_a_little_crooked_passes():
    turn = cv2.getRotationMatrix2D((384, 512), 8, 0.8)
    for name in ("T-shirt", "vest", "jumper"):
        assert warnings_of(cv2.warpAffine(drawn(TOPS[name]), turn, (768, 1024), flags=cv2.INTER_NEAREST)) == [], name


def test_size_and_place_do_not_matter():
    small = np.zeros((1024, 768), np.uint8)
    for half, expected in ((TOPS["jumper"], 0), (OTHERS["trousers"][0], 1)):
        small[:] = 0
        small[30:286, 500:692] = drawn(half)[::4, ::4]
        assert len(warnings_of(small)) == expected


def test_a_head_with_skin_is_somebody_wearing_the_garment_and_a_hood_is_none():
    mask = drawn([(0, 20), (-75, 50), (-80, 180), (-50, 220), (-50, 260), (-200, 300), (-240, 700), (-170, 700), (-160, 1020),
                  (0, 1020)])  # fmt: skip
    cloth = np.where(mask[..., None] > 0, (40, 80, 150), (246, 246, 246)).astype(np.uint8)
    assert "garment-worn" not in dict(warnings_of(mask, cloth))
    for skin in ((226, 180, 154), (96, 62, 44)):
        cloth[60:265] = np.where(mask[60:265, :, None] > 0, skin, 246)
        ((code, detail),) = warnings_of(mask, cloth)
        assert code == "garment-worn" and "%" in detail


def test_scraps_and_nothing_are_left_alone():
    for mask in (np.zeros((1024, 768), np.uint8), filled([(5, 5), (20, 5), (20, 20)])):
        assert warnings_of(mask) == []
    apart = np.zeros((1024, 768), np.uint8)
    apart[:60, :80] = apart[960:, 600:] = 255
    assert len(warnings_of(apart)) <= 1


@needs_samples
def test_the_samples_published_masks_pass():
    for path in sorted((SAMPLES / "cloth").glob("*.jpg")):
        published = np.array(Image.open(SAMPLES / "cloth-mask" / path.name).convert("L"))
        assert warnings_of(np.where(published >= 128, 255, 0).astype(np.uint8), read(path)) == [], path.name


@needs_samples
def test_a_photo_of_a_person_is_no_garment():
    assert dict(cut(read(SAMPLES / "wild" / "model_5.png"))).keys() == {"garment-worn"}


@pytest.mark.slow
def test_the_bundled_garments_pass():
    for name in ("tee", "jumper", "top"):
        assert cut(read(ROOT / "howsfit" / "samples" / f"garment_{name}.jpg")) == [], name


@needs_samples
@pytest.mark.slow
def test_what_the_engine_cuts_from_the_samples_passes_and_their_people_do_not():
    for path in sorted((SAMPLES / "cloth").glob("*.jpg")):
        assert cut(read(path)) == [], path.name
    for path in sorted([*(SAMPLES / "image").glob("*.jpg"), *(SAMPLES / "wild").iterdir()]):
        assert len(cut(read(path))) == 1, path.name
