"""What a stage tells of a run while it goes on: GET /runs/{id}."""

from pydantic import BaseModel, Field


class News(BaseModel):
    """How a run goes."""

    number: int = Field(ge=0)
    queue: int | None = Field(None, ge=1, le=10**6)
    """Its place in line; None once it runs."""
    done: int | None = Field(None, ge=0, le=10**6)
    of: int | None = Field(None, ge=1, le=10**6)
    seconds_left: float | None = Field(None, ge=0, le=10**7, allow_inf_nan=False)
    preview: int | None = Field(None, ge=0, le=10**6)
    """After how many steps the latest preview was made."""

    @property
    def says_something(self) -> bool:
        """Whether it is more than that the run is under way."""
        return self.queue is not None or (self.done is not None and self.of is not None)
