"""Every trap, planted in a sound data set: it is found where it is, and nothing else is."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from howsfit.dataset.checks.run import check
from howsfit.dataset.checks.traps import TRAPS
from howsfit.dataset.layout import PLACES, path_of
from services.agnostic.engines.viton_hd.below import hidden_by
from services.pose.layouts import BODY_25, COCO_18, convert
from stagekit.formats import CIHP_PALETTE, DENSEPOSE_PALETTE, keypoints
from stagekit.png import write_png
from tests.pictures import encoded, exif_of, with_exif
from tests.servers import ROOT

NAME = "00002_00"  # of the test part, whose other one is 00003_00
TRAIN = "00001_00"


class Planter:
    """Reads and writes files of the set."""

    def __init__(self, root):
        self.root = root

    def path(self, artifact, name=NAME, part="test"):
        return path_of(self.root, part, artifact, name)

    def image(self, artifact, name=NAME, part="test"):
        with Image.open(self.path(artifact, name, part)) as image:
            image.load()
            return image

    def pixels(self, artifact, name=NAME, part="test"):
        return np.array(self.image(artifact, name, part))

    def write(self, artifact, pixels, name=NAME, **options):
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        jpeg = {"quality": 95, "subsampling": 0} if self.path(artifact).suffix == ".jpg" else {}
        image.save(self.path(artifact, name), **{**jpeg, **options})

    def write_labels(self, artifact, labels, palette=CIHP_PALETTE):
        self.path(artifact).write_bytes(write_png(labels.astype(np.uint8), palette))

    def pose(self):
        return json.loads(self.path("pose").read_text())

    def write_pose(self, document):
        self.path("pose").write_text(json.dumps(document))

    def write_joints(self, *people):
        flat = [[float(value) for value in np.asarray(joints).ravel()] for joints in people]
        self.write_pose({"version": 1.3, "people": [{"pose_keypoints_2d": each} for each in flat]})

    def joints(self):
        return keypoints(self.pose())[0]

    def rename(self, old, new):
        """A sample of the test part, in all folders and lists."""
        for artifact, place in PLACES.items():
            (self.root / "test" / place.folder / f"{old}{place.ending}").rename(self.path(artifact, new))
        self.replace_in_lists(old, new)

    def replace_in_lists(self, old, new):
        for listed in self.root.glob("test_pairs*.txt"):
            listed.write_text(listed.read_text().replace(old, new))


PLANTS = {}


def plants(*codes, also=()):
    """codes: found, each in the file of the artifact that the function gives back, if it does; also: follow from it."""

    def enter(function):
        PLANTS[function.__name__] = (codes, set(also), function)
        return function

    return enter


# -- any picture -------------------------------------------------------------------------------------------------------


@plants("broken")
def cut_short(set_):
    data = set_.path("person").read_bytes()
    set_.path("person").write_bytes(data[: len(data) * 3 // 4])
    return "person"


@plants("broken")
def nothing_in_it(set_):
    set_.path("densepose").write_bytes(b"")
    return "densepose"


@plants("broken")
def a_page_instead_of_a_picture(set_):
    set_.path("cloth_mask").write_bytes(b"<!DOCTYPE html><html>Too many requests</html>")
    return "cloth_mask"


@plants("broken")
def a_pose_cut_short(set_):
    set_.path("pose").write_text(set_.path("pose").read_text()[:-20])
    return "pose"


@plants("turned")
def turned_by_exif(set_):
    lying = set_.image("person").transpose(Image.Transpose.ROTATE_90)
    set_.path("person").write_bytes(with_exif(lying, exif_of((0x0112, 3, 1, b"\x06\x00\x00\x00"))))
    return "person"


@plants("lying")
def turned_without_a_word(set_):
    set_.write("cloth", set_.image("cloth").transpose(Image.Transpose.ROTATE_90))
    return "cloth"


@plants("wrong-size")
def of_another_size(set_):
    set_.write("densepose", set_.image("densepose").resize((384, 512), Image.Resampling.NEAREST))
    return "densepose"


@plants("wrong-mode", "other-content")
def transparent(set_):
    set_.image("agnostic").convert("RGBA").save(set_.path("agnostic"), "PNG")
    return "agnostic"


@plants("wrong-mode")
def grey_densepose(set_):
    set_.write("densepose", set_.image("densepose").convert("L"))
    return "densepose"


@plants("wrong-mode")
def palette_rendering(set_):
    set_.write("pose_image", set_.image("pose_image").quantize(64))
    return "pose_image"


@plants("blank")
def nobody_in_it(set_):
    set_.write("densepose", np.zeros((1024, 768, 3), np.uint8))
    return "densepose"


@plants("misnamed")
def another_ending(set_):
    set_.image("parse_agnostic").save(set_.path("parse_agnostic").with_suffix(".bmp"))
    set_.path("parse_agnostic").unlink()
    return "parse_agnostic"


@plants("misnamed")
def numbered_by_densepose(set_):
    path = set_.path("densepose")
    path.rename(path.with_name(f"{NAME}.0001.jpg"))
    return "densepose"


@plants("misnamed")
def without_keypoints(set_):
    path = set_.path("pose")
    path.rename(path.with_name(f"{NAME}.json"))
    return "pose"


@plants("other-content")
def jpeg_called_png(set_):
    set_.image("pose_image").save(set_.path("pose_image"), "JPEG", quality=95)
    return "pose_image"


# -- labels ------------------------------------------------------------------------------------------------------------


@plants("colour-labels")
def coloured(set_):
    set_.image("parse").convert("RGB").save(set_.path("parse"))
    return "parse"


@plants("moved-palette")
def adaptive_palette(set_):
    set_.write("parse", set_.image("parse").convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=12))
    return "parse"


@plants("lossy-labels", "other-content")
def labels_as_jpeg(set_):
    Image.fromarray(set_.pixels("parse")).save(set_.path("parse"), "JPEG", quality=70)
    return "parse"


@plants("ids-over-19")
def outlines_of_255(set_):
    labels = set_.pixels("parse")
    labels[cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0] = 255
    Image.fromarray(labels).save(set_.path("parse"))
    return "parse"


@plants("ids-over-19")
def a_grey_rendering(set_):
    Image.fromarray(set_.pixels("parse") * 12).save(set_.path("parse"))
    return "parse"


@plants("empty-labels")
def nothing_labelled(set_):
    set_.write_labels("parse", np.zeros((1024, 768)))
    return "parse"


# Of CIHP's ids those of ATR: hat, hair, sunglasses, top, skirt, trousers, dress, shoes, face, legs, arms, scarf.
ATR = {1: 1, 2: 2, 4: 3, 5: 4, 12: 5, 9: 6, 6: 7, 18: 9, 19: 10, 13: 11, 16: 12, 17: 13, 14: 14, 15: 15, 11: 17}


@plants("atr-order")
def in_atrs_order(set_):
    table = np.zeros(256, np.uint8)
    for cihp, atr in ATR.items():
        table[cihp] = atr
    set_.write_labels("parse", table[set_.pixels("parse")])
    return "parse"


@plants("atr-order")
def in_atrs_order_with_legs_and_a_skirt(set_):
    table = np.zeros(256, np.uint8)
    for cihp, atr in {**ATR, 5: 7, 9: 13}.items():  # the top as a dress, the trousers as a leg
        table[cihp] = atr
    set_.write_labels("parse", table[set_.pixels("parse")])
    return "parse"


@plants("voc-palette")
def in_voc_colours(set_):
    voc = [tuple(int(bool(number & bit)) * 128 for bit in (1, 2, 4)) for number in range(8)] + [(64, 0, 0)] * 12
    set_.write_labels("parse", set_.pixels("parse"), voc)
    return "parse"


@plants("parse-agnostic-differs")
def parse_agnostic_of_another(set_):
    shutil.copy(set_.path("parse_agnostic", "00003_00"), set_.path("parse_agnostic"))
    return "parse_agnostic"


@plants("parse-agnostic-garment")
def garment_still_labelled(set_):
    shutil.copy(set_.path("parse"), set_.path("parse_agnostic"))
    return "parse_agnostic"


# -- masks -------------------------------------------------------------------------------------------------------------


@plants("mask-mode")
def rgb_mask(set_):
    set_.write("cloth_mask", set_.image("cloth_mask").convert("RGB"))
    return "cloth_mask"


@plants("mask-faint")
def zeros_and_ones(set_):
    Image.fromarray(set_.pixels("agnostic_mask") // 255).save(set_.path("agnostic_mask"))
    return "agnostic_mask"


@plants("mask-empty")
def no_garment(set_):
    set_.write("cloth_mask", np.zeros((1024, 768), np.uint8))
    return "cloth_mask"


@plants("mask-grey")
def soft_edges(set_):
    set_.write("cloth_mask", cv2.GaussianBlur(set_.pixels("cloth_mask"), (0, 0), 8), quality=60)
    return "cloth_mask"


@plants("mask-inverted")
def exchanged(set_):
    set_.write("cloth_mask", 255 - set_.pixels("cloth_mask"))
    return "cloth_mask"


@plants("mask-inverted")
def exchanged_of_a_person(set_):
    set_.write("agnostic_mask", 255 - set_.pixels("agnostic_mask"))
    return "agnostic_mask"


@plants("mask-inverted", also=["agnostic-version"])
def exchanged_of_somebody_who_fills_the_picture(set_):
    mask = set_.pixels("agnostic_mask")
    mask[300:] = 255
    agnostic = set_.pixels("agnostic")
    agnostic[mask > 0] = 128
    set_.write("agnostic", agnostic)
    set_.write("agnostic_mask", 255 - mask)
    return "agnostic_mask"


@plants("mask-of-another")
def mask_of_another_picture(set_):
    set_.write("cloth_mask", np.roll(set_.pixels("cloth_mask"), 400, axis=0))
    return "cloth_mask"


# -- poses -------------------------------------------------------------------------------------------------------------


@plants("pose-form")
def in_a_list(set_):
    set_.write_pose([set_.pose()])
    return "pose"


@plants("pose-form")
def words_for_numbers(set_):
    set_.write_pose({"people": [{"pose_keypoints_2d": ["1.0"] * 75}]})
    return "pose"


@plants("pose-empty")
def nobody(set_):
    set_.write_pose({"version": 1.3, "people": []})
    return "pose"


@plants("pose-empty")
def nobody_found(set_):
    set_.write_joints(np.zeros((25, 3)))
    return "pose"


@plants("pose-coco")
def cocos_joints(set_):
    set_.write_joints(convert(set_.joints(), BODY_25, COCO_18))
    return "pose"


@plants("pose-coco-order")
def cocos_joints_filled_up(set_):
    set_.write_joints(np.concatenate([convert(set_.joints(), BODY_25, COCO_18), np.zeros((7, 3))]))
    return "pose"


@plants("pose-coco-order")
def cocos_joints_filled_up_of_somebody_without_a_head(set_):
    joints = set_.joints()
    joints[[0, 15, 16, 17, 18]] = 0
    set_.write_joints(np.concatenate([convert(joints, BODY_25, COCO_18), np.zeros((7, 3))]))
    return "pose"


@plants("pose-joints")
def seventeen_joints(set_):
    set_.write_joints(set_.joints()[:17])
    return "pose"


@plants("pose-normalised")
def from_0_to_1(set_):
    set_.write_joints(set_.joints() / (768, 1024, 1))
    return "pose"


@plants("pose-other-size")
def of_a_picture_half_as_large(set_):
    set_.write_joints(set_.joints() * (0.5, 0.5, 1))
    return "pose"


@plants("pose-other-size")
def of_a_larger_picture(set_):
    set_.write_joints(set_.joints() * (2.5, 2.5, 1))
    return "pose"


@plants("pose-no-hips")
def no_hips(set_):
    joints = set_.joints()
    joints[[9, 12]] = 0
    set_.write_joints(joints)
    return "pose"


@plants("pose-no-torso")
def no_shoulder(set_):
    joints = set_.joints()
    joints[2] = 0
    set_.write_joints(joints)
    return "pose"


@plants("pose-other-person", also=["agnostic-version"])
def a_bystander_first(set_):
    joints = set_.joints()
    set_.write_joints(
        (joints - (384, 512, 0)) * (0.3, 0.3, 1) * (joints[:, 2:] > 0) + (500, 400, 0) * (joints[:, 2:] > 0), joints
    )
    return "pose"


# -- densepose ---------------------------------------------------------------------------------------------------------


@plants("densepose-ids", "other-content")
def part_ids(set_):
    pixels = set_.pixels("densepose").astype(int)
    off = [np.abs(pixels - colour).max(axis=2) for colour in DENSEPOSE_PALETTE]
    ids = np.argmin(off, axis=0)
    Image.fromarray(ids.astype(np.uint8)).save(set_.path("densepose"), "PNG")
    return "densepose"


@plants("densepose-blended")
def over_the_photo(set_):
    grey = np.repeat(cv2.cvtColor(set_.pixels("person"), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    parts = set_.pixels("densepose")
    set_.write(
        "densepose", np.where(parts.max(axis=2, keepdims=True) > 20, 0.7 * parts + 0.3 * grey, grey).astype(np.uint8)
    )
    return "densepose"


@plants("densepose-recoloured")
def in_viridis(set_):
    parts = set_.pixels("densepose")
    coloured = cv2.applyColorMap(cv2.cvtColor(parts, cv2.COLOR_RGB2GRAY), cv2.COLORMAP_VIRIDIS)[..., ::-1]
    set_.write("densepose", np.where(parts.max(axis=2, keepdims=True) > 20, coloured, 0).astype(np.uint8))
    return "densepose"


@plants("densepose-recoloured")
def in_jet_ground_and_all(set_):
    grey = cv2.cvtColor(set_.pixels("densepose"), cv2.COLOR_RGB2GRAY)
    set_.write("densepose", cv2.applyColorMap(grey, cv2.COLORMAP_JET)[..., ::-1])
    return "densepose"


@plants("densepose-of-another")
def of_another_place(set_):
    set_.write("densepose", np.roll(set_.pixels("densepose"), 300, axis=1))
    return "densepose"


# -- agnostic ----------------------------------------------------------------------------------------------------------


@plants("agnostic-of-another")
def of_another_photo(set_):
    shutil.copy(set_.path("agnostic", "00003_00"), set_.path("agnostic"))
    return "agnostic"


@plants("agnostic-garment")
def garment_on(set_):
    shutil.copy(set_.path("person"), set_.path("agnostic"))
    return "agnostic"


@plants("agnostic-version")
def hands_hidden_too(set_):
    person, parse = set_.pixels("person"), set_.pixels("parse")
    mask = hidden_by("upper", parse, [(float(x), float(y)) for x, y, _ in set_.joints()]) | np.isin(
        parse, (5, 10, 14, 15)
    )
    person[cv2.dilate(mask.astype(np.uint8), np.ones((61, 61))) > 0] = 128
    set_.write("agnostic", person)
    return "agnostic"


@plants("agnostic-version")
def white_instead_of_grey(set_):
    pixels = set_.pixels("agnostic")
    pixels[(np.abs(pixels.astype(int) - 128) < 6).all(axis=2)] = 255
    set_.write("agnostic", pixels)
    return "agnostic"


# -- the set -----------------------------------------------------------------------------------------------------------


@plants("other-folder")
def stablevitons_folder(set_):
    (set_.root / "test" / "cloth-mask").rename(set_.root / "test" / "cloth_mask")


@plants("other-folder")
def folders_of_2021(set_):
    for old, new in (
        ("image-parse-v3", "image-parse"),
        ("openpose_img", "openpose-img"),
        ("openpose_json", "openpose-json"),
    ):
        (set_.root / "test" / old).rename(set_.root / "test" / new)


@plants("no-folder")
def no_parse(set_):
    shutil.rmtree(set_.root / "test" / "image-parse-v3")


@plants("missing")
def no_mask(set_):
    set_.path("cloth_mask").unlink()
    return "cloth_mask"


@plants("missing")
def no_pose(set_):
    set_.path("pose").unlink()
    return "pose"


@plants("surplus")
def left_behind(set_):
    shutil.copy(set_.path("pose"), set_.path("pose", "00099_00"))


@plants("stray")
def left_by_a_system(set_):
    (set_.root / "test" / "image" / "Thumbs.db").write_bytes(b"x")


@plants("stray")
def twice_in_two_formats(set_):
    set_.image("person").save(set_.path("person").with_suffix(".png"))


@plants("name-blank", also=["pairs-form"])
def a_blank(set_):
    set_.rename(NAME, "00002 00")


@plants("name-image", also=["duplicate"])
def called_image(set_):
    set_.rename(NAME, "image_00002")


@plants("name-dots")
def a_second_dot(set_):
    set_.rename(NAME, "a.b")


@plants("same-name", also=["missing"])
def numbered_anew(set_):
    set_.rename(NAME, TRAIN)


@plants("no-pairs")
def no_lists(set_):
    for listed in set_.root.glob("test_pairs*.txt"):
        listed.unlink()


@plants("pairs-form")
def three_words(set_):
    with (set_.root / "test_pairs.txt").open("a") as listed:
        listed.write(f"{NAME}.jpg {NAME}.jpg upper\n")


@plants("pairs-missing")
def of_nobody(set_):
    with (set_.root / "test_pairs.txt").open("a") as listed:
        listed.write(f"{NAME}.jpg 00099_00.jpg\n")


@plants("pairs-missing")
def by_another_ending(set_):
    set_.replace_in_lists(f"{NAME}.jpg", f"{NAME}.png")


@plants("pairs-twice")
def the_same_line(set_):
    with (set_.root / "test_pairs.txt").open("a") as listed:
        listed.write(f"{NAME}.jpg {NAME}.jpg\n")


@plants("own-cloth-missing", also=["pairs-missing"])
def no_garment_of_her_own(set_):
    set_.path("cloth").unlink()
    set_.path("cloth_mask").unlink()


@plants("leak")
def garment_in_both_parts(set_):
    shutil.copy(set_.path("cloth", TRAIN, "train"), set_.path("cloth"))
    shutil.copy(set_.path("cloth_mask", TRAIN, "train"), set_.path("cloth_mask"))


@plants("leak")
def person_in_both_parts(set_):
    for artifact in (
        "person",
        "parse",
        "parse_agnostic",
        "agnostic",
        "agnostic_mask",
        "densepose",
        "pose_image",
        "pose",
    ):
        shutil.copy(set_.path(artifact, TRAIN, "train"), set_.path(artifact))


@plants("leak-alike")
def garment_encoded_anew(set_):
    set_.write("cloth", set_.image("cloth", TRAIN, "train"), quality=70)
    shutil.copy(set_.path("cloth_mask", TRAIN, "train"), set_.path("cloth_mask"))


@plants("leak-product")
def product_in_both_parts(set_):
    set_.rename(NAME, "00001_01")


@plants("leak-product")
def product_in_both_parts_by_the_manifest(set_):
    pairs = (
        {"part": part, "person": name, "cloth": name, "product": "7"}
        for part, name in (("train", TRAIN), ("test", NAME))
    )
    (set_.root / "howsfit").mkdir()
    (set_.root / "howsfit" / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))


@plants("duplicate")
def a_garment_twice(set_):
    shutil.copy(set_.path("cloth", "00003_00"), set_.path("cloth"))
    shutil.copy(set_.path("cloth_mask", "00003_00"), set_.path("cloth_mask"))


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_trap_is_found_and_nothing_else(name, root):
    codes, also, plant = PLANTS[name]
    if all(TRAPS[code].look for code in codes):  # what is to be found is in the test part
        shutil.rmtree(root / "train")
        (root / "train_pairs.txt").unlink()
    set_ = Planter(root)
    artifact = plant(set_)
    findings = check(root, workers=1).findings
    assert set(codes) <= {finding.code for finding in findings} <= {*codes, *also}, findings
    for finding in findings:
        if artifact and finding.code in codes:
            assert (finding.artifact, finding.name, finding.part) == (artifact, NAME, "test")
            assert finding.found


def test_a_set_of_another_size_is_told_once(root):
    for path in root.glob("*/*/*.*"):
        if path.suffix == ".json":
            document = json.loads(path.read_text())
            flat = np.array(document["people"][0]["pose_keypoints_2d"]).reshape(-1, 3) / (2, 2, 1)
            path.write_text(json.dumps({"people": [{"pose_keypoints_2d": flat.ravel().tolist()}]}))
        else:
            image = Image.open(path)
            image.resize((384, 512), Image.Resampling.NEAREST).save(
                path, **({"quality": 95} if path.suffix == ".jpg" else {})
            )
    assert [finding.code for finding in check(root, workers=1).findings] == ["other-size"]


def test_a_white_garment_with_a_dark_inside_has_its_own_mask(root):
    set_ = Planter(root)
    cloth = np.full((1024, 768, 3), 246, np.uint8)
    cloth[200:900, 200:560] = 235
    cloth[200:270, 320:440] = 40
    mask = np.zeros((1024, 768), np.uint8)
    mask[200:900, 200:560] = 255
    mask[200:270, 320:440] = 0
    set_.write("cloth", cloth)
    set_.write("cloth_mask", mask)
    assert check(root, workers=1).findings == []


def test_a_garment_may_have_the_name_of_who_wears_it_beside_its_own(root):
    """As `howsfit try --keep` writes it, and as `howsfit dataset pair` does for each who wears it."""
    set_ = Planter(root)
    for artifact in ("cloth", "cloth_mask"):
        shutil.copy(set_.path(artifact), set_.path(artifact, "00099_00"))
        shutil.copy(set_.path(artifact), set_.path(artifact, "00002_01"))
    assert check(root, workers=1).findings == []


def test_that_no_parse_has_a_neck_is_told_of_many(root, sound_set):
    shutil.rmtree(root / "train")
    (root / "train_pairs.txt").unlink()
    for number in range(10, 20):
        for artifact in PLACES:
            shutil.copy(path_of(root, "test", artifact, NAME), path_of(root, "test", artifact, f"{number:05}_00"))
    assert "lip-order" not in {finding.code for finding in check(root, workers=1).findings}
    for path in (root / "test").glob("image-parse*/*.png"):
        labels = np.array(Image.open(path))
        path.write_bytes(write_png(np.where(labels == 10, 13, labels).astype(np.uint8), CIHP_PALETTE))
    assert "lip-order" in {finding.code for finding in check(root, workers=1).findings}


def test_a_trap_is_planted_for_each():
    told_elsewhere = {"other-size", "lip-order"}
    assert {code for codes, _, _ in PLANTS.values() for code in codes} | told_elsewhere == set(TRAPS)


def test_each_trap_says_what_it_does_and_how_to_mend_it():
    for trap in TRAPS.values():
        assert trap.means.endswith(".") and trap.mend.endswith("."), trap.code
        assert (trap.look is None) != (trap.search is None)


def test_a_sound_set_has_none(sound_set):
    assert check(sound_set, workers=1).findings == []


def test_photographs_and_what_was_published_of_them_are_in_no_trap_but_those_known(samples):
    findings = check(samples, workers=1).findings
    # Beside what the samples' README says, only what is not there.
    codes = {finding.code for finding in findings}
    assert codes <= {"misnamed", "pose-coco", "missing"}
    assert [finding.name for finding in findings if finding.code == "pose-coco"] == ["00006_00"]


@pytest.mark.parametrize("artifact", ["person", "cloth_mask", "parse", "densepose", "pose"])
def test_files_may_be_of_any_kind(root, artifact):
    """What is not understood is told, and ends nothing."""
    shutil.rmtree(root / "train")
    path = Planter(root).path(artifact)
    if artifact == "pose":
        contents = [json.dumps(each).encode() for each in (None, 3, [], {}, {"people": 1}, {"people": [{}]}, [[[]]])]
    else:
        modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F")
        contents = [encoded(Image.new(each, (64, 96)), "TIFF" if each in ("CMYK", "F") else "PNG") for each in modes]
    for content in contents:
        path.write_bytes(content)
        assert any(finding.artifact == artifact for finding in check(root, workers=1).findings), content[:40]


def test_the_docs_list_each_trap_by_its_level():
    text = (ROOT / "docs" / "datasets.md").read_text()
    rows = [row.strip("|").split("|") for row in text.splitlines() if row.startswith("| ")]
    listed = {}
    for about, *columns in rows:
        if about.strip() in ("any file", "parse", "masks", "poses", "densepose", "agnostic", "the set"):
            for level, column in zip(("error", "warning"), columns, strict=True):
                listed.update(dict.fromkeys(re.findall(r"`([\w-]+)`", column), level))
    assert listed == {code: trap.level for code, trap in TRAPS.items()}
