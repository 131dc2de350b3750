"""/v1/subjects: forget all of one shopper."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from gateway.http.access import Writer
from gateway.http.here import Here
from gateway.http.problems import refusals
from gateway.tryons.subjects import REFERENCE

router = APIRouter(prefix="/v1/subjects", tags=["try-ons"])


class ForgottenDocument(BaseModel):
    """What was forgotten."""

    reference: str
    jobs: int = Field(description="How many there were; 0 where nothing had that reference, or no longer.")


@router.delete("/{reference}", summary="Forget everything of one shopper", responses=refusals(409, 503))
async def delete_subject(
    gateway: Here,
    caller: Writer,
    reference: Annotated[str, Path(pattern=REFERENCE, description="As it was sent with the jobs.")],
) -> ForgottenDocument:
    """All try-ons and preprocessing jobs with that `reference`, with their pictures and what the cache keeps of them; what runs
    is stopped. Images of POST /v1/images stay: they have no reference.
    """
    return ForgottenDocument(reference=reference, jobs=await gateway.tryons.delete_all(reference, caller.sees))
