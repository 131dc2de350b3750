"""Options of an engine that a request may set for one run: declared as JSON Schema, checked alike by stages and gateway.

OPTIONS = {"seed": integer("Of the noise: the same seed, the same picture.", 0, 0, 2 ** 32 - 1)}
"""

import hashlib
import json
from typing import Any, Dict, Mapping, Sequence

from stagekit.errors import BadOption
from stagekit.wire import shown

OptionSchema = Dict[str, Dict[str, Any]]
"""Option -> its JSON Schema (2020-12): `type` integer, number, boolean or string; `minimum` and `maximum`, or `enum`;
`default`; `description` in one line."""

PART = "options"
"""Of a run's request: the part that holds them, a JSON object. No artifact has this name."""

MAX_BYTES = 4096


def integer(description: str, default: int, minimum: int, maximum: int) -> Dict[str, Any]:
    """Schema of a whole number."""
    return dict(_described("integer", description, default), minimum=minimum, maximum=maximum)


def number(description: str, default: float, minimum: float, maximum: float) -> Dict[str, Any]:
    """Schema of a number."""
    return dict(_described("number", description, default), minimum=minimum, maximum=maximum)


def choice(description: str, default: Any, values: Sequence[Any]) -> Dict[str, Any]:
    """Schema of one of these words, or of these whole numbers."""
    kind = "integer" if isinstance(default, int) else "string"
    return dict(_described(kind, description, default), enum=list(values))


def boolean(description: str, default: bool) -> Dict[str, Any]:
    """Schema of what is on or off."""
    return _described("boolean", description, default)


def check_options(schema: OptionSchema, given: Mapping[str, Any], engine: str) -> Dict[str, Any]:
    """Those given that are not the defaults. Raises BadOption naming what there is."""
    for name, value in given.items():
        if name not in schema:
            there = ", ".join(schema) or "none"
            said = "Engine %s has no option '%s'. It has: %s." % (engine, shown(name), there)
            raise BadOption(said, members={"option": shown(name)})
        if not _fits(schema[name], value):
            wanted = _wanted(schema[name])
            said = "Option '%s' of engine %s must be %s, not %s." % (name, engine, wanted, shown(repr(value)))
            raise BadOption(said, members={"option": shown(name)})
    same_type = {name: int(value) if schema[name]["type"] == "integer" else value for name, value in given.items()}
    return {name: value for name, value in same_type.items() if value != schema[name]["default"]}


def is_schema(schema: Any) -> bool:
    """Whether what another program declares can be checked here."""
    return isinstance(schema, dict) and all(_is_option(each) for each in schema.values())


def defaults(schema: OptionSchema) -> Dict[str, Any]:
    """What holds where a request says nothing."""
    return {name: each["default"] for name, each in schema.items()}


def read_options(data: bytes) -> Dict[str, Any]:
    """The JSON object of a request's part, which may be empty. Raises BadOption."""
    if not data.strip():
        return {}
    try:
        given = json.loads(data.decode("utf-8")) if len(data) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise BadOption('The options must be a JSON object of %d bytes at most: {"seed": 3}, for instance.' % MAX_BYTES)
    return given


def fingerprint_of_run(fingerprint: str, differing: Mapping[str, Any]) -> str:
    """The fingerprint of a run with these options, of which none is the default: the engine's own where there are none."""
    if not differing:
        return fingerprint
    facts = json.dumps([fingerprint, differing], sort_keys=True)
    return "sha256:" + hashlib.sha256(facts.encode("utf-8")).hexdigest()


def _described(kind: str, description: str, default: Any) -> Dict[str, Any]:
    return {"type": kind, "description": description, "default": default}


def _is_option(schema: Any) -> bool:
    if not isinstance(schema, dict) or schema.get("type") not in ("integer", "number", "boolean", "string"):
        return False
    bounds = [schema.get("minimum"), schema.get("maximum")]
    if "enum" in schema:
        bounded = isinstance(schema["enum"], list)
    elif schema["type"] in ("integer", "number"):
        bounded = all(isinstance(bound, (int, float)) for bound in bounds)
    else:
        bounded = True
    return bounded and "default" in schema and _fits(schema, schema["default"])


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    if schema["type"] == "boolean":
        return isinstance(value, bool)
    if schema["type"] == "string":
        return isinstance(value, str) and value in schema.get("enum", (value,))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if schema["type"] == "integer" and value != value // 1:  # NaN differs from itself
        return False
    if "enum" in schema:
        return value in schema["enum"]
    return bool(schema["minimum"] <= value <= schema["maximum"])


def _wanted(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if schema["type"] == "boolean":
        return "true or false"
    if schema["type"] == "string":
        return "text"
    kind = "a whole number" if schema["type"] == "integer" else "a number"
    return "%s from %s to %s" % (kind, schema["minimum"], schema["maximum"])
