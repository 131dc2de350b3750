"""One number for what is doubted about a result."""

import re

from gateway.tryons.score import KEEPS, OTHERS, score
from tests.servers import ROOT


def test_each_kind_of_warning_counts_once():
    assert score([]) == 1
    assert score(["hips-outside"] * 3) == KEEPS["hips-outside"]
    assert score(["seen-from-behind", "doubtful-pose"]) == 0.15
    assert score(["of-another-engine"]) == OTHERS < 1


def test_the_documents_tell_of_all_warnings_and_what_each_leaves():
    page = (ROOT / "docs" / "stage-protocol.md").read_text()
    table = page.split("| code | stage | meaning | score |")[1].split("\n\n")[0]
    told = {row[1]: float(row[2]) for row in re.finditer(r"^\| `([a-z-]+)`.* ([\d.]+) \|$", table, re.M)}
    assert told == KEEPS and f"other codes leave {OTHERS}" in page
