"""`howsfit dataset preview`: the page, the strips that it shows, the sheets and the statistics."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from howsfit.cli import app
from howsfit.dataset.checks import report
from howsfit.dataset.checks.run import check
from howsfit.dataset.drawn import draw_set
from howsfit.dataset.layout import PLACES, path_of
from howsfit.dataset.preview.run import preview
from howsfit.dataset.preview.strips import CELL, CELLS
from stagekit.formats import CIHP, CIHP_PALETTE

NAME = "00002_00"  # of the test part, whose other one is 00003_00


@pytest.fixture(scope="module")
def trapped(tmp_path_factory):
    """A set in two traps, and what a check tells of it."""
    root = tmp_path_factory.mktemp("sets") / "set"
    draw_set(root, train=1, test=2)
    path_of(root, "test", "densepose", NAME).write_bytes(b"")
    shutil.copy(path_of(root, "test", "person", "00003_00"), path_of(root, "test", "agnostic", "00003_00"))
    return root, report.document(check(root, workers=1))


@pytest.fixture(scope="module")
def made(trapped, tmp_path_factory):
    root, found = trapped
    out = tmp_path_factory.mktemp("previews") / "preview"
    return out, preview(root, out, found, workers=1)


def data_of(out):
    text = (out / "index.html").read_text()
    return json.loads(text.split('<script id="data" type="application/json">')[1].split("</script>")[0])


def file_of(data, row, artifact):
    """As the page finds it; None where it says that there is none."""
    if row["f"][data["artifacts"].index(artifact)] != "1":
        return None
    folder, ending = data["places"][row["p"]][artifact]
    name = row.get("c", row["n"]) if artifact in data["of_cloths"] else row["n"]
    return row.get("o", {}).get(artifact, f"{folder}/{name}{ending}")


def cell_of(out, cell, name=NAME, part="test"):
    """(192, 144, 3) of a strip."""
    with Image.open(out / "strips" / part / f"{name}.webp") as strip:
        assert strip.size == (CELL[0] * len(CELLS), CELL[1])
        left = CELLS.index(cell) * CELL[0]
        return np.asarray(strip.convert("RGB"))[:, left : left + CELL[0]].astype(int)


def test_each_artifact_stands_in_its_cell(trapped, made):
    root, (out, _) = trapped[0], made
    for cell in ("person", "cloth", "cloth_mask", "agnostic", "agnostic_mask", "pose_image"):
        with Image.open(path_of(root, "test", cell, NAME)) as image:
            wanted = np.asarray(image.convert("RGB").resize(CELL, Image.Resampling.BOX)).astype(int)
        assert np.abs(cell_of(out, cell) - wanted).mean() < 6, cell


def test_labels_are_shown_in_their_colours_and_laid_over_the_photo(trapped, made):
    root, (out, _) = trapped[0], made
    with (
        Image.open(path_of(root, "test", "parse", NAME)) as parse,
        Image.open(path_of(root, "test", "person", NAME)) as photo,
    ):
        labels = np.asarray(parse)
        rows, columns = (int(np.median(each)) for each in np.nonzero(labels == CIHP["upper_clothes"]))
        beneath = np.array(photo.getpixel((columns, rows)))
    at = (
        slice(rows * 192 // 1024 - 2, rows * 192 // 1024 + 3),
        slice(columns * 144 // 768 - 2, columns * 144 // 768 + 3),
    )
    colour = np.array(CIHP_PALETTE[CIHP["upper_clothes"]])
    assert np.abs(cell_of(out, "parse")[at].mean(axis=(0, 1)) - colour).max() < 25
    assert np.abs(cell_of(out, "overlay")[at].mean(axis=(0, 1)) - (0.6 * colour + 0.4 * beneath)).max() < 25
    corner = cell_of(out, "overlay")[2:8, 2:8].mean(axis=(0, 1))
    assert np.abs(corner - cell_of(out, "person")[2:8, 2:8].mean(axis=(0, 1))).max() < 12


def test_what_is_broken_is_crossed(made):
    out, _ = made
    red = cell_of(out, "densepose")[90:102, 66:78].mean(axis=(0, 1))
    assert red[0] > 150 and red[1] < 110


def test_the_page_knows_each_sample_with_its_files_and_findings(trapped, made):
    out, told = made
    data = data_of(out)
    assert told.rows == 3 and [row["n"] for row in data["rows"]] == ["00001_00", NAME, "00003_00"]
    row = data["rows"][1]
    assert row["w"] == [["broken", "densepose", "The densepose cannot be read: it is an empty file"]]
    assert (out / data["root"] / file_of(data, row, "parse")).resolve() == path_of(
        trapped[0], "test", "parse", NAME
    ).resolve()
    assert data["traps"]["agnostic-garment"]["level"] == "error" and "w" not in data["rows"][0]
    assert data["checked"] and data["set"] == []


def test_sheets_show_parts_and_traps(made):
    out, told = made
    names = {path.name for path in told.sheets}
    assert names == {"train.png", "test.png", "trap-broken.png", "trap-agnostic-garment.png"}
    with Image.open(out / "sheets" / "test.png") as sheet:
        assert sheet.format == "PNG" and sheet.width == CELL[0] * len(CELLS) + 16 and sheet.height > 2 * CELL[1]
        (drawn,) = [np.asarray(sheet.convert("RGB"))[68 + 24 : 68 + 24 + CELL[1], 8 : 8 + CELL[0]].astype(int)]
    assert np.abs(drawn - cell_of(out, "person")).max() == 0


def test_statistics_tell_how_much_each_label_has(trapped, made):
    statistics = json.loads((made[0] / "statistics.json").read_text())["test"]
    shares = []
    for name in (NAME, "00003_00"):
        with Image.open(path_of(trapped[0], "test", "parse", name)) as parse:
            shares.append(np.bincount(np.asarray(parse).ravel(), minlength=20) / (768 * 1024))
    for each, mean, most in zip(statistics, np.mean(shares, axis=0), np.max(shares, axis=0), strict=True):
        assert each["mean_where_there"] == pytest.approx(mean, abs=1e-4) and each["most"] == pytest.approx(
            most, abs=1e-4
        )
        assert each["maps"] == (2 if mean else 0)
    assert [each["label"] for each in statistics][10] == "neck"


def test_of_a_large_set_some_are_shown_and_all_that_are_in_a_trap(trapped, tmp_path):
    root, found = trapped
    preview(root, tmp_path / "out", found, limit=1, workers=1)
    assert [row["n"] for row in data_of(tmp_path / "out")["rows"]] == ["00001_00", NAME, "00003_00"]
    preview(root, tmp_path / "out", None, limit=1, workers=1)
    data = data_of(tmp_path / "out")
    assert [row["n"] for row in data["rows"]] == ["00001_00", NAME] and not data["checked"]


def test_a_garment_of_another_name_stands_beside_who_wears_it(trapped, tmp_path):
    root = shutil.copytree(trapped[0], tmp_path / "set")
    for artifact in ("cloth", "cloth_mask"):
        path_of(root, "test", artifact, NAME).rename(path_of(root, "test", artifact, "shirt"))
        shutil.copy(path_of(root, "test", artifact, "00003_00"), path_of(root, "test", artifact, "spare"))
    (root / "test_pairs.txt").write_text(f"{NAME}.jpg shirt.jpg\n00003_00.jpg 00003_00.jpg\n")
    (root / "test_pairs_unpaired.txt").unlink()
    path_of(root, "test", "cloth_mask", "shirt").write_bytes(b"")
    path_of(root, "test", "pose", NAME).rename(root / "test" / "openpose_json" / f"{NAME}.json")
    preview(root, tmp_path / "out", report.document(check(root, workers=1)), workers=1)
    data = data_of(tmp_path / "out")
    rows = {row["n"]: row for row in data["rows"]}
    assert rows[NAME]["c"] == "shirt" and file_of(data, rows[NAME], "cloth") == "test/cloth/shirt.jpg"
    assert file_of(data, rows[NAME], "pose") == f"test/openpose_json/{NAME}.json"
    assert ["broken", "cloth_mask"] in [each[:2] for each in rows[NAME]["w"]]
    assert set(rows) == {"00001_00", NAME, "00003_00", "spare"}
    assert [artifact for artifact in PLACES if file_of(data, rows["spare"], artifact)] == ["cloth", "cloth_mask"]


def test_no_name_ends_the_pages_script(trapped, tmp_path):
    root = shutil.copytree(trapped[0], tmp_path / "<script>alert(1)<")
    preview(root, tmp_path / "out", workers=1)
    text = (tmp_path / "out" / "index.html").read_text()
    assert data_of(tmp_path / "out")["name"] == "<script>alert(1)<" and "<script>alert" not in text


def run(*arguments):
    return CliRunner().invoke(app, ["dataset", "preview", *map(str, arguments), "--workers", "1"])


def test_the_command_names_what_it_wrote(trapped, tmp_path):
    root, found = trapped
    (tmp_path / "report.json").write_text(json.dumps(found))
    result = run(root, tmp_path / "out", "--report", tmp_path / "report.json")
    assert result.exit_code == 0, result.output
    written = result.output.split()
    assert written[0].endswith("out/index.html") and len(written) == 5


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "is no report"),
        ("{}", "none that"),
        ('{"folder": "x", "traps": {}, "findings": [{"part": "a", "name": "b"}]}', "another data set"),
    ],
)
def test_what_is_no_report_of_this_set_is_refused(trapped, tmp_path, content, told):
    (tmp_path / "report.json").write_text(content)
    result = run(trapped[0], tmp_path / "out", "--report", tmp_path / "report.json")
    assert isinstance(result.exception, ValueError) and told in str(result.exception)


def test_a_name_that_is_no_utf_8_is_told_and_shown(trapped, tmp_path):
    root = shutil.copytree(trapped[0], tmp_path / "set")
    name = os.fsdecode(b"\xbe\xd5")  # as an archive from Windows has it
    shutil.copy(path_of(root, "test", "person", NAME), path_of(root, "test", "person", name))
    (tmp_path / "report.json").write_bytes(report.write(check(root, workers=1)))
    preview(root, tmp_path / "out", json.loads((tmp_path / "report.json").read_bytes()), workers=1)
    (row,) = [row for row in data_of(tmp_path / "out")["rows"] if row["n"] == name]
    assert "duplicate" in {code for code, _, _ in row["w"]}
