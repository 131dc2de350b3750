"""Misspelt names are refused, with the one that was probably meant: what is silently ignored, nobody finds."""

import difflib
from collections.abc import Collection
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from gateway.errors import BadRequest

LONGEST_SHOWN = 60


class Fields(BaseModel):
    """The fields of a request's body: these and no others."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        if isinstance(given, dict) and (unknown := [name for name in given if name not in cls.model_fields]):
            said = misspelt("field", str(unknown[0]), cls.model_fields.keys())
            raise PydanticCustomError("unknown_field", "{said}", {"said": said})
        return given


def misspelt(kind: str, name: str, known: Collection[str]) -> str:
    """The sentence about a name that there is not. kind: of what it is the name, for instance field."""
    meant = difflib.get_close_matches(name.lower()[:LONGEST_SHOWN], known, 1)
    hint = f"did you mean '{meant[0]}'?" if meant else f"there are: {', '.join(known)}."
    return f"There is no {kind} {quoted(name)}; {hint}"


def quoted(text: str) -> str:
    """What a request brought, as it may stand in an answer: not too long, and nothing that UTF-8 cannot say."""
    shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
    return "'" + "".join(c if c.isprintable() else "�" for c in shown) + "'"


def known_query(request: Request) -> None:
    """A dependency of routes: no query parameters but theirs. Raises BadRequest."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            if not known:
                raise BadRequest(f"There is no query parameter {quoted(name)} here: send fields in the body.")
            raise BadRequest(misspelt("query parameter", name, known))


def known_query_of_posts(request: Request) -> None:
    """The same, for all POST routes of a router. (Pictures are often asked for with a number that keeps caches away.)"""
    if request.method == "POST":
        known_query(request)
