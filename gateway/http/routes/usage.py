"""/v1/usage: what was done, by month."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

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


class OwnerUsage(BaseModel):
    """What one owner had done."""

    owner: str = Field(description="Whose keys; empty while no keys are asked for.")
    jobs: dict[str, int] = Field(description="By kind and end: `tryon succeeded`, for instance.")
    job_seconds: float = Field(description="From their starts to their ends.")
    engines: list[EngineUsage]

    @classmethod
    def of(cls, owner: str, sums: list[Used]) -> "OwnerUsage":
        """The document of an owner's sums."""
        whole = [each for each in sums if each.stage == WHOLE]
        return cls(
            owner=owner,
            jobs={each.engine: each.runs for each in whole},
            job_seconds=sum(each.seconds for each in whole),
            engines=[
                EngineUsage(stage=each.stage, engine=each.engine, runs=each.runs, seconds=each.seconds)
                for each in sums
                if each.stage != WHOLE
            ],
        )


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
    """The caller's own; whoever may do everything sees everybody's. It stays when the jobs are forgotten."""
    month = month or f"{datetime.now(UTC):%Y-%m}"
    sums = await gateway.tryons.usage.of(month, caller.sees)
    owners = dict.fromkeys(each.owner for each in sums)
    return UsageDocument(
        month=month, owners=[OwnerUsage.of(o, [each for each in sums if each.owner == o]) for o in owners]
    )
