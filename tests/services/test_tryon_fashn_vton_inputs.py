"""What FASHN VTON's network is shown: pictures, drawings of poses, and the way back. Without Torch."""

from pathlib import Path

import numpy as np
import pytest

from services.tryon.engines.fashn_vton.mask import LABELS, labels_of_parse, mask_steps
from services.tryon.engines.fashn_vton.pictures import first_resize, fit, scaled, without
from services.tryon.engines.fashn_vton.pose import draw, of_document
from stagekit.formats import BODY_25, CIHP, COCO_18_JOINTS, pose_document
from tests.parity.fashn_vton import preprocessing_differences

SPECS = Path(__file__).parents[1] / "specs" / "fashn_vton"


@pytest.mark.parametrize("name", ["golden_pre_1.npz", "golden_pre_2.npz"])
def test_pictures_and_drawings_are_the_published_ones(name):
    assert not [found for found in preprocessing_differences(dict(np.load(SPECS / name))) if found[1] > found[2]]


def test_joints_keep_their_places_on_the_way_from_body_25():
    person = np.array([(10.0 * i + 5, 20.0 * i + 7, 0.9) for i in range(25)])
    person[BODY_25["left_knee"]] = 0
    body = of_document(pose_document(person[None]), (768, 1024))
    for number, name in enumerate(COCO_18_JOINTS):
        assert np.allclose(body.joints[number] * (768, 1024), person[BODY_25[name], :2])
        assert body.seen[number] == (name != "left_knee")


def test_a_joint_that_was_not_found_is_not_drawn():
    person = np.zeros((25, 3))
    assert not drawing_of(person).any()
    person[BODY_25["nose"]] = (400, 300, 0.8)
    drawn = drawing_of(person)
    rows, columns = np.nonzero(drawn)
    assert abs(rows.mean() - 300 * 864 / 1024) < 1 and abs(columns.mean() - 400 * 648 / 768) < 1


def test_hands_and_a_face_are_drawn_where_they_are_known():
    person, points = np.zeros((25, 3)), [(300.0 + 5 * i, 500, 0.9) for i in range(68)]
    hands, face = np.zeros((1, 2, 21, 3)), np.array([points])
    hands[0, 0] = points[:21]
    of_hand, of_face = drawing_of(person, hands), drawing_of(person, None, face)
    assert of_hand.any() and of_face.any() and not np.array_equal(of_hand, of_face)


def drawing_of(person, *parts):
    return draw(of_document(pose_document(person[None], *parts), (768, 1024)), 864, 648)


@pytest.fixture
def arm():
    """A parse of a hanging arm in a sleeve, and its pose: the wrist at row 700, the hand below."""
    parse, person = np.zeros((1024, 768), np.uint8), np.zeros((25, 3))
    parse[300:500, 360:400], parse[500:780, 360:400] = CIHP["upper_clothes"], CIHP["left_arm"]
    person[BODY_25["left_elbow"]], person[BODY_25["left_wrist"]] = (380, 500, 0.9), (380, 700, 0.9)
    return parse, person


def test_the_hand_begins_at_the_wrist(arm):
    labels = labels_of_parse(*arm)
    rows = [sorted(set(np.nonzero(labels == LABELS.index(name))[0])) for name in ("top", "arms", "hands")]
    assert [(each[0], each[-1]) for each in rows] == [(300, 499), (500, 700), (701, 779)]


def test_a_top_is_hidden_with_its_arm_and_without_its_hand(arm):
    labels = labels_of_parse(*arm)
    hidden = mask_steps(labels, "upper").mask
    assert hidden[labels == LABELS.index("top")].all() and hidden[labels == LABELS.index("arms")].all()
    # The base grows by some pixels, also into the hand.
    assert hidden[labels == LABELS.index("hands")].mean() < 0.05
    assert hidden[200:300].any() and hidden[:, 300:360].any() and not hidden[:200].any()
    assert not mask_steps(labels, "lower").mask.any(), "nothing of that is worn"


def test_a_portrait_of_the_chassis_comes_back_at_its_own_proportions():
    photo = np.random.default_rng(0).integers(0, 256, (1024, 768, 3), dtype=np.uint8)
    padded, borders = fit(first_resize(photo))
    assert padded.shape == (864, 576, 3) and borders == (0, 48, 0, 48)
    assert without(padded, borders).shape == (768, 576, 3)
    planes = scaled(padded)
    assert planes.shape == (3, 864, 576) and planes.dtype == np.float32 and abs(planes).max() == 1
