"""Try-ons that are kept in one folder: none takes the place of another, and the lists of pairs name them all."""

import io
import subprocess
import sys
import zipfile

import pytest

from gateway.tryons.dataset import CLOTH, LAYOUT, PAIRED, PERSON, export
from howsfit.kept import keep
from stagekit.wire import Part
from tests.pictures import encoded, picture
from tests.servers import ROOT

LISTS = ("test_pairs.txt", "test_pairs_unpaired.txt")


def archive(colour=0, names=tuple(LAYOUT)):
    def part(name):
        if name in ("pose", "frame"):
            return Part(f'{{"people": {colour}}}'.encode(), "application/json")
        return Part(encoded(picture("L" if "mask" in name else "RGB", (16, 16), colour)), "image/png")

    return export({name: part(name) for name in names})


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_first_has_the_names_of_the_archive(tmp_path):
    keep(archive(), tmp_path / "new/kept")
    found = zipfile.ZipFile(io.BytesIO(archive()))
    assert contents(tmp_path / "new/kept") == {name: found.read(name) for name in found.namelist()}


def test_further_ones_are_numbered_on_and_change_nothing_that_is_there(tmp_path):
    for count in range(3):
        before = contents(tmp_path)
        keep(archive(count), tmp_path)
        after = contents(tmp_path)
        assert len(after) == (count + 1) * (len(LAYOUT) + len(PAIRED)) + len(LISTS)
        assert all(after[path] == data for path, data in before.items() if path not in LISTS)
    pairs = [("00001_00", "00002_00"), ("00003_00", "00004_00"), ("00005_00", "00006_00")]
    for name in LISTS:
        assert after[name].decode() == "".join(f"{person}.jpg {cloth}.jpg\n" for person, cloth in pairs)
    for count, (person, cloth) in enumerate(pairs):
        archived = zipfile.ZipFile(io.BytesIO(archive(count)))
        for layout in (LAYOUT, PAIRED):
            for path in layout.values():
                path_now = path.replace(CLOTH, "CLOTH").replace(PERSON, person).replace("CLOTH", cloth)
                assert after[path_now] == archived.read(path), path


def test_a_data_set_that_is_there_grows(tmp_path):
    there = {
        "test/image/14221_00.jpg": b"a",
        "test/cloth/00055_00.jpg": b"b",
        "test/image/IMG_20261126_07.jpg": b"c",
        "test_pairs.txt": b"14221_00.jpg 00055_00.jpg",
    }
    for name, data in there.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    keep(archive(), tmp_path)
    after = contents(tmp_path)
    assert after["test_pairs.txt"] == b"14221_00.jpg 00055_00.jpg\n14222_00.jpg 14223_00.jpg\n"
    assert after["test_pairs_unpaired.txt"] == b"14222_00.jpg 14223_00.jpg\n"
    assert "test/agnostic-mask/14222_00_mask.png" in after and "howsfit/14222_00_14223_00.png" in after
    assert all(after[name] == data for name, data in there.items() if name != "test_pairs.txt")


def test_a_person_without_a_garment_is_numbered_on_too(tmp_path):
    keep(archive(), tmp_path)
    keep(archive(1, ("person", "parse")), tmp_path)
    after = contents(tmp_path)
    assert "test/image/00003_00.jpg" in after and after["test_pairs.txt"].count(b"\n") == 1


def test_processes_that_keep_at_once_take_turns(tmp_path):
    (tmp_path / "a.zip").write_bytes(archive())
    program = (
        "import sys, pathlib; from howsfit.kept import keep\n"
        "for _ in range(6): keep(pathlib.Path(sys.argv[1]).read_bytes(), pathlib.Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, tmp_path / "a.zip", tmp_path / "kept"]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    lines = (tmp_path / "kept/test_pairs.txt").read_text().splitlines()
    assert sorted(lines) == [f"{number:05}_00.jpg {number + 1:05}_00.jpg" for number in range(1, 25, 2)]
    assert len(list((tmp_path / "kept/test/image").iterdir())) == 12


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "test/../../out.txt"])
def test_an_archive_that_leads_out_of_the_folder_is_refused(name, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr(name, b"x")
    with pytest.raises(ValueError, match="leads out of the folder"):
        keep(buffer.getvalue(), tmp_path / "kept")
    assert not (tmp_path / "out.txt").exists()
