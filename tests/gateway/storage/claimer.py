"""A process that claims a cache entry, for tests: python -m tests.gateway.storage.claimer URL FOLDER NAME SECONDS.

Prints `running` when it got the claim, then runs so long and stores; prints `stored` or `hit`, and who made it.
"""

import asyncio
import sys
from pathlib import Path

from gateway.storage.blobs import LocalBlobs, digest_of
from gateway.storage.cache import StageCache
from gateway.storage.database import Database
from gateway.storage.holdings import Holdings
from stagekit.wire import Part

FINGERPRINT, INPUTS = "pose-1", {"person": digest_of(b"person")}
OUTPUT = Part(b"what the stage made", "image/png")
CLAIM_S = 1.5


async def main(url: str, folder: str, name: str, seconds: str) -> None:
    database = Database(url)
    await database.create_tables()
    holdings = Holdings(database, LocalBlobs(Path(folder)))
    cache = StageCache(database, holdings, max_bytes=10**9, claim_s=CLAIM_S)
    async with cache.claim(FINGERPRINT, INPUTS, holder=name) as claim:
        if claim.hit is None:
            print("running", name, flush=True)
            await asyncio.sleep(float(seconds))
            digest = await holdings.keep(OUTPUT, name)
            await claim.store({"outputs": {"pose": digest}, "made_by": name})
            print("stored", name, flush=True)
        else:
            print("hit", claim.hit["made_by"], flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
