"""What a contact sheet says besides the names that it shows, in each language that the web app speaks, too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Words:
    """Of one language."""

    photo: str
    garment: str
    garments: Mapping[str, str]
    """Category -> what one of several is called."""
    licence: str
    commercial: str
    """Commercial use."""
    allowed: Mapping[str, str]
    """yes, no, unclear -> the word."""
    warnings: str
    without: Mapping[str, str]
    """Status -> the sentence in the place of the picture."""
    failed: str
    seconds: str = "{:.1f} s"
    doubts: Mapping[str, str] = field(default_factory=dict)
    """Code of a warning -> its title."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Code of what a try-on failed by -> a sentence, where the error's own is not in this language."""


_EN = Words(
    photo="Photo",
    garment="Garment",
    garments={"upper": "Top", "lower": "Trousers or skirt", "dress": "Dress"},
    licence="Licence",
    commercial="Commercial use",
    allowed={"yes": "yes", "no": "no", "unclear": "unclear"},
    warnings="Warnings",
    without={
        "queued": "It waits for its turn.",
        "processing": "It is being made.",
        "canceled": "It was canceled.",
        "deleted": "It was deleted.",
    },
    failed="It failed.",
    doubts={
        "several-people": "several people",
        "low-resolution": "small in the photo",
        "seen-from-behind": "seen from behind",
        "hips-outside": "hips outside of the photo",
        "doubtful-pose": "doubtful pose",
        "face-not-found": "no face found",
        "joints-guessed": "joints guessed",
        "arm-not-hidden": "an old sleeve may remain",
        "doubtful-parse": "body and clothes hard to tell apart",
        "hand-hidden": "a hand is hidden",
        "garment-left": "the old garment shows",
        "garment-fills-picture": "garment touches the borders",
        "print-alone": "maybe the print alone",
        "doubtful-mask": "doubtful cut-out",
        "not-a-top": "looks like no top",
        "worn-as-top": "no top, but worn as one",
        "odd-outline": "odd outline",
        "doubtful-category": "doubtful kind of garment",
        "garment-worn": "somebody wears the garment",
        "doubtful-fit": "stretched a lot",
        "result-enlarged": "result enlarged",
        "not-checked": "not checked",
        "stand-in": "quick default engines",
        "fallback": "another engine stood in",
    },
)

_KO = Words(
    photo="사진",
    garment="옷",
    garments={"upper": "상의", "lower": "바지 또는 치마", "dress": "원피스"},
    licence="라이선스",
    commercial="상업적 이용",
    allowed={"yes": "가능", "no": "불가", "unclear": "불분명"},
    warnings="참고",
    without={
        "queued": "차례를 기다리고 있습니다.",
        "processing": "만드는 중입니다.",
        "canceled": "취소되었습니다.",
        "deleted": "지워졌습니다.",
    },
    failed="실패했습니다.",
    seconds="{:.1f}초",
    doubts={
        "several-people": "여러 사람",
        "low-resolution": "작게 나온 인물",
        "seen-from-behind": "뒷모습",
        "hips-outside": "사진 밖의 엉덩이",
        "doubtful-pose": "불확실한 자세",
        "face-not-found": "얼굴을 찾지 못함",
        "joints-guessed": "짐작한 관절",
        "arm-not-hidden": "남았을 수 있는 소매",
        "doubtful-parse": "몸과 옷의 구분이 불확실",
        "hand-hidden": "가려진 손",
        "garment-left": "남아 있는 원래 옷",
        "garment-fills-picture": "가장자리에 닿은 옷",
        "print-alone": "무늬만 찾은 듯함",
        "doubtful-mask": "불확실한 옷 윤곽",
        "not-a-top": "상의로 보이지 않음",
        "worn-as-top": "상의가 아닌데 상의처럼 입힘",
        "odd-outline": "이상한 윤곽",
        "doubtful-category": "불확실한 옷 종류",
        "garment-worn": "사람이 입은 옷 사진",
        "doubtful-fit": "많이 늘린 옷",
        "result-enlarged": "확대한 결과",
        "not-checked": "확인하지 못함",
        "stand-in": "빠른 기본 엔진",
        "fallback": "대신한 엔진",
    },
    problems={
        "missing-artifact": "필요한 것이 빠졌습니다.",
        "unreadable-image": "사진이 손상되었거나 읽을 수 없는 형식입니다.",
        "image-too-large": "사진이 너무 큽니다.",
        "image-too-small": "사진이 너무 작습니다.",
        "image-too-narrow": "사진이 너무 길쭉합니다.",
        "bad-option": "엔진이 받지 않는 설정입니다.",
        "bad-engine": "사용할 수 없는 엔진입니다.",
        "wrong-kind": "보낸 자료의 크기나 형식이 맞지 않습니다.",
        "no-person": "사진에서 사람을 찾지 못했습니다.",
        "photo-turned": "사진이 옆으로 누웠거나 거꾸로 되어 있습니다.",
        "incomplete-pose": "몸이 충분히 보이지 않습니다.",
        "garment-not-found": "배경에서 옷을 구분하지 못했습니다.",
        "overloaded": "지금 요청이 많습니다.",
        "engine-failed": "엔진이 실패했습니다.",
        "canceled": "실행이 취소되었습니다.",
        "weights-missing": "엔진의 가중치가 없습니다.",
        "not-ready": "엔진이 준비되지 않았습니다.",
        "deadline-exceeded": "너무 오래 걸려 멈췄습니다.",
        "out-of-memory": "메모리가 부족합니다.",
        "stage-unreachable": "서비스의 일부에 연결할 수 없습니다.",
        "stage-nonsense": "서비스의 일부가 잘못된 답을 보냈습니다.",
        "storage-unavailable": "저장소에 연결할 수 없습니다.",
        "storage-full": "저장소가 가득 찼습니다.",
    },
)

WORDS = {"en": _EN, "ko": _KO}
"""Language -> what is said in it; the first one where nobody asks for another."""

LANGUAGES = tuple(WORDS)

_WISH = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")


def language_for(accepted: str) -> str:
    """The language that a header Accept-Language likes best of those there are. What cannot be read in it is passed over."""
    wishes = [wish for each in accepted.split(",") if (wish := _WISH.fullmatch(each))]
    weights: dict[str, float] = {}
    for wish in wishes:
        weights.setdefault(wish[1].lower(), float(wish[2] or 1))
    return max(LANGUAGES, key=lambda language: weights.get(language, 0.0))
