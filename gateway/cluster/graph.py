"""The stage graph, built from what the stages declare. Pure: no network, no images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from gateway.errors import StartupError

UPLOADS = {"photo": "picture", "garment": "picture"}
"""What a shopper sends: artifact -> kind."""

GOAL = "tryon"
"""The artifact that a try-on ends with."""

RESULTS = (GOAL, "tryon_photo")
"""The artifacts that show the person in the garment."""


@dataclass(frozen=True)
class Declaration:
    """What one stage says of itself: artifact -> kind, for its inputs and its outputs."""

    stage: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    @classmethod
    def from_info(cls, info: Mapping[str, Any]) -> "Declaration":
        """Read it from an /info document."""
        return cls(info["stage"], dict(info["inputs"]), dict(info["outputs"]))


class StageGraph:
    """Which stage waits for which: an edge for every artifact that one gives and another takes."""

    def __init__(self, declarations: Iterable[Declaration], *, partial: bool = False) -> None:
        """partial: some stages are not known yet, so that what they give may be missing.

        Raises StartupError for two producers of one artifact, a missing one, differing kinds, or a cycle.
        """
        self.stages = {declaration.stage: declaration for declaration in declarations}
        self.producer = _producers(self.stages.values())
        kinds = UPLOADS | {name: kind for d in self.stages.values() for name, kind in d.outputs.items()}
        for declaration in self.stages.values():
            _check_inputs(declaration, kinds, partial)
        if GOAL not in self.producer and not partial:
            raise StartupError(f"No stage gives '{GOAL}'. Add the address of one to HOWSFIT_STAGES.")
        self.order = self._order()

    def needs(self, stage: str) -> set[str]:
        """The stages whose outputs this one takes."""
        return {self.producer[name] for name in self.stages[stage].inputs if name in self.producer}

    def uploads(self, stage: str) -> set[str]:
        """What a shopper sent that this stage's outputs are made from, directly or through others."""
        own = UPLOADS.keys() & self.stages[stage].inputs
        return own.union(*(self.uploads(other) for other in self.needs(stage)))

    def reach(self, uploads: Iterable[str]) -> tuple[str, ...]:
        """The stages that these uploads suffice for, in running order."""
        there = set(uploads)
        reached = []
        for stage in self.order:
            if there.issuperset(self.stages[stage].inputs):
                reached.append(stage)
                there.update(self.stages[stage].outputs)
        return tuple(reached)

    def sorter(self, uploads: Iterable[str], done: Iterable[str] = ()) -> "TopologicalSorter[str]":
        """For one run with these uploads: hands out each stage as soon as those before it are done, some of them already."""
        left = [stage for stage in self.reach(uploads) if stage not in set(done)]
        sorter = TopologicalSorter({stage: self.needs(stage) & set(left) for stage in left})
        sorter.prepare()
        return sorter

    def _order(self) -> tuple[str, ...]:
        sorter = TopologicalSorter({stage: self.needs(stage) for stage in self.stages})
        try:
            return tuple(sorter.static_order())
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            raise StartupError(f"The stages wait for each other in a circle: {circle}. Choose other engines.") from None


def _producers(declarations: Iterable[Declaration]) -> dict[str, str]:
    producer: dict[str, str] = {}
    for declaration in declarations:
        for name in declaration.outputs:
            if name in UPLOADS:
                raise StartupError(f"Stage '{declaration.stage}' gives '{name}', which only an upload may give.")
            if name in producer:
                raise StartupError(
                    f"Both '{producer[name]}' and '{declaration.stage}' give '{name}'. Take one out of HOWSFIT_STAGES."
                )
            producer[name] = declaration.stage
    return producer


def _check_inputs(declaration: Declaration, kinds: Mapping[str, str], partial: bool) -> None:
    for name, kind in declaration.inputs.items():
        if name not in kinds:
            if partial:
                continue
            raise StartupError(
                f"Stage '{declaration.stage}' takes '{name}', but no stage gives it. Add one to HOWSFIT_STAGES."
            )
        if kinds[name] != kind:
            raise StartupError(
                f"Stage '{declaration.stage}' takes '{name}' as {kind}, but it is given as {kinds[name]}. "
                "Run the same version of Howsfit everywhere."
            )
