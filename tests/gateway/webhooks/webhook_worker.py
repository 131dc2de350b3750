"""A gateway's deliverer in a process that tests may kill:

python -m tests.gateway.webhooks.webhook_worker DATABASE JOB LEASE_S [EVENT …]

The job has ended; or, where events are named, these happen to it, one after the other, and it has not.
"""

import asyncio
import sys
from datetime import UTC, datetime

from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.webhooks.delivery import Ended, Webhooks
from gateway.webhooks.news import News

ENDED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SETTINGS = Settings(webhook_secret="whsec_" + "c2VjcmV0" * 4, webhook_allow="127.0.0.0/8")


async def main(url: str, job_id: str, lease_s: str, *happening: str) -> None:
    async def ended(asked: str) -> Ended | None:
        has_ended = asked == job_id and not happening
        return Ended("tryon.succeeded", ENDED_AT, {"id": asked}) if has_ended else None

    async def standing(asked: str) -> dict[str, str]:
        return {"id": asked}

    webhooks = Webhooks(SETTINGS, Database(url), Metrics(), ended=ended, standing=standing, lease_s=float(lease_s))
    await webhooks.start()
    for event in happening:
        name, _, which = event.partition(" ")
        await webhooks.note(job_id, News("tryon", name, which))
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
