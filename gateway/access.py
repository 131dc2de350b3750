"""Who calls, and what they may do."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends


@dataclass(frozen=True)
class Caller:
    """Whoever sent a request."""

    owner: str = ""
    """Whose try-ons and images these are; empty while no keys are asked for."""
    sees_all: bool = True
    """Whether other owners' try-ons are shown too."""
    max_jobs: int | None = None
    """Try-ons that may be under way at the same time; None: no bound."""

    @property
    def sees(self) -> str | None:
        """The owner whose things are shown; None: everybody's."""
        return None if self.sees_all else self.owner


def _anybody() -> Caller:
    return Caller()


Reader = Annotated[Caller, Depends(_anybody)]
Writer = Annotated[Caller, Depends(_anybody)]
