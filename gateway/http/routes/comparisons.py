"""/v1/comparisons: one person in one garment through several engines or with several options."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import Response
from pydantic import BeforeValidator, Field

from gateway.cluster.plan import Wishes
from gateway.documents import ComparisonDocument
from gateway.http.access import Reader, Writer
from gateway.http.bodies import body, described
from gateway.http.here import Here
from gateway.http.names import Fields, known_query_of_posts
from gateway.http.problems import refusals
from gateway.http.routes.orders import (
    ABOUT_ENGINES,
    ABOUT_OPTIONS,
    ABOUT_WHOLE,
    EngineChoice,
    EngineOptions,
    Options,
    OutfitFields,
    Width,
    begun,
    json_of,
)
from gateway.paths import address
from gateway.pictures.previews import rendered
from gateway.pictures.words import LANGUAGES, language_for
from gateway.tryons.comparisons import MAX_VARIANTS, Variant
from gateway.tryons.retention import check_retention

router = APIRouter(prefix="/v1/comparisons", tags=["comparisons"], dependencies=[Depends(known_query_of_posts)])

ComparisonId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
WAITED: dict[int | str, dict[str, Any]] = {
    200: {"model": ComparisonDocument, "description": "All ended within the time of `Prefer: wait=N`, well or not."}
}
SHEET: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/png", "image/jpeg")},
        "description": "The sheet.",
    }
}


class VariantFields(Fields):
    """What one variant has of its own; what it leaves out is as in the others."""

    label: str | None = Field(
        None, max_length=60, pattern=r"^[^\x00-\x1f]*$", description="What to call it; default: what it has of its own."
    )
    engines: EngineChoice | None = Field(None, description=ABOUT_ENGINES)
    options: EngineOptions | None = Field(None, description=ABOUT_OPTIONS)


class ComparisonFields(OutfitFields):
    """A person, a garment or several, what all variants share, and the variants."""

    completed_webhook_url: str | None = Field(None, max_length=2000, description=ABOUT_WHOLE)
    variants: Annotated[list[VariantFields], BeforeValidator(json_of)] = Field(
        min_length=2,
        max_length=MAX_VARIANTS,
        description="Each a try-on with engines and options of its own. In a form: as JSON.",
        examples=[[{"label": "plain"}, {"options": {"tryon": {"hem": "tucked"}}}, {"engines": {"tryon": "hr_viton"}}]],
    )


@router.post(
    "",
    status_code=202,
    summary="Compare engines and options",
    responses=WAITED | refusals(404, 409, 413, 422, 429, 503, 507),
    openapi_extra=described(ComparisonFields),
)
async def create_comparison(
    gateway: Here,
    caller: Writer,
    response: Response,
    asked: Options,
    sent: Annotated[ComparisonFields, Depends(body(ComparisonFields))],
) -> ComparisonDocument:
    """Makes a try-on of each variant. What they have in common is made once."""
    check_retention(sent.retention_s, gateway.settings.retention_s())
    given = await begun(gateway, caller, sent)
    shared = Wishes(sent.options or {}, sent.engines or {}, bool(sent.commercial), given.categories)
    order = replace(
        asked.order,
        priority=sent.priority,
        deadline_s=sent.deadline_s,
        webhook=sent.webhook_url or None,
        whole_webhook=sent.completed_webhook_url or None,
        webhook_events=sent.events,
        reference=sent.reference,
        retention_s=sent.retention_s,
        forget=sent.forget,
        wishes=shared,
        further=given.further,
    )
    variants = [Variant(each.engines or {}, each.options or {}, each.label) for each in sent.variants]
    comparison = await gateway.comparisons.create(given.begin, variants, order)
    response.headers["Location"] = address(f"/v1/comparisons/{comparison.id}")
    if asked.wait_s is not None:
        response.headers["Preference-Applied"] = f"wait={asked.wait_s:g}"
        await gateway.comparisons.wait(comparison, asked.wait_s)
    document = await gateway.comparison_document(comparison)
    if document.status == "completed":
        response.status_code = 200
    return document


@router.get("/{comparison_id}", summary="A comparison as it stands", responses=refusals(404))
async def get_comparison(gateway: Here, caller: Reader, comparison_id: ComparisonId) -> ComparisonDocument:
    return await gateway.comparison_document(await gateway.comparisons.get(comparison_id, caller.sees))


@router.get(
    "/{comparison_id}/sheet",
    summary="Its contact sheet as it stands: photo, garment and every result",
    response_class=Response,
    responses=SHEET | refusals(404, 503),
)
async def get_comparison_sheet(
    gateway: Here,
    caller: Reader,
    comparison_id: ComparisonId,
    language: Annotated[
        Literal[LANGUAGES] | None,  # type: ignore[valid-type]
        Query(description="Of its words; default: what Accept-Language likes best of these, else English."),
    ] = None,
    width: Width = None,
    accept_language: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """A PNG, or a small JPEG. In the place of a picture that there is not stands why."""
    comparison = await gateway.comparisons.get(comparison_id, caller.sees)
    sheet = await gateway.comparison_sheet(comparison, language or language_for(accept_language))
    if width is not None:
        sheet = await asyncio.to_thread(rendered, sheet, width)
    return Response(sheet.data, media_type=sheet.media_type, headers={"Vary": "Accept-Language"})


@router.post("/{comparison_id}/cancel", summary="Stop what has not ended of a comparison", responses=refusals(404))
async def cancel_comparison(gateway: Here, caller: Writer, comparison_id: ComparisonId) -> ComparisonDocument:
    await gateway.comparisons.cancel(comparison_id, caller.sees)
    return await gateway.comparison_document(await gateway.comparisons.get(comparison_id, caller.sees))


@router.delete(
    "/{comparison_id}",
    status_code=204,
    summary="Forget a comparison and its try-ons",
    responses=refusals(404, 409, 503),
)
async def delete_comparison(gateway: Here, caller: Writer, comparison_id: ComparisonId) -> None:
    """With their pictures. Images of POST /v1/images stay."""
    await gateway.comparisons.delete(comparison_id, caller.sees)
