"""`howsfit dataset preprocess` on a gateway of light stages: killed, resumed, and with pictures that nothing can be made of."""

import json
import shutil
import signal
import time
from collections import Counter

import pytest
from PIL import Image

from howsfit.dataset.preprocess import is_valid
from tests.howsfit.dataset.conftest import Light
from tests.howsfit.dataset.drawn_set import SIZE, contents, draw_set
from tests.pictures import encoded


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Six persons and six cloths."""
    return draw_set(tmp_path_factory.mktemp("drawn") / "set", 6)


@pytest.fixture(scope="module")
def whole(drawn, light, howsfit, tmp_path_factory):
    """The same with all that there is to make of them: what is in the folder."""
    folder = shutil.copytree(drawn, tmp_path_factory.mktemp("whole") / "set")
    light.runs()
    done = howsfit("dataset", "preprocess", folder, "--to", light.url)
    assert done.returncode == 0, done.stderr
    assert "12 pictures in" in done.stderr and "for each of" in done.stderr
    assert max(light.runs().values()) == 1
    return contents(folder)


def test_all_is_in_its_place_and_nothing_else(whole):
    names = [f"0000{number}_00" for number in range(6)]
    places = [
        "agnostic-v3.2/{}.jpg",
        "image-parse-agnostic-v3.2/{}.png",
        "cloth-mask/{}.jpg",
        "image/{}.jpg",
        "cloth/{}.jpg",
    ]
    assert set(whole) == {"test_pairs.txt", *(f"test/{place.format(name)}" for place in places for name in names)}


def test_what_is_there_and_valid_stays_and_what_is_broken_is_made_anew(whole, drawn, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    for path, data in whole.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    own = folder / "test/cloth-mask/00001_00.jpg"
    Image.new("L", SIZE, 255).save(own)
    kept = own.read_bytes()
    cut = folder / "test/image-parse-agnostic-v3.2/00002_00.png"
    cut.write_bytes(cut.read_bytes()[:-30])
    half = folder / "test/cloth-mask/00003_00.jpg"
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    done = howsfit("dataset", "preprocess", folder, "--to", light.url)
    assert done.returncode == 0 and "10 pictures were there already" in done.stderr, done.stderr
    assert sorted(stage for stage, _ in light.runs()) == ["agnostic", "cloth_mask"]
    assert contents(folder) == whole | {"test/cloth-mask/00001_00.jpg": kept}


def test_whatever_a_file_holds_it_can_be_told_whether_it_is_one(drawn, tmp_path):
    whole = (drawn / "test/cloth/00000_00.jpg").read_bytes()
    huge = encoded(Image.new("1", (30_000, 30_000)), "PNG")
    for number, content in enumerate((b"", whole[:999], huge, huge[:40], b"[" * 100_000, b'{"people": ', b"\xff\xfe")):
        for ending in (".jpg", ".png", ".json"):
            path = tmp_path / f"{number}{ending}"
            path.write_bytes(content)
            assert not is_valid(path), path
    (tmp_path / "whole.jpg").write_bytes(whole)
    assert is_valid(tmp_path / "whole.jpg") and not is_valid(tmp_path / "gone.jpg") and not is_valid(tmp_path)


def test_only_what_is_asked_for_is_written(drawn, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    done = howsfit("dataset", "preprocess", folder, "--to", light.url, "--only", "agnostic", "--part", "test")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (folder / "test").iterdir()} == {"image", "cloth", "agnostic-v3.2"}
    assert {stage for stage, _ in light.runs()} == {"agnostic"}, "no cloth has an agnostic"


def test_shards_of_all_pairs_are_written_on_request(drawn, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    command = ("dataset", "preprocess", folder, "--to", light.url, "--shards", tmp_path / "shards", "--shard-mb", 1)
    done = howsfit(*command)
    assert done.returncode == 0 and "6 pairs of test in" in done.stdout, done.stderr
    index = json.loads((tmp_path / "shards/test-shards.json").read_bytes())
    assert index["artifacts"] == ["person", "cloth", "agnostic", "parse_agnostic", "cloth_mask"]
    assert len(index["shards"]) > 1 and all(each["bytes"] <= 10**6 for each in index["shards"])
    (folder / "test_pairs.txt").unlink()
    refused = howsfit(*command)
    assert refused.returncode == 1 and "has no list of them: write test_pairs.txt" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("method", "at"),
    [
        ("howsfit.dataset.journal:Journal.began", 3),
        ("howsfit.dataset.journal:Journal.forgotten", 2),
        pytest.param("howsfit.client:Client.start", 3, marks=pytest.mark.slow),
        pytest.param("howsfit.files:write", 4, marks=pytest.mark.slow),
        pytest.param("howsfit.client:Client.forget", 2, marks=pytest.mark.slow),
        pytest.param("howsfit.client:Client.dataset", 2, marks=pytest.mark.long),
        pytest.param("howsfit.dataset.many:settle", 1, marks=pytest.mark.long),
    ],
)
def test_killed_at_any_moment_nothing_is_lost_or_repeated(method, at, drawn, whole, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    command = ("dataset", "preprocess", folder, "--to", light.url, "--in-flight", 2)
    light.runs()
    killed = howsfit(*command, dies_in=method, at=at)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = howsfit(*command)
    assert resumed.returncode == 0, resumed.stderr
    assert contents(folder) == whole
    runs = light.runs()
    assert len(runs) == 12 and set(runs.values()) == {1}, runs


def kill_thrice(count, folder, light, howsfit):
    """Start the command and kill it, when a fifth is written, and two, and three; then let it end."""
    command = ("dataset", "preprocess", folder, "--to", light.url)
    for fifth in (1, 2, 3):
        process = howsfit(*command, wait=False)
        while len(list(folder.glob("test/*/*"))) < 2 * count + fifth * 3 * count // 5:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return howsfit(*command, timeout=1200)


def test_killed_three_times_and_resumed_it_is_the_same_byte_for_byte(drawn, whole, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    light.runs()
    done = kill_thrice(6, folder, light, howsfit)
    assert done.returncode == 0, done.stderr
    assert contents(folder) == whole
    assert set(light.runs().values()) == {1}


@pytest.mark.long
def test_two_hundred_pictures_killed_three_times_are_the_same_byte_for_byte(light, howsfit, tmp_path):
    killed = draw_set(tmp_path / "killed", 100)
    spared = shutil.copytree(killed, tmp_path / "spared")
    light.runs()
    done = kill_thrice(100, killed, light, howsfit)
    assert done.returncode == 0, done.stderr
    runs = light.runs()
    assert len(runs) == 200 and set(runs.values()) == {1}
    done = howsfit("dataset", "preprocess", spared, "--to", light.url, timeout=1200)
    print(done.stderr)
    assert done.returncode == 0, done.stderr
    assert contents(killed) == contents(spared) and len(contents(killed)) == 1 + 500


def test_failures_are_told_kept_and_tried_again_by_choice_only(drawn, whole, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    red, small, broken = (folder / f"test/image/0000{number}_00.jpg" for number in range(3))
    gone = folder / "test/cloth/00005_00.jpg"
    original = red.read_bytes()
    Image.new("RGB", SIZE, (255, 0, 0)).save(red)
    Image.new("RGB", (384, 512)).save(small)
    broken.write_bytes(b"no picture")
    gone.unlink()
    gone.symlink_to("nowhere")
    command = ("dataset", "preprocess", folder, "--to", light.url)
    done = howsfit(*command)
    assert done.returncode == 1 and "4 failed" in done.stderr and "8 pictures in" in done.stderr, done.stderr
    told = (folder / ".howsfit/failures.csv").read_text().splitlines()
    assert told[0] == "name,stage,code,detail" and len(told) == 5
    assert "test/image/00000_00,agnostic,no-person,There is nobody." in told
    assert any('00001_00,,wrong-kind,"It has 384 x 512 pixels' in line for line in told)
    assert any("00002_00,,unreadable-image," in line for line in told)
    assert any("cloth/00005_00,,unreadable-image,It cannot be read (No such file" in line for line in told)
    light.runs()
    again = howsfit(*command)
    assert again.returncode == 1 and not light.runs(), "what failed is not tried again by itself"
    gone.unlink()
    for path in (small, broken, gone):
        path.write_bytes((drawn / path.relative_to(folder)).read_bytes())
    (light.folder / "lenient").touch()
    try:
        retried = howsfit(*command, "--retry")
    finally:
        (light.folder / "lenient").unlink()
    assert retried.returncode == 0, retried.stderr
    made = contents(folder)
    red.write_bytes(original)
    assert set(made) == set(whole) and not (folder / ".howsfit").exists()
    assert made["test/agnostic-v3.2/00001_00.jpg"] == whole["test/agnostic-v3.2/00001_00.jpg"]


@pytest.mark.long
def test_two_gateways_share_the_work(drawn, whole, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    (tmp_path / "other").mkdir()
    other = Light(tmp_path / "other").start()
    light.runs()
    try:
        done = howsfit("dataset", "preprocess", folder, "--to", light.url, "--to", other.url, "--in-flight", 1)
    finally:
        other.stop()
    assert done.returncode == 0, done.stderr
    assert contents(folder) == whole
    shares = light.runs(), other.runs()
    assert all(len(share) >= 3 for share in shares) and sum(shares, Counter()).total() == 12


@pytest.mark.long
def test_a_gateway_that_dies_and_comes_back_is_waited_for(drawn, whole, light, howsfit, tmp_path):
    folder = shutil.copytree(drawn, tmp_path / "set")
    process = howsfit("dataset", "preprocess", folder, "--to", light.url, wait=False)
    while not list(folder.glob("test/cloth-mask/*")) and not list(folder.glob("test/agnostic-v3.2/*")):
        time.sleep(0.01)
    light.kill()
    light.start()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert contents(folder) == whole


def test_mistakes_are_told_before_anything_is_sent(drawn, light, howsfit, tmp_path):
    (tmp_path / "empty").mkdir()
    light.runs()
    for said, arguments in {
        "--only shoes: there is pose": (drawn, "--only", "shoes"),
        "--only pose: no stage of the gateway gives it": (drawn, "--only", "pose"),
        "There is no folder": (tmp_path / "gone",),
        "has no pictures in train/image or test/image": (tmp_path / "empty",),
        "--part val: there is train and test": (drawn, "--part", "val"),
    }.items():
        done = howsfit("dataset", "preprocess", *arguments, "--to", light.url)
        told = " ".join(done.stderr.split())
        assert done.returncode == 1 and said in told, (said, told)
    assert not light.runs()
    assert json.dumps(sorted(contents(drawn))).count("agnostic") == 0
