"""`howsfit dataset check`: what it prints, writes and ends with, and how it works through a set."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from howsfit.cli import app
from howsfit.dataset.catalogue import read_catalogue
from howsfit.dataset.checks.run import check
from howsfit.dataset.layout import path_of
from tests.servers import ROOT


def run(*arguments):
    return CliRunner().invoke(app, ["dataset", "check", *map(str, arguments), "--workers", "1"])


@pytest.fixture
def trapped(root):
    path_of(root, "test", "pose", "00002_00").write_text('{"people": []}')
    (root / "test" / "image" / "Thumbs.db").write_bytes(b"x")
    return root


def test_a_sound_set_ends_with_0(sound_set):
    result = run(sound_set)
    assert result.exit_code == 0, result.output
    assert "30 files of 6 persons and garments, 768 x 1024" in result.output
    assert "no errors, no warnings" in result.output


def test_errors_end_with_1_and_say_file_what_and_how_to_mend(trapped):
    result = run(trapped)
    assert result.exit_code == 1
    assert "error pose-empty (1)" in result.output and "Nobody is in it" in result.output
    assert "test/openpose_json/00002_00_keypoints.json  no people" in result.output
    assert "mend  Find the pose again" in result.output
    assert "warning stray (1)" in result.output and "1 errors, 1 warnings" in result.output


def test_warnings_alone_end_with_0_unless_they_are_to_count(trapped):
    shutil.copy(path_of(trapped, "train", "pose", "00001_00"), path_of(trapped, "test", "pose", "00002_00"))
    path_of(trapped, "test", "agnostic", "00002_00").unlink()
    shutil.rmtree(trapped / "test" / "agnostic-v3.2")
    shutil.rmtree(trapped / "train" / "agnostic-v3.2")
    assert run(trapped).exit_code == 0
    assert run(trapped, "--strict").exit_code == 1


@pytest.mark.parametrize("what", ["nothing", "a file", "pictures"])
def test_what_is_no_data_set_ends_with_2(tmp_path, what):
    if what == "a file":
        (tmp_path / "x").write_text("x")
    if what == "pictures":
        (tmp_path / "x").mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / "x" / "a.jpg")
    result = subprocess.run(
        [ROOT / ".venv" / "bin" / "howsfit", "dataset", "check", tmp_path / "x"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert result.returncode == 2
    assert "Name the folder" in " ".join(result.stderr.split()) and "Traceback" not in result.stderr


def test_of_many_files_a_few_are_named_and_the_rest_counted(root):
    for path in (root / "test" / "openpose_json").iterdir():
        path.write_text('{"people": []}')
    result = run(root, "--show", 1)
    assert "pose-empty (2)" in result.output and "… and 1 more" in result.output


def test_the_document_has_all_of_it(trapped, tmp_path):
    run(trapped, "--json", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["files"], report["errors"], report["warnings"], report["size"]) == (30, 1, 1, [768, 1024])
    assert report["traps"]["pose-empty"]["level"] == "error" and report["traps"]["pose-empty"]["count"] == 1
    (finding,) = [each for each in report["findings"] if each["code"] == "pose-empty"]
    assert finding == {
        "code": "pose-empty",
        "file": "test/openpose_json/00002_00_keypoints.json",
        "found": "no people",
        "part": "test",
        "name": "00002_00",
        "artifact": "pose",
    }


def test_a_dry_run_and_a_mend_are_told(root):
    path = path_of(root, "test", "parse", "00002_00")
    with Image.open(path) as image:
        coloured = image.convert("RGB")
    coloured.save(path)
    told = run(root, "--mend", "--dry-run")
    assert told.exit_code == 1 and "would be mended colour-labels (1)" in told.output
    done = run(root, "--mend")
    assert done.exit_code == 0 and "mended colour-labels (1)" in done.output
    assert run(root).exit_code == 0


def test_another_size_may_be_asked_for(sound_set):
    result = run(sound_set, "--size", "384x512", "--show", 1)
    assert result.exit_code == 1 and "wrong-size (27)" in result.output
    refused = subprocess.run(
        [ROOT / ".venv" / "bin" / "howsfit", "dataset", "check", sound_set, "--size", "384"],
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 1 and "like 768x1024" in refused.stderr


def test_several_processes_find_the_same(trapped):
    alone, together = (check(trapped, workers=workers) for workers in (1, 2))
    assert alone.findings == together.findings and len(alone.findings) == 2


def test_a_folder_without_halves_is_a_set_too(sound_set):
    report = check(sound_set / "test", workers=1)
    assert report.files == 20 and report.findings == []


def test_a_sample_without_a_photo_belongs_to_nobody(sound_set):
    (part,) = read_catalogue(sound_set / "train").parts
    assert part.name == "" and part.persons() == part.cloths() == ["00001_00"]


def test_pictures_without_a_backdrop_tell_nothing_of_their_mask(root):
    """A garment on a busy ground: what is garment cannot be told by colour."""
    noise = np.random.default_rng(0).integers(0, 255, (1024, 768, 3), np.uint8)
    Image.fromarray(noise).save(path_of(root, "test", "cloth", "00002_00"), quality=95)
    assert check(root, workers=1).findings == []


def test_a_manifest_of_somebody_elses_is_passed_over(root):
    (root / "howsfit").mkdir()
    (root / "howsfit" / "pairs.jsonl").write_bytes(b'{"part": "test"}\n[1]\n\xff\n{"part": "te')
    assert check(root, workers=1).findings == []
