"""What a trap is, and the table of all of them. Each is a function with a code; the modules beside this one hold them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from howsfit.dataset.checks.facts import Facts
    from howsfit.dataset.checks.opened import File

Level = Literal["error", "warning"]
"""error: a published loader stops at it, or a training is spoilt by it. warning: it looks like that, but may be meant."""

Look = Callable[["File"], str | None]
"""What was found in a file; None: nothing."""

Search = Callable[["Facts"], Iterator["Finding"]]

Mend = Callable[["File"], bytes | None]
"""The file's new content; None where it cannot be had without guessing."""


class Finding(NamedTuple):
    """One file, or the set, in one trap."""

    code: str
    file: str
    """Its path below the data set's folder; of what is missing, where it should be."""
    found: str
    part: str = ""
    name: str = ""
    """Of the person or garment; empty: of none alone."""
    artifact: str = ""


@dataclass(frozen=True)
class Trap:
    code: str
    level: Level
    means: str
    """What it is, and what it does to a training or a test."""
    mend: str
    """What to do about it."""
    on: tuple[str, ...]
    """Artifacts whose files are looked at; of a trap of the whole set, none."""
    look: Look | None = None
    search: Search | None = None
    safe: Mend | None = None
    """Mends a file so that nothing else of it changes."""
    last: bool = False
    """A file in it is not looked at further."""


TRAPS: dict[str, Trap] = {}
"""Code -> trap; whole once run.py is imported."""


def of_files(
    code: str,
    on: tuple[str, ...],
    means: str,
    mend: str,
    safe: Mend | None = None,
    level: Level = "error",
    last: bool = False,
) -> Callable[[Look], Look]:
    """Enters a function that looks at one file, and at others of its person or garment if it needs to."""

    def enter(look: Look) -> Look:
        TRAPS[code] = Trap(code, level, means, mend, on, look=look, safe=safe, last=last)
        return look

    return enter


def of_set(code: str, means: str, mend: str, level: Level = "error") -> Callable[[Search], Search]:
    """Enters a function that looks at what is known of all files."""

    def enter(search: Search) -> Search:
        TRAPS[code] = Trap(code, level, means, mend, (), search=search)
        return search

    return enter
