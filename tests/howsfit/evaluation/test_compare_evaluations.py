"""Two evaluations: what may be compared, and what comes of it."""

import copy
import json
from pathlib import Path

import pytest

from howsfit.evaluation.compare import compare, read
from howsfit.evaluation.evaluate import evaluate
from howsfit.evaluation.protocols import PROTOCOLS
from howsfit.evaluation.report import json_of
from tests.howsfit.evaluation.drawn import write_photos, write_results


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """An evaluation of good results, and one of better ones."""
    folder: Path = tmp_path_factory.mktemp("evaluations")
    photos = write_photos(folder / "photos", 8)
    found = []
    for wrong in (20, 5):
        results = write_results(folder / f"results{wrong}", wrong, 8)
        found.append(evaluate(results, photos, PROTOCOLS["fast"], lambda *_: None).document)
    return found


@pytest.mark.parametrize(
    ("named", "path", "value"),
    [
        ("protocols", ("protocol", "version"), 2),
        ("settings", ("setting",), "unpaired"),
        ("photos", ("photos", "digest"), "sha256:0"),
        ("libraries", ("libraries", "numpy"), "2.0"),
        ("weights", ("weights",), {"alexnet.pth": {"digest": "sha256:0"}}),
        ("devices", ("device",), "cuda"),
    ],
)
def test_what_was_made_otherwise_is_not_compared(documents, named, path, value):
    other = copy.deepcopy(documents[1])
    inside = other
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    with pytest.raises(ValueError, match=f"different {named}"):
        compare(documents[0], other)


def test_unpaired_sets_of_other_sizes_are_not_compared(documents):
    sets = [copy.deepcopy(each) | {"setting": "unpaired", "pictures": []} for each in documents]
    sets[1]["results"]["pictures"] -= 1
    with pytest.raises(ValueError, match="different numbers of results: 8 and 7"):
        compare(*sets)


def test_other_persons_are_not_compared(documents):
    other = copy.deepcopy(documents[1])
    for row in other["pictures"]:
        row["person"] += "x"
    with pytest.raises(ValueError, match="no person in common"):
        compare(documents[0], other)


def test_a_document_is_read_from_its_folder(documents, tmp_path):
    (tmp_path / "evaluation.json").write_bytes(json_of(documents[0]))
    assert read(tmp_path) == read(tmp_path / "evaluation.json") == json.loads(json_of(documents[0]))


def test_pairs_are_tested_and_what_changed_most_is_told(documents):
    pytest.importorskip("scipy", reason="no SciPy: make test-evaluate")
    compared = compare(*documents)
    for name in ("ssim", "psnr"):
        number = compared["numbers"][name]
        assert number["better"] and number["pictures_better"] == 8 and number["pictures_worse"] == 0
        assert number["p"] == pytest.approx(2 / 2**8), "of eight signs, all one way or all the other"
        assert 0 < number["interval"][0] < number["difference"] < number["interval"][1]
        assert number["difference"] == pytest.approx(number["after"] - number["before"])
        changed = [abs(each["difference"]) for each in compared["changed"][name]]
        assert changed == sorted(changed, reverse=True) and len(changed) == 8
    worse = compare(*reversed(documents))
    assert not worse["numbers"]["ssim"]["better"] and worse["numbers"]["ssim"]["pictures_worse"] == 8


def test_equal_evaluations_differ_in_nothing(documents):
    pytest.importorskip("scipy", reason="no SciPy: make test-evaluate")
    compared = compare(documents[0], documents[0])
    assert compared["numbers"]["psnr"]["p"] == 1 and compared["numbers"]["psnr"]["difference"] == 0
    assert compared["changed"] == {"ssim": [], "psnr": []}
