"""`howsfit evaluate` with protocol fast, which needs neither Torch nor weights."""

import csv
import io
import json
import subprocess
import sys

import pytest
from PIL import Image

from tests.howsfit.evaluation.drawn import write_photos, write_results
from tests.servers import ROOT


@pytest.fixture
def evaluate(tmp_path):
    def run(*arguments, weights=tmp_path / "none"):
        command = [sys.executable, "-m", "howsfit.cli", "evaluate", *map(str, arguments), "--weights", str(weights)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture
def folders(tmp_path):
    """A data set, and results of all its persons."""
    write_photos(tmp_path / "set/test/image")
    return write_results(tmp_path / "results", 20), tmp_path / "set"


def test_results_are_measured_told_and_drawn(evaluate, folders, tmp_path):
    results, against = folders
    (results / "00005_00_00005_00.png").unlink()
    done = evaluate(results, "--against", against, "--protocol", "fast", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "5 results, paired" in done.stdout and "1 of 6 persons have no result: 00005_00" in done.stderr
    document = json.loads((tmp_path / "out/evaluation.json").read_bytes())
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out/pictures.csv").read_text())))
    assert [row["person"] for row in rows] == [f"0000{number}_00" for number in range(5)]
    for name in ("ssim", "psnr"):
        values = [float(row[name]) for row in rows]
        number = document["numbers"][name]
        assert number["value"] == pytest.approx(sum(values) / 5)
        assert min(values) <= number["interval"][0] < number["value"] < number["interval"][1] <= max(values)
        assert [row[name] for row in document["pictures"]] == values
    assert document["protocol"]["name"] == "fast" and document["protocol"]["version"] == 1
    assert document["protocol"]["measures"]["ssim"]["settings"]["colours"] == "rgb"
    assert {"numpy", "pillow", "opencv-python-headless"} == set(document["libraries"]) and document["weights"] == {}
    assert document["missing"] == ["00005_00"]
    with Image.open(tmp_path / "out/worst.png") as sheet:
        assert sheet.width > 6 * 384, "two of the worst in a row, each as photo, result and difference"
    again = evaluate(results, "--against", against, "--protocol", "fast", "-o", tmp_path / "again")
    assert again.returncode == 0
    assert (tmp_path / "again/evaluation.json").read_bytes() == (tmp_path / "out/evaluation.json").read_bytes()


def test_a_set_against_itself_is_equal_in_valid_json(evaluate, folders, tmp_path):
    photos = folders[1] / "test/image"
    done = evaluate(photos, "--against", photos, "--protocol", "fast", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "out/evaluation.json").read_bytes(), parse_constant=pytest.fail)
    assert document["numbers"]["ssim"]["value"] == pytest.approx(1, abs=1e-12)
    assert document["numbers"]["psnr"] == {"value": "inf", "interval": ["inf", "inf"]}


def test_what_cannot_be_done_is_told_with_what_to_do(evaluate, folders, tmp_path):
    results, against = folders
    others = write_results(tmp_path / "others", 20, cloth="shirt")
    for said, arguments in {
        "no protocol 'ssim'": (results, "--against", against, "--protocol", "ssim"),
        "hr-viton: grey SSIM": (results, "--against", against, "--protocol", "ssim"),
        "Say what to evaluate": (results, "--protocol", "fast"),
        "There is no folder": (tmp_path / "gone", "--against", against, "--protocol", "fast"),
        "These results are unpaired": (others, "--against", against, "--protocol", "fast"),
        "nothing to evaluate besides": (results, "--compare", "a", "b"),
        "is no evaluation": ("--compare", tmp_path, tmp_path),
    }.items():
        done = evaluate(*arguments, "-o", tmp_path / "out")
        assert done.returncode == 1 and said in " ".join(done.stderr.split()), (said, done.stderr)
    assert not (tmp_path / "out").exists()


def test_without_torch_protocols_of_networks_say_which_environment_has_it(evaluate, folders, tmp_path):
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        done = evaluate(folders[0], "--against", folders[1], "--protocol", "vton-eval", "-o", tmp_path / "out")
        assert done.returncode == 1 and "make .venv-evaluate/ready" in " ".join(done.stderr.split())
    else:
        pytest.skip("Torch is here")
