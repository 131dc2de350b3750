"""What a request may look like, and what is said of one that looks otherwise: in words, never in Python's."""

import base64
import hashlib
import itertools
import json
import re
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.gateway.requests import upload

JARGON = re.compile(
    r"input should|uploadfile|nonetype|\bdict\b|\bstr\b|\bint\b|\bbool\b|class '|pydantic|value error|unable to parse|"
    r"string should|extra inputs|field required|traceback|json decode|not permitted|valid dictionary|expected upload",
    re.IGNORECASE,
)
URLENCODED = {"content-type": "application/x-www-form-urlencoded"}
FORM = {"content-type": "multipart/form-data; boundary=xyzB"}
POSTS = (
    "/v1/tryons",
    "/v1/preprocess/person",
    "/v1/preprocess/cloth",
    "/v1/comparisons",
    "/v1/images",
    "/v1/batches",
    "/v1/keys",
)
UNKNOWN = "sha256:" + 64 * "0"


def multipart(**fields):
    """Parts without file names, as many clients write them."""
    parts = b"".join(
        b'--xyzB\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), data)
        for name, data in fields.items()
    )
    return {"content": parts + b"--xyzB--\r\n", "headers": FORM}


def text(data):
    return base64.b64encode(data).decode()


def refused(answer, status=400, code="bad-request"):
    """Asserts a problem document in plain words; returns its detail."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (answer.status_code, code) == (status, code), problem
    said = [problem["detail"], *(error["message"] for error in problem.get("errors") or ())]
    for sentence in said:
        assert not JARGON.search(sentence) and sentence.endswith((".", "?")), sentence
    return problem["detail"]


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def test_a_part_without_a_file_name_is_taken_as_the_file(api, bundled):
    photo, garment = bundled
    answer = api.post("/v1/tryons", **multipart(photo=photo, garment=garment))
    assert answer.status_code == 202, answer.text
    assert answer.json()["images"] == {"photo": digest(photo), "garment": digest(garment)}, "bit for bit"


def test_the_request_that_a_client_really_sent_is_taken(api, samples):
    case = samples.parent / "cases" / "api" / "nofilename.body"
    if not case.exists():
        pytest.skip("no recorded requests here")
    answer = api.post("/v1/tryons", content=case.read_bytes(), headers=FORM)
    assert answer.status_code == 202, answer.text


def test_base64_and_data_urls_are_taken_wherever_text_can_be(api, bundled):
    photo, garment = bundled
    wrapped = "\r\n".join(re.findall(".{1,76}", text(photo)))
    sent = {"photo": wrapped, "garment": "data:image/jpeg;base64," + text(garment)}
    urlsafe = {"photo": base64.urlsafe_b64encode(photo).decode().rstrip("="), "garment": text(garment)}
    for form in (
        {"data": sent},
        {"json": sent},
        {"json": urlsafe},
        multipart(**{name: value.encode() for name, value in sent.items()}),
        {"content": f"photo={text(photo)}&garment={text(garment)}", "headers": URLENCODED},
    ):
        answer = api.post("/v1/tryons", **form)
        assert answer.status_code in (200, 202), answer.text
        assert answer.json()["images"] == {"photo": digest(photo), "garment": digest(garment)}
    assert api.post("/v1/images", json={"image": text(photo)}).json()["id"] == digest(photo)
    refused(api.post("/v1/images", json={"image": text(b"no picture at all, but long")}), 422, "unreadable-image")


def test_ids_are_taken_as_json(api, bundled):
    ids = {"photo_id": upload(api, bundled[0]), "garment_id": upload(api, bundled[1])}
    headers = {"Prefer": "wait=100"}
    answer = api.post("/v1/tryons", json=ids | {"priority": 7, "deadline_s": 600, "webhook_url": None}, headers=headers)
    assert answer.json()["status"] == "succeeded" and answer.json()["priority"] == 7
    for name, kind, field in (("person", "person", "photo_id"), ("cloth", "cloth", "garment_id")):
        document = api.post(f"/v1/preprocess/{name}", json={field: ids[field]}, headers=headers).json()
        assert (document["kind"], document["status"]) == (kind, "succeeded")


@pytest.mark.parametrize(
    "given, said",
    [
        ("ftp://example.com/me.jpg", "begins with https"),
        ("blob:http://localhost/1", "begins with https"),
        ("me.jpg", "'me.jpg' came in its place"),
        ("@me.jpg", "curl -F photo=@FILE"),
        ("[object File]", "curl -F photo=@FILE"),
        ("undefined", "curl -F photo=@FILE"),
        ("data:image/svg+xml,<svg/>", "base64"),
        ("data:", "base64"),
        ("/9j/4AAQ", "came in its place"),
    ],
)
def test_text_in_the_place_of_a_picture_is_named_with_what_to_send(api, bundled, given, said):
    garment = bundled[1]
    for form in (
        {"data": {"photo": given}, "files": {"garment": garment}},
        {"data": {"photo": given, "garment_id": UNKNOWN}},
        {"json": {"photo": given, "garment_id": UNKNOWN}},
        multipart(photo=given.encode(), garment=garment),
    ):
        assert said in refused(api.post("/v1/tryons", **form))


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "image/jpeg", "application/octet-stream", "multipart/mixed; boundary=x", "é"]
)
@pytest.mark.parametrize("path", POSTS)
def test_another_content_type_is_told_what_to_send(api, bundled, path, kind):
    headers = {} if kind is None else {"content-type": kind.encode("latin-1")}
    said = refused(api.post(path, content=bundled[0], headers=headers))
    assert "application/json" in said
    assert ("curl -F" in said) == (path not in ("/v1/batches", "/v1/keys"))


def test_what_clients_do_wrong_with_content_types_is_named(api, bundled):
    for boundary in ("", ";", "; boundary=", "; charset=utf-8"):
        said = refused(
            api.post("/v1/tryons", content=b"--x", headers={"content-type": "multipart/form-data" + boundary})
        )
        assert "boundary" in said
    assert "application/json" in refused(api.post("/v1/tryons", content=b'{"photo_id": "x"}', headers=URLENCODED))
    assert "curl -F" in refused(api.post("/v1/images", content=bundled[0], headers=URLENCODED)), (
        "curl --data-binary @me.jpg"
    )


@pytest.mark.parametrize("path", POSTS)
def test_no_kind_of_value_is_refused_in_the_words_of_python(api, path):
    names = ("photo", "photo_id", "garment", "garment_id", "image", "priority", "deadline_s", "webhook_url")
    names += ("photo_ids", "garment_ids", "owner", "name", "scopes", "rate_per_minute", "max_jobs", "expires_at")
    values = (True, 1, 1.5, -1e300, "", "x", "\x00", "\ud800", [], ["x"], [None], {}, {"a": 1}, "2001-01-01", 10**30)
    for name, value in itertools.product(names, values):
        answer = api.post(path, content=json.dumps({name: value}), headers={"content-type": "application/json"})
        if answer.status_code in (400, 422):
            refused(answer, answer.status_code, answer.json()["code"])
        else:
            assert answer.status_code in (404, 409), answer.text
    for body in (
        b"",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ):
        assert "JSON" in refused(api.post(path, content=body, headers={"content-type": "application/json"}))


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=0", "limit=1e3", "status=done", "kind=moon", "before=x", "before=" + 200 * "9"]
)
def test_queries_are_refused_in_words(api, query):
    refused(api.get("/v1/tryons?" + query))


def test_misspelt_names_are_refused_with_what_was_meant(api, bundled):
    photo, garment = bundled
    ids = {"photo_id": UNKNOWN}
    for answer, name, meant in (
        (api.post("/v1/tryons", files={"photo": photo, "garmnet": garment}), "garmnet", "garment"),
        (
            api.post("/v1/tryons", files={"photo": photo, "garment": garment}, data={"priorty": 1}),
            "priorty",
            "priority",
        ),
        (api.post("/v1/tryons", json=ids | {"garmentId": UNKNOWN}), "garmentId", "garment_id"),
        (api.post("/v1/tryons", data=ids | {"Garment_id": UNKNOWN}), "Garment_id", "garment_id"),
        (api.post("/v1/preprocess/person", files={"foto": photo}), "foto", "photo"),
        (api.post("/v1/preprocess/cloth", json={"garmentid": UNKNOWN}), "garmentid", "garment_id"),
        (api.post("/v1/images", files={"images": photo}), "images", "image"),
        (api.post("/v1/batches", json={"photo_id": [UNKNOWN]}), "photo_id", "photo_ids"),
        (api.post("/v1/keys", json={"ownr": "shop"}), "ownr", "owner"),
        (api.get("/v1/tryons?stauts=failed"), "stauts", "status"),
    ):
        said = refused(answer)
        assert f"'{name}'; did you mean '{meant}'?" in said
    for path in (*POSTS, "/v1/tryons/x/cancel", "/v1/tryons/x/retry", "/v1/batches/x/cancel"):
        assert "query parameter 'wait'" in refused(api.post(path + "?wait=60", json=ids))


def test_a_field_that_comes_twice_or_both_ways_is_refused(api, bundled):
    photo, garment = bundled
    assert "twice" in refused(api.post("/v1/tryons", files=[("photo", photo), ("photo", photo), ("garment", garment)]))
    both = api.post("/v1/tryons", files={"photo": photo, "garment": garment}, data={"photo_id": UNKNOWN})
    assert "not both" in refused(both)


def test_the_router_itself_answers_with_codes(api):
    for answer in (api.get("/moon"), api.post("/v1/moon"), api.get("/v1/tryons/x/moon")):
        assert "/docs" in refused(answer, 404, "not-found")
    answer = api.put("/v1/tryons")
    assert "GET and POST" in refused(answer, 405, "method-not-allowed") and answer.headers["allow"] == "GET, POST"
    assert api.get("/v1/tryons/x/cancel").headers["allow"] == "POST"


def test_requests_of_many_parts_or_long_headers_cost_nothing(api):
    part = b'--xyzB\r\nContent-Disposition: form-data; name="%d"\r\n\r\n1\r\n'
    many = b"".join(part % number for number in range(50_000)) + b"--xyzB--\r\n"
    files = many.replace(b'"\r\n\r\n', b'"; filename="a"\r\n\r\n')
    headers = (
        b'--xyzB\r\nContent-Disposition: form-data; name="photo"\r\n' + b"x: y\r\n" * 100_000 + b"\r\n1\r\n--xyzB--"
    )
    long = b'--xyzB\r\nContent-Disposition: form-data; name="' + b"x" * 10_000_000 + b'"\r\n\r\n1\r\n--xyzB--'
    urlencoded = "&".join(f"a{number}=1" for number in range(50_000))
    objects = {"content": b'{"photo": [' + b"{}," * 300_000 + b"{}]}", "headers": {"content-type": "application/json"}}
    for path in ("/v1/tryons", "/v1/images"):
        for sent in (
            *({"content": content, "headers": FORM} for content in (many, files, headers, long)),
            {"content": urlencoded, "headers": URLENCODED},
            objects,
        ):
            began = time.monotonic()
            refused(api.post(path, **sent))
            assert time.monotonic() - began < 3
    large = {"content": b"[" + b"[]," * 500_000 + b"[]]", "headers": {"content-type": "application/json"}}
    refused(api.post("/v1/batches", **large), 413, "image-too-large")


ODD = [
    b"\xe9",
    b"\xb2",
    b"1e500",
    b"-1",
    b"9" * 400,
    b"9" * 30,
    b"x" * 5000,
    b"",
    b'"',
    b"\xd9\xa1\xd9\xa2",
    b"[",
    b"wait=\xb2",
    b"wait=1e500",
]
HEADERS = [
    "traceparent",
    "Prefer",
    "Idempotency-Key",
    "Last-Event-ID",
    "If-None-Match",
    "If-Match",
    "If-Modified-Since",
    "Range",
    "Host",
]
HEADERS += [
    "Accept",
    "Accept-Encoding",
    "Cache-Control",
    "Authorization",
    "Origin",
    "Cookie",
    "X-Forwarded-For",
    "Expect",
    "Content-Type",
]
HEADERS += ["Content-Length", "Transfer-Encoding", "Content-Encoding", "Upgrade"]


def sent_as_it_is(url, request):
    """The answer's status and body; a client of a library would not send such headers."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while data := connection.recv(65536):
            answer += data
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None, answer


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_are_not_understood_are_ignored_or_refused(house, tryon, name):
    body = b'{"photo_id": "%s"}' % UNKNOWN.encode()
    plain = {
        "Host": b"gateway",
        "Content-Type": b"application/json",
        "Content-Length": b"%d" % len(body),
        "Connection": b"close",
    }
    for value in ODD:
        headers = b"".join(b"%s: %s\r\n" % (n.encode(), v) for n, v in (plain | {name: value}).items())
        events = f"GET /v1/tryons/{tryon['id']}/events HTTP/1.1\r\n".encode()
        for start in (b"POST /v1/tryons HTTP/1.1\r\n", b"GET /moon HTTP/1.1\r\n", events):
            status, answer = sent_as_it_is(house, start + headers + b"\r\n" + body)
            assert status and status < 500, (value, answer[:300])
            if start == events and status == 200:
                assert b"event: completed" in answer, value


def test_bytes_of_any_kind_around_the_parts_are_refused(house):
    heads = (b"", b"x", b"Content-Disposition: form-data", b'Content-Disposition: form-data; name="photo', b"\xe9: 1")
    heads += (
        b"Content-Disposition: form-data; name*=utf-8''photo",
        b"Content-Disposition: form-data; name*%s=a" % (b"9" * 4000),
    )
    kinds = (
        b"x",
        b'"x"',
        b"\xe9",
        b"x" * 300,
        b"x; charset=utf-16",
        b"x; charset=moon",
        b"x; boundary*=utf-8''y",
        b'"',
    )
    for head, boundary in itertools.product(heads, kinds):
        body = b"--x\r\n" + head + b"\r\n\r\n\xff\xd8\xff\r\n--x--\r\n"
        fields = b"Content-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n" % (boundary, len(body))
        request = b"POST /v1/tryons HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n" + body
        status, answer = sent_as_it_is(house, request)
        assert status == 400, answer
        assert not JARGON.search(answer.decode("latin-1"))
