"""/v1/preprocess: the stages that a person or a garment needs by itself."""

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.access import Writer
from gateway.documents import TryonDocument
from gateway.gateway import Here
from gateway.routes.orders import STARTING, Options, Picture, PictureId, picture, start

router = APIRouter(prefix="/v1/preprocess", tags=["preprocessing"])


@router.post(
    "/person",
    status_code=202,
    summary="Only what there is to know of a person",
    responses=STARTING,
)
async def preprocess_person(
    gateway: Here,
    caller: Writer,
    response: Response,
    options: Options,
    photo: Picture = None,
    photo_id: PictureId = None,
) -> TryonDocument:
    """Runs every stage that needs no garment: framing, pose, densepose, parse, agnostic. A later try-on reuses them all.

    The answer is a document of /v1/tryons with `kind` person; its `dataset.zip` has the VITON-HD layout.
    """
    pictures = {"photo": await picture(gateway, caller, "photo", photo, photo_id)}
    return await start(gateway, pictures, options, response)


@router.post(
    "/cloth",
    status_code=202,
    summary="Only what there is to know of a garment",
    responses=STARTING,
)
async def preprocess_cloth(
    gateway: Here,
    caller: Writer,
    response: Response,
    options: Options,
    garment: Picture = None,
    garment_id: PictureId = None,
) -> TryonDocument:
    """Brings a garment's picture to 768 x 1024 and masks it. The answer is a document of /v1/tryons with `kind` cloth."""
    pictures = {"garment": await picture(gateway, caller, "garment", garment, garment_id)}
    return await start(gateway, pictures, options, response)
