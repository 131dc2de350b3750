"""What docs/api.md shows as answers is what is answered."""

import json
import re

import fastapi.sse
import pytest
from PIL import Image

from tests.gateway.requests import upload
from tests.pictures import encoded
from tests.servers import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
STREAM = re.search(r"```text\n(retry.*?)```", PAGE, re.DOTALL)[1]
SAME = {"status", "kind", "code", "stage", "event", "type", "title", "instance", "at", "message", "priority"}
"""Keys whose values are the same in the example and in the answer; others have values of the same form."""


def form(text):
    """A text without what differs from answer to answer: digests, ids, times; and `…` for what was left out."""
    text = re.sub(r"sha256:[0-9a-f]+…?", "sha256:D", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b", "ID", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)


def same_form(example, real, key=""):
    """Whether all that the example shows is in the answer, under these names and in this form."""
    if isinstance(example, dict):
        return isinstance(real, dict) and all(n in real and same_form(v, real[n], n) for n, v in example.items())
    if isinstance(example, list):
        return isinstance(real, list) and all(any(same_form(v, other, key) for other in real) for v in example)
    if isinstance(example, bool) or example is None or key in SAME:
        return example == real
    if isinstance(example, str):
        if not isinstance(real, str):
            return False
        shown, found = form(example), form(real)
        return found.startswith(shown.rstrip("…")) if shown != example or "…" in example else bool(found)
    return isinstance(real, int | float) and not isinstance(real, bool)


@pytest.fixture(scope="module")
def tryon(api, bundled):
    """Made anew, as in the examples: another test may have had the same made before."""
    files = {"photo": bundled[0], "garment": bundled[1]}
    return api.post("/v1/tryons", files=files, headers={"Prefer": "wait=100", "Cache-Control": "no-store"}).json()


@pytest.fixture(scope="module")
def failed(api, bundled):
    """A try-on whose photo shows nobody, asked for with `Prefer: wait`."""
    files = {"photo": encoded(Image.new("RGB", (300, 400), "teal")), "garment": bundled[1]}
    return api.post("/v1/tryons", files=files, headers={"Prefer": "wait=60"})


def test_a_failed_tryon_answers_200_to_who_waited_and_says_why(failed):
    document = failed.json()
    assert failed.status_code == 200 and failed.headers["preference-applied"] == "wait=60"
    assert document["status"] == "failed" and document["error"]["code"] == "no-person"


def test_the_examples_are_what_is_answered(api, tryon, failed, bundled):
    image = api.get("/v1/images/" + upload(api, bundled[0])).json()
    pair = {"photo_ids": [image["id"]], "garment_ids": [upload(api, bundled[1])]}
    batch = api.post("/v1/batches", json=pair).json()
    refusal = api.post("/v1/tryons", json={"foto_id": image["id"]}).json()
    batch["status"], batch["counts"] = "processing", {"queued": 1}  # it may have gone on already
    batch["tryons"][0] |= {"status": "queued", "tryon": None}
    variants = [{}, {"options": {"tryon": {"hem": "tucked"}}}]
    wanted = {"photo_id": image["id"], "garment_id": pair["garment_ids"][0], "variants": variants}
    comparison = api.post("/v1/comparisons", json=wanted, headers={"Prefer": "wait=60"}).json()
    answers = [tryon, failed.json(), image, batch, comparison, refusal]
    assert len(EXAMPLES) == len(answers)
    for example, real in zip(EXAMPLES, answers, strict=True):
        assert same_form(example, real), (example, real)
        assert example.keys() == real.keys() or example["status"] == "failed", "nothing is left out"
    changed = json.loads(json.dumps(EXAMPLES[0]).replace("fingerprint", "finger_print"))
    assert not same_form(changed, tryon) and not same_form(EXAMPLES[1], tryon)


def events_of(stream):
    """(id, event, data) of each."""
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in stream.strip().split("\n\n")]
    return [(b.get("id"), b["event"], json.loads(b["data"])) for b in blocks if "event" in b]


def test_the_example_stream_is_what_is_streamed(api, tryon, failed):
    real, shown = events_of(api.get(tryon["urls"]["events"]).text), events_of(STREAM)
    assert STREAM.startswith("retry: 1000\n\n") and real[-1][1] == "completed"
    assert [number for number, _, _ in real] == [str(number) for number in range(1, len(real))] + [None]
    for _, event, data in shown:
        assert any(
            event == e and same_form(data, d) and (event == "completed" or data.keys() == d.keys()) for _, e, d in real
        )
    *_, (_, event, data), _ = events_of(api.get(failed.json()["urls"]["events"]).text)
    assert event == "stage" and data.keys() == {"stage", "status", "error"} and data["error"]["code"] == "no-person"


def test_the_read_timeout_of_the_documents_is_twice_the_pause_between_signs_of_life():
    (pause,) = re.findall(r"comes every (\d+) seconds", PAGE)
    (timeout,) = re.findall(r"read timeout of (\d+) seconds", PAGE)
    assert (float(pause), float(timeout)) == (fastapi.sse._PING_INTERVAL, 2 * fastapi.sse._PING_INTERVAL)
