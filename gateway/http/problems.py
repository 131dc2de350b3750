"""Every error of the API as problem+json (RFC 9457)."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import Match

from gateway.errors import BadRequest, GatewayError, MethodNotAllowed, NotFound
from gateway.http.names import quoted
from gateway.http.wording import sentences
from stagekit.errors import Problem
from stagekit.tracing import trace_id

log = logging.getLogger("howsfit.gateway")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PROBLEM = "application/problem+json"


class ProblemDocument(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = Field(None, description="What is wrong and what to do, for whoever sent the request.")
    code: str | None = Field(None, description="One of a closed list: what programs look at.")
    instance: str | None = None
    trace_id: str | None = None
    errors: list[dict[str, str]] | None = Field(None, description="Of a malformed request: what is wrong where.")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: the refusals that it may answer with, besides those that every route has."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    return {
        status: {"description": _MEANING[status], "content": {PROBLEM: schema}}
        for status in sorted({*_ANYWHERE, *statuses})
    }


_ANYWHERE = (400, 401, 403, 429)
_MEANING = {
    400: "The request is malformed.",
    401: "A key is needed.",
    403: "The key does not allow it.",
    404: "There is no such thing, or it is somebody else's.",
    409: "It contradicts an earlier request, or what became of it.",
    413: "Too large.",
    422: "It cannot be worked on.",
    429: "Too much at once; see Retry-After.",
    503: "Something that is needed is away; try again.",
    507: "The storage is full.",
}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error that a route raises with a problem document."""

    async def refused(request: Request, error: Any) -> Response:
        return problem_response(request, error)

    async def invalid(request: Request, error: Any) -> Response:
        listed = sentences(error.errors())
        said = " ".join(dict.fromkeys(e["message"] for e in listed))
        return problem_response(request, BadRequest(said), errors=listed)

    async def http(request: Request, error: Any) -> Response:
        if isinstance(error.__cause__, Problem):  # raised while FastAPI read a body
            return problem_response(request, error.__cause__)
        headers = {"Allow": ", ".join(_allowed(request))} if error.status_code == 405 else error.headers
        return problem_response(request, _of_the_router(request, error), headers)

    async def bug(request: Request, error: Any) -> Response:
        return problem_response(request, GatewayError("An internal error. Please report it with the trace id."))

    app.add_exception_handler(Problem, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    # Not as a handler of the app, which would answer outside of all middleware, where no CORS header is added any more.
    app.add_middleware(ServerErrorMiddleware, handler=bug)


def _of_the_router(request: Request, error: HTTPException) -> Problem:
    path = quoted(request.scope["path"])
    if error.status_code == 404:
        return NotFound(f"There is nothing at {path}. The page /docs shows what there is.")
    if error.status_code == 405:
        return MethodNotAllowed(f"{path} takes {' and '.join(_allowed(request))}, not {quoted(request.method)}.")
    return BadRequest("The body is no JSON that can be read.")


def _allowed(request: Request) -> list[str]:
    """The methods that the request's address takes; the router knows only those of the first route that it found."""
    routes = request.app.router.routes
    return [m for m in METHODS if any(r.matches({**request.scope, "method": m})[0] == Match.FULL for r in routes)]


def problem_response(
    request: Request, error: Problem, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """The error as an answer. members: of the document, besides those that the error itself knows."""
    trace = trace_id(request.headers.get("traceparent"))
    # Neither query nor headers nor detail: they may hold keys, and names of people's files.
    about = {"method": request.method, "path": request.scope["path"], "status": error.status, "code": error.code}
    log.info("request refused", extra=about | {"trace": trace})
    body = error.problem() | {"instance": request.scope["path"], "trace_id": trace} | members
    retry = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return JSONResponse(body, error.status, media_type=PROBLEM, headers={**(headers or {}), **retry})
