"""/v1/keys: who may use the API, and how much."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, Field, field_validator

from gateway.callers.keys import Key, Scope
from gateway.http.access import Admin, Anyone
from gateway.http.here import Here
from gateway.http.names import Fields, known_query_of_posts
from gateway.http.problems import refusals

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(known_query_of_posts)])

KeyId = Annotated[str, Path(pattern="^[A-Za-z0-9]{1,32}$")]


class KeyRequest(Fields):
    """The key to make."""

    owner: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$",
        description="Whose key it is. All keys of an owner see the same try-ons, images and batches, and no others.",
    )
    name: str = Field("", max_length=100, pattern=r"^[^\x00-\x1f]*$", description="To tell the owner's keys apart.")
    scopes: list[Scope] = Field(
        ["read", "write"],
        min_length=1,
        description="read: see the owner's things; write: make and delete them; admin: everything, of everybody.",
    )
    rate_per_minute: int | None = Field(
        None, ge=0, le=100_000, description="Requests; 0: no bound; left out: HOWSFIT_RATE_PER_MINUTE."
    )
    max_jobs: int | None = Field(
        None,
        ge=0,
        le=100_000,
        description="Try-ons that the owner may have under way; 0: no bound; left out: HOWSFIT_MAX_JOBS.",
    )
    expires_at: AwareDatetime | None = Field(None, description="When it ends; left out: never.")

    @field_validator("expires_at")
    @classmethod
    def _to_come(cls, at: datetime | None) -> datetime | None:
        if at is not None and at <= datetime.now(UTC):
            raise ValueError("must be in the future")
        if at is not None and at.year >= 9999:
            raise ValueError("leave it out for a key that never expires")
        return at


class KeyDocument(BaseModel):
    """A key, without its secret."""

    id: str
    owner: str = Field(description="Empty for the gateway's own HOWSFIT_ADMIN_KEY, whose id is `admin`.")
    name: str
    scopes: list[Scope]
    rate_per_minute: int = Field(description="Requests; 0: no bound.")
    max_jobs: int = Field(description="Try-ons that the owner may have under way; 0: no bound.")
    created_at: datetime | None
    last_used_at: datetime | None = Field(description="Within a minute.")
    expires_at: datetime | None
    revoked: bool

    @classmethod
    def of(cls, key: Key) -> "KeyDocument":
        """The document of a key."""
        return cls(**vars(key))


class NewKeyDocument(KeyDocument):
    """A key that was just made."""

    key: str = Field(description="The key itself, shown this once: hft_ID_SECRET.")


class KeyList(BaseModel):
    """All keys, the newest first."""

    keys: list[KeyDocument]


@router.post("", status_code=201, summary="Make a key", responses=refusals(409, 503))
async def create_key(gateway: Here, caller: Admin, response: Response, wanted: KeyRequest) -> NewKeyDocument:
    """The answer is the only one that shows it: what is kept cannot be turned back into the key."""
    gateway.keys.require_on()
    key, text = await gateway.keys.create(**vars(wanted))
    response.headers["Cache-Control"] = "no-store"
    return NewKeyDocument(**vars(key), key=text)


@router.get("", summary="All keys", responses=refusals(409, 503))
async def list_keys(gateway: Here, caller: Admin) -> KeyList:
    """With those that were revoked or have expired; never with their secrets."""
    gateway.keys.require_on()
    return KeyList(keys=[KeyDocument.of(key) for key in await gateway.keys.list()])


@router.get("/me", summary="What the key of this request may do", responses=refusals(409, 503))
async def get_my_key(gateway: Here, caller: Anyone) -> KeyDocument:
    gateway.keys.require_on()
    return KeyDocument.of(caller.key)


@router.delete("/{key_id}", status_code=204, summary="Revoke a key", responses=refusals(404, 409, 503))
async def revoke_key(gateway: Here, caller: Admin, key_id: KeyId) -> None:
    """It opens nothing from now on, at any gateway. What was made with it stays its owner's."""
    gateway.keys.require_on()
    await gateway.keys.revoke(key_id)
