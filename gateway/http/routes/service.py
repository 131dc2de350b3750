"""What is there for whoever runs the gateway: health, metrics, the stages, a debug page."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape

from gateway.documents import ServingDocument, ServingList
from gateway.errors import StageNotReady
from gateway.http.access import Reader
from gateway.http.here import Here
from gateway.http.problems import refusals
from gateway.http.web import built
from gateway.paths import address
from stagekit.kinds import KINDS

router = APIRouter(tags=["service"])
stages = APIRouter(prefix="/v1/stages", tags=["stages"])

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"), autoescape=select_autoescape(["html"])
)


@router.get("/", include_in_schema=False)
async def home() -> RedirectResponse:
    return RedirectResponse(address("/debug"))


@router.get("/livez", summary="The process is up")
async def livez() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="All stages are ready", responses={503: {"description": "Some are not; it says which."}})
async def readyz(gateway: Here) -> Response:
    """Whether a try-on can be made. For probes that restart or bypass a gateway take /livez: without a stage, this one still
    serves all that does not need it."""
    health = await gateway.cluster.health()
    told = [f"{name}: {seen.get('detail', 'not ready')}" for name, seen in health.items() if not seen["ready"]]
    if not told:
        try:
            gateway.cluster.whole_graph()
        except StageNotReady as error:
            told = [error.detail]
    if told:
        return JSONResponse({"status": "unhealthy", "detail": " ".join(told), "stages": health}, 503)
    return JSONResponse({"status": "ready", "stages": health})


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(gateway: Here) -> Response:
    return Response(gateway.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/debug", response_class=HTMLResponse, summary="Stages, recent try-ons, a form")
async def debug(gateway: Here, caller: Reader) -> HTMLResponse:
    page = _pages.get_template("debug.html")
    listed = await gateway.documents(12, owner=caller.sees)
    web = built(gateway.settings) is not None
    pictures = [name for name, kind in gateway.cluster.graph.artifacts().items() if not KINDS[kind].document]
    return HTMLResponse(page.render(stages=await gateway.stages(), tryons=listed.tryons, pictures=pictures, web=web))


@stages.get("", summary="The stage graph, and what serves each stage", responses=refusals())
async def list_stages(gateway: Here, caller: Reader) -> ServingList:
    return ServingList(stages=[ServingDocument(**stage) for stage in await gateway.stages()])
