"""Labels and frames: what is drawn where, and what is no label."""

import json

import numpy as np
import pytest
from PIL import Image

from howsfit.dataset.pairing.description import ClothMask, Parse, Pose
from howsfit.dataset.pairing.framing import body_of_labels, frame_garment, frame_person, frame_whole
from howsfit.dataset.pairing.labels import BadLabel, Regions, draw_mask, framed, move_joints, whole
from stagekit.formats import CIHP

PARSE = Parse(folder=("x",), file="x", kind="polygons", regions="region*", labels={1: CIHP["face"], 2: CIHP["coat"]})
SQUARE = [[10, 20], [30, 20], [30, 60], [10, 60]]
FLAT = [10, 20, 30, 20, 30, 60, 10, 60]


def document(path, value):
    path.write_text(json.dumps(value))
    return path


def region(category, points):
    return {"category_id": category, "segmentation": points}


@pytest.mark.parametrize("points", [FLAT, SQUARE, [FLAT], [SQUARE], [FLAT, [0, 0, 1, 0, 1, 1]]])
def test_corners_may_be_written_in_any_of_the_usual_ways(tmp_path, points):
    regions = Regions(document(tmp_path / "a", {"region1": region(1, points)}), PARSE, (100, 100))
    ids = regions.draw(whole((100, 100)), PARSE.labels)
    assert (ids[21:59, 11:29] == CIHP["face"]).all() and not ids[:, 32:].any() and not ids[62:].any()


def test_later_regions_lie_on_top_by_their_number(tmp_path):
    regions = {"width": 3, "region10": region(2, FLAT), "region9": region(1, FLAT), "region1": region(1, FLAT)}
    ids = Regions(document(tmp_path / "a", regions), PARSE, (100, 100)).draw(whole((100, 100)), PARSE.labels)
    assert (ids[21:59, 11:29] == CIHP["coat"]).all()


def test_what_the_table_does_not_name_is_background_over_what_lies_below(tmp_path):
    regions = {"region1": region(1, FLAT), "region2": region(7, [10, 20, 30, 20, 30, 40, 10, 40])}
    ids = Regions(document(tmp_path / "a", regions), PARSE, (100, 100)).draw(whole((100, 100)), PARSE.labels)
    assert not ids[21:39].any() and ids[42:59, 11:29].all()


def test_a_mask_is_without_what_is_not_the_garment_whatever_the_order(tmp_path):
    rule = ClothMask(folder=("x",), file="x", kind="polygons", regions="region*", inside=(1, 2), without=(5,))
    hole = region(5, [10, 20, 30, 20, 30, 40, 10, 40])
    for regions in ({"region1": hole, "region2": region(1, FLAT)}, {"region1": region(1, FLAT), "region2": hole}):
        mask = draw_mask(Regions(document(tmp_path / "a", regions), rule, (100, 100)), whole((100, 100)), rule)
        assert not mask[:40].any() and (mask[42:59, 11:29] == 255).all()


def test_a_map_moves_with_its_frame_and_ends_with_the_photo(tmp_path):
    ids = np.zeros((200, 150), np.uint8)
    ids[50:100, 30:60] = 1  # of a photo twice as large
    Image.fromarray(ids).save(tmp_path / "a.png")
    rule = Parse(folder=("x",), file="x", kind="map", labels={0: 6, 1: CIHP["face"]})
    drawn = Regions(tmp_path / "a.png", rule, (300, 400)).draw(framed((-30, 0, 270, 400)), rule.labels)
    rows, columns = np.nonzero(drawn == CIHP["face"])
    scale = 1024 / 400
    expected = [100 * scale, 200 * scale, (60 + 30) * scale, (120 + 30) * scale]
    found = [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]
    assert np.abs(np.subtract(found, expected)).max() <= 2.6  # a pixel of the map
    assert not drawn[:, :70].any(), "beyond the photo there are no labels"


@pytest.mark.parametrize(
    "only", [3, {"category_id": 1}, region("x", FLAT), region(1, [1, 2, 3]), region(1, [[1, "2"]])]
)
def test_what_is_no_label_is_refused(tmp_path, only):
    for value in ({"region1": only}, [only]):
        with pytest.raises(BadLabel):
            Regions(document(tmp_path / "a", value), PARSE, (100, 100))


def test_labels_of_a_picture_of_another_shape_are_refused(tmp_path):
    Image.fromarray(np.zeros((100, 100), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(BadLabel, match="100 x 100 pixels, the photo has 300 x 400"):
        Regions(tmp_path / "a.png", PARSE.model_copy(update={"kind": "map"}), (300, 400))


def test_joints_that_are_not_there_stay_where_nothing_is(tmp_path):
    rule = Pose(folder=("x",), file="x", key="landmarks")
    path = document(tmp_path / "a", {"landmarks": [150, 200, 2, 0, 0, 0, 10, 10, 0]})
    joints = move_joints(path, rule, (300, 400), (75, 100, 225, 300))
    assert joints.tolist() == [[384, 512, 2], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(BadLabel, match="no list of 3 numbers"):
        move_joints(document(tmp_path / "b", {"landmarks": [1, 2]}), rule, (300, 400), (0, 0, 3, 4))


def standing(top=100, bottom=1200, left=260, right=460, feet=True, head=True):
    """Ids of a person of two boxes and shoes in a photo of 720 x 1280."""
    ids = np.zeros((1280, 720), np.uint8)
    ids[top:bottom, left:right] = CIHP["pants"]
    ids[top + 150 : top + 500, left:right] = CIHP["upper_clothes"]
    if head:
        ids[top : top + 150, 320:400] = CIHP["face"]
    if feet:
        ids[bottom - 30 : bottom, left:right] = CIHP["left_shoe"]
    return ids


@pytest.mark.parametrize(
    "ids", [standing(), standing(top=0, bottom=1280), standing(left=20, right=220), standing(left=0, right=720)],
    ids=["middle", "as high as the photo", "at the side", "as wide as the photo"],
)  # fmt: skip
def test_people_are_framed_in_the_photo_from_above_the_head_to_the_thigh(ids):
    frame = frame_person(body_of_labels(ids, 720, 1280), 720, 1280, at_thigh=True)
    x0, y0, x1, y1 = frame.box
    assert (x1 - x0) * 4 == (y1 - y0) * 3
    assert 0 <= x0 < x1 <= 720 and 0 <= y0 < y1 <= 1280
    rows = np.flatnonzero(ids.any(axis=1))
    assert y0 <= rows[0]
    if ids.any(axis=0).sum() < 700:  # so wide a frame as that of the last one needs more below
        assert (y1 - rows[0]) / len(rows) == pytest.approx(0.62, abs=0.01)


def test_somebody_whom_the_photo_cuts_off_is_framed_down_to_its_end():
    cut_off = standing(bottom=1280, feet=False)
    assert frame_person(body_of_labels(cut_off, 720, 1280), 720, 1280, at_thigh=True).box[3] == 1280
    barefoot = standing(bottom=1200, feet=False)
    assert frame_person(body_of_labels(barefoot, 720, 1280), 720, 1280, at_thigh=True).box[3] == 782


def test_whole_people_keep_their_feet():
    frame = frame_person(body_of_labels(standing(), 720, 1280), 720, 1280, at_thigh=False)
    assert frame.box[1] <= 100 and frame.box[3] >= 1200


def test_a_garment_has_a_margin_and_a_picture_without_a_mask_is_kept_whole():
    mask = np.zeros((400, 600), np.uint8)
    mask[100:300, 250:350] = 255
    x0, y0, x1, y1 = frame_garment(mask, 600, 400).box
    assert x0 < 250 and x1 > 350 and 200 < y1 - y0 < 240
    assert frame_garment(mask * 0, 600, 400) is None
    assert frame_whole(600, 400).box == (0, -200, 600, 600)
    assert body_of_labels(mask * 0, 600, 400) is None
