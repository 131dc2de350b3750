"""Files that the command writes: what is refused before any work, and that they come whole or not at all."""

import io
import os
import threading

import pytest
from PIL import Image

from howsfit import files
from tests.pictures import encoded, picture

PNG = encoded(picture(size=(64, 80)))


@pytest.mark.parametrize(
    "given, path",
    [("new.png", "new.png"), ("there", "there/tryon.png"), ("there/", "there/tryon.png"), ("new/", "new/tryon.png"),
     ("there/a.jpg", "there/a.jpg"), ("folder.png", "folder.png/tryon.png")],
)  # fmt: skip
def test_a_folder_gets_a_file_of_its_own_name(given, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("there", "folder.png"):
        (tmp_path / folder).mkdir()
    assert str(files.target(given, "tryon.png")) == path


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.jpg", "a.JPEG", "a.webp", "a.b c.Jpg", "옷.png"])
def test_a_picture_is_what_its_ending_says(name, tmp_path):
    format_ = files.picture_format(tmp_path / name)
    files.write(tmp_path / name, files.picture_as(format_, PNG))
    with Image.open(tmp_path / name) as written:
        assert (written.format, written.size, written.mode) == (format_, (64, 80), "RGB")
        assert max(abs(a - b) for a, b in zip(written.getpixel((30, 30)), (200, 30, 30), strict=True)) <= 4


def test_a_picture_that_is_of_the_kind_already_keeps_its_bytes():
    assert files.picture_as("PNG", PNG) is PNG


@pytest.mark.parametrize("name", ["a", "a.gif", "a.tiff", "a.png.part", "-", ".png"])
def test_other_endings_are_refused_with_those_that_are_written(name, tmp_path):
    with pytest.raises(ValueError, match=r"'.*' (ends in|has no ending).*\.png, \.jpg or \.webp"):
        files.picture_format(tmp_path / name)


def test_what_a_format_cannot_hold_is_refused(tmp_path):
    for name, size in (("a.webp", (20_000, 2000)), ("a.jpg", (700, 70_000))):
        with pytest.raises(ValueError, match=f"{size[0]} x {size[1]} pixels"):
            files.check_picture_size(tmp_path / name, size)
    files.check_picture_size(tmp_path / "a.png", (70_000, 700))
    files.check_picture_size(tmp_path / "a.webp", (16_383, 700))


def test_what_can_be_written_passes_and_nothing_is_made(tmp_path):
    (tmp_path / "old.png").write_bytes(b"old")
    files.check([tmp_path / "me.jpg"], [tmp_path / "a/b/new.png", tmp_path / "old.png"], [tmp_path / "a/b/kept"])
    assert [path.name for path in tmp_path.rglob("*")] == ["old.png"]


def in_the_way(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "file")
    return {
        "a folder has its name": ({"files": ["folder.png"]}, "is a folder"),
        "no plain file": ({"files": ["pipe.png"]}, "is no file"),
        "a file is its folder": ({"files": ["file/a.png"]}, "'.*/file' is a file"),
        "a file is above its folder": ({"files": ["file/deep/a.png"]}, "'.*/file' is a file"),
        "the folder is a file": ({"folders": ["file"]}, "'.*/file' is a file"),
        "too long a name": ({"files": ["a" * 300 + ".png"]}, "too long"),
        "too long a folder": ({"folders": ["a" * 300]}, "too long"),
        "nothing is written there": ({"files": ["/proc/a.png"]}, "Nothing can be written in '/proc'"),
        "nothing is made there": ({"folders": ["/proc/kept/more"]}, "Nothing can be written in '/proc/kept/more'"),
        "it is an input": ({"inputs": ["file"], "files": ["file"]}, "is an input"),
        "it is an input by another name": ({"inputs": ["folder.png/../file"], "files": ["link.png"]}, "is an input"),
        "two in one": ({"files": ["a.png", "a.png"]}, "two outputs at once"),
        "a file and a folder in one": ({"files": ["kept"], "folders": ["kept"]}, "two outputs at once"),
        "a file and a folder in it": ({"files": ["kept"], "folders": ["kept/more"]}, "two outputs at once"),
    }


def test_what_is_in_the_way_is_told(tmp_path):
    for name, (paths, said) in in_the_way(tmp_path).items():
        given = {kind: [tmp_path / path for path in found] for kind, found in paths.items()}
        with pytest.raises(ValueError, match=said):
            files.check(**given)
            pytest.fail(name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_what_may_not_be_written_is_told(tmp_path):
    (tmp_path / "kept.png").write_bytes(b"")
    (tmp_path / "kept.png").chmod(0o444)
    with pytest.raises(ValueError, match="may not be overwritten"):
        files.check(files=[tmp_path / "kept.png"])
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(ValueError, match="Permission denied"):
            files.check(files=[tmp_path / "new.png"])
    finally:
        tmp_path.chmod(0o755)


def test_a_file_is_replaced_whole_through_its_link_and_by_any_number_of_writers(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/out.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to(tmp_path / "real/out.png")
    contents = [bytes([number]) * 100_000 for number in range(8)]
    writers = [threading.Thread(target=files.write, args=(tmp_path / "link.png", content)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (tmp_path / "link.png").is_symlink() and (tmp_path / "real/out.png").read_bytes() in contents
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["out.png"]


def test_what_cannot_be_written_leaves_the_old_file_and_no_half_one(tmp_path, monkeypatch):
    (tmp_path / "out.png").write_bytes(b"old")

    def full(self, data):
        raise OSError(28, "No space left on device")

    class Full(io.FileIO):
        write = full

    monkeypatch.setattr("pathlib.Path.open", lambda self, mode: Full(self, "xb"))
    with pytest.raises(OSError, match="No space left on device: '.*out.png'"):
        files.write(tmp_path / "out.png", b"new")
    monkeypatch.undo()
    assert (tmp_path / "out.png").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_what_a_killed_write_left_is_swept_away_and_nothing_else(tmp_path):
    for name in (".0123456789ab.part", ".mine.part", "0123456789ab.part", "a.png"):
        (tmp_path / name).touch()
    files.sweep(tmp_path)
    files.sweep(tmp_path / "gone")
    assert {path.name for path in tmp_path.iterdir()} == {".mine.part", "0123456789ab.part", "a.png"}
