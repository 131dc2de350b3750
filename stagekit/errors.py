"""What a stage may refuse with, and the one table from code to HTTP status.

    Problem
    `-- StageError
        |-- UnreadableImage      unreadable-image
        |-- ImageTooLarge        image-too-large
        |-- ImageTooSmall        image-too-small
        |-- ImageTooNarrow       image-too-narrow
        |-- MissingArtifact      missing-artifact
        |-- WrongKind            wrong-kind
        |-- BadOption            bad-option
        |-- NoPerson             no-person
        |-- TurnedPhoto          photo-turned
        |-- IncompletePose       incomplete-pose
        |-- GarmentNotFound      garment-not-found
        |-- WeightsMissing       weights-missing
        |-- NotReady             not-ready
        |-- Overloaded           overloaded
        |-- DeadlineExceeded     deadline-exceeded
        |-- Cancelled            canceled
        |-- OutOfMemory          out-of-memory
        `-- EngineFailed         engine-failed

Every refusal says what to do next: `detail` is written for the person who sent the request.
"""

from typing import Any, Dict, Mapping, Optional, Type


class Problem(Exception):
    """An error that an HTTP answer can carry as problem+json (RFC 9457)."""

    code = "internal-error"
    status = 500
    title = "Internal error"

    def __init__(
        self, detail: str, retry_after_s: Optional[int] = None, members: Optional[Mapping[str, Any]] = None
    ) -> None:
        """members: further ones of the document, by which programs know what it is about."""
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.members = dict(members or {})

    def problem(self) -> Dict[str, Any]:
        """The RFC 9457 members that the error itself knows."""
        return dict(
            {
                "type": "urn:howsfit:problem:" + self.code,
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "code": self.code,
            },
            **self.members,
        )


class StageError(Problem):
    """A typed refusal of a stage. Raise a subclass; the chassis does the rest."""


class UnreadableImage(StageError):
    """The bytes are no image that can be decoded whole."""

    code, status, title = "unreadable-image", 422, "The image cannot be read"


class ImageTooLarge(StageError):
    """More bytes or pixels than the service takes."""

    code, status, title = "image-too-large", 413, "The image is too large"


class ImageTooSmall(StageError):
    """Too few pixels to work on."""

    code, status, title = "image-too-small", 422, "The image is too small"


class ImageTooNarrow(StageError):
    """A strip: one side is many times the other."""

    code, status, title = "image-too-narrow", 422, "The image is too narrow"


class MissingArtifact(StageError):
    """The request lacks an input, holds one twice, or asks for an unknown one."""

    code, status, title = "missing-artifact", 400, "An artifact is missing"


class WrongKind(StageError):
    """The artifact decodes, but is not what its name promises (size, mode, values)."""

    code, status, title = "wrong-kind", 422, "The artifact is of the wrong kind"


class BadOption(StageError):
    """An option that the engine does not have, or a value that it does not take: `option` among the members names it."""

    code, status, title = "bad-option", 400, "The option is not taken"


class NoPerson(StageError):
    """Nobody was found in the photo."""

    code, status, title = "no-person", 422, "No person was found"


class TurnedPhoto(StageError):
    """The person lies on her side, or stands on her head."""

    code, status, title = "photo-turned", 422, "The photo is turned"


class IncompletePose(StageError):
    """A joint that the algorithm needs was not detected."""

    code, status, title = "incomplete-pose", 422, "The pose is incomplete"


class GarmentNotFound(StageError):
    """No garment stands out from the background of its photo."""

    code, status, title = "garment-not-found", 422, "No garment was found"


class WeightsMissing(StageError):
    """The engine's weights are not where it looks for them, or are not the right ones."""

    code, status, title = "weights-missing", 503, "The weights are missing"

    def __init__(self, detail: str, command: Optional[str] = None) -> None:
        """command: the one that brings them."""
        super().__init__(detail, members={"command": command} if command else None)


class NotReady(StageError):
    """The engine is still loading, or did not load."""

    code, status, title = "not-ready", 503, "The engine is not ready"


class Overloaded(StageError):
    """The queue is full; try again after `retry_after_s` seconds."""

    code, status, title = "overloaded", 429, "The stage is overloaded"


class DeadlineExceeded(StageError):
    """The caller's deadline passed before there was a result."""

    code, status, title = "deadline-exceeded", 504, "The deadline passed"


class Cancelled(StageError):
    """Whoever asked for the run canceled it, or has gone."""

    code, status, title = "canceled", 409, "The run was canceled"


class OutOfMemory(StageError):
    """The engine ran out of memory on this input."""

    code, status, title = "out-of-memory", 507, "Out of memory"


class EngineFailed(StageError):
    """A bug: the engine raised what it should not, or gave a malformed output."""

    code, status, title = "engine-failed", 500, "The engine failed"


def all_errors() -> Dict[str, Type[StageError]]:
    """Code -> class, for the table in the documentation and for clients that rebuild an error."""
    return {cls.code: cls for cls in StageError.__subclasses__()}
