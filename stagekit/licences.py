"""Whether what an engine makes may be used commercially: by its own licence and by those of its weights.

No NumPy here: the gateway, whose image has none, imports this module too.
"""

from typing import Any, Iterable, Mapping

WORDS = ("yes", "unclear", "no")
"""From the least strict to the strictest. unclear: no licence is stated, or it does not say; for research only."""


def strictest(words: Iterable[str]) -> str:
    """What holds where all of these do."""
    return max(words, key=lambda word: WORDS.index(word) if word in WORDS else 1, default="yes")


def commercial_use(info: Mapping[str, Any]) -> str:
    """One of WORDS, of an engine's /info document. What does not say is unclear."""
    weights = [each for each in info.get("weights") or () if isinstance(each, Mapping)]
    found = strictest(
        [str(info.get("commercial", "unclear"))] + [str(each.get("commercial", "yes")) for each in weights]
    )
    return found if found in WORDS else "unclear"
