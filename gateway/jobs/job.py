"""What a durable job is, as seen from outside, and what can be wrong with it.

JobError
|-- UnknownJob         there is no job with this id
|-- PayloadConflict    the id is taken by a job with another payload
`-- WrongState         the job is under way, or did not fail
JobFailed              what a job raises to fail with a problem document of its own
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]
State = Literal["queued", "processing", "succeeded", "failed", "canceled"]
ENDED: tuple[State, ...] = ("succeeded", "failed", "canceled")


class JobError(Exception):
    """The call does not fit the job."""


class UnknownJob(JobError):
    """There is no job with this id."""


class PayloadConflict(JobError):
    """The id is taken by a job with another payload."""


class WrongState(JobError):
    """The job is under way, or did not fail."""


class JobFailed(Exception):
    """Raised by a job: it fails for good, and `problem` is its error."""

    def __init__(self, problem: Json) -> None:
        super().__init__(str(problem.get("detail", problem.get("title", "failed"))))
        self.data = problem  # the attribute that DBOS stores with an error

    @property
    def problem(self) -> Json:
        """The problem document."""
        return self.data


@dataclass(frozen=True)
class Job:
    """A job as it stands."""

    id: str
    state: State
    payload: Json
    owner: str
    """Whose it is; empty for nobody's in particular."""
    deadline_at: datetime | None
    attempt: int
    """1, and one more for every retry. Starting again after a crash is no retry."""
    result: Json | None
    error: Json | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    executor: str | None
    """The gateway that ran it last, or runs it."""

    @property
    def cursor(self) -> str:
        """Where list() goes on after this job."""
        return f"{round(self.created_at.timestamp() * 1000)}.{self.id}"


def cursor_key(cursor: str) -> tuple[int, str]:
    created_ms, _, job_id = cursor.partition(".")
    # Thirteen digits last until the year 2286; more would be no time that Python knows.
    if not re.fullmatch("[0-9]{1,13}", created_ms) or not job_id:
        raise ValueError(f"'{cursor}' is no cursor. Pass the one of the last job of the page before.")
    return int(created_ms), job_id
