"""Webhooks: signed as the standard says, delivered once, also after trouble, and never to where they must not go."""

import asyncio
import base64
import contextlib
import ipaddress
import itertools
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from gateway.errors import IdempotencyConflict, WebhookRefused
from gateway.outgoing import addresses
from gateway.outgoing.addresses import WEBHOOKS, Addresses, is_public
from gateway.storage.database import now
from gateway.webhooks import delivery as module
from gateway.webhooks.delivery import Ended
from gateway.webhooks.signing import Signer, sign
from tests.gateway.receiver import Receiver, verified
from tests.gateway.webhooks.house import OWNER, SECRET, house
from tests.gateway.webhooks.webhook_worker import ENDED_AT
from tests.servers import ROOT, free_port

OLD_SECRET = "whsec_" + base64.b64encode(bytes(range(64))).decode()


# Signatures


def test_the_published_test_vector_is_met():
    # Of the standard's reference libraries.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_owners_have_secrets_of_their_own_and_former_ones_stay_good():
    new, old = Signer(f"{SECRET} {OLD_SECRET}"), Signer(OLD_SECRET)
    assert new.secret_for("a") == Signer(SECRET).secret_for("a")
    assert len({new.secret_for(owner) for owner in ("", "a", "b")} | {SECRET}) == 4
    headers = new.headers("a", "msg_1", 1700000000, b"{}")
    assert len(headers["webhook-signature"].split(" ")) == 2
    for signer in (new, old):
        assert verified(signer.secret_for("a"), headers, b"{}")
        assert not verified(signer.secret_for("b"), headers, b"{}")
        assert not verified(signer.secret_for("a"), headers, b"[]")


@pytest.mark.parametrize(
    "secret", ["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", SECRET[6:], f"{SECRET},{SECRET}"]
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret):
    with pytest.raises(ValueError, match="openssl rand -base64 32") as refused:
        Signer(secret)
    assert secret == "whsec_" or secret not in str(refused.value)


# Delivery


def test_a_message_arrives_signed_with_the_document_of_the_job(sqlite_database, receiver, no_looks):
    async def main():
        async with house(sqlite_database) as one:
            await one.webhooks.expect("job-1", receiver.url + "/hook?a=1#part", OWNER)
            assert await one.webhooks.of("job-1") == {
                "url": receiver.url + "/hook?a=1",
                "state": "waiting",
                "attempts": 0,
                "last_error": None,
            }
            one.end("job-1")
            found = await one.until("job-1", "delivered")
            assert (found["attempts"], found["last_error"]) == (1, None)
            (message,) = receiver.messages
            assert verified(one.webhooks.secret_for(OWNER), message.headers, message.body)
            assert not verified(one.webhooks.secret_for("tenant-2"), message.headers, message.body)
            assert message.path == "/hook?a=1"
            assert message.headers["content-type"] == "application/json"
            assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
            assert message.id.startswith("msg_") and "." not in message.id
            assert abs(int(message.headers["webhook-timestamp"]) - time.time()) < 5
            assert message.event == {
                "type": "tryon.succeeded",
                "timestamp": "2026-11-22T12:00:00Z",
                "data": one.jobs["job-1"].document,
            }
            assert 'howsfit_webhook_attempts_total{outcome="delivered"} 1.0' in one.metrics.render().decode()
            await one.webhooks.forget("job-1")
            assert await one.webhooks.of("job-1") is None

    asyncio.run(main())


def test_without_a_hint_and_after_a_restart_it_arrives_too(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database, start=False) as one:
            await one.webhooks.expect("job-1", receiver.url, OWNER)
        async with house(sqlite_database) as another:
            another.jobs["job-1"] = None
            await another.until_asked("job-1", 2)
            assert receiver.messages == []
            another.jobs["job-1"] = Ended("cloth.failed", ENDED_AT, {})
            await another.until("job-1", "delivered")
            assert [message.event["type"] for message in receiver.messages] == ["cloth.failed"]

    asyncio.run(main())


def test_a_hint_that_comes_before_the_end_is_written_down_is_remembered(sqlite_database, receiver, no_looks):
    async def main():
        async with house(sqlite_database) as one:
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            one.jobs["job-1"] = None
            one.webhooks.wake("job-1")
            await one.until_asked("job-1", 2)
            one.jobs["job-1"] = Ended("tryon.canceled", ENDED_AT, {})
            await one.until("job-1", "delivered")

    asyncio.run(main())


def test_jobs_long_under_way_are_asked_for_less_often(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database, start=False) as one:
            one.jobs = {"new": None, "old": None}
            for job_id in one.jobs:
                await one.webhooks.expect(job_id, receiver.url, OWNER)
            await one.change("old", expected_at=now() - 3600)
            await one.webhooks.start()
            await one.until_asked("new", 4)
            assert one.asked.count("old") == 1

    asyncio.run(main())


def test_trouble_is_repeated_with_the_same_id_and_a_new_timestamp(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            receiver.answers = [(429, {"Retry-After": "1"}), 500]
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            one.end("job-1")
            found = await one.until("job-1", "retrying")
            assert (found["attempts"], found["last_error"]) == (1, "The receiver answered 429.")
            found = await one.until("job-1", "delivered")
            assert (found["attempts"], found["last_error"]) == (3, None)
            first, _, last = receiver.messages
            assert first.id == last.id and first.body == last.body
            assert int(first.headers["webhook-timestamp"]) < int(last.headers["webhook-timestamp"])
            assert all(verified(one.webhooks.secret_for(OWNER), m.headers, m.body) for m in receiver.messages)
            assert last.at - first.at >= 0.95  # as it was asked for, which is longer than our own pause

    asyncio.run(main())


def test_it_is_given_up_after_the_sixth_attempt(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            receiver.answers = [503] * 10
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            one.end("job-1")
            found = await one.until("job-1", "given-up")
            await asyncio.sleep(0.2)
            assert found["attempts"] == len(receiver.messages) == len(module.RETRIES_S) + 1 == 6

    asyncio.run(main())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(sqlite_database, receiver, quick_looks, status):
    async def main():
        async with house(sqlite_database, retries_s=()) as one:
            receiver.answers = [(status, {"Location": receiver.url + "/elsewhere", "Set-Cookie": "a=b"})]
            await one.webhooks.expect("job-1", receiver.url + "/hook", OWNER)
            one.end("job-1")
            found = await one.until("job-1", "given-up")
            assert found["last_error"] == f"The receiver answered {status}, and redirects are not followed."
            assert [message.path for message in receiver.messages] == ["/hook"]

    asyncio.run(main())


def test_gone_ends_it_at_once(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            receiver.answers = [410]
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            one.end("job-1")
            found = await one.until("job-1", "given-up")
            await asyncio.sleep(0.1)
            assert found["attempts"] == len(receiver.messages) == 1

    asyncio.run(main())


def test_a_receiver_that_is_slow_or_away_is_repeated_and_holds_up_nobody(sqlite_database, receiver, quick_looks):
    arrived = asyncio.Event()

    async def dribble(reader, writer):
        """Never silent for long, never done."""
        arrived.set()
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"a: b\r\n")
                await writer.drain()
                await asyncio.sleep(0.1)

    async def main():
        server = await asyncio.start_server(dribble, "127.0.0.1", 0)
        slow = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        away = f"http://127.0.0.1:{free_port()}"
        async with server, house(sqlite_database, retries_s=(60.0,), timeout_s=1.5) as one:
            for job_id, url in {"slow": slow, "away": away, "other": receiver.url}.items():
                await one.webhooks.expect(job_id, url, OWNER)
            one.end("slow")
            await arrived.wait()
            one.end("other")
            one.end("away")
            assert "cannot be reached" in (await one.until("away", "retrying"))["last_error"]
            await one.until("other", "delivered")
            assert (await one.webhooks.of("slow"))["state"] == "waiting"
            assert (await one.until("slow", "retrying"))["last_error"] == "The receiver did not answer within 1.5 s."

    asyncio.run(main())


@pytest.mark.parametrize(
    "status,text,seconds",
    [
        (429, "7", 7),
        (503, timedelta(seconds=3000), 3000),
        (503, "9" * 40, 3600),
        (503, "-5", 0),
        (503, "soon", 0),
        (503, timedelta(days=-1), 0),
        (500, "7", 0),
    ],
)
def test_retry_after_is_honoured_within_reason(status, text, seconds):
    if isinstance(text, timedelta):
        text = format_datetime(datetime.now(UTC) + text, usegmt=True)
    asked = module._retry_after_s(httpx.Response(status, headers={"Retry-After": text}))
    assert asked == pytest.approx(seconds, abs=60)


def test_a_job_that_is_retried_fires_again_at_its_new_end_only(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            one.end("job-1", "failed")
            await one.until("job-1", "delivered")
            await one.webhooks.expect_again("job-1")  # still failed at this moment: that end is told already
            await asyncio.sleep(0.2)
            assert (await one.webhooks.of("job-1"))["state"] == "waiting"
            one.jobs["job-1"] = None
            await asyncio.sleep(0.1)
            one.end("job-1", at=ENDED_AT + timedelta(seconds=9))
            await one.until("job-1", "delivered")
            first, second = receiver.messages
            assert [m.event["type"] for m in receiver.messages] == ["tryon.failed", "tryon.succeeded"]
            assert first.id != second.id
            await one.webhooks.expect_again("without-webhook")

    asyncio.run(main())


def test_a_retry_while_the_old_end_is_not_told_yet_tells_the_new_end(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database, retries_s=(60.0,)) as one:
            receiver.answers = [500]
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            one.end("job-1", "failed")
            await one.until("job-1", "retrying")
            await one.webhooks.expect_again("job-1")
            one.jobs["job-1"] = None
            await asyncio.sleep(0.1)
            one.end("job-1", at=ENDED_AT + timedelta(seconds=9))
            assert (await one.until("job-1", "delivered"))["attempts"] == 1
            assert [m.event["type"] for m in receiver.messages] == ["tryon.failed", "tryon.succeeded"]

    asyncio.run(main())


def test_the_same_request_again_expects_nothing_new(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            for _ in range(2):
                await one.webhooks.expect("job-1", receiver.url, OWNER)
                one.end("job-1")
                await one.until("job-1", "delivered")
            await asyncio.sleep(0.1)
            assert len(receiver.messages) == 1
            with pytest.raises(IdempotencyConflict, match="Idempotency-Key"):
                await one.webhooks.expect("job-1", receiver.url + "/other", OWNER)

    asyncio.run(main())


def test_an_unknown_job_may_still_come_but_not_for_ever(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            await one.until_asked("job-1", 2)
            assert await one.webhooks.of("job-1")
            await one.change("job-1", expected_at=now() - module.UNKNOWN_S - 1, due_at=now())
            async with asyncio.timeout(20):
                while await one.webhooks.of("job-1"):
                    await asyncio.sleep(0.02)
            assert receiver.messages == []

    asyncio.run(main())


def test_without_a_secret_there_are_no_webhooks(sqlite_database, receiver):
    async def main():
        async with house(sqlite_database, settings={"webhook_secret": None}) as one:
            for call in (
                one.webhooks.expect("job-1", receiver.url, OWNER),
                asyncio.to_thread(one.webhooks.secret_for, ""),
            ):
                with pytest.raises(WebhookRefused, match="HOWSFIT_WEBHOOK_SECRET") as refused:
                    await call
            assert (refused.value.status, refused.value.code) == (422, "webhook-refused")
            assert await one.webhooks.of("job-1") is None

    asyncio.run(main())


def test_two_gateways_on_one_database_deliver_each_message_once(database, receiver, quick_looks):
    async def main():
        async with house(database) as one, house(database) as other:
            receiver.answers = [0.2] * 24
            jobs = [f"job-{n}" for n in range(24)]
            for job_id in jobs:
                await one.webhooks.expect(job_id, receiver.url, OWNER)
            for job_id in jobs:
                one.end(job_id)
                other.end(job_id)
            for job_id in jobs:
                await one.until(job_id, "delivered")
            assert len(receiver.messages) == len({message.id for message in receiver.messages}) == len(jobs)
            assert set(one.asked) and set(other.asked)

    asyncio.run(main())


@pytest.mark.slow
def test_what_a_killed_gateway_had_under_way_is_delivered_by_another(database, receiver):
    lease_s = 3.0

    async def main():
        async with house(database, start=False, lease_s=lease_s) as one:
            receiver.answers = [30.0]
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            command = [sys.executable, "-m", "tests.gateway.webhooks.webhook_worker", database, "job-1", str(lease_s)]
            process = subprocess.Popen(command, cwd=ROOT)
            try:
                assert await asyncio.to_thread(receiver.arrived.wait, 30)
            finally:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            await one.webhooks.start()
            one.end("job-1")
            await asyncio.sleep(lease_s / 3)
            assert len(receiver.messages) == 1  # it might still be alive
            assert (await one.until("job-1", "delivered"))["attempts"] == 1
            first, second = receiver.messages
            assert first.id == second.id

    asyncio.run(main())


def test_what_is_under_way_at_stop_is_left_to_the_next(sqlite_database, receiver, quick_looks, monkeypatch):
    monkeypatch.setattr(module, "STOP_S", 0.1)

    async def main():
        async with house(sqlite_database, lease_s=0.5) as one:
            receiver.answers = [5.0]
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            one.end("job-1")
            await asyncio.to_thread(receiver.arrived.wait, 5)
        async with house(sqlite_database) as another:
            another.end("job-1")
            await another.until("job-1", "delivered")
            first, second = receiver.messages
            assert first.id == second.id

    asyncio.run(main())


# Where they may go


async def refusal(url, listed=""):
    """What the guard says to it; "" when it may."""
    guard = Addresses(listed, WEBHOOKS)
    try:
        await guard.check(url)
    except WebhookRefused as refused:
        return refused.detail
    finally:
        guard.close()
    return ""


@pytest.fixture
def names(monkeypatch):
    """Name -> addresses, for the resolver; other names are unknown, and addresses are themselves."""
    known, asked = {}, []
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        asked.append(host)
        if host not in known:
            return real(host, port, *args, **kwargs | {"flags": socket.AI_NUMERICHOST})
        found = known[host].pop(0) if isinstance(known[host][0], list) else known[host]
        return [info for address in found for info in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    known["localhost"] = ["127.0.0.1", "::1"]
    return known, asked


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "192.0.0.192",
        "168.63.129.16",
        "0.0.0.0",
        "0",
        "255.255.255.255",
        "224.0.1.1",
        "240.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::7f00:1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2001:0:7f00:1::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001:db8::1]",
        "localhost",
        "inside.test",
        "half.test",
    ],
)
def test_hosts_that_are_not_public_are_refused_however_they_are_written(host, names):
    names[0].update({"inside.test": ["10.0.0.5"], "half.test": ["93.184.216.34", "10.0.0.5"]})
    said = asyncio.run(refusal(f"https://{host}/hook"))
    assert "not public" in said and "HOWSFIT_WEBHOOK_ALLOW" in said
    assert "10.0.0.5" not in said  # a stranger learns nothing about the network inside


@pytest.mark.parametrize(
    "url,said",
    [
        ("http://outside.test/", "go over https"),
        ("https://outside.test:22/", "port 443 or 8443"),
        ("https://outside.test:0/", "port 443 or 8443"),
        ("https://outside.test:99999/", "port"),
        ("https://user:password@outside.test/", "no user name"),
        ("https://user@outside.test/", "no user name"),
        ("https://outside.test\\@inside.test/", "whole URL"),
        ("ftp://outside.test/", "whole URL"),
        ("file:///etc/passwd", "whole URL"),
        ("//outside.test/", "whole URL"),
        ("outside.test/hook", "whole URL"),
        ("https:///hook", "whole URL"),
        ("https://", "whole URL"),
        ("", "whole URL"),
        ("https://outside.test/a b", "whole URL"),
        ("https://outside.test/\r\nX: y", "whole URL"),
        ("https://outside.test/\udc80", "whole URL"),
        ("https://0177.0.0.1/", "whole URL"),
        ("https://１２７.0.0.1/", "whole URL"),
        ("https://outside..test/", "no host name"),
        ("https://" + "a" * 64 + ".test/", "no host name"),
        ("https://[fe80::1%25eth0]/", "no host name"),
        ("https://unknown.test/", "cannot be found"),
        ("https://outside.test/" + "a" * 2000, "2000 characters"),
        ("https://outside.test/" + "ü" * 1000, "2000 characters"),
    ],
)
def test_urls_that_are_none_or_not_for_webhooks_are_refused(url, said, names):
    names[0]["outside.test"] = ["93.184.216.34"]
    assert said in asyncio.run(refusal(url))
    assert not asyncio.run(refusal("https://outside.test:8443/hook?a=b"))


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses_are_public(text):
    assert is_public(ipaddress.ip_address(text))


def test_listed_receivers_may_be_private_speak_http_and_have_any_port(names):
    names[0].update({"inside.test": ["10.0.0.5"], "other.test": ["10.0.0.6"], "both.test": ["10.0.0.5", "10.1.0.5"]})

    def may(url, listed):
        return not asyncio.run(refusal(url, listed))

    for url in ("http://inside.test:9000/", "https://inside.test/", "http://INSIDE.test/"):
        assert may(url, "inside.test") and may(url, "a.test, 10.0.0.0/24 ") and may(url, "10.0.0.5")
        assert not may(url, "") and not may(url, "test") and not may(url, "10.1.0.0/24")
    assert not may("http://other.test/", "inside.test")
    assert not may("http://both.test/", "10.0.0.0/24")
    assert may("http://[::ffff:10.0.0.5]/", "10.0.0.0/24")
    assert may("http://[fd00::1]:81/", "fd00::/8")
    for listed in ("10.0.0.1/8", "10.0.0.0/40", "http://inside.test", "inside.test:80", "*.test"):
        with pytest.raises(ValueError, match="HOWSFIT_WEBHOOK_ALLOW"):
            Addresses(listed, WEBHOOKS)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Files of a certificate for receiver.test, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    files = str(folder / "cert.pem"), str(folder / "key.pem")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=receiver.test"
    )
    command += f" -addext subjectAltName=DNS:receiver.test -out {files[0]} -keyout {files[1]}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return files


@pytest.fixture
def tls_receiver(certificate):
    """A receiver that has the certificate; it notes the names that it is asked for (SNI)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with Receiver(context).serving() as made:
        made.asked_for = []
        context.sni_callback = lambda _, name, __: made.asked_for.append(name)
        yield made


def test_the_connection_goes_to_the_checked_address_and_the_certificate_to_the_name(
    sqlite_database, tls_receiver, certificate, names, quick_looks
):
    known, asked = names
    known |= {"receiver.test": ["127.0.0.2", "127.0.0.1", "127.0.0.3"], "other.test": ["127.0.0.1"]}
    trusting = ssl.create_default_context(cafile=certificate[0])

    async def main():
        async with house(sqlite_database, tls=trusting, retries_s=()) as one:
            for name in ("receiver", "other"):
                await one.webhooks.expect(name, f"https://{name}.test:{tls_receiver.port}/hook", OWNER)
            asked.clear()
            one.end("receiver")
            await one.until("receiver", "delivered")  # by its second address, for nobody listens on the others
            assert [host for host in asked if host == "receiver.test"] == ["receiver.test"]
            assert tls_receiver.asked_for == ["receiver.test"]
            (message,) = tls_receiver.messages
            assert message.headers["host"] == f"receiver.test:{tls_receiver.port}"
            one.end("other")
            assert "certificate" in (await one.until("other", "given-up"))["last_error"].lower()
        async with house(sqlite_database, retries_s=()) as untrusting:
            await untrusting.webhooks.expect("job-2", f"https://receiver.test:{tls_receiver.port}/hook", OWNER)
            untrusting.end("job-2")
            assert "certificate" in (await untrusting.until("job-2", "given-up"))["last_error"].lower()
        assert len(tls_receiver.messages) == 1

    asyncio.run(main())


def test_a_name_that_turns_private_after_the_check_gets_nothing(
    sqlite_database, tls_receiver, certificate, names, quick_looks, monkeypatch
):
    monkeypatch.setattr(addresses, "PORTS", (tls_receiver.port,))
    trusting = ssl.create_default_context(cafile=certificate[0])
    url = f"https://receiver.test:{tls_receiver.port}/hook"

    async def main():
        async with house(sqlite_database, tls=trusting, retries_s=(), settings={"webhook_allow": ""}) as one:
            names[0]["receiver.test"] = [["93.184.216.34"], ["127.0.0.1"]]
            await one.webhooks.expect("job-1", url, OWNER)
            one.end("job-1")
            assert "not public" in (await one.until("job-1", "given-up"))["last_error"]
            assert tls_receiver.messages == [] and tls_receiver.asked_for == []
        async with house(sqlite_database, tls=trusting, settings={"webhook_allow": "receiver.test"}) as listed:
            names[0]["receiver.test"] = ["127.0.0.1"]
            await listed.webhooks.expect("job-2", url, OWNER)
            listed.end("job-2")
            await listed.until("job-2", "delivered")

    asyncio.run(main())


def test_no_proxy_of_the_environment_is_used(sqlite_database, receiver, quick_looks, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    async def main():
        async with house(sqlite_database) as one:
            await one.webhooks.expect("job-1", receiver.url, OWNER)
            one.end("job-1")
            await one.until("job-1", "delivered")

    asyncio.run(main())


def test_a_receiver_that_answers_without_end_is_not_listened_to(sqlite_database, quick_looks):
    sent = itertools.count()

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            while next(sent) < 10_000:
                writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
                await writer.drain()

    async def main():
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server, house(sqlite_database) as one:
            await one.webhooks.expect("job-1", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", OWNER)
            one.end("job-1")
            await one.until("job-1", "delivered")
        assert next(sent) < 10_000

    asyncio.run(main())
