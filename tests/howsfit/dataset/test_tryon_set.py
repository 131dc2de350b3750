"""`howsfit tryon-set` on a gateway of light stages."""

import io
import json
import shutil
import signal

import pytest
from PIL import Image

from tests.howsfit.dataset.drawn_set import SIZE, contents, draw_set


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Four persons and four cloths, of which each person is to wear the next one's, and the first her own."""
    root = draw_set(tmp_path_factory.mktemp("drawn") / "set", 4)
    names = [f"0000{number}_00" for number in range(4)]
    lines = [f"{person}.jpg {cloth}.jpg\n" for person, cloth in zip(names, names[1:] + names[:1], strict=True)]
    (root / "test_pairs.txt").write_text("".join([*lines, lines[0], f"{names[0]}.jpg {names[0]}.jpg\n"]))
    return root


@pytest.fixture(scope="module")
def whole(drawn, light, howsfit, tmp_path_factory):
    """All results: what is in their folder."""
    folder = tmp_path_factory.mktemp("whole")
    done = howsfit("tryon-set", drawn, drawn / "test_pairs.txt", "-o", folder, "--url", light.url)
    assert done.returncode == 0, done.stderr
    assert "5 try-ons in" in done.stderr, "a pair that is listed twice is made once"
    return contents(folder)


def test_results_bear_the_names_of_their_pairs_and_show_them(whole, drawn):
    results = {path: data for path, data in whole.items() if not path.startswith(".howsfit")}
    assert set(results) == {
        "00000_00_00001_00.png", "00001_00_00002_00.png", "00002_00_00003_00.png", "00003_00_00000_00.png",
        "00000_00_00000_00.png",
    }  # fmt: skip
    for name, data in results.items():
        with Image.open(io.BytesIO(data)) as made:
            assert made.size == SIZE and made.format == "PNG"
            rows = [made.getpixel((0, y)) for y in (0, SIZE[1] - 1)]
        persons, cloths = (
            drawn / f"test/{folder}/{name[at : at + 8]}.jpg" for folder, at in (("image", 0), ("cloth", 9))
        )
        for shown, path in zip(rows, (persons, cloths), strict=True):
            with Image.open(path) as real:
                assert max(abs(a - b) for a, b in zip(shown, real.getpixel((0, 0)), strict=True)) <= 2
    settings = json.loads(whole[".howsfit/tryon-set.json"])
    assert settings["made_by"]["engine"] == "small" and settings["made_by"]["fingerprint"].startswith("sha256:")


@pytest.mark.parametrize(
    ("method", "at"), [("howsfit.client:Client.artifact", 2), ("howsfit.dataset.journal:Journal.forgotten", 2)]
)
def test_killed_it_goes_on_where_it_was(method, at, drawn, whole, light, howsfit, tmp_path):
    command = ("tryon-set", drawn, drawn / "test_pairs.txt", "-o", tmp_path / "out", "--url", light.url)
    light.runs()
    killed = howsfit(*command, dies_in=method, at=at)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = howsfit(*command)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == whole
    assert sum(count for (stage, _), count in light.runs().items() if stage == "tryon") == 5
    again = howsfit(*command)
    assert again.returncode == 0 and not light.runs()


def test_what_the_data_set_has_stands_in_the_place_of_its_stage(drawn, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    agnostic = Image.new("RGB", SIZE, (9, 9, 9))
    (folder / "test/agnostic-v3.2").mkdir()
    agnostic.save(folder / "test/agnostic-v3.2/00000_00.jpg", quality=95)
    (folder / "one.txt").write_text("00000_00.jpg 00001_00.jpg\n")
    command = ("tryon-set", folder, folder / "one.txt", "--url", light.url)
    assert howsfit(*command, "-o", tmp_path / "taken").returncode == 0
    with Image.open(tmp_path / "taken/00000_00_00001_00.png") as made:
        assert max(abs(level - 9) for level in made.getpixel((0, 0))) <= 2
    assert howsfit(*command, "-o", tmp_path / "own", "--pictures-only").returncode == 0
    with Image.open(tmp_path / "own/00000_00_00001_00.png") as made:
        assert made.getpixel((0, 0))[2] > 150
    other = howsfit(*command, "-o", tmp_path / "own")
    assert other.returncode == 1 and "made with other settings (pictures_only)" in " ".join(other.stderr.split())


def test_failures_are_listed_and_tried_again_by_choice_only(drawn, whole, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    red = folder / "test/image/00001_00.jpg"
    Image.new("RGB", SIZE, (255, 0, 0)).save(red)
    command = ("tryon-set", folder, folder / "test_pairs.txt", "-o", tmp_path / "out", "--url", light.url)
    done = howsfit(*command)
    assert done.returncode == 1 and "1 failed" in done.stderr and "4 try-ons in" in done.stderr, done.stderr
    told = (tmp_path / "out/.howsfit/failures.csv").read_text()
    assert "00001_00_00002_00,agnostic,no-person,There is nobody." in told
    light.runs()
    assert howsfit(*command).returncode == 1 and not light.runs()
    shutil.copy(drawn / "test/image/00001_00.jpg", red)
    assert howsfit(*command, "--retry").returncode == 0
    made = contents(tmp_path / "out")
    assert {name: data for name, data in made.items() if name.endswith(".png")} == {
        name: data for name, data in whole.items() if name.endswith(".png")
    }


def test_mistakes_are_told_before_anything_is_sent(drawn, light, howsfit, tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "alike.txt").write_text("00000.jpg 00_00001_00.jpg\n00000_00.jpg 00001_00.jpg\n")
    (tmp_path / "lacking.txt").write_text("00000_00.jpg 00099_00.jpg\n")
    light.runs()
    for said, arguments in {
        "There is no list": (tmp_path / "gone.txt",),
        "lists no pair": (tmp_path / "empty.txt",),
        "1 pictures of the pairs are missing": (tmp_path / "lacking.txt",),
        "00000 in 00_00001_00 and 00000_00 in 00001_00 would both be 00000_00_00001_00.png": (tmp_path / "alike.txt",),
        "write STAGE.OPTION=VALUE": (drawn / "test_pairs.txt", "--set", "hem=tucked"),
    }.items():
        done = howsfit("tryon-set", drawn, *arguments, "-o", tmp_path / "out", "--url", light.url)
        assert done.returncode == 1 and said in " ".join(done.stderr.split()), (said, done.stderr)
    refused = howsfit(
        "tryon-set",
        drawn,
        drawn / "test_pairs.txt",
        "--engine",
        "tryon=none",
        "-o",
        tmp_path / "out",
        "--url",
        light.url,
    )
    assert refused.returncode == 1 and "refuses it" in refused.stderr, refused.stderr
    assert not light.runs()
