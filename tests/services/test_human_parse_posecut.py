"""Pose-seeded parse: against the data set's parses, on a mirrored photo, on drawn and on incomplete input."""

import copy
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.people import known_people, overlaps, summary
from stagekit.errors import IncompletePose, NoPerson
from stagekit.formats import BODY_25, CIHP, HEIGHT, WIDTH, keypoints, pose_document

pytest.importorskip("mediapipe", reason="mediapipe is not installed")

from services.human_parse.engines.posecut.body import Grid, read_body
from services.human_parse.engines.posecut.borders import alike_maxima, change_gain, two_cloths
from services.human_parse.engines.posecut.engine import Engine
from services.human_parse.engines.posecut.filters import GuidedFilter, colour_bins, colour_density, to_lab
from services.human_parse.engines.posecut.finish import (
    enlarge,
    parse_of,
    remove_speckles,
    toes_to_shoes,
    without_stray_hair,
)
from services.human_parse.engines.posecut.priors import ARM, FACE, HAIR, LEG, LOWER, NECK, SHOE, UPPER
from services.human_parse.engines.posecut.silhouette import keep_first_person
from services.pose.engines.blazepose.engine import Engine as Blazepose

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)
PHOTOS = ("00891_00", "03615_00", "07573_00", "10549_00")  # with BODY_25 poses of their own
SCORED = ("hair", "face", "neck", "upper_clothes", "pants", "left_arm", "right_arm")
STANDING = {"nose": (384, 150), "left_shoulder": (484, 290), "right_shoulder": (284, 290), "left_hip": (444, 580),
            "right_hip": (324, 580), "left_knee": (444, 760), "right_knee": (324, 760)}  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    engine = Engine()
    engine.load()
    return engine


def sample(name):
    person = np.array(Image.open(SAMPLES / "image" / f"{name}.jpg").convert("RGB"))
    return {"person": person, "pose": json.loads((SAMPLES / "openpose_json" / f"{name}_keypoints.json").read_text())}


def run(engine, inputs):
    return engine.run(inputs, lambda code, message: None)["parse"]


@pytest.fixture(scope="module")
def parses(engine):
    """Ours and the data set's parse of each photo; its dresses and coats count as upper clothes."""
    pairs = {}
    for name in PHOTOS:
        truth = np.array(Image.open(SAMPLES / "image-parse-v3" / f"{name}.png"))
        truth[np.isin(truth, (CIHP["dress"], CIHP["coat"]))] = CIHP["upper_clothes"]
        pairs[name] = run(engine, sample(name)), truth
    return pairs


def overlap(ours, truth, label):
    a, b = ours == CIHP[label], truth == CIHP[label]
    return (a & b).sum() / (a | b).sum()


def body_of(places, factor=1.0):
    joints = np.zeros((25, 3))
    for name, place in places.items():
        joints[BODY_25[name]] = *place, 1
    return read_body(joints, factor)


@needs_samples
def test_agrees_with_the_data_set(parses):
    scores = {label: [overlap(ours, truth, label) for ours, truth in parses.values() if (truth == CIHP[label]).any()]
              for label in SCORED}  # fmt: skip
    means = {label: float(np.mean(values)) for label, values in scores.items()}
    assert np.mean(list(means.values())) >= 0.83, means
    assert min(scores["upper_clothes"]) >= 0.9 and min(scores["pants"]) >= 0.9, scores
    assert min(min(values) for values in scores.values()) >= 0.58, scores


@pytest.fixture(scope="module")
def in_skirts(engine):
    """Person -> label -> IoU, of those outlined by hand, held back or not; dresses and skirts among them."""
    pose = Blazepose()
    pose.load()
    people = [person for person in known_people(SAMPLES) if person.group != "data set"]
    return {person.name: overlaps(run(engine, {"person": person.photo, **pose.run({"person": person.photo}, print)}),
                                  person.truth) for person in people}  # fmt: skip


@needs_samples
def test_agrees_with_people_outlined_by_hand(in_skirts):
    means = summary(in_skirts)["labels"]
    assert means["skirt"] >= 0.7 and means["dress"] >= 0.9, means
    assert min(means[f"{side}_{limb}"] for side in ("left", "right") for limb in ("arm", "leg")) >= 0.85, means
    assert means["upper_clothes"] >= 0.92 and summary(in_skirts)["mean"] >= 0.8, means


@needs_samples
def test_the_old_garment_is_covered_and_the_rest_is_not(parses):
    """Shares of the data set's regions: upper clothes that we leave out; face, hands and trousers that we take for them."""
    for name, (ours, truth) in parses.items():
        upper = ours == CIHP["upper_clothes"]
        assert (~upper)[truth == CIHP["upper_clothes"]].mean() < 0.07, name
        for label in ("face", "hair", "left_arm", "right_arm", "pants"):
            there = truth == CIHP[label]
            assert not there.any() or upper[there].mean() < 0.06, (name, label)


@needs_samples
def test_labels_are_whole(parses):
    for name, (ours, _) in parses.items():
        assert ours.shape == (HEIGHT, WIDTH) and ours.dtype == np.uint8
        assert set(np.unique(ours)) <= {CIHP[label] for label in (*SCORED, "background")}, name
        assert _specks(ours) < 0.002, name


def _specks(parse):
    """Share of the picture in islands."""
    return (remove_speckles(parse.astype(int)) != parse).mean()


@needs_samples
def test_same_input_same_parse_and_untouched(engine, parses):
    inputs = sample(PHOTOS[0])
    before = copy.deepcopy(inputs)
    run(engine, sample(PHOTOS[2]))
    assert np.array_equal(run(engine, inputs), parses[PHOTOS[0]][0])
    assert np.array_equal(inputs["person"], before["person"]) and inputs["pose"] == before["pose"]


@needs_samples
def test_a_mirrored_person_has_arms_swapped(engine, parses):
    inputs = sample("10549_00")
    joints = keypoints(inputs["pose"])
    seen = joints[..., 2] > 0
    joints[..., 0] = np.where(seen, WIDTH - 1 - joints[..., 0], 0)
    swapped = [BODY_25[name.replace("left", "R").replace("right", "left").replace("R", "right")] for name in BODY_25]
    mirrored = run(engine, {"person": inputs["person"][:, ::-1].copy(), "pose": pose_document(joints[:, swapped])})
    straight = parses["10549_00"][0][:, ::-1]
    for label, other in (("left_arm", "right_arm"), ("right_arm", "left_arm")):
        a, b = mirrored == CIHP[label], straight == CIHP[other]
        assert (a & b).sum() / (a | b).sum() > 0.9


@needs_samples
def test_a_second_person_is_background(engine):
    inputs = sample("10549_00")
    joints = keypoints(inputs["pose"])
    narrow = np.array(Image.fromarray(inputs["person"]).resize((384, 512)))
    both = np.full((HEIGHT, WIDTH, 3), 225, np.uint8)
    both[256:768, :384] = both[256:768, 384:] = narrow
    first = joints[0] * (0.5, 0.5, 1) + np.where(joints[0, :, 2:] > 0, (0.0, 256.0, 0.0), 0)
    second = first + np.where(joints[0, :, 2:] > 0, (384.0, 0.0, 0.0), 0)
    parse = run(engine, {"person": both, "pose": pose_document(np.stack([first, second]))})
    assert (parse[:, :384] > 0).mean() > 0.15 and (parse[:, 400:] > 0).mean() < 0.01


def test_refusals_say_what_to_do(engine):
    person = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    with pytest.raises(NoPerson, match="photo"):
        run(engine, {"person": person, "pose": pose_document(np.zeros((0, 25, 3)))})
    with pytest.raises(IncompletePose, match="shoulders"):
        run(engine, {"person": person, "pose": pose_document(np.zeros((1, 25, 3)))})


def test_a_faceless_pose_without_limbs_still_gives_a_parse(engine):
    joints = np.zeros((1, 25, 3))
    joints[0, BODY_25["left_shoulder"]], joints[0, BODY_25["right_shoulder"]] = (484, 290, 1), (284, 290, 1)
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    warnings = []
    parse = engine.run({"person": noise, "pose": pose_document(joints)}, lambda code, _: warnings.append(code))["parse"]
    assert parse.shape == (HEIGHT, WIDTH) and warnings == ["face-not-found"]


def test_guided_filter_keeps_edges_and_removes_noise():
    guide = np.zeros((60, 80, 3), np.float32)
    guide[:, 40:] = 0.8
    truth = (guide[..., 0] > 0).astype(np.float32)
    noisy = truth + np.random.default_rng(0).normal(0, 0.3, truth.shape).astype(np.float32)
    smooth = GuidedFilter(guide, 6, 1e-3)
    assert np.abs(smooth(noisy) - truth).mean() < 0.05


def test_colour_density_tells_colours_apart():
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :20], picture[:, 20:] = (200, 30, 30), (30, 30, 200)
    bins = colour_bins(to_lab(picture))
    left = colour_density(bins, np.repeat([[1.0] * 20 + [0.0] * 20], 20, 0))
    assert left.sum() == pytest.approx(1, rel=0.02)
    assert left[bins[0, 0]] > 100 * left[bins[0, 39]]


def test_cuffs_are_where_cloth_turns_to_skin():
    assert change_gain(np.array([-1, -2, 0.5, -1, 3, 2, 2])).argmax() == 4
    assert change_gain(np.array([1.0, 1, 1])).argmax() == 0 and change_gain(np.array([-1.0, -1])).argmax() == 2


def test_the_clearer_arm_decides_for_both_unless_both_are_clear():
    clear, doubtful = np.array([-3.0] * 4 + [3.0] * 20), np.array([-0.1] * 12 + [0.05] * 12)
    assert alike_maxima(change_gain(clear), change_gain(doubtful)) == [4, 4]
    assert alike_maxima(change_gain(clear), change_gain(clear[::-1] * -1)) == [4, 20]


HEMS = np.arange(0.4, 1.5, 0.02)


def hem_of(*cloths):
    """Gains of `two_cloths` for a trunk that shows these from height to height: (until, L, a, b)."""
    heights = np.repeat(np.linspace(0.1, 2.2, 400), 5)
    lab = np.zeros((heights.size, 3), np.float32)
    for until, *colour in reversed(cloths):
        lab[heights < until] = colour
    return two_cloths(heights, lab + np.random.default_rng(0).normal(0, 1.5, lab.shape), HEMS)


@pytest.mark.parametrize("hem", [0.7, 1.0, 1.36])
def test_the_hem_is_where_one_cloth_turns_to_another_however_long_the_top_is(hem):
    for below in ((75, 5, 15), (20, 0, 0), (55, 0, -25)):
        assert abs(HEMS[hem_of((hem, 35, 30, 10), (3, *below)).argmax()] - hem) < 0.03


def test_a_print_on_the_chest_and_the_end_of_a_skirt_are_no_hem():
    assert abs(HEMS[hem_of((0.5, 80, 0, 0), (0.9, 35, 30, 10), (1.6, 20, 0, 0), (3, 70, 12, 18)).argmax()] - 0.9) < 0.03
    dress = hem_of((1.6, 35, 30, 10), (3, 70, 12, 18))
    assert np.ptp(dress) < 2, "of one cloth"


def test_others_are_background():
    here, there = body_of(STANDING), body_of({name: (x + 300, y) for name, (x, y) in STANDING.items()})
    kept = keep_first_person(np.ones((HEIGHT, WIDTH), np.float32), [here, there], Grid.of(WIDTH, HEIGHT))
    assert kept[400, 384] == 1 and kept[400, 684] == 0


def in_a_skirt():
    """Parts of somebody in a top, a skirt and bare legs, and colours to go with them."""
    parts = np.full((HEIGHT, WIDTH), -1)
    parts[300:560, 300:470], parts[560:700, 280:490] = UPPER, LOWER
    parts[700:1000, 300:350] = parts[700:1000, 420:470] = LEG
    return parts, np.select([parts == UPPER, parts == LOWER], [10, 20_000], 30_000)


def test_skirt_trousers_and_shorts():
    body, grid = body_of(STANDING), Grid.of(WIDTH, HEIGHT)
    skirt, colours = in_a_skirt()
    shorts = skirt.copy()
    shorts[620:700, 370:400] = -1
    trousers = np.where(skirt == LEG, LOWER, skirt)
    for parts, label in ((skirt, "skirt"), (shorts, "pants"), (trousers, "pants")):
        assert parse_of(parts, colours, body, grid)[570, 384] == CIHP[label]
    parse = parse_of(skirt, colours, body, grid)
    assert parse[900, 325] == CIHP["right_leg"] and parse[900, 440] == CIHP["left_leg"]


def test_a_skirt_of_the_tops_cloth_is_a_dress():
    body, grid = body_of(STANDING), Grid.of(WIDTH, HEIGHT)
    skirt, colours = in_a_skirt()
    parse = parse_of(skirt, np.where(skirt == LOWER, 10, colours), body, grid)
    assert parse[400, 384] == parse[650, 384] == CIHP["dress"]
    trousers = np.where(skirt == LEG, LOWER, skirt)
    parse = parse_of(trousers, np.where(trousers == LOWER, 10, colours), body, grid)
    assert parse[400, 384] == CIHP["upper_clothes"] and parse[650, 384] == CIHP["pants"]


def test_hair_that_is_joined_to_no_head_is_what_surrounds_it():
    parts = np.full((100, 60), -1)
    parts[5:20, 20:40], parts[20:40, 22:38], parts[40:45, 25:35], parts[45:90, 10:50] = HAIR, FACE, NECK, UPPER
    parts[15:70, 38:42] = HAIR  # a lock that falls over the shoulder
    parts[60:65, 15:20] = HAIR
    cleaned = without_stray_hair(parts)
    assert (cleaned[60:65, 15:20] == UPPER).all() and (cleaned[15:70, 38:42] == HAIR).all()
    assert ((cleaned != parts).sum()) == 25


def test_toes_in_a_sandal_are_shoe_and_bare_feet_are_not():
    parts = np.full((100, 40), -1)
    parts[:80, 10:20], parts[80:85, 10:20], parts[85:90, 10:20] = LEG, SHOE, LEG
    below = np.broadcast_to(np.arange(100)[:, None] > 60, parts.shape)
    assert (toes_to_shoes(parts, below)[80:90, 10:20] == SHOE).all()
    barefoot = np.where(parts == SHOE, LEG, parts)
    assert np.array_equal(toes_to_shoes(barefoot, below), barefoot)


def test_specks_go_to_what_surrounds_them():
    parts = np.full((100, 100), UPPER)
    parts[50, 50], parts[:20], parts[10, 10] = ARM, FACE, -1
    cleaned = remove_speckles(parts)
    assert cleaned[50, 50] == UPPER and cleaned[10, 10] == FACE and (cleaned[:20] == FACE).all()


def test_enlarging_keeps_ids_and_straight_edges():
    small = np.zeros((50, 40), np.uint8)
    small[:, 20:], small[30:, 20:] = 5, 13
    large = enlarge(small, (80, 100))
    assert set(np.unique(large)) == {0, 5, 13} and (large[:50, 40:] == 5).all() and (large[70:, 45:] == 13).all()
