"""The gateway itself: its parts, put together."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from gateway.callers.keys import Keys
from gateway.cluster.graph import GOAL
from gateway.cluster.watch import Cluster
from gateway.documents import BatchDocument, ComparisonDocument, TryonDocument, TryonList
from gateway.errors import BadRequest, NotFound
from gateway.jobs.events import Event
from gateway.jobs.job import ENDED, Job, State
from gateway.metrics import Metrics
from gateway.move import jobs_left
from gateway.paths import address, below
from gateway.pictures.images import Images
from gateway.pictures.uploads import Uploads
from gateway.settings import Settings
from gateway.sheets import GARMENT, PERSON, drawn_sheet
from gateway.storage.blobs import chosen_store
from gateway.storage.cache import StageCache
from gateway.storage.database import Database
from gateway.storage.holdings import Holdings
from gateway.sweeper import Sweeper
from gateway.tryons.batches import Batch, Batches
from gateway.tryons.comparisons import Comparison, Comparisons
from gateway.tryons.life import Tryons
from gateway.tryons.orders import Kind
from gateway.webhooks.delivery import Ended, Webhooks
from stagekit.wire import Part

log = logging.getLogger("howsfit.gateway")

GRACE_S = 3600.0
"""A blob that nobody holds stays so long: longer than any upload takes."""

DUE_EVERY_S = 10.0
"""How often jobs are looked for whose own time is over."""


class Gateway:
    """One gateway: stages, jobs and storage."""

    def __init__(self, settings: Settings, apps: Mapping[str, Any]) -> None:
        """apps: stage name -> ASGI app for the addresses inproc://name."""
        self.settings = settings
        self.metrics = Metrics()
        self.cluster = Cluster(settings, apps)
        self.database = Database(settings.database())
        self.keys = Keys(self.database, settings)
        self.uploads = Uploads(settings)
        holdings = Holdings(self.database, chosen_store(settings))
        self.cache = StageCache(self.database, holdings, max_bytes=int(settings.cache_gb * 1e9))
        self.webhooks = Webhooks(settings, self.database, self.metrics, ended=self._ended, standing=self._standing)
        self.tryons = Tryons(settings, self.cluster, self.database, holdings, self.cache, self.metrics, self.webhooks)
        self.images = Images(self.database, holdings, self.cache)
        self.batches = Batches(self.database, self.images, self.tryons, self.webhooks, settings.max_batch)
        self.comparisons = Comparisons(self.database, self.tryons, self.webhooks)
        retention_s = settings.retention_s()
        self._sweepers = (
            Sweeper([self.tryons.sweep_due], DUE_EVERY_S),
            Sweeper(
                [
                    self.tryons.sweep,
                    lambda: self.batches.sweep(retention_s),
                    lambda: self.comparisons.sweep(retention_s),
                    lambda: self.images.sweep(retention_s),
                    lambda: self.cache.sweep(GRACE_S),
                ]
            ),
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looking after the stages, and taking jobs. Raises StorageUnavailable."""
        try:
            self.cluster.start()
            await self.tryons.start()
            await self.webhooks.start()
            for sweeper in self._sweepers:
                sweeper.start()
            await self._tell_of_what_was_left()
            yield
        finally:
            self.uploads.close()
            for sweeper in self._sweepers:
                await sweeper.stop()
            await self.webhooks.stop()
            await self.tryons.stop()
            await self.cluster.close()
            await self.database.close()

    async def _tell_of_what_was_left(self) -> None:
        """Whoever moved to PostgreSQL misses the try-ons of before."""
        folder, oldest_ms = self.settings.data_dir, (time.time() - self.settings.retention_s()) * 1000
        if left := await asyncio.to_thread(jobs_left, folder, oldest_ms, self.database):
            log.warning(
                "%d try-ons are in %s, which this gateway does not use: `python -m gateway.move %s` moves them",
                left,
                folder,
                folder,
            )

    async def document(self, tryon_id: str, owner: str | None = None) -> TryonDocument:
        """The document of a try-on as it stands. owner: it must be theirs. Raises NotFound."""
        return await self._document(*await self.tryons.get(tryon_id, owner))

    async def documents(
        self,
        limit: int,
        before: str | None = None,
        state: State | None = None,
        kind: Kind | None = None,
        owner: str | None = None,
        reference: str | None = None,
    ) -> TryonList:
        """A page of them, the newest first. Raises BadRequest."""
        try:
            found = await self.tryons.page(limit + 1, before, state=state, kind=kind, owner=owner, reference=reference)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        listed = [await self._document(job, events) for job, events in found[:limit]]
        filters = "".join(
            f"&{name}={value}"
            for name, value in (
                ("status", state),
                ("kind", kind),
                ("reference", reference and quote(reference, safe="")),
            )
            if value
        )
        more = f"/v1/tryons?limit={limit}&before={found[limit - 1][0].cursor}{filters}" if len(found) > limit else None
        return TryonList(tryons=listed, next=more and address(more))

    async def batch_document(self, batch: Batch) -> BatchDocument:
        """The document of a batch as it stands."""
        return BatchDocument.of(batch, await self.batches.jobs(batch))

    async def comparison_document(self, comparison: Comparison) -> ComparisonDocument:
        """The document of a comparison as it stands."""
        documents = {}
        for tryon_id in comparison.tryon_ids():
            with contextlib.suppress(NotFound):
                documents[tryon_id] = await self.document(tryon_id)
        generator = self.cluster.graph.producer.get(GOAL, "")
        own = self.cluster.clients[generator].engine if generator else ""
        return ComparisonDocument.of(comparison, documents, generator, own)

    async def comparison_sheet(self, comparison: Comparison, language: str) -> Part:
        """Its contact sheet as it stands, a PNG, in one of LANGUAGES. Raises StorageUnavailable."""
        document = await self.comparison_document(comparison)
        there = [variant for variant in document.variants if variant.status != "deleted"]
        begun = [
            {
                name: await self.tryons.artifact(
                    there[0].tryon_id, name, garment=number if comparison.further else None
                )
                for name in (*PERSON, *GARMENT)
                if there and name in begin
            }
            for number, begin in enumerate(comparison.garments, 1)
        ]
        made = {v.tryon_id: await self.tryons.artifact(v.tryon_id, GOAL) for v in there if v.tryon is not None}
        return await asyncio.to_thread(drawn_sheet, document, begun, made, language)

    async def stages(self) -> list[dict[str, Any]]:
        """The /info of every stage, with what it waits for and its health, in running order; at the end those that have not
        said yet what they are."""
        health = await self.cluster.health()
        graph, clients = self.cluster.graph, self.cluster.clients
        return [
            {"stage": name, "inputs": {}, "outputs": {}}
            | clients[name].info
            | {"needs": sorted(graph.needs(name)) if name in graph.stages else [], "health": health[name]}
            | {"engines": self._engines(name)}
            | {"debug": address(f"/stages/{name}/debug") if clients[name].mounted else None}
            for name in (*graph.order, *(name for name in clients if name not in graph.stages))
        ]

    def _engines(self, stage: str) -> list[dict[str, Any]]:
        """What an EngineDocument says, of each engine of the stage that has told what it is."""
        named = ("engine", "version", "licence", "stand_in", "weights", "option_schema", "categories")
        own = self.cluster.clients[stage]
        return [
            {name: client.info[name] for name in named if name in client.info}
            | {"own": client is own, "commercial": client.commercial, "health": client.seen}
            for client in self.cluster.engines(stage)
            if client.engine
        ]

    async def _document(self, job: Job, events: list[Event]) -> TryonDocument:
        webhook = await self.webhooks.of(job.id) if "webhook" in job.payload else None
        notes = await self.tryons.notes(job.id) if job.state == "processing" else []
        return TryonDocument.of(job, events, self.cluster.graph, self.settings.retention_s(), webhook, notes)

    async def _standing(self, ordered_id: str) -> dict[str, Any]:
        """The document of a try-on, a batch or a comparison as it stands. Raises NotFound."""
        with below(self.settings.base_path):  # whatever request this came from
            with contextlib.suppress(NotFound):
                return (await self.document(ordered_id)).model_dump(mode="json")
            with contextlib.suppress(NotFound):
                return (await self.batch_document(await self.batches.get(ordered_id))).model_dump(mode="json")
            comparison = await self.comparisons.get(ordered_id)
            return (await self.comparison_document(comparison)).model_dump(mode="json")

    async def _ended(self, ordered_id: str) -> Ended | None:
        """What a webhook tells of a try-on, a batch or a comparison that has ended. Raises NotFound."""
        with contextlib.suppress(NotFound):
            return await self._ended_job(ordered_id)
        with contextlib.suppress(NotFound):
            return await self._ended_batch(ordered_id)
        return await self._ended_comparison(ordered_id)

    async def _ended_batch(self, batch_id: str) -> Ended | None:
        batch = await self.batches.get(batch_id)
        at = await self.batches.ended_at(batch)
        if at is None:
            return None
        with below(self.settings.base_path):
            document = await self.batch_document(batch)
        return Ended("batch.completed", at, document.model_dump(mode="json"))

    async def _ended_comparison(self, comparison_id: str) -> Ended | None:
        comparison = await self.comparisons.get(comparison_id)
        at = await self.comparisons.ended_at(comparison)
        if at is None:
            return None
        with below(self.settings.base_path):
            document = await self.comparison_document(comparison)
        return Ended("comparison.completed", at, document.model_dump(mode="json"))

    async def _ended_job(self, tryon_id: str) -> Ended | None:
        job, events = await self.tryons.get(tryon_id)
        if job.state not in ENDED or job.completed_at is None:
            return None
        with below(self.settings.base_path):  # whatever request this came from
            document = await self._document(job, events)
        return Ended(f"{document.kind}.{job.state}", job.completed_at, document.model_dump(mode="json"))
