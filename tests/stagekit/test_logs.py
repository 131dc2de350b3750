"""The lines of a log, for people and for programs. Runs on Python 3.6 too."""

import json
import logging
import re
import sys

import pytest

from stagekit.logs import JsonLines, TextLines, set_up


def record(words, *values, **fields):
    made = logging.LogRecord("howsfit.stage", logging.INFO, __file__, 1, words, values, fields.pop("exc_info", None))
    made.__dict__.update(fields)
    return made


def failure():
    try:
        raise RuntimeError("no such file")
    except RuntimeError:
        return sys.exc_info()


def test_a_line_of_json_has_its_fields_and_is_one_line():
    said = record(
        "run of %s\nand more", "pose", stage="pose", trace="0af7", seconds=1.23456, attempt=2, exc_info=failure()
    )
    (line,) = JsonLines().format(said).splitlines()
    told = json.loads(line)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", told.pop("time"))
    assert "no such file" in told.pop("exception")
    assert told == {
        "level": "INFO",
        "logger": "howsfit.stage",
        "message": "run of pose\nand more",
        "attempt": 2,
        "stage": "pose",
        "trace": "0af7",
        "seconds": 1.235,
    }


def test_a_line_of_text_ends_with_its_fields():
    line = TextLines().format(record("ready", stage="pose", engine="fake", seconds=0.5))
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO ready stage=pose engine=fake seconds=0.5$", line)


def test_nobody_can_write_a_line_of_his_own_or_an_endless_one():
    forged = "/v1\n2026-01-01 00:00:00,000 INFO all is well"
    for text in (TextLines().format(record("refused", path=forged)), TextLines().format(record(forged))):
        assert not [line for line in text.splitlines() if line.startswith("2026-01-01")]
    assert len(TextLines().format(record("refused", path="/" + "x" * 10000))) < 400
    assert len(JsonLines().format(record("refused", path="/" + "x" * 10000))) < 400


@pytest.fixture
def root():
    logger = logging.getLogger()
    before = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], level = before
    logger.setLevel(level)


def test_everything_of_the_process_is_logged_in_the_same_form(root, capsys):
    set_up("INFO", "json")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("howsfit.gateway").info("job begun", extra={"job": "a"})
    logging.getLogger("howsfit.gateway").debug("not at this level")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["Started server process [7]", "job begun"]


def test_another_form_is_refused():
    with pytest.raises(ValueError, match="HOWSFIT_LOG_FORMAT must be text or json, not 'xml'"):
        set_up("INFO", "xml")
