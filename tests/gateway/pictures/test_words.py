"""What a contact sheet says in each language."""

import re

import pytest
from PIL import ImageFont
from pylopdf_fonts_ko import sans_path

from gateway.pictures.words import LANGUAGES, WORDS, language_for
from gateway.tryons.score import KEEPS
from tests.servers import ROOT

ERRORS = re.search(r"\n## Errors\n(.*?)\n## ", (ROOT / "docs" / "stage-protocol.md").read_text(), re.DOTALL)[1]
OF_THE_ROUTER = {"not-found", "method-not-allowed"}


def codes_of(table):
    cells = (line.split(" | ")[0] for line in table.splitlines())
    return {code for cell in cells if cell.startswith("| `") for code in re.findall(r"`([a-z-]+)`", cell)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_has_a_short_title_of_its_own(language):
    doubts = WORDS[language].doubts
    assert doubts.keys() == KEEPS.keys()
    assert len(set(doubts.values())) == len(doubts) and max(map(len, doubts.values())) < 40


def test_every_error_of_a_stage_has_its_sentence_where_its_own_is_in_another_language():
    assert len(codes_of(ERRORS)) > 15 and codes_of(ERRORS) - OF_THE_ROUTER <= WORDS["ko"].problems.keys()
    assert not WORDS["en"].problems, "an error speaks English itself, and says more"


def test_the_font_of_the_sheet_has_all_letters():
    font = ImageFont.truetype(sans_path(), 17)
    none = bytes(font.getmask("\U0001f600"))
    words = WORDS["ko"]
    said = "".join([words.photo, words.licence, *words.doubts.values(), *words.problems.values()])
    assert [letter for letter in sorted(set(said) - {" "}) if bytes(font.getmask(letter)) == none] == []


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("fr, de;q=0.5", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("en;q=0.8, ko;q=0.9", "ko"),
        ("en, ko", "en"),
        ("ko;q=0, en;q=0.1", "en"),
        ("KO ; q=1.000", "ko"),
        (";;;q, ko;q=nan, ko;q=2", "en"),
    ],
)
def test_the_language_that_the_caller_likes_best(accepted, language):
    assert language_for(accepted) == language
