"""Garments on grounds that are not plain: seen to be none, cut out by the network, and doubted where that is unsure."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.garment_pictures import Picture, data_set, drawn
from bench.grounds import GROUNDS, lay, on_grounds
from services.cloth_mask.engines.cutout import engine as module
from services.cloth_mask.engines.cutout.engine import Engine
from services.cloth_mask.engines.cutout.ground import unevenness
from services.cloth_mask.engines.cutout.guided import sharpened
from services.cloth_mask.engines.cutout.region import garment_region
from services.cloth_mask.engines.cutout.segmentation import view
from services.cloth_mask.stage import STAGE
from stagekit.stage import fingerprint
from tests.services.test_cloth_mask_cutout import needs_samples, overlap, picture, tee

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / ".." / "shared" / "samples"))
RED, WHITE = (150, 30, 60), (240, 240, 236)


@pytest.fixture(scope="module")
def engine():
    engine = Engine()
    engine.load()
    return engine


@pytest.fixture
def without_network(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "FILE", tmp_path / "u2netp.onnx")
    engine = Engine()
    engine.load()
    return engine


def cut(engine, garment):
    told = []
    outputs = engine.run({"garment": garment}, lambda code, detail: told.append((code, detail)))
    return outputs["cloth_mask"] > 0, told


def laid(name, colour, seed=0):
    """A tee on one of the grounds."""
    random = np.random.default_rng(seed)
    cloth = np.full((1024, 768, 3), colour, np.float32)
    return lay(Picture(name, name, cloth, tee((768, 1024), 3)), GROUNDS[name](random), random)


def uneven(rgb):
    seen = view(rgb)
    return unevenness(seen.lab, seen.background)


@pytest.mark.parametrize("name", GROUNDS)
@pytest.mark.parametrize("colour", [RED, WHITE], ids=["red", "white"])
def test_a_tee_is_found_on_any_ground(engine, name, colour):
    on_ground = laid(name, colour)
    mask, told = cut(engine, on_ground.rgb)
    assert overlap(mask, on_ground.truth) > 0.97
    assert told == []


@needs_samples
def test_garments_of_the_data_set_are_found_on_all_grounds(engine):
    scores = {}
    for number, (name, garment) in enumerate(zip(GROUNDS, list(data_set(SAMPLES))[::2], strict=False)):
        random = np.random.default_rng(number)
        on_ground = lay(garment._replace(rgb=garment.rgb.astype(np.float32)), GROUNDS[name](random), random)
        mask, told = cut(engine, on_ground.rgb)
        scores[name, garment.name] = overlap(mask, on_ground.truth)
        assert told == []
    assert len(scores) == len(GROUNDS)
    assert np.mean(list(scores.values())) > 0.97 and min(scores.values()) > 0.90, scores


@needs_samples
def test_the_ground_between_long_sleeves_is_left_out_though_the_network_takes_it_along(engine):
    jumper = next(each for each in on_grounds(SAMPLES) if (each.group, each.name) == ("sheet", "00006_00"))
    scores = cv2.resize(engine._network.look(jumper.rgb), (768, 1024))
    assert overlap(scores > 0.5, jumper.truth) < 0.7
    mask, told = cut(engine, jumper.rgb)
    assert overlap(mask, jumper.truth) > 0.95
    assert told == []


def test_plain_ground_is_none_of_the_networks_business(engine):
    class Refusing:
        def look(self, rgb):
            raise AssertionError("plain")

    other = Engine()
    other._network = Refusing()
    truth = tee((768, 1024), 3)
    garment = picture(truth, (30, 110, 160), (246, 246, 246))
    assert np.array_equal(cut(other, garment)[0], cut(engine, garment)[0])
    with pytest.raises(AssertionError, match="plain"):
        cut(other, laid("wood", RED).rgb)


def test_without_the_file_it_is_done_by_colour_and_told_where_the_ground_is_not_plain(engine, without_network):
    on_ground = laid("tiles", RED)
    mask, told = cut(without_network, on_ground.rgb)
    assert overlap(mask, on_ground.truth) < 0.5
    assert told[0][0] == "doubtful-mask"
    assert "u2netp.onnx is missing, which `make` brings" in told[0][1]
    garment = picture(tee((768, 1024), 3), (30, 110, 160), (246, 246, 246))
    assert cut(without_network, garment)[1] == []


def test_info_tells_whether_the_network_is_there(engine, without_network):
    (weight,) = engine.weights()
    assert weight["file"] == "u2netp.onnx" and weight["licence"] == "Apache-2.0"
    assert f"{weight['digest']}  " == "sha256:" + (Path(module.__file__).parent / "models.sha256").read_text()[:66]
    assert engine.options() == {"network": "u2netp"}
    assert without_network.weights() == () and without_network.options() == {"network": "none"}
    assert fingerprint(STAGE, engine) != fingerprint(STAGE, without_network)


def test_a_picture_of_any_size_gets_a_mask_of_that_size(engine):
    on_ground = laid("wood", RED)
    for size in ((1536, 2048), (300, 400), (700, 400)):
        rgb = cv2.resize(on_ground.rgb, size, interpolation=cv2.INTER_AREA)
        truth = cv2.resize(on_ground.truth.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        found = engine.find(rgb, lambda code, detail: None)
        assert overlap(found, truth) > 0.96, size


def test_where_the_network_sees_nothing_colour_answers_and_that_is_told(engine):
    class Blind:
        def look(self, rgb):
            return np.zeros((320, 320), np.float32)

    other = Engine()
    other._network = Blind()
    mask, told = cut(other, laid("gradient", RED).rgb)
    assert mask.any()
    assert [code for code, _ in told] == ["doubtful-mask"] and "the network sees no garment" in told[0][1]


def test_a_network_that_is_unsure_or_that_colours_contradict_is_doubted(engine):
    on_ground = laid("wood", RED)

    class Blurred:
        def look(self, rgb):
            return cv2.GaussianBlur(engine._network.look(rgb), (0, 0), 12)

    class Shifted:
        def look(self, rgb):
            return np.roll(engine._network.look(rgb), 60, axis=1)

    for network, reason in ((Blurred(), "the network is unsure of"), (Shifted(), "network and colours agree about")):
        other = Engine()
        other._network = network
        ((code, detail),) = cut(other, on_ground.rgb)[1]
        assert code == "doubtful-mask" and reason in detail


@pytest.mark.parametrize("name", GROUNDS)
def test_grounds_are_not_plain(name):
    assert uneven(laid(name, RED, seed=5).rgb)


def test_two_colours_and_large_tiles_are_not_plain_either():
    truth = tee((768, 1024), 2)
    wall = picture(truth, (30, 110, 160), (220, 214, 205))
    wall[700:][~truth[700:]] = (120, 90, 60)
    assert "corners have another colour" in uneven(wall)
    tiled = picture(truth, (30, 110, 160), (200, 196, 190))
    tiled[:, [200, 201, 202, 600, 601, 602]] = tiled[[90, 91, 92, 500, 501, 502, 900, 901, 902]] = (120, 116, 110)
    assert "changes at" in uneven(tiled)


def test_plain_is_what_a_garment_crosses_or_a_lamp_lights_a_little():
    for each in drawn():
        assert uneven(each.rgb) is None, each.name
    truth = np.zeros((400, 300), bool)
    truth[:, 110:190] = truth[150:250] = truth[60:340, 60:240] = True
    assert uneven(picture(truth, (180, 40, 30), (246, 246, 246))) is None


@needs_samples
def test_the_data_sets_own_grounds_are_plain():
    assert [each.name for each in data_set(SAMPLES) if uneven(each.rgb)] == []


def test_a_coarse_map_follows_the_pictures_edges():
    truth = tee((768, 1024), 3)
    rgb = picture(truth, RED, (200, 190, 180))
    coarse = cv2.resize(truth.astype(np.float32), (96, 128), interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(coarse, (768, 1024)) > 0.5
    fine = sharpened(coarse, rgb) > 0.5
    assert np.count_nonzero(fine != truth) < 0.4 * np.count_nonzero(enlarged != truth)


def test_a_print_of_the_grounds_colour_stays_in_the_garment():
    random = np.random.default_rng(3)
    truth = tee((768, 1024), 3)
    ground = GROUNDS["sheet"](random)
    cloth = np.full((1024, 768, 3), (30, 60, 120), np.float32)
    cv2.circle(cloth, (384, 520), 90, tuple(map(float, np.median(ground, axis=(0, 1)))), -1)
    on_ground = lay(Picture("sheet", "print", cloth, truth), ground, random)
    scores = cv2.resize(on_ground.truth.astype(np.float32), (320, 320), interpolation=cv2.INTER_AREA)
    assert overlap(garment_region(on_ground.rgb, scores).mask, on_ground.truth) > 0.98
