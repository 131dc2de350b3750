"""A gateway's webhooks without the gateway: jobs start and end when a test says so."""

import asyncio
import base64
import contextlib

from sqlalchemy import update

from gateway.errors import NotFound
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.webhooks.delivery import Ended, Webhooks, webhooks
from gateway.webhooks.news import News
from tests.gateway.webhooks.webhook_worker import ENDED_AT

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
QUICK_S = (0.01,) * 5
OWNER = "tenant-1"


class House:
    """A gateway's webhooks, and jobs that end when a test says so."""

    def __init__(self, url, **options):
        settings = {"webhook_secret": SECRET, "webhook_allow": "127.0.0.0/8"} | options.pop("settings", {})
        self.database = Database(url)
        self.metrics = Metrics()
        self.jobs = {}
        self.asked = []
        self.webhooks = Webhooks(
            Settings(**settings),
            self.database,
            self.metrics,
            ended=self._ended,
            standing=self._standing,
            **({"retries_s": QUICK_S} | options),
        )

    async def _ended(self, job_id):
        self.asked.append(job_id)
        if job_id not in self.jobs:
            raise NotFound(f"There is no job {job_id}.")
        return self.jobs[job_id]

    async def _standing(self, job_id):
        if job_id not in self.jobs:
            raise NotFound(f"There is no job {job_id}.")
        return {"id": job_id, "status": "ended" if self.jobs[job_id] else "processing"}

    def end(self, job_id, state="succeeded", at=ENDED_AT):
        self.jobs[job_id] = Ended(f"tryon.{state}", at, {"id": job_id, "status": state, "said": "für Dich"})
        self.webhooks.wake(job_id)

    async def until(self, job_id, state):
        async with asyncio.timeout(20):
            while (found := await self.webhooks.of(job_id)) is None or found["state"] != state:
                await asyncio.sleep(0.01)
        return found

    async def until_asked(self, job_id, times=1):
        async with asyncio.timeout(20):
            while self.asked.count(job_id) < times:
                await asyncio.sleep(0.01)

    async def note(self, job_id, *events):
        """Each event, and which, as "stage_retried pose"."""
        for event, _, which in (text.partition(" ") for text in events):
            await self.webhooks.note(job_id, News("tryon", event, which, {"which": which}))

    async def change(self, job_id, **values):
        changed = update(webhooks).where(webhooks.c.job_id == job_id).values(values)
        await self.database.transact(lambda c: c.execute(changed))


@contextlib.asynccontextmanager
async def house(url, start=True, **options):
    made = House(url, **options)
    await made.database.create_tables()
    try:
        if start:
            await made.webhooks.start()
        yield made
    finally:
        await made.webhooks.stop()
        await made.database.close()
