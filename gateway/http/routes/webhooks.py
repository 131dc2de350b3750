"""/v1/webhooks: what receivers need to know."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.access import Writer
from gateway.http.here import Here
from gateway.http.problems import refusals

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class SecretDocument(BaseModel):
    """What a receiver checks signatures with."""

    secret: str = Field(description="`whsec_…`, as the libraries of Standard Webhooks take it.")


@router.get("/secret", summary="The secret that signs your webhooks", responses=refusals(422))
async def get_webhook_secret(gateway: Here, caller: Writer) -> SecretDocument:
    """One per owner of keys, made from the operator's HOWSFIT_WEBHOOK_SECRET, with which nothing is checked."""
    return SecretDocument(secret=gateway.webhooks.secret_for(caller.owner))
