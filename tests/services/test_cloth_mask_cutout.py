"""The cutout engine against drawn garments and against the published masks of VITON-HD."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.cloth_mask.engines.cutout.engine import Engine
from services.cloth_mask.stage import STAGE
from stagekit.errors import GarmentNotFound

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(
    not (SAMPLES / "cloth").is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)


def cut(garment: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    codes: list[str] = []
    before = garment.copy()
    outputs = Engine().run({"garment": garment}, lambda code, message: codes.append(code))
    assert np.array_equal(garment, before), "the input was modified"
    assert outputs["cloth"].shape == (1024, 768, 3) and outputs["cloth"].dtype == np.uint8
    assert outputs["cloth_mask"].shape == (1024, 768) and set(np.unique(outputs["cloth_mask"])) <= {0, 255}
    return outputs["cloth"], outputs["cloth_mask"] > 0, codes


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


def tee(size: tuple[int, int], scale: float) -> np.ndarray:
    """bool mask of a T-shirt in the middle of a picture of (width, height)."""
    outline = np.array([(-35, -100), (-15, -92), (15, -92), (35, -100), (100, -60), (80, -20), (55, -40), (55, 100),
                        (-55, 100), (-55, -40), (-80, -20), (-100, -60)]) * scale  # fmt: skip
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(outline + np.array(size) / 2).astype(np.int32)], 1)
    return mask > 0


def picture(
    mask: np.ndarray, garment: tuple[int, int, int], backdrop: tuple[int, int, int], noise: float = 1.0
) -> np.ndarray:
    image = np.where(mask[..., None], garment, backdrop).astype(np.float32)
    image += np.random.default_rng(1).normal(0, noise, mask.shape)[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


@needs_samples
def test_published_masks_are_met() -> None:
    scores = {}
    for path in sorted((SAMPLES / "cloth").glob("*.jpg")):
        garment = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        cloth, mask, _ = cut(garment)
        assert np.array_equal(cloth, garment), "a picture of the right size passes through"
        scores[path.name] = overlap(mask, cv2.imread(str(SAMPLES / "cloth-mask" / path.name), 0) >= 128)
    assert len(scores) == 11
    assert np.mean(list(scores.values())) > 0.985, scores
    assert min(scores.values()) > 0.95, scores


@pytest.mark.parametrize(
    "garment, backdrop",
    [((200, 30, 40), (246, 246, 246)), ((255, 255, 255), (238, 238, 238)), ((20, 20, 25), (120, 90, 60)),
     ((240, 240, 235), (60, 90, 160))],
)  # fmt: skip
def test_drawn_tee_on_plain_backdrops(garment: tuple[int, int, int], backdrop: tuple[int, int, int]) -> None:
    truth = tee((768, 1024), 3)
    _, mask, codes = cut(picture(truth, garment, backdrop))
    assert overlap(mask, truth) > 0.97
    assert codes == []


def test_any_size_is_centred_and_filled_like_the_data_set() -> None:
    truth = np.roll(tee((900, 500), 1.2), (60, -200), (0, 1))
    cloth, mask, _ = cut(picture(truth, (30, 120, 60), (180, 200, 220)))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert abs((rows[0] + rows[-1]) / 2 - 512) < 6 and abs((columns[0] + columns[-1]) / 2 - 384) < 6
    assert np.ptp(columns) / 768 == pytest.approx(0.81, abs=0.02)
    assert np.abs(cloth[:40].astype(int) - 246).max() <= 1, "the backdrop is replaced"
    assert np.abs(cloth[500, 384].astype(int) - (30, 120, 60)).max() < 8


def test_armhole_stays_open() -> None:
    truth = tee((768, 1024), 3)
    hole = np.zeros(truth.shape, np.uint8)
    cv2.circle(hole, (159, 332), 20, 1, -1)
    truth &= hole == 0
    _, mask, _ = cut(picture(truth, (150, 40, 90), (246, 246, 246)))
    assert not mask[332, 159]
    assert overlap(mask, truth) > 0.97


def test_white_print_is_no_hole() -> None:
    truth = tee((768, 1024), 3)
    image = picture(truth, (20, 40, 120), (255, 255, 255), 0)
    cv2.circle(image, (384, 520), 60, (255, 255, 255), -1)
    _, mask, _ = cut(image)
    assert mask[520, 384]


def test_hook_of_a_hanger_is_dropped() -> None:
    truth = tee((768, 1024), 3)
    image = picture(truth, (30, 110, 160), (246, 246, 246))
    cv2.line(image, (384, 130), (384, 240), (60, 60, 60), 8)
    _, mask, _ = cut(image)
    assert not mask[:195].any()


def test_one_colour_is_refused() -> None:
    with pytest.raises(GarmentNotFound, match="background"):
        Engine().run({"garment": np.full((300, 200, 3), 90, np.uint8)}, lambda code, message: None)


def test_garment_that_fills_the_picture_is_warned_about() -> None:
    truth = np.zeros((400, 300), bool)
    truth[:, 110:190] = truth[150:250] = truth[60:340, 60:240] = True
    _, _, codes = cut(picture(truth, (180, 40, 30), (246, 246, 246)))
    assert codes == ["garment-fills-picture"]


def test_same_input_same_output() -> None:
    image = picture(tee((500, 700), 2), (200, 150, 30), (240, 240, 240), 3)
    first, second = cut(image), cut(image)
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def test_white_cloth_on_white_has_no_holes_and_leaves_its_shadow() -> None:
    truth = tee((768, 1024), 3)
    shadow = cv2.GaussianBlur(np.roll(truth, (7, 5), (0, 1)).astype(np.float32), (0, 0), 9)
    backdrop = 246 * (1 - 0.06 * shadow)
    rim = np.minimum(cv2.distanceTransform(truth.astype(np.uint8), cv2.DIST_L2, 5), 14) / 14
    cloth = 240 * (0.86 + 0.14 * rim)
    cloth[400:520, 240:420] = 246  # as bright as the backdrop, and near the outline
    image = cv2.GaussianBlur(np.where(truth, cloth, backdrop).astype(np.float32), (0, 0), 0.8)
    image += np.random.default_rng(2).normal(0, 1.5, truth.shape)
    _, mask, _ = cut(np.repeat(np.clip(image, 0, 255).astype(np.uint8)[..., None], 3, axis=2))
    assert mask[460, 320]
    assert overlap(mask, truth) > 0.93


def white_tee(ground: tuple[int, int, int], rim: float) -> tuple[np.ndarray, np.ndarray]:
    """A printed tee of its ground's colour, darker by `rim` where it bends away at its edge; and its mask."""
    truth = tee((768, 1024), 3)
    depth = np.minimum(cv2.distanceTransform(truth.astype(np.uint8), cv2.DIST_L2, 5), 14) / 14
    shade = np.where(truth, 1 - rim * (1 - depth), 1)
    image = np.array(ground) * cv2.GaussianBlur(shade, (0, 0), 0.8)[..., None]
    cv2.putText(image, "HOWS", (280, 470), cv2.FONT_HERSHEY_DUPLEX, 2.3, (30, 60, 130), 7, cv2.LINE_AA)
    image += np.random.default_rng(3).normal(0, 1.0, truth.shape)[..., None]
    return np.clip(image, 0, 255).astype(np.uint8), truth


@pytest.mark.parametrize("ground", [(246, 246, 246), (236, 228, 212)], ids=["near-white", "beige"])
def test_white_cloth_is_found_by_its_faint_outline_not_by_its_print_alone(ground: tuple[int, int, int]) -> None:
    image, truth = white_tee(ground, rim=0.03)
    _, mask, codes = cut(image)
    assert overlap(mask, truth) > 0.95
    assert codes == []


@pytest.mark.parametrize("of", ["shoulders", "side"])
def test_a_part_in_the_grounds_colour_is_the_garments_by_its_faint_outline(of: str) -> None:
    image, truth = white_tee((246, 246, 246), rim=0.05)
    y, x = np.mgrid[: truth.shape[0], : truth.shape[1]]
    panel = y < 330 if of == "shoulders" else x < 330
    image[truth & ~panel] = image[truth & ~panel] * np.array((0.22, 0.34, 0.61))
    _, mask, _ = cut(image)
    assert overlap(mask, truth) > 0.95


def test_where_no_edge_shows_the_first_word_is_that_only_the_print_stands_out() -> None:
    image, _ = white_tee((246, 246, 246), rim=0)
    told: list[tuple[str, str]] = []
    outputs = Engine().run({"garment": image}, lambda code, detail: told.append((code, detail)))
    STAGE.check({"garment": image}, outputs, lambda code, detail: told.append((code, detail)))
    code, detail = told[0]
    assert code == "print-alone"
    assert "below 40 %" in detail and "clearly darker or lighter" in detail


def test_what_stands_out_is_not_given_up_for_the_panel_of_a_white_door_around_it() -> None:
    truth = tee((768, 1024), 2)
    image = picture(truth, (30, 110, 160), (240, 240, 240))
    cv2.rectangle(image, (60, 40), (700, 980), (237, 237, 237), 3)
    _, mask, codes = cut(image)
    assert overlap(mask, truth) > 0.97
    assert codes == []


def test_the_neck_between_pale_straps_stays_open() -> None:
    truth = np.zeros((1024, 768), np.uint8)
    body = [(226, 330), (262, 268), (330, 352), (384, 372), (438, 352), (506, 268), (542, 330), (590, 900), (178, 900)]
    cv2.fillPoly(truth, [np.array(body, np.int32)], 1)
    for side in (1, -1):
        strap = [(384 + side * dx, y) for dx, y in ((118, 274), (96, 190), (60, 128), (36, 120))]
        cv2.polylines(truth, [np.array(strap, np.int32)], False, 1, 11)
    shadow = cv2.GaussianBlur(np.roll(truth, (7, 5), (0, 1)).astype(np.float32), (0, 0), 9)
    image = cv2.GaussianBlur(np.where(truth > 0, 222, 240 * (1 - 0.05 * shadow)).astype(np.float32), (0, 0), 0.8)
    image += np.random.default_rng(2).normal(0, 1, truth.shape)
    _, mask, _ = cut(np.repeat(np.clip(image, 0, 255).astype(np.uint8)[..., None], 3, axis=2))
    assert not mask[220, 384]
    assert overlap(mask, truth > 0) > 0.95
