"""/v1/preprocess: the stages that a person or a garment needs by itself."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gateway.documents import TryonDocument
from gateway.http.access import Writer
from gateway.http.bodies import body, described
from gateway.http.here import Here
from gateway.http.names import known_query_of_posts
from gateway.http.routes.orders import STARTING, ClothFields, Options, PersonFields, PreprocessingFields, start


class OnlyPersonFields(PreprocessingFields, PersonFields):
    """A person, what is wanted of her, and how the job is to be run."""


class OnlyClothFields(PreprocessingFields, ClothFields):
    """A garment, what is wanted of it, and how the job is to be run."""


router = APIRouter(prefix="/v1/preprocess", tags=["preprocessing"], dependencies=[Depends(known_query_of_posts)])


@router.post(
    "/person",
    openapi_extra=described(OnlyPersonFields),
    status_code=202,
    summary="Only what there is to know of a person",
    responses=STARTING,
)
async def preprocess_person(
    gateway: Here,
    caller: Writer,
    response: Response,
    options: Options,
    sent: Annotated[OnlyPersonFields, Depends(body(OnlyPersonFields))],
) -> TryonDocument:
    """Runs every stage that needs no garment: framing, pose, densepose, parse, agnostic. A later try-on reuses them all.

    The answer is a document of /v1/tryons with `kind` person; its `dataset.zip` has the VITON-HD layout.
    """
    return await start(gateway, caller, "person", sent, options, response)


@router.post(
    "/cloth",
    openapi_extra=described(OnlyClothFields),
    status_code=202,
    summary="Only what there is to know of a garment",
    responses=STARTING,
)
async def preprocess_cloth(
    gateway: Here,
    caller: Writer,
    response: Response,
    options: Options,
    sent: Annotated[OnlyClothFields, Depends(body(OnlyClothFields))],
) -> TryonDocument:
    """Brings a garment's picture to 768 x 1024 and masks it. The answer is a document of /v1/tryons with `kind` cloth."""
    return await start(gateway, caller, "cloth", sent, options, response)
