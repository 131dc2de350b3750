"""Whether more jobs are taken: their stages could do them, and there is room."""

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from gateway.cluster.graph import GOAL, RESULTS
from gateway.cluster.watch import Cluster, not_ready
from gateway.errors import BadRequest, QuotaReached, TooManyTryons
from gateway.jobs.durable import Durable
from gateway.storage.cache import StageCache
from gateway.tryons.orders import Kind, Order
from gateway.tryons.outfits import check_given

BASIS: dict[Kind, str] = {"tryon": GOAL, "person": "person", "cloth": "cloth"}
"""The artifact that must come to be, or be given, in a job of each kind."""


class Admission:
    """The door of the job queue."""

    def __init__(self, cluster: Cluster, cache: StageCache, durable: Durable, max_waiting: int) -> None:
        """max_waiting: jobs that may wait in the queue, of all owners."""
        self._cluster = cluster
        self._cache = cache
        self._durable = durable
        self._max_waiting = max_waiting
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def check_stages(self, begin: Mapping[str, str], order: Order, kind: Kind) -> None:
        """Whether such a job can be done now: it begins with all that it needs, its stages take its options, and each of them
        could start, or did its part before.

        begin: artifact name -> digest. A stage that is merely away may be back when its turn comes.
        Raises StageNotReady, BadEngine, BadOption, NotCommercial, UnsupportedCategory, BadRequest.
        """
        plan = self._cluster.plan(begin, replace(order.wishes, dress=kind == "tryon"))
        if missing := plan.graph.missing(BASIS[kind], begin):
            raise BadRequest(
                f"'{missing[0]}' is missing. Send the picture as a file (curl -F {missing[0]}=@FILE), or '{missing[0]}_id', "
                "the id of an image from POST /v1/images; or bring what would be made of it, as artifacts.NAME."
            )
        made = {name for stage in plan.stages for name in plan.graph.stages[stage].outputs} - begin.keys()
        if lacking := [name for name in order.wishes.only if name not in made]:
            raise BadRequest(
                f"Nothing is left to do for '{lacking[0]}' in `only`: it was sent along, or is not made of what was."
            )
        if not (made & set(RESULTS) if kind == "tryon" else made):
            raise BadRequest("Nothing is left to do: what the stages would make of it was sent along.")
        if order.further:
            check_given(plan.graph, begin)
        failed = plan.failed()
        if not failed:
            return
        known = {} if order.no_store else await self._cache.follow(plan.chain(), begin, tenant=order.owner)
        for client in failed:
            if client.name not in known:
                raise not_ready(client)

    @contextlib.asynccontextmanager
    async def room(self, order: Order, jobs: int = 1) -> AsyncIterator[None]:
        """Room for so many more jobs, to be accepted within. Raises TooManyTryons, QuotaReached.

        An owner with a quota is let in one request at a time, or several at once would all find the same room. Another
        gateway does not know of it: with N gateways, N requests at the same moment may exceed the quota by N - 1 of them.
        """
        turn = self._turns.setdefault(order.owner, asyncio.Lock())
        async with contextlib.nullcontext() if order.quota is None else turn:
            await self._check_room(order, jobs)
            yield

    async def _check_room(self, order: Order, jobs: int) -> None:
        room = self._max_waiting + 1 - await self._durable.count(("queued",), self._max_waiting + 1)
        if jobs > room:
            raise TooManyTryons("Too many try-ons wait already. Try again in a minute.", retry_after_s=60)
        if order.quota is not None:
            under_way = await self._durable.count(("queued", "processing"), order.quota, order.owner)
            if under_way + jobs > order.quota:
                raise QuotaReached(
                    f"At most {order.quota} try-ons may be under way for you at the same time; {under_way} are. "
                    "Wait until one ends, or cancel one.",
                    retry_after_s=10,
                )
