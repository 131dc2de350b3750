"""Which sets of weights are meant, and how each is."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from howsfit.weights.errors import WeightsError
from stagekit.manifest import WeightSet, read_manifest, read_sets, sets_of
from stagekit.weights import MISSING, State, check, read_lock

COMMERCIAL = {"yes": "commercial use allowed", "no": "not for commercial use", "unclear": "for research only"}

_OF_OTHERS = tuple(Path(__file__).parents[1] / folder / "weights.json" for folder in ("evaluation", "train"))
"""Of what is no engine."""


class SetState(NamedTuple):
    """A set, and how each of its files is."""

    weights: WeightSet
    files: dict[str, State]

    used: bool
    """Whether the settings of this environment choose it."""

    @property
    def missing(self) -> bool:
        """Nothing of it is here."""
        return all(state.state == MISSING for state in self.files.values())

    @property
    def wrong(self) -> list[str]:
        """What is wrong with its files."""
        return [state.told for state in self.files.values() if not state.good]

    def told(self) -> str:
        """In a few words."""
        if self.missing:
            return "not here"
        return "; ".join(self.wrong) or ", ".join(sorted({state.state for state in self.files.values()}))


def look(folder: Path, manifest: Mapping[str, WeightSet], environ: Mapping[str, str], quick: bool) -> list[SetState]:
    """Every set of the manifest. quick: files that were recorded and seem unchanged are not read again."""
    lock = read_lock(str(folder))
    used = {weights.key for weights in chosen(manifest, environ)}
    return [
        SetState(
            weights,
            {file.name: check(str(folder), weights, file, lock, quick) for file in weights.files},
            weights.key in used,
        )
        for weights in manifest.values()
    ]


def every_set() -> dict[str, WeightSet]:
    """All sets by key: of the engines that are here, of `howsfit evaluate` and of `howsfit train`.

    Raises OSError, ValueError as read_sets does.
    """
    return {**read_manifest(), **{key: each for path in _OF_OTHERS for key, each in read_sets(str(path)).items()}}


def chosen(manifest: Mapping[str, WeightSet], environ: Mapping[str, str]) -> list[WeightSet]:
    """The sets of the engines that HOWSFIT_..._ENGINE choose."""
    engines = {value for name, value in environ.items() if re.fullmatch(r"HOWSFIT_\w+_ENGINE", name)}
    return [weights for engine in sorted(engines) for weights in sets_of(engine, manifest, environ)]


def find(names: Iterable[str], manifest: Mapping[str, WeightSet], environ: Mapping[str, str]) -> list[WeightSet]:
    """Sets by key, or all that an engine needs by its name. Raises WeightsError for a name that is none."""
    found: dict[str, WeightSet] = {}
    for name in names:
        sets = [manifest[name]] if name in manifest else sets_of(name, manifest, environ)
        if not sets:
            raise WeightsError(f"There are no weights '{name}'. There are: {', '.join(manifest)}.")
        found |= {weights.key: weights for weights in sets}
    return list(found.values())
