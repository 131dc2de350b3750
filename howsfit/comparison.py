"""What `howsfit compare` compares, and the table that it prints."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

MOST = 8
"""Variants that the gateway compares. (To import its own number would take longer than to refuse a command.)"""

Options = dict[str, dict[str, Any]]
"""Stage -> option -> value."""


def variants_of(generators: str | None, options: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Each generator with each combination of the options' values, as POST /v1/comparisons takes them.

    generators: engines of stage tryon with commas between; None: its own. options: STAGE.OPTION -> values.
    Raises ValueError for fewer than two, or more than the gateway compares.
    """
    named = dict.fromkeys(each.strip() for each in (generators or "").split(",") if each.strip())
    engines: list[str | None] = [*named] or [None]
    differing = {name: values for name, values in options.items() if len(values) > 1}
    variants = []
    for engine, *values in itertools.product(engines, *differing.values()):
        own = by_stage(dict(zip(differing, values, strict=True)))
        variants.append(({"engines": {"tryon": engine}} if engine else {}) | ({"options": own} if own else {}))
    if len(variants) < 2:
        raise ValueError(
            "There is nothing to compare. Name several engines (--tryon tps,hr_viton), or several values of an option "
            "(--set tryon.hem=hanging,tucked)."
        )
    if len(variants) > MOST:
        raise ValueError(f"These would be {len(variants)} variants; at most {MOST} are compared. Name fewer.")
    return variants


def by_stage(options: Mapping[str, Any]) -> Options:
    """STAGE.OPTION -> value, put in order. Raises ValueError for a name without a stage."""
    found: Options = {}
    for name, value in options.items():
        stage, dot, option = name.partition(".")
        if not dot:
            raise ValueError(f"--set {name}: write STAGE.OPTION=VALUE, for instance tryon.hem=tucked.")
        found.setdefault(stage, {})[option] = value
    return found


def named_values(
    chosen: Sequence[str] | None, flag: str = "--set", read: Callable[[str], Any] | None = None
) -> dict[str, Any]:
    """Name -> value, of NAME=VALUE. read: what a value says; default: value_of. Raises ValueError, which names the flag."""
    found: dict[str, Any] = {}
    for each in chosen or []:
        name, sign, value = each.partition("=")
        if not sign or not name:
            raise ValueError(f"{flag} {each}: write NAME=VALUE.")
        found[name] = (read or value_of)(value)
    return found


def values_of(text: str) -> list[Any]:
    """The values of an option, with commas between; each is JSON where it can be read as such, else text."""
    return [value_of(each) for each in text.split(",")]


def value_of(text: str) -> Any:
    """JSON where it can be read as such, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def table_of(document: Mapping[str, Any]) -> Table:
    """A comparison's document, a row for each variant."""
    table = Table("variant", "engine", "seconds", "all stages", "licence", "commercial use", "warnings", "status")
    for each in document["variants"]:
        seconds = (each[name] for name in ("seconds", "total_seconds"))
        warnings = dict.fromkeys(warning["code"] for warning in each["warnings"])
        table.add_row(
            escape(each["label"]),
            escape(each["engine"]),
            *("" if took is None else f"{took:.2f}" for took in seconds),
            escape(each["licence"] or ""),
            each["commercial"] or "",
            escape(", ".join(warnings)),
            each["status"],
        )
    return table
