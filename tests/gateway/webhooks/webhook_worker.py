"""A gateway's deliverer in a process that tests may kill:

python -m tests.gateway.webhooks.webhook_worker DATABASE JOB LEASE_S
"""

import asyncio
import sys
from datetime import UTC, datetime

from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.webhooks.delivery import Ended, Webhooks

ENDED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SETTINGS = Settings(webhook_secret="whsec_" + "c2VjcmV0" * 4, webhook_allow="127.0.0.0/8")


async def main(url: str, job_id: str, lease_s: str) -> None:
    async def ended(asked: str) -> Ended | None:
        return Ended("tryon.succeeded", ENDED_AT, {"id": asked}) if asked == job_id else None

    webhooks = Webhooks(SETTINGS, Database(url), Metrics(), ended=ended, lease_s=float(lease_s))
    await webhooks.start()
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
