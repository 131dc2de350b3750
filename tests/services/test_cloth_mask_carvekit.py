"""What becomes of CarveKit's alpha: one clean region, with the holes that are holes. The networks have their own test, in their
container (tests/engines/test_carvekit.py)."""

import cv2
import numpy as np
import pytest

from services.cloth_mask.engines.carvekit.region import garment_region
from services.cloth_mask.engines.carvekit.settings import read_carvekit_settings
from services.cloth_mask.hanger import garment_top

HEIGHT, WIDTH = 1024, 768
GREY = 130  # what CarveKit paints behind its cut-outs


def top() -> np.ndarray:
    """bool mask of a vest with two straps and two armholes, each with a band around it."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(
        mask, [np.array([(230, 380), (250, 300), (518, 300), (538, 380), (570, 900), (198, 900)], np.int32)], 1
    )
    for x in (300, 468):
        cv2.line(mask, (x, 310), (x, 120), 1, 14)
    cv2.ellipse(mask, (384, 130), (91, 30), 0, 180, 360, 1, 14)
    for x in (272, 496):
        cv2.ellipse(mask, (x, 372), (14, 40), 0, 0, 360, 0, -1)
    return mask > 0


def picture(mask: np.ndarray, cloth: int = GREY, backdrop: int = 240) -> np.ndarray:
    return np.repeat(np.where(mask, cloth, backdrop).astype(np.uint8)[..., None], 3, axis=2)


def alpha_of(mask: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(np.where(mask, 255, 0).astype(np.uint8), (0, 0), 2)


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


def regions(mask: np.ndarray) -> int:
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1


@pytest.mark.parametrize("cloth, backdrop", [(GREY, 240), (240, 60), (40, 130), (236, 246)])
def test_the_alpha_decides_and_holes_stay_open(cloth: int, backdrop: int) -> None:
    truth = top()
    found = garment_region(alpha_of(truth), picture(truth, cloth, backdrop))
    assert overlap(found, truth) > 0.98
    assert regions(found) == 1
    assert not found[372, 272] and not found[372, 496] and not found[220, 384], (
        "armholes, and what shows between the straps"
    )


def test_specks_prints_and_other_things_are_cleaned() -> None:
    truth = top()
    alpha = alpha_of(truth)
    image = picture(truth)
    cv2.circle(image, (384, 600), 60, (20, 90, 200), -1)
    cv2.circle(alpha, (384, 600), 60, 0, -1)  # a print that the network took for something else
    cv2.circle(alpha, (300, 500), 6, 0, -1)  # a speck
    cv2.rectangle(alpha, (20, 950), (90, 1000), 255, -1)  # a label that lies beside it
    found = garment_region(alpha, image)
    assert overlap(found, truth) > 0.98 and regions(found) == 1
    assert found[600, 384] and found[500, 300] and not found[970, 50]


def test_a_white_print_on_white_is_no_hole_but_an_armhole_is() -> None:
    truth = top()
    alpha, image = alpha_of(truth), picture(truth)
    cv2.circle(image, (384, 640), 40, (240, 240, 240), -1)  # in the middle, of the backdrop's colour
    cv2.circle(alpha, (384, 640), 40, 0, -1)
    found = garment_region(alpha, image)
    assert found[640, 384] and not found[372, 272]


def test_a_strap_that_is_half_lost_is_kept() -> None:
    truth = top()
    alpha = alpha_of(truth)
    alpha[180:260, 280:320] = alpha[180:260, 280:320] // 3  # below the threshold of 128
    found = garment_region(alpha, picture(truth))
    assert found[220, 300] and regions(found) == 1
    assert overlap(found, truth) > 0.98


def test_the_hanger_is_left_out() -> None:
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(
        truth, [np.array([(330, 200), (438, 200), (580, 300), (560, 900), (208, 900), (188, 300)], np.int32)], 1
    )
    hung = truth.copy()
    cv2.line(hung, (384, 200), (384, 90), 1, 12)
    image = picture(truth > 0, 70)
    image[(hung > 0) & (truth == 0)] = (150, 110, 60)
    found = garment_region(alpha_of(hung > 0), image)
    assert not found[:190].any() and overlap(found, truth > 0) > 0.98


def test_nothing_is_found_where_nothing_is() -> None:
    nothing = np.zeros((300, 200), np.uint8)
    assert not garment_region(nothing, picture(nothing > 0)).any()
    nothing[5, 5] = 255
    assert not garment_region(nothing, picture(nothing > 0)).any()
    everything = np.full((300, 200), 255, np.uint8)
    assert garment_region(everything, picture(everything > 0)).mean() > 0.99


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (40, 1)])
def test_odd_shapes_are_no_trouble(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(3)
    alpha = random.integers(0, 256, shape, dtype=np.uint8)
    assert garment_region(alpha, np.zeros((*shape, 3), np.uint8)).shape == shape


def test_a_body_of_one_row_begins_there() -> None:
    body = np.zeros((20, 30), bool)
    body[7] = True
    assert garment_top(body, np.zeros((20, 30, 3), np.float32)) == 7


def test_settings_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_carvekit_settings() == ("tracer_b7", "none")
    monkeypatch.setenv("HOWSFIT_CARVEKIT_MATTING", "soft")
    with pytest.raises(ValueError, match="HOWSFIT_CARVEKIT_MATTING must be one of none, fba, not 'soft'"):
        read_carvekit_settings()
