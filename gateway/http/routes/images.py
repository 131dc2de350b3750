"""/v1/images: upload once, use often."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response

from gateway.documents import ImageDocument
from gateway.errors import BadRequest
from gateway.http.access import Reader, Writer
from gateway.http.bodies import PictureFile, body, described
from gateway.http.here import Here
from gateway.http.names import Fields, known_query_of_posts
from gateway.http.problems import refusals
from gateway.http.routes.orders import IMAGE_ID, Quality, Rendering, Width
from gateway.paths import address
from gateway.pictures.previews import rendered
from stagekit.pictures import FORMATS

router = APIRouter(prefix="/v1/images", tags=["images"], dependencies=[Depends(known_query_of_posts)])

ImageId = Annotated[str, Path(pattern=IMAGE_ID)]
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            name: {"schema": {"type": "string", "format": "binary"}}
            for name in sorted({media_type or "application/octet-stream" for media_type in FORMATS.values()})
        },
        "description": "The bytes as they were uploaded, without what a camera wrote behind the picture; with `width` a JPEG.",
    }
}


class ImageFields(Fields):
    """An image to keep."""

    image: PictureFile = None


@router.post(
    "",
    status_code=201,
    summary="Upload an image",
    responses=refusals(413, 422, 503, 507),
    openapi_extra=described(ImageFields),
)
async def upload_image(
    gateway: Here,
    caller: Writer,
    response: Response,
    sent: Annotated[ImageFields, Depends(body(ImageFields))],
) -> ImageDocument:
    """Its id is the digest of what is kept of it: the same picture again is the same image, and its time begins anew."""
    if sent.image is None:
        raise BadRequest("'image' is missing. Send the picture as a file: curl -F image=@FILE.")
    picture = await gateway.uploads.read(sent.image, "image")
    kept = await gateway.images.add(picture, caller.owner)
    response.headers["Location"] = address(f"/v1/images/{kept.id}")
    return ImageDocument.of(kept, gateway.settings.retention_s())


@router.get("/{image_id}", summary="What is known of an uploaded image", responses=refusals(404))
async def get_image(gateway: Here, caller: Reader, image_id: ImageId) -> ImageDocument:
    return ImageDocument.of(await gateway.images.get(image_id, caller.sees), gateway.settings.retention_s())


@router.get(
    "/{image_id}/content",
    summary="The image itself",
    response_class=Response,
    responses=CONTENT | refusals(404, 422, 503),
)
async def get_image_content(
    gateway: Here,
    caller: Reader,
    image_id: ImageId,
    width: Width = None,
    format: Rendering = None,
    quality: Quality = None,
) -> Response:
    part = await gateway.images.content(image_id, caller.sees)
    part = await asyncio.to_thread(rendered, part, width, format, quality)
    return Response(part.data, media_type=part.media_type, headers={"X-Content-Type-Options": "nosniff"})


@router.delete("/{image_id}", status_code=204, summary="Forget an uploaded image", responses=refusals(404, 503))
async def delete_image(gateway: Here, caller: Writer, image_id: ImageId) -> None:
    """Also what the cache keeps that was made from it. Try-ons that used it keep theirs until they are deleted."""
    await gateway.images.delete(image_id, caller.sees)
