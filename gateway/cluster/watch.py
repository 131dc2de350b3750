"""The cluster: all stages, watched over, with their fallbacks and the graph that they make.

The gateway needs none of them to start. It looks at each again and again, learns the graph from those that answer, and
notices by itself when one that was away, or lacked its weights, is ready.
"""

import asyncio
import contextlib
import logging
import time
from collections import ChainMap
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import Any

from gateway.cluster.graph import Declaration, StageGraph
from gateway.cluster.plan import Plan, Wishes
from gateway.cluster.stages import SEED, STARTING, StageClient
from gateway.errors import BadEngine, NotCommercial, StageNotReady, StartupError, UnsupportedCategory
from gateway.settings import Settings
from stagekit.errors import BadOption
from stagekit.wire import shown

log = logging.getLogger("howsfit.gateway")

POLL_S = 0.25
"""Between two looks at a stage that is not ready, while the cluster starts."""

REPEAT_S = 2.0
"""The same later on."""

WATCH_S = 5.0
"""Between two looks at one that is ready."""


class Cluster:
    """All stages by name, each served by its own engine, or by its fallback where that cannot start."""

    def __init__(self, settings: Settings, apps: Mapping[str, Any]) -> None:
        """apps: ASGI apps for inproc:// addresses. Raises StartupError for an address that cannot be used."""
        self._startup_s = settings.startup_timeout_s
        self._chosen, self._fallbacks = (
            {name: StageClient(name, address, apps, settings.stage_timeout_s) for name, address in addresses.items()}
            for addresses in (settings.stages, settings.fallbacks)
        )
        self._others = {
            name: {e: StageClient(name, address, apps, settings.stage_timeout_s) for e, address in engines.items()}
            for name, engines in settings.engines.items()
        }
        self._further = [client for engines in self._others.values() for client in engines.values()]
        self.clients = dict(self._chosen)
        """Stage name -> what serves it now."""
        self.graph = StageGraph([], partial=True)
        """Of the stages that are known so far."""
        self._declared: list[Declaration] = []
        self._wrong: str | None = None
        self._told: dict[str, str | None] = {}
        self._starting_until = 0.0
        self._watching: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to look."""
        self._starting_until = time.monotonic() + self._startup_s
        self._watching = [
            *(asyncio.create_task(self._watch(name)) for name in self._chosen),
            *(asyncio.create_task(self._watch_other(client)) for client in self._further),
        ]

    async def close(self) -> None:
        """Look no more, and close all connections."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        everybody = (*self._chosen.values(), *self._fallbacks.values(), *self._further)
        await asyncio.gather(*(client.close() for client in everybody))

    def whole_graph(self) -> StageGraph:
        """The graph of all stages. Raises StageNotReady while one of them is unknown, or they do not fit together."""
        for client in self.clients.values():
            if not client.info:
                raise not_ready(client)
        if self._wrong is not None:
            raise StageNotReady(self._wrong)
        return self.graph

    async def wait_until_ready(self) -> None:
        """Until all stages are, and the further engines, too, or cannot start. Raises StartupError as soon as a stage cannot
        start, or HOWSFIT_STARTUP_TIMEOUT_S is over.
        """
        while waiting := [
            *(client for client in self.clients.values() if not client.seen["ready"]),
            *(client for client in self._further if not client.seen["ready"] and not client.failed),
        ]:
            for client in waiting:
                if client.failed and client.name not in self._fallbacks:
                    raise StartupError(f"Stage '{client.name}' cannot start: {client.seen.get('detail')}")
            if time.monotonic() > self._starting_until:
                named = "; ".join(f"{client.name} ({client.seen.get('detail')})" for client in waiting)
                raise StartupError(f"After {self._startup_s:.0f} s these stages are not ready: {named}")
            await asyncio.sleep(POLL_S / 5)
        try:
            self.whole_graph()
        except StageNotReady as error:
            raise StartupError(error.detail) from None

    def plan(self, begin: Collection[str], wishes: Wishes) -> Plan:
        """What the stages are to do for a job that begins with these artifacts.

        Raises StageNotReady while a stage is unknown, BadEngine or BadOption for wishes that no stage of it can grant,
        NotCommercial, UnsupportedCategory.
        """
        graph = self.whole_graph()
        clients: MutableMapping[str, StageClient] = self.clients
        if wishes.engines:
            chosen = {stage: self._engine(stage, engine) for stage, engine in wishes.engines.items()}
            clients = ChainMap(chosen, self.clients)
            graph = _graph_of(clients.values())
        plan = Plan.of(graph, clients, begin, wishes)
        if wishes.commercial and (refused := plan.not_commercial()):
            raise NotCommercial(" ".join(map(self._instead, refused)))
        if plan.generator is not None:
            self._check_generator(plan.clients[plan.generator], wishes)
        if wishes.samples > 1:
            plan.seeds(wishes.samples)
        return plan

    async def wait_for_plan(self, for_s: float, begin: Collection[str], wishes: Wishes) -> Plan:
        """The same, waited for: while the cluster starts, and for so many seconds in any case."""
        give_up = max(self._starting_until, time.monotonic() + for_s)
        while True:
            with contextlib.suppress(StageNotReady):
                return self.plan(begin, wishes)
            if time.monotonic() > give_up:
                return self.plan(begin, wishes)
            await asyncio.sleep(POLL_S)

    def engines(self, stage: str) -> list[StageClient]:
        """What may serve the stage: first what does where a request does not choose, then the others."""
        own = self.clients[stage]
        return [own, *(client for client in self._others.get(stage, {}).values() if client.engine != own.engine)]

    def _engine(self, stage: str, engine: str) -> StageClient:
        """Raises BadEngine, StageNotReady."""
        if stage not in self.clients:
            raise BadEngine(f"There is no stage '{shown(stage)}'; there are: {', '.join(self.clients)}.")
        if self.clients[stage].engine == engine:
            return self.clients[stage]
        other = self._others.get(stage, {}).get(engine)
        if other is None:
            there = ", ".join(dict.fromkeys([self.clients[stage].engine, *self._others.get(stage, ())]))
            said = f"Stage '{stage}' has no engine '{shown(engine)}' here. It has: {there}."
            raise BadEngine(said, members={"stage": stage})
        if not other.info:
            raise not_ready(other)
        if other.engine != engine:
            said = f"At {other.address} engine '{other.engine}' answers instead of '{engine}'."
            raise BadEngine(f"{said} Check HOWSFIT_{stage.upper()}_URLS.", members={"stage": stage})
        return other

    def _check_generator(self, client: StageClient, wishes: Wishes) -> None:
        """Raises UnsupportedCategory, BadOption."""
        for category in wishes.categories:
            if category in client.categories:
                continue
            able = [other for other in self.engines(client.name) if category in other.categories]
            raise UnsupportedCategory(
                f"Engine {client.engine} dresses people in {' and '.join(client.categories)}, not in {category}. "
                + _choose(able)
            )
        if wishes.samples > 1 and not client.seeds:
            able = [other for other in self.engines(client.name) if other.seeds]
            raise BadOption(
                f"Engine {client.engine} has no option '{SEED}': all samples of it would be the same. {_choose(able)}"
            )

    def _instead(self, client: StageClient) -> str:
        """Why it may not serve a commercial job, and what would do."""
        allowed = [other.engine for other in self.engines(client.name) if other.commercial == "yes"]
        what = f"Choose {' or '.join(allowed)}." if allowed else "No other engine is here."
        said = (
            "does not allow commercial use"
            if client.commercial == "no"
            else "does not say that it allows commercial use"
        )
        licence = client.info.get("licence", "none told")
        return f"Stage '{client.name}': the licence of {client.engine} or of its weights {said} ({licence}). {what}"

    async def health(self) -> dict[str, dict[str, Any]]:
        """Stage name -> the /readyz of what serves it, now; with `instead_of` where that is a fallback."""
        fallbacks = [client for name, client in self.clients.items() if client is not self._chosen[name]]
        await asyncio.gather(*(client.look() for client in fallbacks), *map(self._look, self._chosen))
        return {
            name: client.seen | ({"instead_of": client.instead_of} if client.instead_of else {})
            for name, client in self.clients.items()
        }

    async def _watch(self, name: str) -> None:
        fallback = self._fallbacks.get(name)
        while True:
            try:
                await self._look(name)
                if fallback is not None and (self._chosen[name].failed or self.clients[name] is fallback):
                    await fallback.look()
                    self._settle(name)
            except Exception:  # a bug; but a stage that nobody looks at would never be ready again
                log.exception("stage=%s could not be looked at", name)
            if self.clients[name].seen["ready"]:
                await asyncio.sleep(WATCH_S)
            else:
                await asyncio.sleep(POLL_S if time.monotonic() < self._starting_until else REPEAT_S)

    async def _watch_other(self, client: StageClient) -> None:
        while True:
            try:
                await client.look()
            except Exception:  # as above
                log.exception("stage=%s engine at %s could not be looked at", client.name, client.address)
            await asyncio.sleep(WATCH_S if client.seen["ready"] else REPEAT_S)

    async def _look(self, name: str) -> None:
        await self._chosen[name].look()
        self._tell(name)
        self._settle(name)

    def _settle(self, name: str) -> None:
        """Who serves the stage, by what was last seen, and the graph that follows."""
        chosen, fallback = self._chosen[name], self._fallbacks.get(name)
        if chosen.seen["ready"]:
            self._serve(chosen)
        elif fallback is not None and chosen.failed and fallback.seen["ready"]:
            fallback.instead_of = str(chosen.seen.get("detail"))
            self._serve(fallback)
        self._draw()

    def _serve(self, client: StageClient) -> None:
        if self.clients[client.name] is not client:
            log.warning("the stage is served by %s from now on", client.address, extra={"stage": client.name})
            self.clients[client.name] = client

    def _tell(self, name: str) -> None:
        """One line of the log for each change."""
        seen = self._chosen[name].seen
        told = None if seen["ready"] else str(seen.get("detail"))
        if told != self._told.get(name, ""):
            self._told[name] = told
            if told is None:
                log.info("the stage is ready", extra={"stage": name})
            else:
                # That engines take their time to load is nothing to be warned of.
                level = logging.INFO if seen.get("state") == STARTING else logging.WARNING
                log.log(level, "the stage is not ready: %s", told, extra={"stage": name})

    def _draw(self) -> None:
        """The graph anew, where a stage declares what it did not before."""
        declared = [Declaration.from_info(client.info) for client in self.clients.values() if client.info]
        if declared == self._declared:
            return
        self._declared = declared
        try:
            self.graph = StageGraph(declared, partial=len(declared) < len(self.clients))
        except StartupError as error:
            self._wrong = str(error)
            log.error("the stages do not fit together: %s", error)
        else:
            self._wrong = None
            if len(declared) == len(self.clients):
                log.info("stages in order: %s", " ".join(self.graph.order))


def _graph_of(clients: Iterable[StageClient]) -> StageGraph:
    """Raises BadEngine where they do not fit together."""
    try:
        return StageGraph(Declaration.from_info(client.info) for client in clients)
    except StartupError as error:
        raise BadEngine(f"These engines do not fit together. {error}") from None


def _choose(able: Iterable[StageClient]) -> str:
    """What to do: which engines are able to do what another one is not."""
    names = " or ".join(client.engine for client in able)
    return f"Choose engine {names}." if names else "No other engine is here."


def not_ready(client: StageClient) -> StageNotReady:
    """The refusal of what needs this stage: why it is not ready, and what to do about it."""
    seen = client.seen
    detail = f"Stage '{client.name}' is not ready: {seen.get('detail', 'it does not say why')}"
    kept = ("code", "type", "title", "command") if client.failed else ()
    members = {name: seen[name] for name in kept if name in seen}
    return StageNotReady(detail, members | {"stage": client.name}, retry_after_s=30 if client.failed else 5)
