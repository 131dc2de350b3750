"""What --mend writes: what was there before, as it should have been, and nothing that had to be guessed."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from howsfit.dataset.checks.run import check
from howsfit.dataset.checks.traps import TRAPS
from howsfit.dataset.layout import path_of
from services.pose.layouts import BODY_25, COCO_18, convert
from stagekit.formats import DENSEPOSE_PALETTE, keypoints
from tests.pictures import exif_of, with_exif

NAME = "00002_00"


@pytest.fixture
def path(root):
    return lambda artifact: path_of(root, "test", artifact, NAME)


def mended(root, **options):
    report = check(root, workers=1, mend=True, **options)
    return [each.code for each in report.mended], [finding.code for finding in report.findings]


def opened(path):
    with Image.open(path) as image:
        image.load()
        return image


def pixels(path):
    return np.asarray(opened(path))


def test_labels_in_colours_become_the_same_labels(root, path):
    before = pixels(path("parse"))
    opened(path("parse")).convert("RGB").save(path("parse"))
    assert mended(root) == (["colour-labels"], [])
    after = opened(path("parse"))
    assert after.mode == "P" and (np.asarray(after) == before).all()


def test_labels_under_other_numbers_become_the_same_labels(root, path):
    before = pixels(path("parse"))
    moved = opened(path("parse")).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=12)
    moved.save(path("parse"))
    assert mended(root) == (["moved-palette"], [])
    assert (pixels(path("parse")) == before).all()


def test_colours_that_are_no_labels_stay_as_they_are(root, path):
    spoilt = np.array(opened(path("parse")).convert("RGB"))
    spoilt[500, 300] = (1, 2, 200)
    Image.fromarray(spoilt).save(path("parse"))
    before = path("parse").read_bytes()
    assert mended(root) == ([], ["colour-labels"])
    assert path("parse").read_bytes() == before


def test_a_mask_with_three_traps_comes_out_as_it_was(root, path):
    before = pixels(path("cloth_mask")) >= 128
    grey = cv2.GaussianBlur(255 - np.where(before, np.uint8(255), np.uint8(0)), (0, 0), 6)
    Image.fromarray(grey).convert("RGB").save(path("cloth_mask"), quality=90)
    codes, left = mended(root)
    assert sorted(codes) == ["mask-grey", "mask-inverted", "mask-mode"] and left == []
    after = opened(path("cloth_mask"))
    same = ((np.asarray(after) >= 128) == before).mean()
    assert after.mode == "L" and after.format == "JPEG" and same > 0.999


def test_a_mask_of_zeros_and_ones_gets_its_white(root, path):
    before = pixels(path("agnostic_mask"))
    Image.fromarray(before // 255).save(path("agnostic_mask"))
    assert mended(root) == (["mask-faint"], [])
    assert (pixels(path("agnostic_mask")) == before).all()


def test_a_mask_is_not_inverted_where_the_garment_says_otherwise(root, path):
    """A garment that fills the picture touches its edges."""
    mask = np.full((1024, 768), 255, np.uint8)
    mask[300:800, 200:600] = 0
    cloth = np.full((1024, 768, 3), 246, np.uint8)
    cloth[mask > 0] = np.random.default_rng(0).integers(0, 150, (int((mask > 0).sum()), 3))
    for artifact, value in (("cloth", cloth), ("cloth_mask", mask)):
        Image.fromarray(value).save(path(artifact), quality=95)
    before = path("cloth_mask").read_bytes()
    assert mended(root) == ([], ["mask-inverted"])
    assert path("cloth_mask").read_bytes() == before


def test_a_turned_photo_is_turned(root, path):
    before = pixels(path("person"))
    lying = opened(path("person")).transpose(Image.Transpose.ROTATE_90)
    path("person").write_bytes(with_exif(lying, exif_of((0x0112, 3, 1, b"\x06\x00\x00\x00"))))
    assert mended(root) == (["turned"], [])
    after = opened(path("person"))
    assert after.size == (768, 1024) and not after.getexif()
    assert np.abs(np.asarray(after).astype(int) - before).mean() < 1.5


def test_a_grey_garment_becomes_rgb_and_a_cut_out_one_lies_on_white(root, path):
    opened(path("cloth")).convert("L").save(path("cloth"), quality=95)
    assert mended(root) == (["wrong-mode"], [])
    assert opened(path("cloth")).mode == "RGB"
    rgba = opened(path("cloth")).convert("RGBA")
    rgba.putalpha(opened(path("cloth_mask")))
    rgba.save(path("cloth"), "PNG")
    codes, left = mended(root)
    assert codes == ["wrong-mode"] and left == []
    assert opened(path("cloth")).format == "JPEG" and (pixels(path("cloth"))[0, 0] > 250).all()


def test_what_lies_behind_a_transparent_densepose_is_not_guessed(root, path):
    rgba = opened(path("densepose")).convert("RGBA")
    rgba.putalpha(100)
    rgba.save(path("densepose"), "PNG")
    assert mended(root) == ([], ["wrong-mode", "other-content"])


def test_part_ids_are_painted(root, path):
    parts = pixels(path("densepose")).astype(int)
    ids = np.argmin([np.abs(parts - colour).max(axis=2) for colour in DENSEPOSE_PALETTE], axis=0)
    Image.fromarray(ids.astype(np.uint8)).save(path("densepose"), "PNG")
    assert mended(root) == (["densepose-ids"], [])
    assert np.abs(pixels(path("densepose")).astype(int) - parts).max(axis=2).mean() < 2


def test_poses_are_put_in_form(root, path):
    before = keypoints(json.loads(path("pose").read_text()))
    coco = convert(before[0], BODY_25, COCO_18)
    people = [{"pose_keypoints_2d": (coco / (768, 1024, 1)).ravel().tolist()}]
    path("pose").write_text(json.dumps([{"version": 1.0, "people": people}]))
    codes, left = mended(root)
    assert sorted(codes) == ["pose-coco", "pose-form", "pose-normalised"] and left == []
    after = keypoints(json.loads(path("pose").read_text()))
    assert np.abs(after - before)[0].max() < 0.6


def test_a_jpeg_called_png_keeps_its_pixels(root, path):
    Image.fromarray(pixels(path("pose_image"))).save(path("pose_image"), "JPEG", quality=60)
    before = pixels(path("pose_image"))
    assert mended(root) == (["other-content"], [])
    assert opened(path("pose_image")).format == "PNG" and (pixels(path("pose_image")) == before).all()


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(root, path):
    opened(path("parse")).convert("RGB").save(path("parse"))
    before = {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in root.rglob("*.*") if each.is_file()}
    assert mended(root, dry_run=True) == (["colour-labels"], ["colour-labels"])
    assert {
        each: (each.read_bytes(), each.stat().st_mtime_ns) for each in root.rglob("*.*") if each.is_file()
    } == before


def test_what_a_link_leads_to_stays_as_it_is(root, path, tmp_path):
    """Hard and symbolic: `howsfit dataset pair` links to its source."""
    source = tmp_path / "source.png"
    opened(path("parse")).convert("RGB").save(source)
    before = source.read_bytes()
    for link in (os.link, os.symlink):
        path("parse").unlink()
        link(source, path("parse"))
        assert mended(root) == (["colour-labels"], [])
        assert source.read_bytes() == before and not path("parse").is_symlink()


def test_nothing_is_left_beside_a_file_that_could_not_be_written(root, path, monkeypatch):
    opened(path("parse")).convert("RGB").save(path("parse"))
    before = path("parse").read_bytes()

    def no_room(_):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        check(root, workers=1, mend=True)
    assert path("parse").read_bytes() == before
    assert not list(root.rglob("*.part"))


def test_what_was_mended_is_compared_anew_with_the_rest(root, path):
    shutil.copy(path("parse"), path("parse_agnostic"))
    opened(path("parse")).convert("RGB").save(path("parse"))
    assert mended(root) == (["colour-labels"], ["parse-agnostic-garment"])


def test_every_safe_mend_was_shown():
    shown = {
        "colour-labels",
        "moved-palette",
        "mask-mode",
        "mask-grey",
        "mask-inverted",
        "mask-faint",
        "turned",
        "wrong-mode",
    }
    shown |= {"densepose-ids", "pose-form", "pose-coco", "pose-normalised", "other-content"}
    assert {code for code, trap in TRAPS.items() if trap.safe} == shown
