"""Webhooks: a signed message to whoever asked for one when a job has ended, as Standard Webhooks has it.

The body is {"type": "tryon.succeeded", "timestamp": when it ended, "data": its document}. An attempt counts as delivered with
any 2xx; otherwise it is repeated up to five times. Receivers may get the same message twice, for one, when the gateway is
killed just after sending: it has the same webhook-id then, by which they must tell. A job that is retried and ends again makes
a new message.
"""

import asyncio
import contextlib
import functools
import hashlib
import json
import logging
import random
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypedDict, cast

import httpx
from sqlalchemy import Column, Connection, Float, Integer, Row, String, Table, Text, and_, delete, or_, select, update

from gateway.errors import GatewayError, IdempotencyConflict, NotFound, WebhookRefused
from gateway.metrics import Metrics
from gateway.outgoing.addresses import WEBHOOKS, Addresses, Destination
from gateway.outgoing.calling import calling
from gateway.settings import Settings
from gateway.storage.database import Database, metadata, now
from gateway.webhooks.signing import Signer

log = logging.getLogger("howsfit.gateway")

webhooks = Table(
    "howsfit_webhooks",
    metadata,
    Column("job_id", String(200), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("expected_at", Float, nullable=False),
    # The end that the message tells of, or that the last one told of: ISO 8601.
    Column("ended_at", String(40)),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    # When somebody must look at it; while one does: when another takes over. NULL: nothing is left to do.
    Column("due_at", Float, index=True),
    Column("claim", String(32)),
)

RETRIES_S = (5.0, 30.0, 120.0, 600.0, 1800.0)
"""Pause after each failed attempt but the last; a fifth more or less, so that many do not come at once."""

LONGEST_RETRY_AFTER_S = 3600.0
TIMEOUT_S = 10.0
"""Of an attempt, with all that belongs to it."""

LOOK_S = 1.0
LONGEST_LOOK_S = 10.0
"""Jobs are asked for less often the longer they take: every tenth of that time."""

WOKEN_LOOK_S, WOKEN_S = 0.2, 10.0
"""wake() may come a moment before the job's end is written down."""

UNKNOWN_S = 600.0
"""So long a job may be unknown: it is expected before it is enqueued."""

LEASE_S = 30.0
"""After so long a message that a gateway took passes on to others. Longer than an attempt."""

AT_ONCE = 16
"""Messages under way in one gateway."""

STOP_S = 3.0
"""How long stop() lets messages under way come to an end."""

State = Literal["waiting", "delivered", "retrying", "given-up"]


@dataclass(frozen=True)
class Ended:
    """The end of a job."""

    type: str
    """Of the event: KIND.STATE, for example tryon.succeeded."""
    at: datetime
    """When it ended. Another time means another end: a new message."""
    document: dict[str, Any]
    """What JSON can say."""


class Delivery(TypedDict):
    """What became of a webhook so far, for the document of its job."""

    url: str
    state: State
    attempts: int
    last_error: str | None


class Webhooks:
    """All webhooks of the gateways on one database; each delivers what is due, one of them at a time."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        metrics: Metrics,
        *,
        ended: Callable[[str], Awaitable[Ended | None]],
        retries_s: tuple[float, ...] = RETRIES_S,
        timeout_s: float = TIMEOUT_S,
        lease_s: float = LEASE_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """ended: how a job ended; None while it is under way; raises NotFound when there is no such job. tls: default: the
        usual authorities, or those of SSL_CERT_FILE. Raises ValueError for settings that cannot be used.
        """
        secret = settings.webhook_secret
        self._signer = Signer(secret.get_secret_value() if secret else "")
        self._addresses = Addresses(settings.webhook_allow, WEBHOOKS)
        self._database = database
        self._metrics = metrics
        self._ended = ended
        self._retries_s = retries_s
        self._timeout_s = timeout_s
        self._lease_s = lease_s
        self._tls = tls or httpx.create_ssl_context()
        self._running: set[asyncio.Task[None]] = set()  # each named for its job
        self._woken: dict[str, float] = {}  # job id -> until when to look for its end, by the monotonic clock
        self._news = asyncio.Event()
        self._deliverer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Deliver from now on, also what was left. Nothing happens without HOWSFIT_WEBHOOK_SECRET."""
        if self._signer:
            self._deliverer = asyncio.create_task(self._deliver())

    async def stop(self) -> None:
        """Deliver no more. What is left goes on when this gateway is back, or at another one."""
        if self._deliverer is not None:
            self._deliverer.cancel()
            await asyncio.gather(self._deliverer, return_exceptions=True)
        running = list(self._running)
        if running:
            await asyncio.wait(running, timeout=STOP_S)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._addresses.close()

    def secret_for(self, owner: str) -> str:
        """What this owner checks signatures with: `whsec_…`. Raises WebhookRefused."""
        self._need_secret()
        return self._signer.secret_for(owner)

    async def expect(self, job_id: str, url: str, owner: str) -> None:
        """A message shall go to the URL when the job has ended. Call it before the job is enqueued, so that none is missed.

        Nothing happens if it is expected there already. Raises WebhookRefused, IdempotencyConflict, StorageUnavailable.
        """
        self._need_secret()
        url = str((await self._addresses.check(url)).url)
        row = {"job_id": job_id, "owner": owner, "url": url, **_waiting()}

        def write(connection: Connection) -> str:
            connection.execute(self._database.insert(webhooks).values(row).on_conflict_do_nothing())
            return str(connection.execute(select(webhooks.c.url).where(webhooks.c.job_id == job_id)).scalar_one())

        if await self._database.transact(write) != url:
            raise IdempotencyConflict(
                f"'{job_id}' has a webhook to another address already. Use a new Idempotency-Key for another webhook."
            )

    async def expect_again(self, job_id: str) -> None:
        """The job is about to run again: a message shall go out at its new end, and none any more about the old one.

        Call it when it is certain that the job may be retried, just before it is. Nothing happens if it has no webhook.
        Raises NotFound, StorageUnavailable.
        """
        if await self.of(job_id) is None:
            return
        last = await self._ended(job_id)
        values = _waiting() | ({"ended_at": _iso(last.at)} if last else {})
        again = update(webhooks).where(webhooks.c.job_id == job_id).values(values)
        await self._database.transact(lambda c: c.execute(again))

    def wake(self, job_id: str) -> None:
        """A hint: this job ended just now, so its message need not wait for the next look. Call it in the event loop."""
        if self._deliverer is not None:
            self._woken[job_id] = time.monotonic() + WOKEN_S
            self._news.set()

    async def of(self, job_id: str) -> Delivery | None:
        """How far it has come, or None without one. Raises StorageUnavailable."""
        query = select(webhooks.c.url, webhooks.c.state, webhooks.c.attempts, webhooks.c.last_error)
        row = await self._database.transact(lambda c: c.execute(query.where(webhooks.c.job_id == job_id)).first())
        return None if row is None else cast(Delivery, row._asdict())

    async def forget(self, job_id: str) -> None:
        """The job is deleted: no message goes out any more. Raises StorageUnavailable."""
        await self._database.transact(lambda c: c.execute(delete(webhooks).where(webhooks.c.job_id == job_id)))

    def _need_secret(self) -> None:
        if not self._signer:
            raise WebhookRefused("This gateway sends no webhooks. Its operator can set HOWSFIT_WEBHOOK_SECRET.")

    async def _deliver(self) -> None:
        """Take what is due, and look after each in a task of its own, so that slow receivers hold up nobody."""
        while True:
            self._news.clear()
            woken = list(self._woken)
            claim = functools.partial(self._claim, woken, AT_ONCE - len(self._running))
            try:
                for row in await self._database.transact(claim):
                    task = asyncio.create_task(self._look_after(row), name=row.job_id)
                    self._running.add(task)
                    task.add_done_callback(self._done)
            except GatewayError as error:
                log.warning("webhooks: %s", error)
            except Exception:
                log.exception("webhooks: trying again in %.0f s", LOOK_S)
            self._let_sleep(woken)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), WOKEN_LOOK_S if self._woken else LOOK_S)

    def _let_sleep(self, woken: list[str]) -> None:
        """Of these, those of which no end came in time, and those that were not taken: they have no webhook to send."""
        running = {task.get_name() for task in self._running}
        for job_id in woken:
            if job_id not in running or self._woken.get(job_id, 0.0) < time.monotonic():
                self._woken.pop(job_id, None)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.remove(task)
        if len(self._running) == AT_ONCE - 1:
            self._news.set()

    def _claim(self, woken: list[str], limit: int, connection: Connection) -> Sequence[Row[Any]]:
        """Take some of what is due, by the database's clock; nobody else gets these before the lease is over."""
        # As a subquery: PostgreSQL would not use the index for a clock that it has to read again for each row.
        due = webhooks.c.due_at <= select(now()).scalar_subquery()
        if woken:
            early = and_(webhooks.c.job_id.in_(woken), webhooks.c.claim.is_(None), webhooks.c.state == "waiting")
            due = or_(due, early)
        # First attempts go first: receivers that are away must not hold up those that are there.
        some = select(webhooks.c.job_id).where(due).order_by(webhooks.c.attempts, webhooks.c.due_at)
        job_ids = connection.execute(some.limit(limit).with_for_update(skip_locked=True)).scalars().all()
        if not job_ids:
            return []
        claim = update(webhooks).where(webhooks.c.job_id.in_(job_ids))
        claim = claim.values(claim=uuid.uuid4().hex, due_at=now() + self._lease_s)
        return connection.execute(claim.returning(*webhooks.c, now().label("now"))).all()

    async def _look_after(self, row: Row[Any]) -> None:
        try:
            values = await self._next(row)
            # Unless it was taken over, expected again, or forgotten in between.
            still = webhooks.c.job_id == row.job_id, webhooks.c.claim == row.claim
            change = update(webhooks).where(*still).values(values | {"claim": None})
            await self._database.transact(lambda c: c.execute(change if values else delete(webhooks).where(*still)))
        except GatewayError as error:
            log.warning("webhook is tried again in %.0f s: %s", self._lease_s, error, extra={"job": row.job_id})
        except Exception:
            log.exception("webhook failed, trying again in %.0f s", self._lease_s, extra={"job": row.job_id})

    async def _next(self, row: Row[Any]) -> dict[str, Any]:
        """Send the message if the job has ended. Returns what to write down; nothing when the job is gone."""
        age_s = row.now - row.expected_at
        later = {"due_at": now() + min(max(age_s / 10, LOOK_S), LONGEST_LOOK_S)}
        try:
            end = await self._ended(row.job_id)
        except NotFound:
            return later if age_s < UNKNOWN_S else {}
        if end is None or (row.state == "waiting" and row.ended_at == _iso(end.at)):  # that one is told already
            return later
        self._woken.pop(row.job_id, None)
        attempts = row.attempts + 1 if row.ended_at == _iso(end.at) else 1
        error, retry_after_s = await self._attempt(row, end)
        state: State = "delivered" if error is None else "retrying"
        if error is not None and (retry_after_s is None or attempts > len(self._retries_s)):
            state = "given-up"
        self._metrics.observe_webhook(state)
        values = {"state": state, "attempts": attempts, "last_error": error, "ended_at": _iso(end.at), "due_at": None}
        if state == "retrying":
            pause_s = self._retries_s[attempts - 1] * random.uniform(0.8, 1.2)
            values["due_at"] = now() + max(pause_s, retry_after_s or 0.0)
        log.info("webhook %s %s", state, error or "", extra={"job": row.job_id, "attempt": attempts})
        return values

    async def _attempt(self, row: Row[Any], end: Ended) -> tuple[str | None, float | None]:
        """Send it once. Returns what was wrong, or None, and how long to wait before the next attempt, or None for never."""
        event = {"type": end.type, "timestamp": _iso(end.at), "data": end.document}
        body = json.dumps(event, separators=(",", ":")).encode()
        headers = self._signer.headers(row.owner, _message_id(row.job_id, end), int(time.time()), body)
        try:
            async with asyncio.timeout(self._timeout_s):
                destination = await self._addresses.check(row.url)
                answer = await self._post(destination, body, headers)
        except WebhookRefused as error:
            return error.detail, 0.0
        except (TimeoutError, httpx.TimeoutException):
            return f"The receiver did not answer within {self._timeout_s:g} s.", 0.0
        except httpx.HTTPError as error:
            return f"The receiver cannot be reached ({str(error)[:300] or type(error).__name__}).", 0.0
        except Exception:  # counted, too: else it would be tried for ever
            log.exception("webhook cannot be sent", extra={"job": row.job_id})
            return "The message cannot be sent, by an internal error.", 0.0
        if answer.is_success:
            return None, None
        if answer.status_code == 410:
            return "The receiver answered 410: it wants no more.", None
        redirected = ", and redirects are not followed" if answer.is_redirect else ""
        return f"The receiver answered {answer.status_code}{redirected}.", _retry_after_s(answer)

    async def _post(self, destination: Destination, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Send it. Of the answer only status and headers are read."""
        about = {"content-type": "application/json", "user-agent": "howsfit-webhooks/1"}
        async with calling(
            "POST", destination, tls=self._tls, timeout_s=self._timeout_s, headers=headers | about, content=body
        ) as answer:
            return answer


def _waiting() -> dict[str, Any]:
    values = {"state": "waiting", "expected_at": now(), "attempts": 0, "last_error": None}
    return values | {"due_at": now() + LOOK_S, "claim": None}


def _message_id(job_id: str, end: Ended) -> str:
    """The same for every attempt to tell of this end, whoever makes it."""
    return "msg_" + hashlib.sha256(f"{job_id} {_iso(end.at)}".encode()).hexdigest()[:32]


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _retry_after_s(answer: httpx.Response) -> float:
    """Seconds that a receiver under load asks for, within reason; 0 without."""
    text = answer.headers.get("retry-after", "") if answer.status_code in (429, 503) else ""
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_S)
    with contextlib.suppress(ValueError):  # no date either
        return min(max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0), LONGEST_RETRY_AFTER_S)
    return 0.0
