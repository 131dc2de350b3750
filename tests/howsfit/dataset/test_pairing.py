"""From a tree of raw photos to pairs: AI Hub's layout with every trap in it."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from howsfit.dataset.layout import Pair, pairs_of, path_of
from howsfit.dataset.pairing.description import read
from howsfit.dataset.pairing.plan import make_plan
from howsfit.dataset.pairing.run import run
from stagekit.artifacts import decode
from stagekit.formats import CIHP, CIHP_PALETTE
from stagekit.images import Limits
from tests.howsfit.dataset import figures
from tests.howsfit.dataset.aihub_tree import HALVES, AiHub, write
from tests.howsfit.dataset.traps import BROKEN, plant

AIHUB = read("aihub")

PAIRS = {
    "10_A_000": ("00001_00", "train"),
    "11_B_000": ("00001_01", "train"),
    "12_C_000": ("00002_00", "train"),
    "21_L_000": ("00002_01", "train"),
    "13_D_000": ("00003_00", "train"),
    "14_E.x_000": ("00004_00", "train"),
    "15_F.y_000": ("00004_01", "train"),
    "20_K_000": ("00007_00", "test"),
    "22_M_000": ("00008_00", "test"),
}
"""Of each photo: the pair that it is in, and the part."""

LEFT_OUT = {
    "10_A_000.jpg": "named by two records",
    f"{BROKEN}.jpg": "known to be broken",
    "16_G_000.jpg": "broken or cut short",
    "17_H_000.jpg": "the picture of its garment is missing: 9999_F",
    "18_I_000": "the photo is missing",
    "19_J_000.jpg": "its record names no garment",
    "21_L_000.jpg": "moved from test to train",
}


@pytest.fixture(scope="module")
def trapped(tmp_path_factory):
    """The tree with all traps, and the folder that was made of it."""
    root, out = tmp_path_factory.mktemp("aihub"), tmp_path_factory.mktemp("pairs") / "out"
    plant(root)
    made(root, out)
    return root, out


def made(root, out, description=AIHUB, workers=1, limit=None, **options):
    return run(make_plan(root, description, **options), description, root, out, workers, limit, lambda done: None)


def manifest(out):
    return [json.loads(line) for line in (out / "howsfit" / "pairs.jsonl").read_text().splitlines()]


def contents(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


def middle(mask):
    return np.mean(np.nonzero(mask), axis=1)


def test_exactly_the_expected_pairs_come_of_a_tree_with_every_trap(trapped):
    _, out = trapped
    assert {Path(each["files"]["person"]).stem: (each["person"], each["part"]) for each in manifest(out)} == PAIRS
    for part in ("train", "test"):
        names = sorted(name for name, its in PAIRS.values() if its == part)
        assert list(pairs_of(out / f"{part}_pairs.txt")) == [Pair(name, name) for name in names]
        for artifact in ("person", "cloth", "cloth_mask", "parse"):
            folder = path_of(out, part, artifact, "x").parent
            assert sorted(path.stem for path in folder.iterdir()) == names
    assert list(pairs_of(out / "test_pairs_unpaired.txt")) == [
        Pair("00007_00", "00008_00"),
        Pair("00008_00", "00007_00"),
    ]
    assert not list(out.rglob(".*"))


def test_what_is_left_out_is_told_with_a_reason_and_what_to_do(trapped):
    _, out = trapped
    with (out / "howsfit" / "dropped.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    told = {Path(row["file"]).name: row["reason"] for row in rows}
    assert told.keys() == LEFT_OUT.keys()
    assert all(told[name].startswith(reason) for name, reason in LEFT_OUT.items())
    assert all(row["what to do"] for row in rows)
    assert [row["outcome"] for row in rows if "21_L" in row["file"]] == ["moved"]


def test_a_product_is_never_in_both_parts(trapped):
    _, out = trapped
    parts = {part: {each["product"] for each in manifest(out) if each["part"] == part} for part in ("train", "test")}
    assert parts["train"] and parts["test"] and not parts["train"] & parts["test"]


def test_labels_move_with_their_photo(trapped):
    """Photos are drawn from the labels: where the parse says a label, the photo has its colour."""
    _, out = trapped
    for name, part in PAIRS.values():
        photo = np.array(Image.open(path_of(out, part, "person", name)), int)
        parse = decode("parse", "labels", path_of(out, part, "parse", name).read_bytes(), Limits())
        top = (235, 235, 235) if name == "00004_00" else figures.COLOURS[figures.TORSO]
        colours = figures.COLOURS | {figures.TORSO: top}
        distances = [np.abs(photo - colour).sum(axis=2) for colour in (figures.GROUND, *colours.values())]
        labels = np.array([0, *(AIHUB.parse.labels[category] for category in colours)])
        seen = labels[np.argmin(distances, axis=0)]
        for label in ("upper_clothes", "face", "right_arm", "left_arm", "pants"):
            here, given = seen == CIHP[label], parse == CIHP[label]
            assert overlap(here, given) > 0.85, (name, label)


@pytest.mark.parametrize("figure", [{}, {"x": 90, "scale": 0.8}, {"scale": 1.08}, {"turned": True, "x": -33}])
@pytest.mark.parametrize("label, lit", [("face", {figures.FACE}), ("right_arm", {figures.RIGHT_ARM})])
def test_labels_lie_on_their_photo_to_the_pixel(tmp_path, figure, label, lit):
    """One label is white and all else black, so that the edge in the photo is where the grey is in the middle."""
    tree = AiHub(tmp_path / "tree")
    tree.item("Training", "1", (180, 60, 60))
    colours = {each: (255,) * 3 if each in lit else (0,) * 3 for each in figures.COLOURS}
    tree.wearer("Training", "a", "1", colours=colours, ground=(0, 0, 0), **figure)
    tree.finish()
    made(tree.root, tmp_path / "out")
    photo = np.array(Image.open(path_of(tmp_path / "out", "train", "person", "00001_00")).convert("L"))
    parse = np.array(Image.open(path_of(tmp_path / "out", "train", "parse", "00001_00"))) == CIHP[label]
    assert np.abs(middle(photo > 127) - middle(parse)).max() < 0.75  # pixels
    assert overlap(photo > 127, parse) > 0.95


def test_a_parse_is_a_palette_picture_in_the_data_sets_colours(trapped):
    _, out = trapped
    image = Image.open(path_of(out, "train", "parse", "00003_00"))
    assert image.mode == "P" and image.size == (768, 1024)
    assert image.getpalette()[:60] == [value for colour in CIHP_PALETTE for value in colour]


def test_people_are_cut_at_the_thigh_with_their_heads_whole(trapped):
    _, out = trapped
    for name, part in PAIRS.values():
        parse = np.array(Image.open(path_of(out, part, "parse", name)))
        assert not parse[:10].any()
        assert (parse[-1] == CIHP["pants"]).any() and not np.isin(parse, [CIHP["left_shoe"], CIHP["right_shoe"]]).any()
        rows = parse[np.isin(parse, [CIHP["upper_clothes"]]).any(axis=1)]
        shoulders = np.isin(rows[60], CIHP["upper_clothes"]).sum()
        assert 0.35 < shoulders / 768 < 0.48


def test_a_cloth_mask_is_torso_and_sleeves_without_the_inside_at_the_neck(trapped):
    _, out = trapped
    for name, colour in (("00003_00", (70, 80, 170)), ("00004_00", (245, 245, 245))):
        image = Image.open(path_of(out, "train", "cloth_mask", name))
        assert image.mode == "L" and image.size == (768, 1024)
        mask = np.array(image) >= 128
        cloth = np.array(Image.open(path_of(out, "train", "cloth", name)), int)
        assert np.abs(cloth[mask] - colour).max(axis=1).mean() < 4
        if name == "00003_00":  # the other one is as white as its ground
            seen = np.abs(cloth - colour).max(axis=2) < 12
            assert overlap(seen, mask) > 0.98


def test_joints_move_with_their_photo_and_missing_ones_stay_missing(trapped):
    _, out = trapped
    for name in ("00003_00", "00001_01"):
        document = json.loads((out / "howsfit" / f"{name}_frame.json").read_text())
        (x, y, sure), missing = document["landmarks"][:2]
        parse = np.array(Image.open(path_of(out, "train", "parse", name)))
        rows, columns = np.nonzero(parse == CIHP["face"])
        assert abs(x - columns.mean()) < 3 and abs(y - rows.mean()) < 25 and sure == 2
        assert missing == [0, 0, 0]


def test_what_was_given_and_under_which_terms_is_in_the_manifest(trapped):
    _, out = trapped
    for each in manifest(out):
        assert each["given"] == ["cloth_mask", "parse"]
        assert each["licence"] == AIHUB.licence and each["source"] == "aihub" and each["category"] == "upper"
    assert json.loads((out / "howsfit" / "source.json").read_text())["terms"] == AIHUB.terms


def test_a_garment_that_several_wear_is_one_file_under_their_names(trapped):
    _, out = trapped
    one, other = (path_of(out, "train", "cloth", name) for name in ("00001_00", "00001_01"))
    assert os.path.samefile(one, other)


def test_a_second_run_changes_nothing(trapped):
    root, out = trapped
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*/*")}
    bytes_before = contents(out)
    made(root, out)
    assert contents(out) == bytes_before
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*/*")} == before


def test_a_picture_that_was_lost_is_made_anew(trapped, tmp_path):
    root, out = trapped
    shutil.copytree(out, tmp_path / "out")
    for artifact in ("person", "cloth"):
        path_of(tmp_path / "out", "test", artifact, "00007_00").unlink()
        made(root, tmp_path / "out")
        assert contents(tmp_path / "out") == contents(out)


def test_more_workers_and_several_runs_come_to_the_same(trapped, tmp_path):
    root, out = trapped
    made(root, tmp_path, workers=2, limit=3)
    assert sum(made(root, tmp_path, workers=2, limit=3).pairs.values()) == 3
    made(root, tmp_path, workers=2)
    assert contents(tmp_path) == contents(out)


def test_a_photo_that_comes_later_gets_the_place_that_was_kept_for_it(tmp_path):
    tree = AiHub(tmp_path / "tree")
    tree.item("Training", "1", (180, 60, 60))
    tree.wearer("Training", "a", "1", picture=False)
    tree.wearer("Training", "b", "1")
    tree.finish()
    made(tree.root, tmp_path / "out")
    assert [each["person"] for each in manifest(tmp_path / "out")] == ["00001_01"]
    tree.wearer("Training", "a", "1")
    made(tree.root, tmp_path / "out")
    assert [each["person"] for each in manifest(tmp_path / "out")] == ["00001_00", "00001_01"]


@pytest.mark.parametrize("labels, images", [("labels", "images"), ("LABELS", "Images")])
def test_folders_may_be_renamed_and_written_in_any_case(tmp_path, labels, images):
    tree = AiHub(tmp_path / "tree", dict.fromkeys(HALVES, (labels, images, images)))
    tree.item("Training", "1", (180, 60, 60))
    tree.wearer("Training", "a", "1")
    tree.finish()
    for path in sorted(tree.root.rglob("*"), reverse=True):
        if path.is_dir() and path.name not in HALVES:
            path.rename(path.with_name(path.name.upper()))
    made(tree.root, tmp_path / "out")
    assert [each["given"] for each in manifest(tmp_path / "out")] == [["cloth_mask", "parse"]]


def test_labels_of_a_name_with_a_second_dot_are_not_taken_from_another_photo(tmp_path):
    tree = AiHub(tmp_path / "tree")
    tree.item("Training", "1", (180, 60, 60))
    tree.wearer("Training", "a_000", "1", ending=".b", label="nowhere")
    tree.wearer("Training", "a", "1")
    tree.finish()
    plan = make_plan(tree.root, AIHUB)
    labels = {wearer.photo.rsplit("/", 1)[1]: wearer.labels for group in plan.groups for wearer in group.wearers}
    assert "a_000.jpg" in labels and "parse" in labels["a_000.jpg"]


def test_a_label_that_cannot_be_read_is_told_and_the_pair_kept(tmp_path):
    tree = AiHub(tmp_path / "tree")
    for number in ("1", "2"):
        tree.item("Training", number, (180, 60, 60), label=number == "1")
        tree.wearer("Training", f"a{number}", number)
    tree.finish()
    label = next((tmp_path / "tree").rglob("Item-Parse_f/1_F.json"))
    label.write_text('{"region1": {"category_id": 4')
    result = made(tree.root, tmp_path / "out")
    assert result.pairs == {"train": 2, "test": 0}
    told = {Path(each.file).name: each.told() for each in result.findings}
    assert "cannot be read" in told["1_F.json"] and "has no label" in told["2_F.jpg"]
    assert [each["given"] for each in manifest(tmp_path / "out")] == [["parse"], ["parse"]]


def test_without_a_split_of_its_own_products_are_drawn_by_seed(tmp_path):
    root = tmp_path / "plain"  # neither Training nor Validation
    tree = AiHub(root, {"here": HALVES["Training"]})
    tree.records["here"] = [
        {"wearing": f"{n}_{k}_000.jpg", "main_top": str(n), "inner_top": None} for n in range(40) for k in range(2)
    ]
    for record in tree.records["here"]:
        (root / "Model-Image_deid").mkdir(parents=True, exist_ok=True)
        (root / "Model-Image_deid" / record["wearing"]).touch()
    (root / "Item-Image").mkdir()
    for n in range(40):
        (root / "Item-Image" / f"{n}_F.jpg").touch()
    write(root / "wearing_info_train.json", tree.records["here"])

    def split(**options):
        groups = make_plan(root, AIHUB, **options).groups
        return {part: {group.product for group in groups if group.part == part} for part in ("train", "test")}

    drawn = split(seed=1, test_share=0.3)
    assert drawn == split(seed=1, test_share=0.3) != split(seed=2, test_share=0.3)
    assert 4 < len(drawn["test"]) < 20 and not drawn["train"] & drawn["test"]
    assert not split(test_share=0)["test"]


def test_another_plan_does_not_go_into_the_same_folder(trapped, tmp_path):
    root, _ = trapped
    made(root, tmp_path, limit=1)
    with pytest.raises(ValueError, match="Name a new folder"):
        made(root, tmp_path, AIHUB.model_copy(update={"worn": False}))


def test_a_folder_that_holds_another_data_set_or_the_source_is_left_alone(trapped, tmp_path):
    root, _ = trapped
    there = tmp_path / "test" / "image" / "00001_00.jpg"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"somebody's")
    with pytest.raises(ValueError, match="holds a data set already"):
        made(root, tmp_path)
    assert there.read_bytes() == b"somebody's"
    for out in (root, root / "out", root.parent):
        with pytest.raises(ValueError, match="lie in each other"):
            made(root, out)


@pytest.mark.slow
def test_runs_that_are_killed_come_to_the_same_and_leave_no_process(tmp_path):
    root, out, whole = tmp_path / "tree", tmp_path / "out", tmp_path / "whole"
    tree = AiHub(root)
    for number in range(12):
        tree.item("Training", str(number), (180, 60, 60))
        tree.wearer("Training", f"p{number}", str(number), x=number)
    tree.finish()
    made(root, whole)
    command = [sys.executable, "-m", "howsfit.cli", "dataset", "pair", str(root), str(out), "--workers", "2"]
    for pairs in (1, 5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while len(list(out.glob("howsfit/*_frame.json"))) < pairs and time.monotonic() < deadline:
            time.sleep(0.002)
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert workers
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < deadline, "workers of a killed run go on"
            time.sleep(0.01)
    (out / "train" / "cloth" / ".123456abcdef.part").write_bytes(b"of a run that was killed")
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    assert contents(out) == contents(whole)
