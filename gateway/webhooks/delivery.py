"""Webhooks: a signed message to whoever asked for one when a job has ended, as Standard Webhooks has it.

The body is {"type": "tryon.succeeded", "timestamp": when it ended, "data": its document}. An attempt counts as delivered with
any 2xx; otherwise it is repeated up to five times. Receivers may get the same message twice, for one, when the gateway is
killed just after sending: it has the same webhook-id then, by which they must tell. A job that is retried and ends again makes
a new message.

Who wants to is told of what happens before, too (news.py). One gateway at a time sends the messages of a job, in order. One
that failed does not hold up those behind it: it is sent again before the next of them, until one that is newer has arrived.
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
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypedDict, cast

import httpx
from sqlalchemy import Column, Connection, Float, Integer, Row, String, Table, Text, and_, delete, or_, select, update
from sqlalchemy.sql import ColumnElement

from gateway.errors import GatewayError, IdempotencyConflict, NotFound, WebhookRefused
from gateway.metrics import Metrics
from gateway.outgoing.addresses import WEBHOOKS, Addresses, Destination
from gateway.outgoing.calling import calling
from gateway.settings import Settings
from gateway.storage.database import Database, metadata, now
from gateway.webhooks.news import AT_THE_END, EVENTS, News, NewsLog, Noted, WebhookEvent
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
    # Of which events it is told, separated by commas.
    Column("events", String(60), nullable=False, server_default=",".join(AT_THE_END)),
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

NEWS_WOKEN_S = 1.0
"""News are written down before; but the job may just be looked after."""

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


@dataclass(frozen=True)
class _Message:
    """What a receiver is told."""

    id: str
    type: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class _Outcome:
    """Of an attempt to deliver a message."""

    state: State
    error: str | None
    pause_s: float
    """Until the next attempt, if there is one."""
    unwanted: bool
    """The receiver wants no more."""


class _TakenOver(Exception):
    """The webhook is no longer this gateway's to look after: it was forgotten, is expected again, or was taken over."""


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
        standing: Callable[[str], Awaitable[dict[str, Any]]],
        retries_s: tuple[float, ...] = RETRIES_S,
        timeout_s: float = TIMEOUT_S,
        lease_s: float = LEASE_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """ended: how a job ended; None while it is under way. standing: its document as it stands. Both raise NotFound when
        there is no such job. tls: default: the usual authorities, or those of SSL_CERT_FILE. Raises ValueError for settings
        that cannot be used.
        """
        secret = settings.webhook_secret
        self._signer = Signer(secret.get_secret_value() if secret else "")
        self._addresses = Addresses(settings.webhook_allow, WEBHOOKS)
        self._database = database
        self._metrics = metrics
        self._news_log = NewsLog(database)
        self._ended = ended
        self._standing = standing
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

    async def expect(self, job_id: str, url: str, owner: str, events: Collection[WebhookEvent] = AT_THE_END) -> None:
        """Messages shall go to the URL: when the job has ended, or of these events. Call it before the job is enqueued, so that
        none is missed.

        Nothing happens if they are expected there already. Raises WebhookRefused, IdempotencyConflict, StorageUnavailable.
        """
        self._need_secret()
        url = str((await self._addresses.check(url)).url)
        wanted = url, ",".join(event for event in EVENTS if event in events)
        row = {"job_id": job_id, "owner": owner, "url": url, "events": wanted[1], **_waiting()}

        def write(connection: Connection) -> tuple[str, str]:
            connection.execute(self._database.insert(webhooks).values(row).on_conflict_do_nothing())
            there = select(webhooks.c.url, webhooks.c.events).where(webhooks.c.job_id == job_id)
            found = connection.execute(there).one()
            return found.url, found.events

        if await self._database.transact(write) != wanted:
            raise IdempotencyConflict(
                f"'{job_id}' has another webhook already: another address, or other events. Use a new Idempotency-Key for "
                "another one."
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

        def write(connection: Connection) -> None:
            connection.execute(update(webhooks).where(webhooks.c.job_id == job_id).values(values))
            self._news_log.all_done(connection, job_id)

        await self._database.transact(write)

    async def note(self, job_id: str, news: News) -> None:
        """Something happened before the job's end: whoever wants to is told of it. Noted twice, it is told once. Nothing
        happens when nobody wants to, or the end is told already. Raises StorageUnavailable.
        """
        waiting = select(webhooks.c.events).where(webhooks.c.job_id == job_id, webhooks.c.state == "waiting")

        def wanted(connection: Connection) -> bool:
            events = connection.execute(waiting).scalar() or ""
            return news.event in events.split(",") and not self._news_log.has(connection, job_id, news)

        if not await self._database.transact(wanted):
            return
        data = None
        with contextlib.suppress(NotFound):  # what is ordered together is written down after the first of it may begin
            data = await self._standing(job_id)
        await self._database.transact(lambda c: self._news_log.note(c, job_id, news, data, waiting.exists()))
        self.wake(job_id, NEWS_WOKEN_S)

    def wake(self, job_id: str, for_s: float = WOKEN_S) -> None:
        """A hint: this job ended just now, so its message need not wait for the next look. Call it in the event loop.

        for_s: how long to look for it.
        """
        if self._deliverer is not None:
            self._woken[job_id] = max(self._woken.get(job_id, 0.0), time.monotonic() + for_s)
            self._news.set()

    async def of(self, job_id: str) -> Delivery | None:
        """How far it has come, or None without one. Raises StorageUnavailable."""
        query = select(webhooks.c.url, webhooks.c.state, webhooks.c.attempts, webhooks.c.last_error)
        row = await self._database.transact(lambda c: c.execute(query.where(webhooks.c.job_id == job_id)).first())
        return None if row is None else cast(Delivery, row._asdict())

    async def forget(self, job_id: str) -> None:
        """The job is deleted: no message goes out any more. Raises StorageUnavailable."""

        def write(connection: Connection) -> None:
            connection.execute(delete(webhooks).where(webhooks.c.job_id == job_id))
            self._news_log.forget(connection, job_id)

        await self._database.transact(write)

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
            change = update(webhooks).where(*_still(row)).values(values | {"claim": None})
            gone = delete(webhooks).where(*_still(row))
            await self._database.transact(lambda c: c.execute(change if values else gone))
        except _TakenOver:
            log.info("webhook is looked after elsewhere", extra={"job": row.job_id})
        except GatewayError as error:
            log.warning("webhook is tried again in %.0f s: %s", self._lease_s, error, extra={"job": row.job_id})
        except Exception:
            log.exception("webhook failed, trying again in %.0f s", self._lease_s, extra={"job": row.job_id})

    async def _next(self, row: Row[Any]) -> dict[str, Any]:
        """Send what is to be told now. Returns what to write down; nothing when the job is gone."""
        age_s = row.now - row.expected_at
        look_s = min(max(age_s / 10, LOOK_S), LONGEST_LOOK_S)
        try:
            end = await self._ended(row.job_id)
        except NotFound:
            return {"due_at": now() + look_s} if age_s < UNKNOWN_S else {}
        if end is not None and row.state == "waiting" and row.ended_at == _iso(end.at):
            end = None  # that one is told already
        if end is not None:
            self._woken.pop(row.job_id, None)
        pending = await self._pending(row.job_id)
        last = None
        if end is not None or any(each.due_in_s <= 0 for each in pending):
            last = await self._tell_news(row, pending)
            pending = await self._pending(row.job_id)
        if last is not None and last.unwanted:
            return {"state": "given-up", "last_error": last.error, "due_at": None}
        if end is not None and "ended" in row.events.split(","):
            if last is not None:
                await self._renew(row)
            return await self._tell_end(row, end)
        said = {} if last is None else {"last_error": last.error}
        soonest_s = max(min((each.due_in_s for each in pending), default=look_s), 0.0)
        if end is None:
            return said | {"due_at": now() + min(look_s, soonest_s)}
        # It was to be told only of what came before.
        state: State = "retrying" if pending else "delivered" if last is None else last.state
        return said | {"state": state, "ended_at": _iso(end.at), "due_at": now() + soonest_s if pending else None}

    async def _tell_news(self, row: Row[Any], pending: Sequence[Noted]) -> _Outcome | None:
        """Send each once more, in order. Returns what became of the last one that was sent."""
        outcome = None
        for number, noted in enumerate(pending, 1):
            if outcome is not None:
                await self._renew(row)
            data = await self._standing(row.job_id) if noted.data is None else noted.data
            message = _Message(_message_id(row.job_id, f"{noted.type} {noted.which}"), noted.type, noted.at, data)
            outcome = await self._send(row, message, noted.attempts + 1)
            if outcome.unwanted:
                change = functools.partial(self._news_log.all_done, job_id=row.job_id)
            elif outcome.state == "delivered":  # those before it would come too late
                change = functools.partial(self._news_log.done, job_id=row.job_id, told=pending[:number])
            elif outcome.state == "given-up":
                change = functools.partial(self._news_log.done, job_id=row.job_id, told=[noted])
            else:
                change = functools.partial(
                    self._news_log.put_off, job_id=row.job_id, noted=noted, pause_s=outcome.pause_s
                )
            await self._database.transact(change)
            if outcome.unwanted:
                break
        return outcome

    async def _tell_end(self, row: Row[Any], end: Ended) -> dict[str, Any]:
        """Send it once. Returns what to write down."""
        attempts = row.attempts + 1 if row.ended_at == _iso(end.at) else 1
        message = _Message(_message_id(row.job_id, _iso(end.at)), end.type, end.at, end.document)
        outcome = await self._send(row, message, attempts)
        values = {"state": outcome.state, "attempts": attempts, "last_error": outcome.error, "ended_at": _iso(end.at)}
        if outcome.state == "retrying":
            return values | {"due_at": now() + outcome.pause_s}
        await self._database.transact(lambda c: self._news_log.all_done(c, row.job_id))
        return values | {"due_at": None}

    async def _pending(self, job_id: str) -> list[Noted]:
        return await self._database.transact(lambda c: self._news_log.pending(c, job_id))

    async def _renew(self, row: Row[Any]) -> None:
        """Before a further message: the lease begins anew. Raises _TakenOver."""
        renewed = update(webhooks).where(*_still(row)).values(due_at=now() + self._lease_s)
        if not await self._database.transact(lambda c: c.execute(renewed).rowcount):
            raise _TakenOver

    async def _send(self, row: Row[Any], message: _Message, attempts: int) -> _Outcome:
        """Send it once, and count it. attempts: with this one."""
        error, retry_after_s = await self._attempt(row, message)
        state: State = "delivered" if error is None else "retrying"
        if error is not None and (retry_after_s is None or attempts > len(self._retries_s)):
            state = "given-up"
        self._metrics.observe_webhook(state)
        log.info("webhook %s %s %s", message.type, state, error or "", extra={"job": row.job_id, "attempt": attempts})
        pause_s = self._retries_s[attempts - 1] * random.uniform(0.8, 1.2) if state == "retrying" else 0.0
        unwanted = error is not None and retry_after_s is None
        return _Outcome(state, error, max(pause_s, retry_after_s or 0.0), unwanted)

    async def _attempt(self, row: Row[Any], message: _Message) -> tuple[str | None, float | None]:
        """Send it once. Returns what was wrong, or None, and how long to wait before the next attempt, or None for never."""
        event = {"type": message.type, "timestamp": _iso(message.at), "data": message.data}
        body = json.dumps(event, separators=(",", ":")).encode()
        headers = self._signer.headers(row.owner, message.id, int(time.time()), body)
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


def _still(row: Row[Any]) -> tuple[ColumnElement[bool], ...]:
    """Unless it was taken over, expected again, or forgotten in between."""
    return webhooks.c.job_id == row.job_id, webhooks.c.claim == row.claim


def _message_id(job_id: str, what: str) -> str:
    """The same for every attempt to tell of this, whoever makes it. what: the time of an end, or which news."""
    return "msg_" + hashlib.sha256(f"{job_id} {what}".encode()).hexdigest()[:32]


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
