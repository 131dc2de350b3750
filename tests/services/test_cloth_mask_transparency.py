"""Garments that come cut out, on transparent ground: their alpha is the mask, for every engine."""

import contextlib
import io
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from services.cloth_mask.cutter import Cutter
from services.cloth_mask.engines.cutout.engine import Engine
from services.cloth_mask.stage import STAGE
from stagekit.artifacts import decode
from stagekit.errors import GarmentNotFound
from stagekit.images import Limits
from tests.services.outlines import SHOE, TOPS, drawn, filled

TEE = drawn(TOPS["T-shirt"]) > 0
WHITE, BLACK, MAGENTA = (255, 255, 255), (24, 24, 26), (255, 0, 255)


class Blind(Cutter):
    """An engine that finds nothing itself."""

    name = "blind"

    def find(self, garment, warn):
        assert garment.shape[2] == 3, "engines see no alpha"
        return np.zeros(garment.shape[:2], bool)


def cut_out_picture(mask=TEE, colour=WHITE, hidden=MAGENTA, alpha=None):
    """RGBA with a print, and another colour under what is clear."""
    pixels = np.zeros((*mask.shape, 4), np.uint8)
    pixels[..., :3] = np.where(mask[..., None], colour, hidden)
    height, width = mask.shape
    cv2.circle(pixels, (width // 2, height // 2), width // 12, (20, 60, 160, 0), -1)
    pixels[..., 3] = np.where(mask, 255, 0) if alpha is None else alpha
    return Image.fromarray(pixels)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def cut(data, engine=None):
    """cloth, mask and the warnings' codes and details, as the stage answers."""
    found = []
    inputs = {"garment": decode("garment", "picture", data, Limits(), cut_out=True)}
    outputs = (engine or Engine()).run(inputs, lambda code, detail: found.append((code, detail)))
    STAGE.check(inputs, outputs, lambda code, detail: found.append((code, detail)))
    return outputs["cloth"], outputs["cloth_mask"] > 0, dict(found)


def overlap(mask, truth):
    return float((mask & truth).sum() / (mask | truth).sum())


def palette(image):
    """With one clear index, as GIF and many PNG have it."""
    flat = np.array(image)
    indices = np.where(flat[..., 3] < 128, 0, np.where(flat[..., 0] > 100, 1, 2)).astype(np.uint8)
    made = Image.fromarray(indices, "P")
    made.putpalette([255, 0, 255, 255, 255, 255, 20, 60, 160])
    return made


KINDS = {
    "PNG": lambda image: encoded(image),
    "WebP": lambda image: encoded(image, "WEBP", lossless=True, exact=True),
    "lossy WebP": lambda image: encoded(image, "WEBP", quality=70),
    "palette PNG": lambda image: encoded(palette(image), transparency=0),
    "GIF": lambda image: encoded(palette(image), "GIF", transparency=0),
    "grey and alpha": lambda image: encoded(image.convert("LA")),
    "PNG with a clear colour": lambda image: encoded(
        Image.fromarray(np.where(TEE[..., None], np.array(image)[..., :3], MAGENTA).astype(np.uint8)),
        transparency=MAGENTA,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", [Engine, Blind])
def test_alpha_is_the_mask_of_a_white_garment(kind, engine):
    cloth, mask, found = cut(KINDS[kind](cut_out_picture()), engine())
    assert overlap(mask, TEE) > 0.995 and found == {}
    assert (cloth[~cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))).astype(bool)] == 246).all()
    inner = cv2.erode(mask.astype(np.uint8), np.ones((9, 9))) > 0
    assert np.abs(cloth[300][inner[300]].astype(int) - 255).max() < 8
    magenta = (cloth[..., 0].astype(int) - cloth[..., 1]) > 60
    assert not magenta.any(), "the colour under clear pixels leaks"


@pytest.mark.parametrize("size", [(300, 400), (900, 700), (2400, 3000)])
def test_a_cut_out_of_any_size_is_framed_like_others(size):
    big = cv2.resize(TEE.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    cloth, mask, found = cut(encoded(cut_out_picture(big, BLACK)))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert abs((rows[0] + rows[-1]) / 2 - 512) < 6 and abs((columns[0] + columns[-1]) / 2 - 384) < 6
    assert found == {}
    y, x = np.flatnonzero(big.any(axis=1)), np.flatnonzero(big.any(axis=0))
    truth = cv2.resize(
        big[y[0] : y[-1] + 1, x[0] : x[-1] + 1].astype(np.uint8), (int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    )
    assert overlap(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], truth > 0) > 0.98
    assert (cloth[..., 0].astype(int) - cloth[..., 1]).max() < 40, "a rim of the colour under clear pixels"


def test_a_trimmed_cut_out_is_no_doubt():
    y, x = np.flatnonzero(TEE.any(axis=1)), np.flatnonzero(TEE.any(axis=0))
    _, mask, found = cut(encoded(cut_out_picture(TEE[y[0] : y[-1] + 1, x[0] : x[-1] + 1])))
    assert found == {} and mask.mean() > 0.2


@pytest.mark.parametrize("strength", [0.3, 0.6])
def test_a_shadow_is_no_garment(strength):
    shadow = cv2.GaussianBlur(np.roll(TEE, (25, 20), (0, 1)).astype(np.float32), (0, 0), 12) * 255 * strength
    picture = cut_out_picture(hidden=(0, 0, 0), alpha=np.where(TEE, 255, shadow).astype(np.uint8))
    cloth, mask, _ = cut(encoded(picture))
    assert overlap(mask, TEE) > 0.99
    assert cloth[~cv2.dilate(mask.astype(np.uint8), np.ones((7, 7))).astype(bool)].min() == 246


def test_sheer_cloth_is_garment():
    alpha = np.where(TEE, 255, 0)
    alpha[400:600][TEE[400:600]] = 150
    _, mask, _ = cut(encoded(cut_out_picture(colour=(200, 120, 140), alpha=alpha)))
    assert overlap(mask, TEE) > 0.99


def test_soft_edges_have_no_fringe():
    soft = cv2.GaussianBlur(TEE.astype(np.float32), (0, 0), 1.5)
    picture = np.array(cut_out_picture(colour=(250, 240, 230), alpha=(soft * 255).astype(np.uint8)))
    picture[..., :3] = (picture[..., :3] * soft[..., None]).astype(np.uint8)  # premultiplied, as some tools leave it
    cloth, mask, _ = cut(encoded(Image.fromarray(picture)))
    assert overlap(mask, TEE) > 0.98
    ring = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0
    ring &= ~(cv2.erode(mask.astype(np.uint8), np.ones((9, 9))) > 0)
    assert cloth[ring].min() > 205


def test_armholes_stay_pinholes_do_not_and_what_lies_beside_is_left_out():
    mask = TEE.copy()
    mask[480:500, 300:304] = False
    mask[300:420, 210:240] = False
    mask[5:60, 5:80] = True
    _, found, _ = cut(encoded(cut_out_picture(mask)))
    assert found[490, 302] and not found[350, 225] and not found[30, 40]


def test_the_hanger_is_left_out():
    hung = TEE.astype(np.uint8)
    cv2.line(hung, (384, 40), (384, 170), 1, 8)
    _, mask, _ = cut(encoded(cut_out_picture(hung > 0)))
    assert not mask[:140].any() and overlap(mask, TEE) > 0.98


def test_no_information_is_read_as_before():
    rgb = np.where(TEE[..., None], (160, 40, 60), (246, 246, 246)).astype(np.uint8)
    plain, expected = cut(encoded(Image.fromarray(rgb)))[:2]
    for alpha in (255, 254, 200):
        rgba = np.dstack([rgb, np.full(TEE.shape, alpha, np.uint8)])
        cloth, mask, _ = cut(encoded(Image.fromarray(rgba)))
        assert overlap(mask, expected) > 0.99
        assert alpha < 255 or np.array_equal(cloth, plain)
    corner = np.dstack([rgb, np.full(TEE.shape, 255, np.uint8)])
    corner[:20, :20, 3] = 0
    assert overlap(cut(encoded(Image.fromarray(corner)))[1], expected) > 0.99


@pytest.mark.parametrize("shape", ["rounded corners", "a window with its shadow", "a circle"])
def test_where_a_picture_ends_is_no_outline(shape):
    backdrop = (214, 220, 226)
    rgb = np.where(TEE[..., None], (160, 40, 60), backdrop).astype(np.uint8)
    alpha = np.zeros(TEE.shape, np.uint8)
    if shape == "a circle":
        rgb = np.full((1100, 1100, 3), backdrop, np.uint8)
        rgb[150:918, 166:934] = np.where(
            cv2.resize(TEE.astype(np.uint8), (768, 768))[..., None] > 0, (160, 40, 60), backdrop
        )
        alpha = cv2.circle(np.zeros((1100, 1100), np.uint8), (550, 550), 540, 255, -1)
    else:
        cv2.rectangle(alpha, (60, 50), (708, 974), 255, -1)
        if shape != "rounded corners":
            alpha = np.maximum(alpha, (cv2.GaussianBlur(alpha, (0, 0), 20) * 0.45).astype(np.uint8))
            rgb[alpha < 255] = 0
        else:
            alpha[:66], alpha[:, :80] = 0, 0
    _, mask, _ = cut(encoded(Image.fromarray(np.dstack([rgb, alpha]))))
    assert 0.1 < mask.mean() < 0.55 and not mask[20:60, 20:60].any()


def test_a_plain_rectangle_is_a_garment_all_the_same():
    mask = np.zeros(TEE.shape, bool)
    mask[200:800, 200:560] = True
    picture = np.zeros((*mask.shape, 4), np.uint8)
    picture[mask] = (240, 240, 240, 255)
    assert overlap(cut(encoded(Image.fromarray(picture)))[1], mask) > 0.99


def test_a_hole_in_the_middle_is_doubted():
    picture = cut_out_picture(hidden=(90, 120, 90), alpha=np.where(TEE, 0, 255))
    assert "clear in the middle" in cut(encoded(picture))[2]["doubtful-mask"]


@pytest.mark.parametrize("radius", [20, 50])
def test_next_to_nothing_left_is_doubted(radius):
    """As where only the print of a white garment was kept."""
    mask = cv2.circle(np.zeros(TEE.shape, np.uint8), (384, 500), radius, 1, -1) > 0
    found = cut(encoded(cut_out_picture(mask, (20, 60, 160))))[2]
    assert "is transparent (below 3 %)" in found["doubtful-mask"]


def test_nothing_left_is_refused():
    with pytest.raises(GarmentNotFound, match="it is transparent"):
        cut(encoded(cut_out_picture(alpha=np.where(TEE, 9, 0))))
    specks = np.random.default_rng(0).random(TEE.shape) > 0.98
    with pytest.raises(GarmentNotFound):
        cut(encoded(cut_out_picture(hidden=WHITE, alpha=np.where(specks, 255, 0))), Blind())


def test_what_is_cut_out_is_still_looked_at():
    shoe = filled(SHOE) > 0
    assert set(cut(encoded(cut_out_picture(shoe, BLACK)))[2]) == {"odd-outline"}


def test_a_photo_is_laid_on_white():
    photo = decode("photo", "picture", encoded(cut_out_picture()), Limits())
    assert photo.shape == (1024, 768, 3) and (photo[~TEE][0] == 255).all()


@pytest.mark.parametrize("shape", [(64, 64), (64, 600), (600, 64)])
def test_odd_cut_outs_are_no_trouble(shape):
    random = np.random.default_rng(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            noise = cv2.resize(random.integers(0, 2, (6, 6), dtype=np.uint8) * 255, shape[::-1])
            rgba = np.dstack([random.integers(0, 256, (*shape, 3), dtype=np.uint8), noise])
            with contextlib.suppress(GarmentNotFound):
                cut(encoded(Image.fromarray(rgba)))
