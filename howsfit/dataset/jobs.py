"""Many jobs on one gateway or several: bounded in flight, patient with what passes, each done once whoever is killed when."""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from howsfit.client import ENDED, Client, TryonFailed
from howsfit.dataset.journal import Journal

PATIENCE_S = 300.0
"""How long a gateway may be away, or overloaded, without anything done meanwhile."""

_T = TypeVar("_T")

_ATTEMPTS = 3  # at a job that fails for something that passes, and at what a gateway answers 500 to
_MOST_ERRORS = 5  # that no success lies between: then it is not the pictures
_POLL_S, _PAUSE_S = (0.05, 0.5), (0.1, 10.0)  # the first, and the longest after ever longer ones
_ERROR = 500
_PASSING_STATUS = (408, 425, 429, 502, 503, 504)
_PASSING = ("overloaded", "rate-limited", "quota-reached", "not-ready", "stage-unreachable", "storage-unavailable")
_OF_THE_PICTURE = (413, 422)
"""Refusals of one picture; any other is one of all, but for an _ERROR: that of one, until there are many."""
_OF_ALL = ("weights-missing", "storage-full")


@dataclass(frozen=True)
class Request:
    """What a job is sent."""

    path: str
    files: Mapping[str, bytes]
    options: Mapping[str, Mapping[str, Any]]
    engines: Mapping[str, str]
    commercial: bool = False
    category: str | None = None
    only: Sequence[str] = ()

    def key(self, attempt: int) -> str:
        """The same for the same request, and another for another attempt at it."""
        told = hashlib.sha256(
            json.dumps(
                [self.path, self.options, self.engines, self.commercial, self.category, self.only, attempt],
                sort_keys=True,
            ).encode()
        )
        for name, data in sorted(self.files.items()):
            told.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
        return told.hexdigest()


@dataclass(frozen=True)
class Task:
    """One thing to do, in so many words in the journal."""

    name: str

    request: Callable[[], Request]
    """What to send; reads files."""

    take: Callable[[Client, dict[str, Any]], Awaitable[None]]
    """Fetches and writes all that comes of the job whose document this is. Called once more after a kill in between."""

    done: Callable[[], bool]
    """Whether all of it is written; reads files."""


@dataclass(frozen=True)
class Outcome:
    """What came of a task."""

    name: str
    problem: dict[str, Any] | None = None
    """Why it failed; None: it is done."""

    there: bool = False
    """All of it was there already."""


class Unfit(Exception):
    """A picture that need not be sent: what is wrong with it, and what to do about that."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = {"code": code, "detail": detail}


class Stopped(ValueError):
    """Nothing further can be done now; what was begun is gone on with by the same command."""


Told = Callable[[Outcome], None]


async def run(
    tasks: Iterable[Task],
    gateways: Mapping[str, Client],
    journal: Journal,
    in_flight: int,
    told: Told,
    patience_s: float = PATIENCE_S,
) -> None:
    """Do all tasks, so many at a time on each gateway. told: called with each as it ends.

    gateways: address -> client. What was begun at one of them is gone on with there.
    Raises Stopped when all gateways are out of reach for so long, or one refuses what all jobs ask for.
    """
    left = _Left(tasks)
    workers = [
        asyncio.create_task(_Worker(address, gateways, journal, told, patience_s).work(left))
        for address in gateways
        for _ in range(in_flight)
    ]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    if left.given_back:
        raise Stopped(f"{left.why} Run the same command again when it is there: it goes on where it was.")


class _Left:
    """The tasks that are left, and what all workers know of the gateways."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self._under_way = 0
        self._changed = asyncio.Condition()
        self.given_back: list[Task] = []
        self.away: set[str] = set()
        """Gateways that were waited for in vain."""
        self.why = ""
        """The last of them, and what is known of it."""
        self.errors = 0
        """Tasks that came to an _ERROR, one after the other."""

    async def next(self) -> Task | None:
        """None once no task is left, nor under way: one of those may be given back."""
        async with self._changed:
            while (task := self._next()) is None and self._under_way:
                await self._changed.wait()
            self._under_way += task is not None
            return task

    async def ended(self, given_back: Task | None = None) -> None:
        """A task that was got from here ended, or is to be done by another worker."""
        async with self._changed:
            self._under_way -= 1
            self.given_back += [given_back] if given_back else []
            self._changed.notify_all()

    def _next(self) -> Task | None:
        return self.given_back.pop() if self.given_back else next(self._tasks, None)


def _named(address: str) -> str:
    return f"The gateway {address}" if address else "The gateway in this process"


class _Away(Exception):
    """A gateway was out of reach, or overloaded, longer than anybody waits."""


class _Worker:
    """Does one task after the other at one gateway."""

    def __init__(
        self, address: str, gateways: Mapping[str, Client], journal: Journal, told: Told, patience_s: float
    ) -> None:
        self._address, self._gateways, self._journal, self._told = address, gateways, journal, told
        self._patience_s = patience_s

    async def work(self, left: _Left) -> None:
        while (task := await left.next()) is not None:
            begun = self._journal.entry(task.name)
            if not begun.job and await asyncio.to_thread(task.done):
                self._told(Outcome(task.name, there=True))
                await left.ended()
                continue
            there = begun.job and begun.url in self._gateways and begun.url not in left.away
            address = begun.url if there else self._address
            try:
                problem = await self._do(task, address)
            except _Away as error:
                left.away.add(address)
                left.why = f"{_named(address)} is away ({error})."
                await left.ended(given_back=task)
                if address == self._address:
                    return
                continue
            except TryonFailed as refusal:
                problem = self._error_of(refusal, left, address)
                self._journal.failed(task.name, problem)
            else:
                left.errors = left.errors if problem else 0
            self._told(Outcome(task.name, problem))
            await left.ended()

    def _error_of(self, refusal: TryonFailed, left: _Left, address: str) -> dict[str, Any]:
        """A refusal that may be one of this picture alone. Raises Stopped for one of all."""
        if refusal.problem.get("status") != _ERROR:
            raise Stopped(f"{_named(address)} refuses it: {refusal}") from None
        left.errors += 1
        if left.errors > _MOST_ERRORS:
            raise Stopped(
                f"{_named(address)} is broken: {refusal} See its log. Run the same command again when it works, with "
                "--retry: it goes on where it was."
            ) from None
        return refusal.problem

    async def _do(self, task: Task, address: str) -> dict[str, Any] | None:
        """Returns why it failed, None where it is done. Raises _Away, and TryonFailed for what is no picture's fault."""
        client, name = self._gateways[address], task.name
        for attempt in range(_ATTEMPTS):
            try:
                document = await self._begun(task, client, address, attempt)
                if document is None:
                    self._journal.forgotten(name)
                    return None
            except (TryonFailed, Unfit) as refusal:
                if isinstance(refusal, TryonFailed) and refusal.problem.get("status") not in _OF_THE_PICTURE:
                    raise
                self._journal.failed(name, refusal.problem)
                return refusal.problem
            document = await self._ended(client, document)
            if document["status"] == "succeeded":
                await self._patiently(partial(task.take, client, document))
                await self._patiently(partial(client.forget, document["id"]))
                self._journal.forgotten(name)
                return None
            problem: dict[str, Any] = document["error"] or {"code": "canceled", "detail": "It was canceled."}
            if problem.get("code") in _OF_ALL:
                raise TryonFailed(problem)
            self._journal.failed(name, problem)
            await self._patiently(partial(client.forget, document["id"]))
            if problem.get("code") not in _PASSING:
                break
            await asyncio.sleep(_PAUSE_S[0] * 2**attempt)
        return problem

    async def _begun(self, task: Task, client: Client, address: str, attempt: int) -> dict[str, Any] | None:
        """The job's document: of the one that was begun, if the gateway still knows it. None for one that was forgotten, since
        all of it is written."""
        entry = self._journal.entry(task.name)
        if entry.job and entry.url == address:
            try:
                return await self._patiently(lambda: client.job(entry.job))
            except TryonFailed as gone:
                if gone.problem.get("status") != 404:
                    raise
                if task.done():
                    return None
        request = await asyncio.to_thread(task.request)
        document = await self._patiently(
            lambda: client.start(
                request.path,
                request.files,
                request.options,
                request.engines,
                request.commercial,
                request.category,
                request.only,
                request.key(len(entry.failures) + attempt),
            )
        )
        self._journal.began(task.name, address, document["id"])
        return document

    async def _ended(self, client: Client, document: dict[str, Any]) -> dict[str, Any]:
        pause = _POLL_S[0]
        while document["status"] not in ENDED:
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, _POLL_S[1])
            document = await self._patiently(partial(client.job, document["id"]))
        return document

    async def _patiently(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Once more while the gateway is out of reach, or says that it cannot just now; a few times after an error of its own.
        Raises _Away."""
        import httpx

        give_up, pause = time.monotonic() + self._patience_s, _PAUSE_S[0]
        errors = 0
        while True:
            try:
                return await call()
            except httpx.TransportError as error:
                why = str(error) or type(error).__name__
            except TryonFailed as refusal:
                status = refusal.problem.get("status")
                errors += status == _ERROR
                passes = status in _PASSING_STATUS and refusal.problem.get("code") not in _OF_ALL
                if not passes and (status != _ERROR or errors == _ATTEMPTS):
                    raise
                why = str(refusal)
            if time.monotonic() > give_up:
                raise _Away(why)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_S[1])
