"""CatVTON's inpainting mask, held to those that the original made of the same parses and DensePose."""

import io

import numpy as np
import pytest
from PIL import Image

from services.agnostic.engines.catvton_mask.engine import Engine
from services.agnostic.engines.catvton_mask.mask import RULES, Parses, both_parses, inpainting_mask
from services.agnostic.engines.catvton_mask.parts import densepose_parts
from services.agnostic.engines.viton_hd.engine import Engine as VitonHd
from stagekit.errors import WrongKind
from stagekit.formats import CIHP, DENSEPOSE_PALETTE, pose_document
from tests.servers import ROOT

GOLDEN = sorted((ROOT / "tests" / "specs" / "agnostic_mask").glob("golden_*.npz"))
THEIRS = {"dress": "overall"}
ATR_FACE, ATR_BAG = 11, 16


class Golden:
    def __init__(self, path):
        with np.load(path) as golden:
            self.parses = Parses(golden["in_atr_1024"], golden["in_lip_1024"])
            self.parts = golden["in_densepose_1024"]
            self.keypoints = golden["in_keypoints"]
            self.masks = {
                kind: np.unpackbits(golden[f"out_catvton_{THEIRS.get(kind, kind)}"], axis=1)[:, :768] > 0
                for kind in RULES
            }

    def inputs(self, category):
        """The same figure as artifacts: one parse, which knows the neck, but no bag."""
        atr, lip = self.parses
        neck = (atr == ATR_FACE) & (lip != CIHP["face"])
        joints = np.zeros((1, 25, 3))
        joints[0, :8, :2], joints[0, :8, 2] = 2 * self.keypoints[:8], 1  # BODY_25 counts these as COCO does
        joints[0, [9, 12], :2], joints[0, [9, 12], 2] = 2 * self.keypoints[[8, 11]], 1
        return {
            "person": np.full((1024, 768, 3), 200, np.uint8),
            "parse": np.where(neck, np.uint8(CIHP["neck"]), lip),
            "pose": pose_document(joints),
            "densepose": np.array(DENSEPOSE_PALETTE, np.uint8)[self.parts],
            "category": category,
        }


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def golden(request):
    return Golden(request.param)


def overlap(a, b):
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def run(inputs, layer="all"):
    warnings = []
    outputs = Engine().run_with({"layer": layer}, inputs, lambda code, detail: warnings.append(code))
    assert not warnings
    return outputs


@pytest.mark.parametrize("kind", RULES)
def test_masks_of_the_original(golden, kind):
    assert np.array_equal(inpainting_mask(golden.parses, golden.parts, kind), golden.masks[kind])


@pytest.mark.parametrize("category", ["upper", "lower", "dress"])
def test_the_engine_makes_them_of_one_parse(golden, category):
    inputs = golden.inputs(category)
    outputs = run(inputs)
    mask = outputs["agnostic_mask"] == 255
    assert overlap(mask, golden.masks[category]) > 0.99, "but for the bag, which that parse does not know"
    assert ((outputs["agnostic"] == 128).all(axis=2) == mask).all()
    assert (outputs["agnostic"][~mask] == 200).all()
    others = VitonHd().run_with({"recipe": "viton_hd"}, inputs, lambda code, detail: None)
    assert np.array_equal(outputs["parse_agnostic"], others["parse_agnostic"])


def test_one_parse_tells_both_of_all_but_bags(golden):
    atr, lip = golden.parses
    ours = both_parses(golden.inputs("upper")["parse"])
    assert np.array_equal(ours.lip, lip) and np.array_equal(ours.atr[atr != ATR_BAG], atr[atr != ATR_BAG])


@pytest.mark.parametrize("layer", ["inner", "outer"])
def test_a_top_may_take_the_place_of_one_layer(golden, layer):
    mask = run(golden.inputs("upper"), layer)["agnostic_mask"] == 255
    assert overlap(mask, golden.masks[layer]) > 0.99 > overlap(mask, golden.masks["upper"])
    for category in ("lower", "dress"):
        inputs = golden.inputs(category)
        assert np.array_equal(run(inputs, layer)["agnostic_mask"], run(inputs)["agnostic_mask"]), "of tops only"


def test_a_person_without_a_category_is_made_ready_for_a_top(golden):
    inputs = golden.inputs("upper")
    expected = run(inputs)
    del inputs["category"]
    assert np.array_equal(run(inputs)["agnostic_mask"], expected["agnostic_mask"])


def test_arms_that_the_pose_lacks_are_in_the_mask_all_the_same(golden):
    inputs = golden.inputs("upper")
    expected = run(inputs)["agnostic_mask"]
    inputs["pose"]["people"][0]["pose_keypoints_2d"] = [0.0] * 75
    assert np.array_equal(run(inputs)["agnostic_mask"], expected)


@pytest.mark.parametrize(("quality", "subsampling"), [(95, 0), (95, 2)])
def test_parts_are_read_from_jpegs_too(golden, quality, subsampling):
    picture = golden.inputs("upper")["densepose"]
    assert np.array_equal(densepose_parts(picture), golden.parts)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=subsampling)
    found = densepose_parts(np.array(Image.open(file)))
    assert (found != golden.parts).mean() < 0.01
    # Three pixels may join two pieces, and then their hull is another.
    for kind in RULES:
        assert overlap(inpainting_mask(golden.parses, found, kind), golden.masks[kind]) > 0.94, kind


def test_other_pictures_than_parts_on_black_are_refused(golden):
    inputs = golden.inputs("upper")
    for match, densepose in {"BGR": inputs["densepose"][..., ::-1], "black": 0 * inputs["densepose"]}.items():
        with pytest.raises(WrongKind, match=match):
            run({**inputs, "densepose": densepose})
