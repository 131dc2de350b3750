"""Which result belongs to which photo."""

import pytest
from PIL import Image

from howsfit.evaluation.pictures import Pairing, digest_of, files_of, read_pair, sets_of, split
from tests.howsfit.evaluation.drawn import write_photos, write_results


@pytest.mark.parametrize(
    ("name", "person", "cloth"),
    [
        ("00006_00_001", "00006_00", "001"),
        ("00006_00_00006_00", "00006_00", "00006_00"),
        ("00006_00", "00006_00", "00006_00"),
        ("a_b_c", "a_b", "c"),
        ("a_shirt", "a", "shirt"),
        ("a_b_shirt", "a", "b_shirt"),
        ("a_a", "a", "a"),
    ],
)
def test_names_with_lines_in_them_are_told_apart(name, person, cloth):
    assert split(name, {"00006_00", "a", "a_b"}, {"b_shirt", "c"}) == (person, cloth)


def test_a_name_of_nobody_is_refused():
    with pytest.raises(ValueError, match="begins with the name of no photo.*--unpaired"):
        split("00007_00_001", {"00006_00"})


def test_persons_in_their_own_garment_are_paired_with_their_photos(tmp_path):
    photos = write_photos(tmp_path / "set/test/image")
    results = write_results(tmp_path / "results", 5, count=4)
    sets = sets_of(results, tmp_path / "set", "test")
    assert sets.paired and sets.missing == ["00004_00", "00005_00"] and len(sets.photos) == 6
    one = Pairing("00001_00_00001_00", "00001_00", results / "00001_00_00001_00.png", photos / "00001_00.png")
    assert sets.pairings[1] == one and len(sets.references) == len(sets.results) == 4
    assert sets_of(results, photos, "test") == sets, "a folder of photos does as well"
    assert not sets_of(results, photos, "test", unpaired=True).paired


def test_persons_in_other_garments_are_sets_only_and_a_mixture_is_refused(tmp_path):
    photos = write_photos(tmp_path / "photos")
    results = write_results(tmp_path / "results", 5, cloth="shirt{}")
    sets = sets_of(results, photos, "test")
    assert not sets.paired and len(sets.results) == len(sets.references) == 6
    write_results(tmp_path / "more", 5, count=1)
    (tmp_path / "more/00000_00_00000_00.png").rename(results / "00000_00_00000_00.png")
    with pytest.raises(ValueError, match="mixes persons in their own garment .00000_00_00000_00. with others"):
        sets_of(results, photos, "test")


def test_what_cannot_be_measured_is_refused_with_the_file(tmp_path):
    photos = write_photos(tmp_path / "photos")
    with pytest.raises(ValueError, match="holds no picture"):
        (tmp_path / "empty").mkdir()
        files_of(tmp_path / "empty")
    results = write_results(tmp_path / "results", 5)
    Image.new("RGB", (96, 128)).save(results / "00001_00.png")
    with pytest.raises(ValueError, match="00001_00 and 00001_00_00001_00 are both 00001_00"):
        sets_of(results, photos, "test")
    (results / "00001_00.png").unlink()
    Image.new("RGB", (48, 64)).save(results / "00001_00_00001_00.png")
    with pytest.raises(ValueError, match="has 48 x 64 pixels, and .*00001_00.png' 96 x 128"):
        read_pair(sets_of(results, photos, "test").pairings[1])
    (results / "00001_00_00001_00.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        read_pair(sets_of(results, photos, "test").pairings[1])
    Image.new("RGB", (96, 128)).save(photos / "00001_00.jpg")
    with pytest.raises(ValueError, match="holds both 00001_00.jpg and 00001_00.png"):
        files_of(photos)


def test_a_digest_knows_names_and_contents(tmp_path):
    files = list(files_of(write_photos(tmp_path / "photos", 2)).values())
    before = digest_of(files)
    assert before == digest_of(files) and before != digest_of(files[:1])
    files[0].rename(files[0].with_name("other.png"))
    assert before != digest_of([files[0].with_name("other.png"), files[1]])
