"""The `howsfit` command as a user runs it: a process of its own."""

import io
import json
import os
import subprocess
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from stagekit.folders import stage_names
from tests.pictures import encoded, picture
from tests.servers import ROOT, howsfit_serve

SAMPLES = ROOT / "howsfit" / "samples"
PERSON, TEE = str(SAMPLES / "person.jpg"), str(SAMPLES / "garment_tee.jpg")


def howsfit(*arguments: object, cwd: Path = ROOT, **options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "howsfit.cli", *map(str, arguments), *(f"--{k}={v}" for k, v in options.items())]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """One embedded try-on with all options."""
    folder = tmp_path_factory.mktemp("try")
    done = howsfit(
        "try", PERSON, TEE, "-o", folder / "new/out.png", "--keep", folder / "kept", "--json", folder / "t.json"
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def test_try_writes_the_picture_the_dataset_and_the_document(tried):
    folder, done = tried
    assert Image.open(io.BytesIO((folder / "new/out.png").read_bytes())).size == (768, 1024)
    assert (folder / "kept/test/image-parse-v3/00001_00.png").is_file()
    assert (folder / "kept/test_pairs.txt").is_file()
    document = json.loads((folder / "t.json").read_text())
    assert document["status"] == "succeeded" and len(document["stages"]) == len(stage_names())
    assert "out.png" in done.stdout.replace("\n", "")
    assert not list(folder.rglob("*.part"))


def test_try_shows_a_line_for_each_stage_and_its_warnings(tried):
    _, done = tried
    for stage in stage_names():
        assert f"done {stage}" in done.stderr
    assert "stood in" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert "W0000" not in done.stderr, "MediaPipe's own notes stay off the command line"


def test_try_says_which_engines_it_loads(tried):
    _, done = tried
    for stage in stage_names():
        assert done.stderr.index(f"loaded {stage} ") < done.stderr.index("done resize")


def test_embedded_and_served_give_the_same_bytes(tried, house, tmp_path):
    folder, _ = tried
    assert howsfit("try", PERSON, TEE, "-o", tmp_path / "served.png", "--url", house).returncode == 0
    assert (tmp_path / "served.png").read_bytes() == (folder / "new/out.png").read_bytes()


def test_outputs_are_what_their_endings_say_and_a_folder_gets_further_ones(tmp_path, house):
    (tmp_path / "a folder").mkdir()
    for garment, given, written in (
        (TEE, "새 [/b]/out.jpg", "JPEG"),
        (SAMPLES / "garment_jumper.jpg", "a folder", "PNG"),
    ):
        done = howsfit(
            "try", PERSON, garment, "-o", given, "--json", "a folder", keep=tmp_path / "kept", url=house, cwd=tmp_path
        )
        path = "a folder/tryon.png" if given == "a folder" else given
        assert done.returncode == 0 and path in done.stdout, done.stderr
        with Image.open(tmp_path / path) as image:
            assert (image.format, image.size) == (written, (768, 1024))
        assert json.loads((tmp_path / "a folder/tryon.json").read_text())["status"] == "succeeded"
    for name in ("test_pairs.txt", "test_pairs_unpaired.txt"):
        lines = (tmp_path / "kept" / name).read_text().splitlines()
        assert lines == ["00001_00.jpg 00002_00.jpg", "00003_00.jpg 00004_00.jpg"]
    cloth = tmp_path / "kept/test/cloth"
    assert (cloth / "00002_00.jpg").read_bytes() != (cloth / "00004_00.jpg").read_bytes()


def test_a_gateway_forgets_what_it_is_told_to_forget_and_everything_was_written_before(tmp_path, house):
    asked = ("--forget", "fetched", "--retention", "600", "--json", tmp_path / "t.json", "--keep", tmp_path / "kept")
    done = howsfit("try", PERSON, TEE, "-o", tmp_path / "out.png", *asked, url=house)
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "t.json").read_text())
    kept = datetime.fromisoformat(document["expires_at"]) - datetime.fromisoformat(document["completed_at"])
    assert (document["forget"], kept.total_seconds()) == ("fetched", 600)
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (768, 1024)
    assert (tmp_path / "kept/test_pairs.txt").is_file()
    give_up = time.monotonic() + 10
    while httpx.get(house + document["urls"]["get"]).status_code != 404:
        assert time.monotonic() < give_up
    done = howsfit("try", PERSON, TEE, "-o", tmp_path / "out.png", "--retention", "5", url=house)
    assert done.returncode == 1 and "from 60 to 86400 seconds" in done.stderr.replace("\n", " ")


def test_samples_are_written_beside_each_other_or_refused_where_all_would_be_alike(tmp_path, house):
    done = howsfit("try", PERSON, TEE, "-o", tmp_path / "out.png", "--samples", "1", url=house)
    assert done.returncode == 0 and "out-1.png" in done.stdout.replace("\n", ""), done.stderr
    done = howsfit("try", PERSON, TEE, "-o", tmp_path / "out.png", "--samples", "2", url=house)
    assert done.returncode == 1 and "seed" in done.stderr
    assert [path.name for path in tmp_path.glob("*.png")] == ["out-1.png"]


REFUSED = {
    "photo is text": ("try note.txt tee.jpg", "'note.txt': The photo cannot be read: it is text"),
    "garment is text": ("try me.jpg note.txt", "'note.txt': The garment cannot be read: it is text"),
    "photo is cut short": ("try short.jpg tee.jpg", "'short.jpg': The picture is broken or cut short"),
    "photo is tiny": ("try tiny.png tee.jpg", "'tiny.png': The picture has 8 x 8 pixels"),
    "garment is a strip": ("try me.jpg strip.png", "'strip.png': The picture has 2000 x 100 pixels"),
    "no such photo": ("try moon.jpg tee.jpg", "There is no file 'moon.jpg' for the photo"),
    "a name like markup": ("try [/b]moon.jpg tee.jpg", "There is no file '[/b]moon.jpg' for the photo"),
    "garment is a folder": ("try me.jpg folder.png", "'folder.png' is a folder. Name the file of the garment"),
    "other ending": ("try me.jpg tee.jpg -o out.gif", ".png, .jpg or .webp"),
    "no ending": ("try me.jpg tee.jpg -o out", ".png, .jpg or .webp"),
    "picture over the photo": ("try me.jpg tee.jpg -o me.jpg", "'me.jpg' is an input"),
    "folder below a file": ("try me.jpg tee.jpg -o note.txt/out.png", "note.txt' is a file"),
    "kept in a file": ("try me.jpg tee.jpg --keep note.txt", "note.txt' is a file"),
    "document over the picture": ("try me.jpg tee.jpg -o a.png --json a.png", "two outputs at once"),
    "nothing may be written": ("try me.jpg tee.jpg -o /proc/a.png", "Nothing can be written in '/proc'"),
    "nothing to compare": (
        "compare me.jpg tee.jpg --tryon tps,tps --set tryon.hem=tucked",
        "There is nothing to compare",
    ),
    "too much to compare": (
        "compare me.jpg tee.jpg --set tryon.a=1,2,3 --set tryon.b=1,2,3",
        "These would be 9 variants",
    ),
    "sheet over the photo": ("compare me.jpg tee.jpg --tryon tps,hr_viton -o me.jpg", "'me.jpg' is an input"),
    "sheet of another kind": ("compare me.jpg tee.jpg --tryon tps,hr_viton -o a.pdf", ".png, .jpg or .webp"),
    "compared with text": ("compare me.jpg note.txt --tryon tps,hr_viton", "'note.txt': The garment cannot be read"),
    "stage's input is text": ("run pose person=note.txt", "'note.txt': "),
    "stage's input is not there": ("run pose person=moon.png", "There is no file 'moon.png' for the image 'person'"),
    "stage has no such input": ("run pose garment=tee.jpg", "'garment' is no input of stage pose. It takes: person"),
    "an input is missing": ("run agnostic person=me.png", "also needs"),
    "stage's folder is a file": ("run pose person=me.png -o note.txt", "note.txt' is a file"),
    "an output is a folder": ("run pose person=me.png -o taken", "pose.json' is a folder"),
}


# All of them in one process, since none may load what takes seconds: MediaPipe, FastAPI and DBOS.
REFUSALS = """
import contextlib, io, json, sys
from howsfit import cli

cli._silence_native_libraries = lambda: None
told = {}
for command in sys.argv[1:]:
    sys.argv = ["howsfit", *command.split()]
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        try:
            code = cli.main()
        except SystemExit as end:
            code = end.code
    told[command] = (code, stderr.getvalue(), sorted({"mediapipe", "fastapi", "dbos"} & set(sys.modules)))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """Command -> exit code, what it said, which slow libraries are loaded; and the files before and after all of them."""
    folder = tmp_path_factory.mktemp("refused")
    photo = Path(PERSON).read_bytes()
    given = {
        "me.jpg": photo,
        "tee.jpg": Path(TEE).read_bytes(),
        "short.jpg": photo[: len(photo) // 2],
        "me.png": encoded(picture(size=(768, 1024))),
        "tiny.png": encoded(picture(size=(8, 8))),
        "strip.png": encoded(picture(size=(2000, 100))),
        "note.txt": b"to do: a shirt\n",
    }
    for name, data in given.items():
        (folder / name).write_bytes(data)
    for below in ("folder.png", "taken/pose.json"):
        (folder / below).mkdir(parents=True)
    before = sorted(folder.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", REFUSALS, *(command for command, _ in REFUSED.values())],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), before, sorted(folder.rglob("*"))


@pytest.mark.parametrize("command, said", REFUSED.values(), ids=REFUSED)
def test_mistakes_are_told_before_an_engine_is_loaded(command, said, refusals):
    code, told, loaded = refusals[0][command]
    assert code == 1 and said in told and told.count("\n") == 1
    assert loaded == []


def test_a_refused_command_leaves_no_file(refusals):
    _, before, after = refusals
    assert before == after


def test_in_photo_gives_the_size_of_the_photo(tmp_path, house):
    assert howsfit("try", PERSON, TEE, "-o", tmp_path / "out.png", "--in-photo", "--url", house).returncode == 0
    assert Image.open(io.BytesIO((tmp_path / "out.png").read_bytes())).size == (512, 512)


def test_set_chooses_an_option_of_an_engine(tmp_path, house):
    common = ("try", PERSON, TEE, "-o", tmp_path / "out.png", "--json", tmp_path / "t.json", "--url", house)
    assert howsfit(*common, "--set", "tryon.hem=tucked").returncode == 0
    assert json.loads((tmp_path / "t.json").read_text())["options"] == {"tryon": {"hem": "tucked"}}
    refused = howsfit(*common, "--set", "tryon.him=1")
    assert refused.returncode == 1 and "hem" in refused.stderr and "Traceback" not in refused.stderr
    assert "tryon.hem=" in howsfit("stages", "--url", house).stdout


def test_lower_and_dress_are_worn_together_with_the_cloth(tmp_path, house):
    common = ("try", PERSON, TEE, "-o", tmp_path / "out.png", "--json", tmp_path / "t.json", "--url", house)
    done = howsfit(*common, "--dress", TEE.replace("tee", "top"))
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "t.json").read_text())
    assert [each["category"] for each in document["garments"]] == ["dress", "upper"]
    assert sum(line.startswith("done tryon ") for line in done.stderr.splitlines()) == 2
    refused = howsfit(*common, "--dress", TEE, "--lower", TEE)
    assert refused.returncode == 1 and "cannot be worn together" in refused.stderr.replace("\n", " ")
    refused = howsfit(*common, "--lower", tmp_path / "none.jpg")
    assert refused.returncode == 1 and "none.jpg" in refused.stderr.replace("\n", "")


def test_with_brings_an_artifact_whose_stage_is_not_run(tried, tmp_path, house):
    parse = tried[0] / "kept/test/image-parse-v3/00001_00.png"
    common = ("try", PERSON, TEE, "-o", tmp_path / "out.png", "--json", tmp_path / "t.json", "--url", house)
    done = howsfit(*common, "--with", f"parse={parse}")
    assert done.returncode == 0, done.stderr
    assert "done human_parse  given" in done.stderr
    assert (tmp_path / "out.png").read_bytes() == (tried[0] / "new/out.png").read_bytes()
    Image.new("RGB", (30, 40)).save(tmp_path / "small.png")
    for given, said in (
        (f"parse={tmp_path / 'small.png'}", "768 x 1024"),
        (f"parse={tmp_path / 'none.png'}", "There is no file"),
        (f"photo={parse}", "No stage makes 'photo'"),
    ):
        refused = howsfit(*common, "--with", given)
        assert refused.returncode == 1 and said in refused.stderr.replace("\n", " ") and "Trace" not in refused.stderr


def test_a_refusal_is_a_sentence_and_an_exit_code(tmp_path, house):
    nobody = tmp_path / "wall.png"
    nobody.write_bytes(encoded(picture(size=(800, 600))))
    done = howsfit("try", nobody, TEE, "-o", tmp_path / "out.png", "--json", tmp_path / "t.json", "--url", house)
    assert done.returncode == 1 and "resize:" in done.stderr and "Traceback" not in done.stderr
    assert json.loads((tmp_path / "t.json").read_text())["error"]["code"] == "no-person"
    assert not (tmp_path / "out.png").exists()


def test_compare_writes_a_sheet_and_prints_a_table(tmp_path):
    common = ("compare", PERSON, TEE, "-o", tmp_path / "new/sheet.jpg", "--json", tmp_path / "c.json")
    done = howsfit(*common, "--tryon", "tps", "--set", "tryon.hem=hanging,tucked", "--set", "tryon.light=keep")
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "new/sheet.jpg") as sheet:
        assert sheet.format == "JPEG" and sheet.width > 4 * 384
    document = json.loads((tmp_path / "c.json").read_text())
    assert [row["label"] for row in document["variants"]] == ["tps, hem=hanging", "tps, hem=tucked"]
    assert document["counts"] == {"succeeded": 2}
    for row in document["variants"]:
        (line,) = (line for line in done.stdout.splitlines() if row["label"] in line)
        assert all(said in line for said in (f"{row['seconds']:.2f}", "MIT", "yes", "stand-in", "succeeded"))
        assert f"done {row['label']}" in done.stderr
    assert "loaded tryon" in done.stderr and "sheet.jpg" in done.stdout.splitlines()[-1]


def test_outfits_are_compared_in_the_language_that_was_asked_for(tmp_path, house):
    common = ("compare", PERSON, TEE, "--dress", TEE, "--set", "tryon.light=keep,match", "--url", house)
    done = howsfit(*common, "-o", tmp_path / "ko.png", "--json", tmp_path / "c.json", "--language", "ko")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "c.json").read_text())
    assert [each["category"] for each in document["garments"]] == ["dress", "upper"]
    with Image.open(tmp_path / "ko.png") as sheet:
        assert sheet.width > 5 * 384, "photo, two garments, two versions"
    assert httpx.get(house + document["urls"]["sheet"]).content != (tmp_path / "ko.png").read_bytes(), "English"
    unknown = howsfit(*common, "--language", "fr")
    assert unknown.returncode == 2 and "'en', 'ko'" in unknown.stderr


def test_compare_tells_of_what_fails_and_of_what_is_refused(tmp_path, house):
    nobody = tmp_path / "wall.png"
    nobody.write_bytes(encoded(picture(size=(800, 600))))
    common = ("-o", tmp_path / "sheet.png", "--json", tmp_path / "c.json", "--url", house)
    done = howsfit("compare", nobody, TEE, "--set", "tryon.hem=hanging,tucked", *common)
    assert done.returncode == 1 and "Nobody was found" in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "sheet.png").exists() and done.stdout.count("failed") == 2
    refused = howsfit("compare", PERSON, TEE, "--tryon", "tps,wand", *common)
    assert refused.returncode == 1 and "Variant 2" in refused.stderr and "It has: tps" in refused.stderr
    assert json.loads((tmp_path / "c.json").read_text())["code"] == "bad-engine"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("try", "moon.jpg", TEE), "moon.jpg"),
        (("try", PERSON, TEE, "--url", "http://127.0.0.1:1"), "cannot be reached"),
        (("try", PERSON, TEE, "--set", "hem=tucked"), "STAGE.OPTION=VALUE"),
        (("try", PERSON, TEE, "--engine", "tryon"), "write NAME=VALUE"),
        (("try", PERSON, TEE, "--engine", "tryon=wand"), "has no engine 'wand'"),
        (("compare", PERSON, TEE, "--tryon", "tps,wand"), "has no engine 'wand'"),
        (("run", "moon", "a=b"), "There is no stage 'moon'"),
        (("run", "pose", "person"), "NAME=FILE"),
        (("run", "pose", f"person={PERSON}"), "768 x 1024"),
        (("run", "pose", f"person={PERSON}", "--engine", "wand"), "has no engine 'wand'"),
    ],
)
def test_mistakes_are_told_without_a_traceback(arguments, said, tmp_path):
    done = howsfit(*arguments, cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert said in done.stderr.replace("\n", " ")


def test_run_runs_one_stage_from_files(artifacts, tmp_path):
    (tmp_path / "person.png").write_bytes(artifacts["person"])
    done = howsfit("run", "pose", f"person={tmp_path / 'person.png'}", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/pose.json").read_bytes() == artifacts["pose"]
    assert np.array_equal(
        np.array(Image.open(io.BytesIO((tmp_path / "out/pose_image.png").read_bytes()))),
        np.array(Image.open(io.BytesIO(artifacts["pose_image"]))),
    )


def test_stages_and_doctor(house):
    listed = json.loads(howsfit("stages", "--json", "--url", house).stdout)
    assert {stage["stage"] for stage in listed} == set(stage_names())
    assert "blazepose" in howsfit("stages", "--url", house).stdout
    done = howsfit("doctor", "--url", house)
    assert done.returncode == 0 and "tryon" in done.stdout
    assert "howsfit weights pull hr_viton" in done.stdout and "allowed with this set-up" in done.stdout
    done = howsfit("doctor", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1


def test_help_names_every_command():
    text = howsfit("--help").stdout
    for command in ("try", "compare", "serve", "run", "stages", "doctor", "keys", "weights"):
        assert f" {command} " in text


@pytest.mark.slow
def test_keys_are_made_used_listed_and_revoked(tmp_path):
    admin = "correct-horse-battery"
    with howsfit_serve(tmp_path, {"HOWSFIT_ADMIN_KEY": admin}) as url:
        keys = partial(howsfit, "keys", url=url)
        made = keys("create", "shop", "--name", "till", "--max-jobs", 2, "--days", 30, key=admin)
        assert made.returncode == 0, made.stderr
        key = made.stdout.strip()
        assert howsfit("stages", url=url, key=key).returncode == 0
        assert howsfit("doctor", url=url, key=key).returncode == 0
        assert howsfit("try", PERSON, TEE, "-o", tmp_path / "out.png", url=url, key=key).returncode == 0
        listed = keys("list", key=admin).stdout
        assert "shop" in listed and "till" in listed and "until" in listed and key.rpartition("_")[2] not in listed
        for done, said in (
            (howsfit("stages", url=url), "This needs a key"),
            (keys("list", key=key), "'admin'"),
            (keys("create", "a:b", key=admin), "owner"),
            (keys("create", "shop", "--scope", "all", key=admin), "scopes"),
            (keys("revoke", "moon", key=admin), "There is no key"),
        ):
            assert done.returncode == 1 and "Traceback" not in done.stderr and said in done.stderr.replace("\n", " ")
        assert keys("revoke", key.split("_")[1], key=admin).returncode == 0
        assert "revoked" in keys("list", key=admin).stdout
        assert "revoked" in howsfit("stages", url=url, key=key).stderr
