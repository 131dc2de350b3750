"""Webhooks of try-ons that really run: a gateway with all default engines, and a receiver."""

import base64
import re
import time

import httpx
import pytest

from tests.gateway.receiver import Receiver, verified
from tests.gateway.requests import other_photo
from tests.servers import ROOT, howsfit_serve

pytestmark = pytest.mark.slow
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def hooked(tmp_path_factory):
    """A client of a gateway that sends webhooks to this machine, too."""
    env = {"HOWSFIT_WEBHOOK_SECRET": SECRET, "HOWSFIT_WEBHOOK_ALLOW": "127.0.0.1"}
    with (
        howsfit_serve(tmp_path_factory.mktemp("hooked"), env) as url,
        httpx.Client(base_url=url, timeout=120) as client,
    ):
        yield client


@pytest.fixture
def receiver():
    with Receiver().serving() as made:
        yield made


def is_genuine(*arguments):
    """The one of docs/api.md."""
    names = {}
    for code in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL):
        exec(code, names)
    return names["is_genuine"](*arguments)


def order(api, photo, garment, url, **more):
    form = {"webhook_url": url} | more
    return api.post("/v1/tryons", files={"photo": photo, "garment": garment}, data=form)


def messages(receiver, count, within_s=60):
    deadline = time.monotonic() + within_s
    while len(receiver.messages) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    return receiver.messages


def test_the_end_of_a_tryon_is_told_and_signed(hooked, receiver, bundled):
    job = order(hooked, *bundled, receiver.url + "/shop?order=7").json()
    assert job["webhook"]["state"] == "waiting"
    (message,) = messages(receiver, 1)
    secret = hooked.get("/v1/webhooks/secret").json()["secret"]
    assert secret != SECRET and verified(secret, message.headers, message.body)
    assert is_genuine(secret, message.headers, message.body)
    assert not is_genuine(secret, message.headers, message.body + b" ")
    assert not is_genuine(SECRET, message.headers, message.body), (
        "the operator's own is not the one, as docs/api.md says"
    )
    assert message.path == "/shop?order=7" and message.event["type"] == "tryon.succeeded"
    assert message.event["data"]["output"] == hooked.get(job["urls"]["get"]).json()["output"]
    assert hooked.get(job["urls"]["get"]).json()["webhook"] == {
        "url": receiver.url + "/shop?order=7",
        "state": "delivered",
        "attempts": 1,
        "last_error": None,
    }


def test_a_canceled_one_tells_again_when_it_was_retried(hooked, receiver, bundled):
    job = order(hooked, other_photo(bundled, 71), bundled[1], receiver.url).json()
    hooked.post(job["urls"]["cancel"])
    assert messages(receiver, 1)[0].event["type"] == "tryon.canceled"
    hooked.post(job["urls"]["get"] + "/retry")
    told = messages(receiver, 2)
    assert told[1].event["type"] == "tryon.succeeded" and told[0].id != told[1].id


def test_a_failure_and_a_preprocessed_person_are_told_too(hooked, receiver, bundled):
    order(hooked, other_photo(bundled, 72), bundled[1], receiver.url, deadline_s=0.05)
    files = {"photo": other_photo(bundled, 73)}
    hooked.post("/v1/preprocess/person", files=files, data={"webhook_url": receiver.url})
    kinds = {message.event["type"] for message in messages(receiver, 2)}
    assert kinds == {"tryon.failed", "person.succeeded"}


def test_of_a_batch_each_end_is_told_where_that_was_asked_for_and_the_whole_once(hooked, receiver, bundled):
    ids = [hooked.post("/v1/images", files={"image": other_photo(bundled, n)}).json()["id"] for n in (74, 75)]
    garment = hooked.post("/v1/images", files={"image": bundled[1]}).json()["id"]
    wanted = {"photo_ids": ids, "garment_ids": [garment], "reference": "order:9"}
    wanted |= {"completed_webhook_url": receiver.url + "/whole", "webhook_url": receiver.url + "/each"}
    batch = hooked.post("/v1/batches", json=wanted).json()
    told = messages(receiver, 3, within_s=90)
    assert sorted(message.path for message in told) == ["/each", "/each", "/whole"]
    (whole,) = [message for message in told if message.path == "/whole"]
    assert whole.event["type"] == "batch.completed"  # each address is told by itself: the last end may arrive after it
    assert whole.event["data"]["id"] == batch["id"] and whole.event["data"]["counts"] == {"succeeded": 2}
    assert {message.event["data"]["reference"] for message in told if message.path == "/each"} == {"order:9"}


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "https://169.254.169.254/", "ftp://example.com", "nonsense"])
def test_an_address_that_may_not_be_told_is_refused_before_anything_runs(hooked, bundled, url):
    before = hooked.get("/v1/tryons?limit=1").json()["tryons"]
    answer = order(hooked, *bundled, url)
    assert answer.status_code == 422 and answer.json()["code"] == "webhook-refused"
    assert hooked.get("/v1/tryons?limit=1").json()["tryons"] == before


def test_without_a_secret_there_are_none(api, bundled):
    answer = order(api, *bundled, "https://example.com/")
    assert answer.status_code == 422 and "HOWSFIT_WEBHOOK_SECRET" in answer.json()["detail"]
