"""Where a data set keeps what."""

from pathlib import Path

import pytest

from howsfit.dataset.layout import PLACES, Pair, Place, pairs_of, path_of


def test_files_are_where_the_published_loaders_look_for_them():
    assert PLACES["agnostic_mask"] == Place("agnostic-mask", "_mask.png")
    assert path_of(Path("d"), "train", "pose", "00006_00") == Path("d/train/openpose_json/00006_00_keypoints.json")
    assert path_of(Path("d"), "test", "cloth_mask", "a.b") == Path("d/test/cloth-mask/a.b.jpg")


def test_a_list_of_pairs_gives_names_and_says_which_line_is_none(tmp_path):
    listed = tmp_path / "test_pairs.txt"
    listed.write_text("00006_00.jpg  00017_00.jpg\n\na.b.jpg c.jpg\n")
    assert list(pairs_of(listed)) == [Pair("00006_00", "00017_00"), Pair("a.b", "c")]
    listed.write_bytes("\ufeff앞 모습.jpg".replace(" ", "_").encode() + b" c.jpg\r\n")
    assert list(pairs_of(listed)) == [Pair("앞_모습", "c")], "as Windows saves it"
    listed.write_bytes("앞.jpg 옷.jpg\n".encode("cp949"))
    with pytest.raises(ValueError, match="Save it as UTF-8"):
        list(pairs_of(listed))
    listed.write_text("00006_00.jpg 00017_00.jpg\n00006_00.jpg\n")
    with pytest.raises(ValueError, match="line 2"):
        list(pairs_of(listed))
