"""The artifact store on a local folder."""

import pytest

from gateway.store import ArtifactStore, uploaded
from stagekit.wire import Part


def test_what_was_put_is_got_and_removed(tmp_path):
    store = ArtifactStore(tmp_path / "new" / "folder")
    picture, document = Part(b"\x89PNG", "image/png"), Part(b"{}", "application/json")
    store.put("a", "person", picture)
    store.put("a", "pose", document)
    store.put("b", "person", document)
    assert store.get("a", "person") == picture and store.get("a", "pose") == document
    assert store.get("a", "moon") is None and store.get("c", "person") is None
    store.remove("a")
    assert store.get("a", "person") is None and store.get("b", "person") == document
    store.clear()
    assert store.get("b", "person") is None


def test_a_write_that_fails_leaves_nothing_half(tmp_path, monkeypatch):
    store = ArtifactStore(tmp_path)
    store.put("a", "person", Part(b"old", "image/png"))

    def disk_full(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", disk_full)
    with pytest.raises(OSError, match="disk full"):
        store.put("a", "person", Part(b"new", "image/png"))
    assert store.get("a", "person") == Part(b"old", "image/png")


def test_a_folder_that_cannot_be_written_to_is_told_at_once(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):
        ArtifactStore(tmp_path / "file")


@pytest.mark.parametrize(
    "data, media_type",
    [
        (b"\x89PNG\r\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"<svg onload=alert(1)>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_type_of_an_upload_is_what_its_bytes_show(data, media_type):
    assert uploaded(data) == Part(data, media_type)
