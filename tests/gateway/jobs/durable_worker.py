"""A gateway's worth of jobs in a process that tests may kill: python -m tests.gateway.jobs.durable_worker URL EXECUTOR TRACE

Every step that begins writes a line "job step executor pid" to the file TRACE. A job's payload is its graph: step -> what it
takes {"after": [steps], "seconds": s}. The steps run as soon as those before them are done.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path

from gateway.jobs.durable import Durable
from gateway.storage.database import Database


def trace_to(path: Path, executor: str):
    """A `run` for Durable that leaves its trace in the file."""

    async def run(job_id, payload, steps):
        done = {name: asyncio.Event() for name in payload}
        results = {}

        async def work(name, seconds):
            with path.open("a") as trace:
                trace.write(f"{job_id} {name} {executor} {os.getpid()}\n")
            await asyncio.sleep(seconds)
            return {"by": executor, "pid": os.getpid()}

        async def one(name, after, seconds):
            for other in after:
                await done[other].wait()
            results[name] = await steps.step(name, work, name, seconds)
            await steps.emit({"step": name})
            done[name].set()

        async with asyncio.TaskGroup() as group:
            for name, node in payload.items():
                group.create_task(one(name, node["after"], node["seconds"]))
        return results

    return run


async def main(url: str, executor: str, trace: str) -> None:
    durable = Durable(
        Database(url), executor=executor, concurrency=4, run=trace_to(Path(trace), executor), beat_s=0.5, dead_after_s=3
    )
    await durable.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level="WARNING", format=f"{os.getpid()} %(name)s %(message)s")
    asyncio.run(main(*sys.argv[1:]))
