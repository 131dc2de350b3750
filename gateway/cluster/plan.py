"""What the stages are to do for one job: which of them run, what serves each, with which options."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from typing import Any

from gateway.cluster.graph import GOAL, PERSON, StageGraph
from gateway.cluster.stages import SEED, StageClient
from gateway.errors import BadEngine
from stagekit.errors import BadOption
from stagekit.options import defaults
from stagekit.wire import shown

AllOptions = Mapping[str, Mapping[str, Any]]
"""Stage -> options of its engine for one job."""


@dataclass(frozen=True)
class Wishes:
    """How a job wants its stages to work."""

    options: AllOptions = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)
    """Stage -> engine, of the stages that another one than their own is to serve."""
    commercial: bool = False
    """Whether the result is for commercial use, which then all licences must allow."""
    categories: tuple[str, ...] = ()
    """Of the garment, or of each of several in the order in which they are put on, where the caller said it: then no engine
    may take it for another."""
    samples: int = 1
    """How many results are made, each with another seed of the generator."""
    dress: bool = True
    """Whether the person is to be shown in the garment. Else only what there is to know of one of them is made."""
    only: tuple[str, ...] = ()
    """The artifacts that are wanted of that, where it is not all."""


@dataclass(frozen=True)
class Plan:
    """The stages of one job."""

    graph: StageGraph
    clients: Mapping[str, StageClient]
    """Stage -> what serves it now."""
    begin: frozenset[str]
    """The artifacts that the job begins with: what was uploaded, and what was given in the place of a stage's."""
    stages: tuple[str, ...]
    """Those that run, in running order."""
    options: Mapping[str, dict[str, Any]]
    """Stage -> those of its options that are not the defaults."""

    @classmethod
    def of(
        cls, graph: StageGraph, clients: Mapping[str, StageClient], begin: Collection[str], wishes: Wishes
    ) -> "Plan":
        """Raises BadEngine or BadOption for a stage that does not run, an option that its engine has not, or a value that this
        does not take.
        """
        stages = graph.running(begin, wishes.dress, wishes.only)
        if idle := [stage for stage in wishes.engines if stage not in stages]:
            said = f"Stage '{idle[0]}' does not run for this request, so no engine of it can be chosen."
            raise BadEngine(said, members={"stage": idle[0]})
        if foreign := [stage for stage in wishes.options if stage not in stages]:
            there = ", ".join(stage for stage in stages if clients[stage].option_schema) or "none"
            said = f"No stage '{shown(foreign[0])}' runs for this request. Those with options are: {there}."
            raise BadOption(said, members={"stage": shown(foreign[0])})
        differing = {stage: clients[stage].differing(given) for stage, given in wishes.options.items()}
        return cls(graph, clients, frozenset(begin), stages, differing)

    @property
    def generator(self) -> str | None:
        """The stage that makes the try-on; None where it does not run for this job."""
        stage = self.graph.producer.get(GOAL)
        return stage if stage in self.stages else None

    def seeds(self, samples: int) -> list[int]:
        """Of so many samples: the first has the seed that was asked for or the default, each further one the next higher,
        and after the highest comes the lowest.

        Raises BadOption where the generator's engine has no seed, or not so many.
        """
        client = self.clients[self.generator] if self.generator else None
        if client is None:
            raise BadOption("No generator runs for this request, so there is nothing to make samples of.")
        there = client.seeds
        count = there.stop - there.start
        if not count:
            raise BadOption(f"Engine {client.engine} has no option '{SEED}': all samples of it would be the same.")
        if samples > count:
            raise BadOption(f"Engine {client.engine} has {count} seeds, so there are no {samples} samples of it.")
        first: int = (defaults(client.option_schema) | self.options_of(client.name))[SEED]
        return [there[(first - there.start + number) % count] for number in range(samples)]

    def for_seed(self, seed: int) -> "Plan":
        """What is to do for a further sample: the generator, with this seed, and what follows it."""
        assert self.generator is not None
        return self._seeded(seed)._only({self.generator} | self.graph.after([self.generator], self.begin))

    def until_result(self) -> "Plan":
        """Without what follows the generator."""
        assert self.generator is not None
        return self._only(set(self.stages) - self.graph.after([self.generator], self.begin))

    def after_result(self) -> "Plan":
        """Only what follows the generator."""
        assert self.generator is not None
        return self._only(self.graph.after([self.generator], self.begin))

    def next_garment(self, seed: int | None = None) -> "Plan":
        """What is to do until another garment is put on the person whom this one has dressed. What a garment does not change
        of her is not made again. seed: of a further sample, for which nothing is made of the garment again either."""
        there = self.begin.union(*(self.graph.stages[stage].outputs for stage in self.stages))
        begin = frozenset({"garment", "category"} | (self.graph.lasting() & there))
        following = replace(self, begin=begin, stages=self.graph.running(begin)).until_result()
        if seed is None:
            return following
        dressed = [stage for stage in following.stages if PERSON in self.graph.stages[stage].inputs]
        return following._seeded(seed)._only({*dressed} | self.graph.after(dressed, begin))

    def _only(self, stages: Collection[str]) -> "Plan":
        return replace(self, stages=tuple(stage for stage in self.stages if stage in stages))

    def _seeded(self, seed: int) -> "Plan":
        assert self.generator is not None
        chosen = {**self.options_of(self.generator), SEED: seed}
        return replace(self, options={**self.options, self.generator: self.clients[self.generator].differing(chosen)})

    def options_of(self, stage: str) -> dict[str, Any]:
        """Those that are not the defaults."""
        return self.options.get(stage, {})

    def inputs_of(self, stage: str) -> list[str]:
        """The artifacts that it takes."""
        return self.graph.inputs(stage, self.begin)

    def fingerprint(self, stage: str) -> str:
        """What a run of the stage has to have come from."""
        return self.clients[stage].fingerprint(self.options_of(stage))

    def chain(self) -> list[tuple[str, str, Iterable[str]]]:
        """Name, fingerprint and inputs of the stages that run, in running order."""
        return [(stage, self.fingerprint(stage), self.inputs_of(stage)) for stage in self.stages]

    def sorter(self, done: Iterable[str] = ()) -> "TopologicalSorter[str]":
        """Hands out each stage as soon as those before it are done, some of them already."""
        left = [stage for stage in self.stages if stage not in set(done)]
        sorter = TopologicalSorter({stage: self.graph.needs(stage, self.begin) & set(left) for stage in left})
        sorter.prepare()
        return sorter

    def failed(self) -> list[StageClient]:
        """Those that run whose engine could not start, without a fallback that serves them."""
        return [self.clients[stage] for stage in self.stages if self.clients[stage].failed]

    def not_commercial(self) -> list[StageClient]:
        """Those that run whose licence, or that of their weights, does not allow commercial use, or does not say."""
        return [client for stage in self.stages if (client := self.clients[stage]).commercial != "yes"]
