"""The journal of many jobs."""

import pytest

from howsfit.dataset.journal import opened


def test_what_was_written_is_known_again_and_a_torn_line_is_not(tmp_path):
    path = tmp_path / "state/journal.jsonl"
    with opened(path) as journal:
        journal.began("a", "http://one", "1")
        journal.began("b", "http://two", "2")
        journal.failed("b", {"code": "no-person", "detail": "There is nobody.", "status": 422})
        journal.began("c", "http://one", "3")
        journal.forgotten("c")
    with path.open("a") as file:
        file.write('{"name":"a","forgo')
    with opened(path) as journal:
        assert set(journal.entries) == {"a", "b"}, "what went well takes no room"
        assert (journal.entry("a").url, journal.entry("a").job) == ("http://one", "1")
        assert journal.entry("b").failed and not journal.entry("b").job
        assert journal.entry("b").failures == [{"code": "no-person", "detail": "There is nobody."}]
        assert not journal.entry("d").job
        journal.again("b")
        journal.began("a", "http://one", "4")
    with opened(path) as journal:
        assert not journal.entry("b").failed and len(journal.entry("b").failures) == 1
        assert journal.entry("a").job == "4", "the torn line is gone"
        journal.forgotten("b")
        assert not journal.entry("b").failed


def test_one_command_at_a_time(tmp_path):
    path = tmp_path / "set/.howsfit/journal.jsonl"
    with opened(path), pytest.raises(ValueError, match="Another command is at work in '.*/set'"), opened(path):
        pass
