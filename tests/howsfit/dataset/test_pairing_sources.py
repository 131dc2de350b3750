"""Other sources than AI Hub's: those that come along, and a tree of one's own."""

import json
import os
import shutil
import unicodedata

import cv2
import numpy as np
import pytest
from PIL import Image

from howsfit.dataset.layout import Pair, pairs_of, path_of
from howsfit.dataset.pairing.description import packaged, read
from howsfit.dataset.pairing.plan import make_plan
from howsfit.dataset.pairing.run import run
from howsfit.dataset.pairing.tree import recognise
from stagekit.artifacts import decode
from stagekit.formats import BODY_25, CIHP, keypoints
from stagekit.images import Limits
from tests.howsfit.dataset.aihub_tree import save, write
from tests.servers import ROOT

PORTRAIT = ROOT / "howsfit" / "samples" / "person.jpg"


def made(root, out, source):
    description = read(source)
    return run(make_plan(root, description), description, root, out, 1, None, lambda done: None)


def manifest(out):
    return [json.loads(line) for line in (out / "howsfit" / "pairs.jsonl").read_text().splitlines()]


def plain(colour, size=(768, 1024)):
    return np.full((size[1], size[0], 3), colour, np.uint8)


def listed(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))


@pytest.fixture
def dresscode(tmp_path):
    root = tmp_path / "DressCode"
    for folder, number in (("upper_body", "000001"), ("lower_body", "000002"), ("dresses", "000003")):
        for kind, colour in (("0", 90), ("1", 200)):
            save(plain(colour), root / folder / "images" / f"{number}_{kind}.jpg")
        labels = np.zeros((1024, 768), np.uint8)
        labels[100:300, 300:400] = 11  # the head, neck and all
        labels[300:700, 200:500] = {"upper_body": 4, "lower_body": 6, "dresses": 7}[folder]
        (root / folder / "label_maps").mkdir()
        Image.fromarray(labels).save(root / folder / "label_maps" / f"{number}_4.png")
        # OpenPose's 18 joints of COCO, in a picture of 384 x 512, the right ankle not found
        joints = [[10.0 * number, 5.0 * number, 0.9, number] for number in range(1, 19)]
        joints[10] = [-1, -1, 0, -1]
        write(root / folder / "keypoints" / f"{number}_2.json", {"keypoints": joints})
        listed(root / folder / "train_pairs.txt", f"{number}_0.jpg\t{number}_1.jpg")
        listed(root / folder / "test_pairs_paired.txt")
    listed(root / "train_pairs.txt", "000001_0.jpg\t000001_1.jpg\t0")
    return root


def test_dress_code_keeps_its_categories_and_lends_its_labels(dresscode, tmp_path):
    assert recognise(dresscode) == "dresscode"
    assert made(dresscode, tmp_path / "out", "dresscode").pairs == {"train": 3, "test": 0}
    pairs = {each["category"]: each for each in manifest(tmp_path / "out")}
    assert pairs.keys() == {"upper", "lower", "dress"}
    for each in pairs.values():
        assert each["given"] == ["parse", "pose"] and each["licence"].startswith("Dress Code")
    parse = np.array(Image.open(path_of(tmp_path / "out", "train", "parse", pairs["dress"]["person"])))
    assert set(np.unique(parse)) == {0, CIHP["dress"], CIHP["face"]}
    assert (parse[301:699, 201:499] == CIHP["dress"]).all() and not parse[701:].any()


def test_joints_of_coco_become_those_of_body_25(dresscode, tmp_path):
    made(dresscode, tmp_path / "out", "dresscode")
    path = path_of(tmp_path / "out", "train", "pose", manifest(tmp_path / "out")[0]["person"])
    pose = keypoints(decode("pose", "keypoints", path.read_bytes(), Limits()))[0]
    assert pose[BODY_25["nose"]].tolist() == [20, 10, 0.9]
    assert pose[BODY_25["right_hip"]].tolist() == [180, 90, 0.9]  # the ninth of COCO, twice as large
    assert pose[BODY_25["left_hip"]].tolist() == [240, 120, 0.9]
    assert pose[BODY_25["mid_hip"]].tolist() == [210, 105, 0.9]
    assert not pose[BODY_25["right_ankle"]].any() and not pose[BODY_25["left_heel"]].any()


def test_pictures_of_the_right_size_are_linked_and_not_copied(dresscode, tmp_path):
    made(dresscode, tmp_path / "out", "dresscode")
    for each in manifest(tmp_path / "out"):
        for artifact in ("person", "cloth"):
            made_of = path_of(tmp_path / "out", "train", artifact, each["person"])
            assert os.path.samefile(made_of, dresscode / each["files"][artifact])


def test_where_there_are_no_links_files_are_copied(dresscode, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    made(dresscode, tmp_path / "out", "dresscode")
    each = manifest(tmp_path / "out")[0]
    made_of, source = path_of(tmp_path / "out", "train", "cloth", each["cloth"]), dresscode / each["files"]["cloth"]
    assert made_of.read_bytes() == source.read_bytes() and not os.path.samefile(made_of, source)


def test_a_picture_said_to_be_framed_that_is_not_is_left_out(dresscode, tmp_path):
    save(plain(90, (700, 1000)), dresscode / "dresses" / "images" / "000003_0.jpg")
    save(plain(90, (700, 1000)), dresscode / "upper_body" / "images" / "000001_1.jpg")
    result = made(dresscode, tmp_path / "out", "dresscode")
    told = {(finding.file.rsplit("/", 1)[1], finding.reason.name) for finding in result.findings}
    assert told == {("000003_0.jpg", "NOT_FRAMED"), ("000001_1.jpg", "NOT_FRAMED"), ("000001_0.jpg", "UNFIT_CLOTH")}
    assert [each["category"] for each in manifest(tmp_path / "out")] == ["lower"]


def test_a_folder_in_the_layout_itself_keeps_its_names_and_all_its_artifacts(tmp_path):
    root, out = tmp_path / "zalando", tmp_path / "out"
    for part, names in (("train", ["00006_00", "00006_01"]), ("test", ["00008_00", "00006_02"])):
        for name in names:
            for artifact in ("person", "cloth", "densepose"):
                save(plain(90), path_of(root, part, artifact, name))
            write(path_of(root, part, "pose", name), {"people": []})
    listed(root / "test_pairs.txt", "00008_00.jpg 00006_02.jpg")  # unpaired, as the published one
    assert recognise(root) == "viton_hd"
    result = made(root, out, "viton_hd")
    names = ["00006_00", "00006_01", "00006_02"]  # the last one's garment is trained on
    assert list(pairs_of(out / "train_pairs.txt")) == [Pair(name, name) for name in names]
    assert list(pairs_of(out / "test_pairs.txt")) == [Pair("00008_00", "00008_00")]
    assert [finding.reason.name for finding in result.findings] == ["LEAK"]
    assert all(each["given"] == ["densepose", "pose"] for each in manifest(out))
    assert os.path.samefile(
        path_of(out, "train", "densepose", "00006_02"), path_of(root, "test", "densepose", "00006_02")
    )


@pytest.fixture
def street(tmp_path):
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    root = tmp_path / "data"
    photos = root / "street_tryon" / "validation" / "image"
    photos.mkdir(parents=True)
    for name in ("000001", "000002"):
        shutil.copy(PORTRAIT, photos / f"{name}.jpg")
    save(plain(90), photos / "000003.jpg")  # nobody
    for name in ("00006_00", "00008_00", "00009_00"):
        save(plain(200), root / "zalando" / "test" / "cloth" / f"{name}.jpg")
        save(plain(255), root / "zalando" / "test" / "cloth-mask" / f"{name}.jpg")
    listed(
        root / "street_tryon" / "annotations" / "shop2street_test_pairs_top.csv",
        ",garment,person", "0,00006_00.jpg,000001.jpg", "1,00008_00.jpg,000001.jpg", "2,00008_00.jpg,000002.jpg",
        "3,00008_00.jpg,000003.jpg", "4,00009_00.jpg,000001.jpg",
    )  # fmt: skip
    return root


def test_people_who_do_not_wear_the_garments_make_unpaired_pairs(street, tmp_path):
    assert recognise(street) == "streettryon"
    result = made(street, tmp_path / "out", "streettryon")
    pairs = list(pairs_of(tmp_path / "out" / "test_pairs.txt"))
    assert pairs == [
        Pair("00004_00", "00001_00"), Pair("00004_00", "00002_00"), Pair("00005_00", "00002_00"), Pair("00004_00", "00003_00"),
    ]  # fmt: skip
    assert pairs == list(pairs_of(tmp_path / "out" / "test_pairs_unpaired.txt"))
    people = path_of(tmp_path / "out", "test", "person", "x").parent
    assert sorted(path.stem for path in people.iterdir()) == ["00004_00", "00005_00"]
    assert [finding.reason.name for finding in result.findings] == ["NOBODY"]
    assert not any(each["worn"] for each in manifest(tmp_path / "out"))


OWN = """
name = "mine"
title = "Our own shots"
licence = "All rights reserved"

[[records]]
format = "csv"
files = ["pairs.csv"]

[person]
folder = ["shots"]
file = "{photo}"
frame = "thigh"

[cloth]
folder = ["flat"]
product = ["{sku}"]
file = "{sku}-front"

[cloth_mask]
folder = ["masks"]
file = "{sku}"
kind = "mask"
"""


def test_a_tree_of_ones_own_needs_no_more_than_a_small_description(tmp_path):
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    root = tmp_path / "mine"
    (root / "shots").mkdir(parents=True)
    shutil.copy(PORTRAIT, root / "shots" / "Ada.JPG")
    picture, mask = plain(250, (600, 500)), np.zeros((500, 600), np.uint8)
    cv2.rectangle(picture, (200, 100), (299, 299), (30, 90, 160), -1)
    cv2.rectangle(mask, (200, 100), (299, 299), 255, -1)
    save(picture, root / "flat" / "S1-front.jpg")
    save(mask, root / "masks" / "S1.jpg")
    listed(root / "pairs.csv", "photo,sku", "ada.jpg,S1")
    (tmp_path / "mine.toml").write_text(OWN)
    made(root, tmp_path / "out", str(tmp_path / "mine.toml"))
    (pair,) = manifest(tmp_path / "out")
    assert pair["given"] == ["cloth_mask"] and pair["product"] == "S1"
    cloth = np.array(Image.open(path_of(tmp_path / "out", pair["part"], "cloth", pair["cloth"])), int)
    seen = np.abs(cloth - (30, 90, 160)).max(axis=2) < 60
    given = np.array(Image.open(path_of(tmp_path / "out", pair["part"], "cloth_mask", pair["cloth"]))) >= 128
    assert (seen & given).sum() / (seen | given).sum() > 0.98
    assert 0.8 < given.any(axis=1).mean() < 0.95, "the garment fills the picture, but for a margin"


def test_names_with_blanks_and_hangul_are_found_however_they_are_written(tmp_path):
    """A Mac's archive has Hangul in pieces, a list that Windows saved has it whole, and begins with a mark."""
    root = tmp_path / "mine"
    for shot, flat in (("앞 모습", "옷"), ("a.b #1%", "é")):
        save(plain(90), root / "shots" / f"{unicodedata.normalize('NFD', shot)}.JPG")
        save(plain(200), root / "flat" / f"{unicodedata.normalize('NFD', flat)}-front.jpg")
    lines = "\ufeffphoto,sku\r\n앞 모습.jpg,옷\r\n/elsewhere/a.b #1%.jpg,é\r\n\r\n"
    (root / "pairs.csv").write_bytes(lines.encode())
    source = tmp_path / "mine.toml"
    source.write_text(OWN.replace('frame = "thigh"', 'frame = "as is"'))
    assert made(root, tmp_path / "out", str(source)).findings == []
    pairs = [each["files"] for each in manifest(tmp_path / "out")]
    assert len(pairs) == 2 and all((root / path).is_file() for files in pairs for path in files.values())


def test_neither_a_photo_nor_a_garment_is_in_both_parts_where_photos_try_on_several(tmp_path):
    root = tmp_path / "mine"
    tried = [(photo, garment) for photo in range(40) for garment in (photo // 2, 20 + photo // 4)]
    for photo, garment in tried:
        save(plain(90, (3, 4)), root / "shots" / f"{photo}.jpg")
        save(plain(200, (3, 4)), root / "flat" / f"{garment}-front.jpg")
    listed(root / "pairs.csv", "photo,sku", *(f"{photo},{garment}" for photo, garment in tried))
    source = tmp_path / "mine.toml"
    source.write_text(OWN.replace("[[records]]", "worn = false\n[[records]]", 1))
    groups = make_plan(root, read(str(source)), test_share=0.4).groups
    kept = {part: {name for group in groups if group.part == part for name in
                   (group.cloth, *(wearer.photo for wearer in group.wearers))} for part in ("train", "test")}  # fmt: skip
    assert sum(len(group.wearers) for group in groups) == len(tried)
    assert kept["train"] and kept["test"] and not kept["train"] & kept["test"]


@pytest.mark.parametrize("name", packaged())
def test_descriptions_that_come_along_are_valid(name):
    assert read(name).name == name


BROKEN = [
    ('title = "Our own shots"', "title = Our own shots", r"line 3"),
    ('frame = "thigh"', 'fame = "thigh"', r"person\.fame: there is no such key"),
    ('frame = "thigh"', 'frame = "knee"', r"person\.frame: .*'thigh', 'whole' or 'as is'"),
    ('licence = "All rights reserved"', "", r"licence: this key is missing"),
    ('file = "{photo}"', 'file = "{photo"', r"person\.file"),
    ('file = "{photo}"', 'file = "{photo}"\nonly = "("', r"person\.only: '\(' is no regular expression"),
    ('kind = "mask"', 'kind = "map"', r"cloth_mask: 'inside' is missing"),
    ('files = ["pairs.csv"]', "", r"records\.0: format 'csv' needs 'files'"),
    ("[cloth_mask]", '[take.tryon]\nfolder = ["x"]\nfile = "x"\n[cloth_mask]', r"take: 'tryon' is no artifact"),
    ("[cloth_mask]", '[take.parse]\nfolder = ["x"]\nfile = "x"\n[cloth_mask]', r"take\.parse needs person\.frame"),
    ('[cloth_mask]', '[parse.labels]\n0 = "hairs"\n[cloth_mask]', r"parse\.labels: 'hairs' is no label\. There are: backgr"),
]  # fmt: skip


@pytest.mark.parametrize("right, wrong, told", BROKEN)
def test_a_wrong_description_is_refused_by_its_line_or_key(tmp_path, right, wrong, told):
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace(right, wrong, 1))
    with pytest.raises(ValueError, match=told):
        read(str(path))


def test_a_source_that_nobody_described_says_which_there_are(tmp_path):
    with pytest.raises(ValueError, match="aihub, dresscode, streettryon, viton_hd"):
        read("aihab")
    with pytest.raises(ValueError, match="--source: aihub"):
        recognise(tmp_path)
    with pytest.raises(ValueError, match="There is no folder"):
        recognise(tmp_path / "nowhere")


def test_a_tree_that_is_not_as_described_is_refused(tmp_path):
    (tmp_path / "Model-Image_deid").mkdir()
    with pytest.raises(ValueError, match="no folder named item-image"):
        make_plan(tmp_path, read("aihub"))
    (tmp_path / "Item-Image").mkdir()
    with pytest.raises(ValueError, match=r"nothing named wearing_info\*\.json"):
        make_plan(tmp_path, read("aihub"))
    (tmp_path / "wearing_info.json").write_text('{"a": 1}')
    with pytest.raises(ValueError, match="holds no list"):
        make_plan(tmp_path, read("aihub"))
    (tmp_path / "wearing_info.json").write_text("[{")
    with pytest.raises(ValueError, match=r"wearing_info\.json' is no JSON"):
        make_plan(tmp_path, read("aihub"))
