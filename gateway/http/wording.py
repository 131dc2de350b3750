"""What is wrong with a request, in words for whoever sent it. What pydantic says is for whoever wrote the program."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.http.names import quoted

_SAID = {
    "missing": "is missing",
    "string_type": "must be text",
    "string_too_long": "is too long: {max_length} characters at most",
    "string_too_short": "is too short: {min_length} characters at least",
    "string_unicode": "must be text in UTF-8",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number, and no such large one",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number that is not infinite",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "dict_type": "must be a JSON object",
    "list_type": "must be a list",
    "too_short": "must have {min_length} or more",
    "too_long": "must have {max_length} at most",
    "literal_error": "must be one of: {expected}",
    "enum": "must be one of: {expected}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "timezone_aware": "must be a time with its zone, as 2030-01-31T12:00:00Z",
    "value_error": "{error}",
    "no_artifact": "{said}",
    "no_picture": "is no picture: {said} Send the file as multipart/form-data (curl -F {name}=@FILE), or its bytes in base64",
}
"""Kind of a pydantic error -> what is said of the field, with what the error brings along."""

_BEGINNINGS = {"date": "must be a time, as 2030-01-31T12:00:00Z", "model": "must be a JSON object"}
_JSON = "The body must be a JSON object, sent with `Content-Type: application/json`"

_FORMS = {
    r"^sha256:[0-9a-f]{64}$": "must be the id of an image from POST /v1/images: sha256: and 64 digits of 0-9a-f",
    r"^[A-Za-z0-9._-]{1,100}$": "is no id: letters, digits, full stops, _ and -, 100 at most",
    r"^[A-Za-z0-9]{1,32}$": "is no id of a key: letters and digits, 32 at most",
    r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$": "must be a letter or digit and up to 63 more, full stops, _, @ or -",
    r"^[^\x00-\x1f]*$": "must not hold control characters",
}
"""Patterns of the API in words."""


def sentences(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Errors of a validation: `at`, the place with full stops, and `message`, a sentence."""
    return [{"at": _at(error["loc"]), "message": _sentence(error)} for error in errors]


def _at(place: Sequence[Any]) -> str:
    return ".".join(quoted(str(step))[1:-1] for step in place)


def _sentence(error: Mapping[str, Any]) -> str:
    kind, place = error["type"], error["loc"]
    if kind in ("unknown_field", "nobody_told"):
        return str(error["ctx"]["said"])
    if kind == "json_invalid":
        return f"The body is no JSON: {error['ctx']['error']} at character {place[-1]}."
    if len(place) < 2:
        return _JSON + "."
    return f"{_subject(place)} {_predicate(error)}."


def _subject(place: Sequence[Any]) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else quoted(str(step)) for step in place[1:]]
    name = steps[0] + "".join(steps[1:])
    return {"query": "The query parameter ", "header": "The header ", "path": "In the address "}.get(
        place[0], ""
    ) + name


def _predicate(error: Mapping[str, Any]) -> str:
    kind, known = error["type"], error.get("ctx", {})
    if kind == "string_pattern_mismatch" and known["pattern"] in _FORMS:
        return _FORMS[known["pattern"]]
    if kind in _SAID:
        return _SAID[kind].format(name=error["loc"][-1], **known)
    for beginning, said in _BEGINNINGS.items():
        if kind.startswith(beginning):
            return said
    return "is not what is expected there; the page /docs shows what is"
