"""The stage graph, built from what the stages declare. Pure: no network, no images."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from gateway.errors import StartupError

UPLOADS = {"photo": "picture", "garment": "picture"}
"""What a shopper sends: artifact -> kind."""

GOAL = "tryon"
"""The artifact that a try-on ends with."""

RESULTS = (GOAL, "tryon_photo")
"""The artifacts that show the person in the garment."""

PERSON = "person"
"""The artifact that shows the person before she is dressed."""

BODY = ("pose", "densepose")
"""What is made of a person and is the same whatever she wears."""


@dataclass(frozen=True)
class Declaration:
    """What one stage says of itself: artifact -> kind, for its inputs and its outputs."""

    stage: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)
    """What it takes as well where a job begins with it."""

    @classmethod
    def from_info(cls, info: Mapping[str, Any]) -> "Declaration":
        """Read it from an /info document."""
        return cls(info["stage"], dict(info["inputs"]), dict(info["outputs"]), dict(info.get("optional", {})))


class StageGraph:
    """Which stage waits for which: an edge for every artifact that one gives and another takes."""

    def __init__(self, declarations: Iterable[Declaration], *, partial: bool = False) -> None:
        """partial: some stages are not known yet, so that what they give may be missing.

        Raises StartupError for two producers of one artifact, a missing one, differing kinds, or a cycle.
        """
        self.stages = {declaration.stage: declaration for declaration in declarations}
        self.producer = _producers(self.stages.values())
        kinds = UPLOADS | {name: kind for d in self.stages.values() for name, kind in d.outputs.items()}
        self.optional = {name: kind for d in self.stages.values() for name, kind in d.optional.items()}
        """Artifact -> kind, of what no stage need make."""
        for declaration in self.stages.values():
            _check_inputs(declaration, self.optional | kinds, partial)
        if GOAL not in self.producer and not partial:
            raise StartupError(f"No stage gives '{GOAL}'. Add the address of one to HOWSFIT_STAGES.")
        self.order = self._order()

    def kind(self, artifact: str) -> str | None:
        """Of an artifact that some stage gives, or takes where it is there; None for any other."""
        producer = self.producer.get(artifact)
        return self.stages[producer].outputs[artifact] if producer else self.optional.get(artifact)

    def artifacts(self) -> dict[str, str]:
        """Artifact -> kind, of all that there may be: what is uploaded, what is brought along, what stages give, in running
        order."""
        made = {name: kind for stage in self.order for name, kind in self.stages[stage].outputs.items()}
        return UPLOADS | self.optional | made

    def inputs(self, stage: str, begin: Collection[str]) -> list[str]:
        """The artifacts that a stage takes in a job that begins with these."""
        declared = self.stages[stage]
        return [*declared.inputs, *(name for name in declared.optional if name in begin)]

    def needs(self, stage: str, begin: Collection[str] = ()) -> set[str]:
        """The stages whose outputs this one takes. begin: artifacts that are given, so that nobody need make them."""
        inputs = self.stages[stage].inputs
        return {self.producer[name] for name in inputs if name in self.producer and name not in begin}

    def origins(self, stage: str, begin: Collection[str] = tuple(UPLOADS)) -> set[str]:
        """What a job begins with that this stage's outputs are made from, directly or through other stages. A category is left
        out: it is one of three words, and tells of nobody."""
        own = {name for name in self.inputs(stage, begin) if name in begin and self.kind(name) != "category"}
        return own.union(*(self.origins(other, begin) for other in self.needs(stage, begin)))

    def reach(self, begin: Iterable[str], dress: bool = True) -> tuple[str, ...]:
        """The stages that these artifacts suffice for, in running order. dress: with those that show the person in the garment,
        for one of which a garment alone may suffice, or a person."""
        there = set(begin)
        reached = []
        for stage in self.order:
            if there.issuperset(self.stages[stage].inputs) and (dress or self._makes_no_result(stage)):
                reached.append(stage)
                there.update(self.stages[stage].outputs)
        return tuple(reached)

    def running(self, begin: Iterable[str], dress: bool = True, only: Collection[str] = ()) -> tuple[str, ...]:
        """Those of them that have something left to do: an output of theirs is not given and one that runs takes it, or it
        is at the end of the graph and none is given. only: the artifacts that are wanted, in place of the graph's end. In
        running order."""
        given, reached = set(begin), self.reach(begin, dress)
        taken = {name for stage in reached for name in self.stages[stage].inputs}
        wanted = set(only) - given
        running = []
        for stage in reversed(reached):
            outputs = self.stages[stage].outputs.keys()
            if outputs & wanted or (not only and outputs.isdisjoint(taken | given)):
                running.append(stage)
                wanted |= self.stages[stage].inputs.keys() - given
        return tuple(reversed(running))

    def after(self, stages: Collection[str], begin: Collection[str] = ()) -> set[str]:
        """The stages that take what these give, directly or through others. begin: artifacts that nobody need make."""
        found: set[str] = set()
        for stage in self.order:
            if self.needs(stage, begin) & {*stages, *found}:
                found.add(stage)
        return found

    def lasting(self) -> set[str]:
        """The artifacts of a dressed person that hold for her next garment, herself among them, who then is another picture."""
        framing = self.producer.get(PERSON)
        return {PERSON, *(self.stages[framing].outputs if framing else ()), *(n for n in BODY if n in self.producer)}

    def missing(self, artifact: str, begin: Collection[str]) -> list[str]:
        """The uploads without which this artifact cannot be made, in the order of UPLOADS."""
        if artifact in begin:
            return []
        if artifact not in self.producer:
            return [artifact]
        lacking = {name for i in self.stages[self.producer[artifact]].inputs for name in self.missing(i, begin)}
        return [name for name in UPLOADS if name in lacking]

    def _makes_no_result(self, stage: str) -> bool:
        return self.stages[stage].outputs.keys().isdisjoint(RESULTS)

    def _order(self) -> tuple[str, ...]:
        # Sorted, so that the order is the same everywhere, in whichever order the stages were named.
        sorter = TopologicalSorter({stage: sorted(self.needs(stage)) for stage in sorted(self.stages)})
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
