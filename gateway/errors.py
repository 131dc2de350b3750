"""What the gateway itself may answer. A refusal of a stage is passed on as the stage wrote it.

Problem (stagekit.errors)
`-- GatewayError
    |-- BadRequest           bad-request
    |-- BadEngine            bad-engine
    |-- NotCommercial        not-commercial
    |-- UnsupportedCategory  unsupported-category
    |-- Unauthorized         unauthorized
    |-- Forbidden            forbidden
    |-- KeysOff              keys-off
    |-- RateLimited          rate-limited
    |-- NotFound             not-found
    |-- MethodNotAllowed     method-not-allowed
    |-- UploadTooLarge       image-too-large
    |-- TooManyTryons        overloaded
    |-- QuotaReached         quota-reached
    |-- IdempotencyConflict  conflict
    |-- WebhookRefused       webhook-refused
    |-- PictureNotFetched    picture-not-fetched
    |-- StageNotReady        not-ready, weights-missing   not yet there, or not able to start
    |-- StageUnreachable     stage-unreachable   no answer: connection, time-out
    `-- StageNonsense        stage-nonsense      an answer that the protocol does not allow
StageRefused                 a stage's own problem document
StartupError                 the cluster cannot be used as configured
"""

from collections.abc import Mapping
from typing import Any, Literal

from stagekit.errors import Problem


class GatewayError(Problem):
    """An error of the gateway's own."""


class BadRequest(GatewayError):
    """A malformed request."""

    code, status, title = "bad-request", 400, "The request is malformed"


class BadEngine(GatewayError):
    """An engine that there is not, or that does not fit to the others: `stage` among the members tells of which stage."""

    code, status, title = "bad-engine", 400, "The engine is not to be had"


class NotCommercial(GatewayError):
    """The licence of an engine, or of its weights, does not allow what the request is for."""

    code, status, title = "not-commercial", 422, "A licence does not allow commercial use"


class UnsupportedCategory(GatewayError):
    """A garment of a category that the generator does not dress people in."""

    code, status, title = "unsupported-category", 422, "The engine does not dress people in that"


class Unauthorized(GatewayError):
    """No key, or none that opens anything."""

    code, status, title = "unauthorized", 401, "A key is needed"


class Forbidden(GatewayError):
    """The key does not allow it."""

    code, status, title = "forbidden", 403, "The key does not allow it"


class KeysOff(GatewayError):
    """There are no keys to manage."""

    code, status, title = "keys-off", 409, "No keys are asked for"


class RateLimited(GatewayError):
    """The key has sent as many requests as it may for now."""

    code, status, title = "rate-limited", 429, "Too many requests"


class NotFound(GatewayError):
    """No such try-on, image, batch, artifact or key."""

    code, status, title = "not-found", 404, "There is no such thing"


class MethodNotAllowed(GatewayError):
    """Another method than the address takes."""

    code, status, title = "method-not-allowed", 405, "The address does not take this method"


class UploadTooLarge(GatewayError):
    """An upload above the limit."""

    code, status, title = "image-too-large", 413, "The image is too large"


class TooManyTryons(GatewayError):
    """Too many try-ons wait already."""

    code, status, title = "overloaded", 429, "Too many try-ons wait"


class QuotaReached(GatewayError):
    """The key has as many try-ons under way as it may."""

    code, status, title = "quota-reached", 429, "Too many try-ons are under way"


class IdempotencyConflict(GatewayError):
    """The request contradicts an earlier one, or what became of it."""

    code, status, title = "conflict", 409, "The request contradicts an earlier one"


class WebhookRefused(GatewayError):
    """A webhook to where none may go, or when there are none."""

    code, status, title = "webhook-refused", 422, "The webhook is refused"


class PictureNotFetched(GatewayError):
    """A picture's address from which none may be fetched, or none came."""

    code, status, title = "picture-not-fetched", 422, "The picture could not be fetched"


class StageNotReady(GatewayError):
    """A stage that is needed is not there yet, or cannot start."""

    code, status, title = "not-ready", 503, "A stage is not ready"

    def __init__(self, detail: str, members: Mapping[str, Any] | None = None, retry_after_s: int | None = None) -> None:
        """members: with the stage's name, and what the stage itself said of it: its code, the command that helps."""
        super().__init__(detail, retry_after_s, members)


class StageUnreachable(GatewayError):
    """A stage does not answer."""

    code, status, title = "stage-unreachable", 502, "A stage cannot be reached"

    def __init__(self, detail: str, how: Literal["away", "hung-up", "late"] = "away") -> None:
        """how: nobody listens; the connection broke off, as when the stage dies at work; no answer in time."""
        super().__init__(detail)
        self.how = how


class StageNonsense(GatewayError):
    """A stage answered what the stage protocol does not allow."""

    code, status, title = "stage-nonsense", 502, "A stage broke the protocol"


class StageRefused(Exception):
    """A stage refused the run; `problem` is its problem+json document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail", problem.get("title", "refused")))
        self.problem = problem


class StartupError(Exception):
    """The stages at hand make no working cluster. The text says which and what to do."""
