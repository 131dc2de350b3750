"""What the contact sheet of a comparison says."""

from datetime import UTC, datetime

from gateway.documents import ComparisonDocument
from gateway.pictures.words import WORDS
from gateway.sheets import tiles_of

VARIANT = {
    "label": "tps", "engine": "tps", "engines": {}, "options": {}, "tryon_id": "a", "status": "succeeded", "url": "/a",
    "tryon": "/a/tryon",
    "seconds": 0.42, "total_seconds": 1.0, "licence": "MIT", "commercial": "yes", "error": None,
    "warnings": [
        {"code": code, "stage": "pose", "detail": "…"} for code in ("hips-outside", "hips-outside", "no-such-code")
    ],
}  # fmt: skip
FAILED = VARIANT | {
    "label": "hr", "status": "failed", "tryon": None, "warnings": [], "seconds": None,
    "error": {"code": "no-person", "title": "No person was found", "detail": "Nobody was found in the photo."},
}  # fmt: skip


def tiles(language):
    document = ComparisonDocument.model_validate(
        {
            "id": "c", "status": "completed", "counts": {}, "images": {}, "urls": {}, "created_at": datetime.now(UTC),
            "variants": [VARIANT, FAILED, FAILED | {"error": {"code": "new", "title": "Something new"}}],
        }
    )  # fmt: skip
    return tiles_of(document, [{}], {}, WORDS[language])


def test_warnings_are_told_by_their_titles_once():
    assert tiles("en")[2].lines == [
        "0.4 s", "Licence: MIT", "Commercial use: yes", "Warnings: hips outside of the photo, no-such-code",
    ]  # fmt: skip
    assert tiles("ko")[2].lines == [
        "0.4초", "라이선스: MIT", "상업적 이용: 가능", "참고: 사진 밖의 엉덩이, no-such-code",
    ]  # fmt: skip


def test_what_is_missing_says_why():
    assert [tile.sentence for tile in tiles("en")[3:]] == ["Nobody was found in the photo.", "Something new"]
    assert [tile.sentence for tile in tiles("ko")[3:]] == ["사진에서 사람을 찾지 못했습니다.", "Something new"]
    assert [tile.title for tile in tiles("ko")[:2]] == ["사진", "옷"] and tiles("ko")[0].sentence == "지워졌습니다."
