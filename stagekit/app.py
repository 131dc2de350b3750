"""The web app of a stage: thin translation between HTTP and the runner."""

import asyncio
import json
import logging
import platform
import re
from typing import Any, Dict, List, Optional, Union

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from stagekit import debug
from stagekit.engine import Engine
from stagekit.errors import EngineFailed, ImageTooLarge, MissingArtifact, StageError, all_errors
from stagekit.licences import commercial_use
from stagekit.options import PART
from stagekit.report import Report
from stagekit.runner import Outcome, Runner
from stagekit.settings import Settings, read_settings
from stagekit.stage import Stage, engine_inputs, fingerprint, make_engine
from stagekit.tracing import trace_id, traceparent
from stagekit.wire import (
    ENGINE_HEADER,
    FINGERPRINT_HEADER,
    PREVIEWS_HEADER,
    RUN_HEADER,
    RUN_ID,
    TIMEOUT_HEADER,
    WARNINGS_HEADER,
    decode,
    encode,
    shown,
)

CONTRACT = 1
"""Version of the stage protocol."""

NEWS_S = 10.0
"""How long a question for a run's progress waits for news."""

PROBLEM = "application/problem+json"
_OF_THE_ROUTER = {404: "not-found", 405: "method-not-allowed"}
log = logging.getLogger("howsfit.stage")


def create_app(stage: Stage, engine: Union[None, str, Engine] = None, settings: Optional[Settings] = None) -> FastAPI:
    """Make the service of a stage.

    engine: an instance, or the name of one of the stage's engines; default: what the environment chooses.
    Raises ValueError when there is no such engine or a setting is malformed.
    """
    if not isinstance(engine, Engine):
        engine = make_engine(stage, engine)
    runner = Runner(stage, engine, settings or read_settings())

    app = FastAPI(title="Howsfit stage: " + stage.name, version=engine.version, description=_description(stage, engine))
    app.router.lifespan_context = lambda app: _Lifespan(runner)  # the constructor of FastAPI 0.83 takes none
    app.state.runner = runner
    _add_errors(app, runner)
    _add_routes(app, runner)
    return app


class _Lifespan:
    """Load at start, drain at the end. A class: Python 3.6 has no asynccontextmanager."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    async def __aenter__(self) -> None:
        self.runner.start()

    async def __aexit__(self, *exc: Any) -> None:
        self.runner.stop()


def _add_routes(app: FastAPI, runner: Runner) -> None:
    stage = runner.stage

    @app.get("/livez", summary="The process is up")
    async def livez() -> Dict[str, Any]:
        return {"status": "ok"}

    @app.get("/readyz", summary="The engine is loaded")
    async def readyz(request: Request) -> Response:
        if runner.state == "ready":
            status = {"status": "busy" if runner.queued else "ready", "setup_seconds": runner.setup_s}
            return JSONResponse(dict(status, queued=runner.queued, device=runner.turns.document()))
        return _problem(request, stage, runner.problem, {"state": runner.state})

    @app.get("/info", summary="What this stage takes and gives, and what makes it")
    async def info() -> Dict[str, Any]:
        return describe(runner)

    @app.get("/metrics", summary="Prometheus metrics")
    async def metrics() -> Response:
        return Response(runner.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/debug", summary="Recent runs, and a form to try the stage", response_class=HTMLResponse)
    async def debug_page() -> HTMLResponse:
        return HTMLResponse(debug.render(describe(runner), runner.recent))

    @app.post("/run", summary="Run the stage", responses=_responses(stage), openapi_extra=_request_body(runner))
    async def run(
        request: Request,
        artifact: Optional[str] = Query(None, description="Answer this one output raw instead of all as multipart."),
        extras: bool = Query(False, description="Answer what the engine can give beside the stage's outputs as well."),
    ) -> Response:
        given = tuple(stage.outputs) + tuple(runner.engine.extras)
        if artifact is not None and artifact not in given:
            raise MissingArtifact(
                "There is no output '%s'; this stage gives: %s." % (shown(artifact), ", ".join(given))
            )
        wanted = tuple(name for name in runner.engine.extras if extras or name == artifact)
        timeout_s = _timeout_s(request)
        body = await _read_body(request, runner)
        parts = decode(request.headers.get("content-type"), body)
        report = _report(request, stage)
        watching = asyncio.ensure_future(_cancel_when_gone(request, report))
        try:
            outcome = await runner.run(parts, timeout_s, _trace(request), wanted, report)
        finally:
            watching.cancel()
        return _answer(request, runner, outcome, artifact)

    @app.get("/runs/{run_id}", summary="How a run goes that was given this name")
    async def progress(
        run_id: str,
        after: int = Query(0, description="Answer when there is newer news than this number, or after 10 s."),
    ) -> Dict[str, Any]:
        report = _found(runner, run_id)
        await _news(report, after)
        return report.document()

    @app.get("/runs/{run_id}/preview", summary="The latest picture of what there is so far")
    async def preview(run_id: str) -> Response:
        report = _found(runner, run_id)
        if report.preview is None:
            raise HTTPException(404)
        return Response(report.preview, media_type="image/jpeg")

    @app.delete("/runs/{run_id}", status_code=204, summary="Cancel a run", response_class=Response)
    async def cancel(run_id: str) -> Response:
        _found(runner, run_id).cancel()
        return Response(status_code=204)


def describe(runner: Runner) -> Dict[str, Any]:
    """The /info document."""
    stage, engine = runner.stage, runner.engine
    return {
        "contract": CONTRACT,
        "stage": stage.name,
        "engine": engine.name,
        "version": engine.version,
        "fingerprint": fingerprint(stage, engine),
        "inputs": {name: stage.inputs[name] for name in engine_inputs(stage, engine)},
        "optional": stage.optional,
        "outputs": stage.outputs,
        "extras": engine.extras,
        "stand_in": engine.stand_in,
        "licence": engine.licence,
        "commercial": commercial_use({"commercial": engine.commercial, "weights": engine.weights()}),
        "digital_source": engine.digital_source,
        "categories": list(engine.categories),
        "options": engine.options(),
        "option_schema": {
            "type": "object",
            "properties": engine.option_schema(),
            "additionalProperties": False,
        },
        "runtime": dict({"python": platform.python_version()}, **_runtime(runner)),
        "weights": list(engine.weights()),
        "limits": {
            "max_bytes": runner.limits.max_bytes,
            "max_pixels": runner.limits.max_pixels,
            "concurrency": engine.concurrency,
            "queue_size": runner.settings.queue_size,
        },
        "progress": True,
        "state": runner.state,
        "problem": None if runner.state == "ready" else runner.problem.problem(),
        "setup_seconds": runner.setup_s,
        "start_seconds": runner.start_s,
    }


def _runtime(runner: Runner) -> Dict[str, str]:
    try:
        return runner.engine.runtime()
    except Exception:
        if runner.state == "ready":
            raise
        return {}  # what it runs on may be the very thing that could not be loaded


def _answer(request: Request, runner: Runner, outcome: Outcome, artifact: Optional[str]) -> Response:
    if artifact is None:
        media_type, body = encode(outcome.parts)
    else:
        body, media_type = outcome.parts[artifact]
    timings = ", ".join("%s;dur=%.1f" % (phase, seconds * 1000) for phase, seconds in outcome.timings_s.items())
    headers = {
        "Server-Timing": timings,
        ENGINE_HEADER: runner.engine.name,
        FINGERPRINT_HEADER: outcome.fingerprint,
        "traceparent": traceparent(_trace(request)),
    }
    if outcome.warnings:
        headers[WARNINGS_HEADER] = json.dumps(outcome.warnings)
    about = {"trace": _trace(request), "seconds": sum(outcome.timings_s.values())}
    log.info("run: %s", timings, extra=dict(runner.about, **about))
    return Response(body, media_type=media_type, headers=headers)


async def _read_body(request: Request, runner: Runner) -> bytes:
    """The whole body, given up as soon as it is larger than all inputs together may be."""
    allowed = (runner.limits.max_bytes + 1024) * (len(runner.stage.inputs) + len(runner.stage.optional))
    chunks: List[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > allowed:
            raise ImageTooLarge("The request is larger than %.0f MB. Send smaller images." % (allowed / 1e6))
        chunks.append(chunk)
    return b"".join(chunks)


def _report(request: Request, stage: Stage) -> Report:
    name = request.headers.get(RUN_HEADER, "")
    previews = request.headers.get(PREVIEWS_HEADER) == "true"
    return Report(stage.name, name if re.match(RUN_ID + r"\Z", name) else None, previews)


def _found(runner: Runner, run_id: str) -> Report:
    if run_id not in runner.reports:
        raise HTTPException(404)
    return runner.reports[run_id]


async def _cancel_when_gone(request: Request, report: Report) -> None:
    """To be called when the body was read: what comes then is that the connection is closed."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    report.cancel()


async def _news(report: Report, after: int) -> None:
    """Wait until there is newer news than this number, for a while."""
    loop, told = asyncio.get_event_loop(), asyncio.Event()

    def listener() -> None:
        loop.call_soon_threadsafe(told.set)

    report.listen(listener)
    try:
        give_up = loop.time() + NEWS_S
        while report.number <= after and not report.ended:
            await asyncio.wait_for(told.wait(), give_up - loop.time())
            told.clear()
    except asyncio.TimeoutError:
        pass
    finally:
        report.hush(listener)


def _timeout_s(request: Request) -> Optional[float]:
    header = request.headers.get(TIMEOUT_HEADER)
    if header is None:
        return None
    # Not isdigit(), which is true of other scripts' digits and of superscripts as well.
    if not re.match(r"[0-9]{1,12}\Z", header):
        raise MissingArtifact(
            "The header %s must be a number of milliseconds, of 12 digits at most, not '%s'."
            % (TIMEOUT_HEADER, shown(header))
        )
    return int(header) / 1000


def _trace(request: Request) -> str:
    if not hasattr(request.state, "trace_id"):
        request.state.trace_id = trace_id(request.headers.get("traceparent"))
    return request.state.trace_id  # type: ignore[no-any-return]


# -- errors ------------------------------------------------------------------------------------------------------------


def _add_errors(app: FastAPI, runner: Runner) -> None:
    stage = runner.stage

    async def refused(request: Request, error: Any) -> Response:
        log.info("run refused", extra=dict(runner.about, trace=_trace(request), code=error.code, status=error.status))
        # Whether it is worth waiting for, a caller sees by the state.
        return _problem(request, stage, error, {"state": runner.state} if error is runner.problem else None)

    async def invalid(request: Request, error: Any) -> Response:
        names = ", ".join("'%s'" % shown(str(found["loc"][-1])) for found in error.errors())
        return _problem(request, stage, MissingArtifact("%s has a value that is not taken; see /docs." % names))

    async def http(request: Request, error: Any) -> Response:
        members = {"type": "about:blank", "title": error.detail, "status": error.status_code, "stage": stage.name}
        members.update({"code": _OF_THE_ROUTER.get(error.status_code, "bad-request"), "trace_id": _trace(request)})
        members["detail"] = "The page /docs shows which addresses there are, and by which methods."
        return JSONResponse(members, error.status_code, media_type=PROBLEM, headers=getattr(error, "headers", None))

    async def bug(request: Request, error: Any) -> Response:
        return _problem(request, stage, EngineFailed("An internal error. Please report it with the trace id."))

    app.add_exception_handler(StageError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, bug)


def _problem(request: Request, stage: Stage, error: StageError, extra: Optional[Dict[str, Any]] = None) -> Response:
    body = dict(error.problem(), stage=stage.name, trace_id=_trace(request), instance=request.url.path, **(extra or {}))
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else None
    return JSONResponse(body, error.status, media_type=PROBLEM, headers=headers)


# -- the OpenAPI document ----------------------------------------------------------------------------------------------


def _description(stage: Stage, engine: Engine) -> str:
    return "Takes %s; gives %s. Engine: %s %s (licence: %s)." % (
        ", ".join(engine_inputs(stage, engine)), ", ".join(stage.outputs), engine.name, engine.version, engine.licence,
    )  # fmt: skip


def _request_body(runner: Runner) -> Dict[str, Any]:
    needed = list(engine_inputs(runner.stage, runner.engine))
    kinds = dict({name: runner.stage.inputs[name] for name in needed}, **runner.stage.optional)
    binary = {name: {"type": "string", "format": "binary", "description": kind} for name, kind in kinds.items()}
    schema = {"type": "object", "required": needed, "properties": dict(binary, **_options_part(runner))}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _options_part(runner: Runner) -> Dict[str, Any]:
    if not runner.engine.option_schema():
        return {}
    names = ", ".join(runner.engine.option_schema())
    return {PART: {"type": "string", "description": "A JSON object with some of %s; /info has its schema." % names}}


def _responses(stage: Stage) -> Dict[Union[int, str], Dict[str, Any]]:
    answers: Dict[Union[int, str], Dict[str, Any]] = {
        200: {"description": "multipart/form-data with " + ", ".join(stage.outputs)}
    }
    for code, error in sorted(all_errors().items()):
        entry = answers.setdefault(error.status, {"description": "", "content": {PROBLEM: {}}})
        entry["description"] = (entry["description"] + " " + code).strip()
    return answers
