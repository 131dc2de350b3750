"""/v1/usage: what was done, by month."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from gateway.callers.keys import ADMIN
from gateway.http.access import Reader
from gateway.http.here import Here
from gateway.http.names import known_query
from gateway.http.problems import refusals
from gateway.tryons.usage import MONTH, WHOLE, Used

router = APIRouter(prefix="/v1/usage", tags=["keys"])


class EngineUsage(BaseModel):
    """How much of one engine."""

    stage: str
    engine: str
    runs: int = Field(description="Jobs in which it ran; what was reused did not.")
    seconds: float


class Sums(BaseModel):
    """What was done."""

    jobs: dict[str, int] = Field(description="By kind and end: `tryon succeeded`, for instance.")
    job_seconds: float = Field(description="From their starts to their ends.")
    engines: list[EngineUsage]


class KeyUsage(Sums):
    """What one key had done."""

    id: str = Field(description="Of the key; empty: by none, or before the gateway counted by keys.")
    name: str


class OwnerUsage(Sums):
    """What one owner had done."""

    owner: str = Field(description="Whose keys; empty while no keys are asked for.")
    keys: list[KeyUsage] = Field(description="The same by key; none while no keys are asked for.")

    @classmethod
    def of(cls, owner: str, used: list[Used], names: Mapping[str, str]) -> "OwnerUsage":
        """The document of what an owner used. names: of the keys, by id."""
        ids = dict.fromkeys(each.key_id for each in used)
        keys = [
            KeyUsage(id=key_id, name=names.get(key_id, ""), **_sums([each for each in used if each.key_id == key_id]))
            for key_id in ids
        ]
        return cls(owner=owner, keys=keys if names else [], **_sums(used))


def _sums(used: list[Used]) -> dict[str, Any]:
    """The fields of Sums."""
    jobs: Counter[str] = Counter()
    engines: dict[tuple[str, str], EngineUsage] = {}
    for each in used:
        if each.stage == WHOLE:
            jobs[each.engine] += each.runs
            continue
        one = engines.setdefault(
            (each.stage, each.engine), EngineUsage(stage=each.stage, engine=each.engine, runs=0, seconds=0.0)
        )
        one.runs += each.runs
        one.seconds += each.seconds
    seconds = sum(each.seconds for each in used if each.stage == WHOLE)
    return {"jobs": dict(jobs), "job_seconds": seconds, "engines": [engines[name] for name in sorted(engines)]}


class UsageDocument(BaseModel):
    """A month, in UTC."""

    month: str
    owners: list[OwnerUsage]


@router.get("", summary="Jobs and seconds of a month", responses=refusals(), dependencies=[Depends(known_query)])
async def get_usage(
    gateway: Here,
    caller: Reader,
    month: Annotated[str | None, Query(pattern=MONTH, description="YYYY-MM; default: this one.")] = None,
) -> UsageDocument:
    """The caller's own, of all keys of its owner; whoever may do everything sees everybody's. It stays when the jobs are
    forgotten.
    """
    month = month or f"{datetime.now(UTC):%Y-%m}"
    sums = await gateway.tryons.usage.of(month, caller.sees)
    names = {key.id: key.name for key in (ADMIN, *await gateway.keys.list())} if gateway.keys.on else {}
    owners = dict.fromkeys(each.owner for each in sums)
    return UsageDocument(
        month=month, owners=[OwnerUsage.of(o, [each for each in sums if each.owner == o], names) for o in owners]
    )
