"""The contract between the chassis and an engine."""

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Tuple

from stagekit.kinds import CATEGORIES
from stagekit.options import OptionSchema, defaults

if TYPE_CHECKING:  # it needs NumPy, which the gateway's image has not
    from stagekit.report import Report

Artifacts = Dict[str, Any]
"""Artifact name -> decoded value; `artifacts.py` says which Python type each kind decodes to."""

Warn = Callable[[str, str], None]
"""warn(code, message): tell the caller something about this run that is not an error."""

Check = Callable[[Artifacts, Artifacts, Warn], None]
"""check(inputs, outputs, warn): look at what any engine of a stage made, and warn of doubts. Takes milliseconds."""


class Engine:
    """One way to do a stage. Subclass it as `Engine` in `services/<stage>/engines/<name>/engine.py`.

    The chassis makes one instance, calls `load` once at start and then `run` for each request, never more than
    `concurrency` at a time, each in a worker thread.

    Example::

        class Engine(stagekit.Engine):
            name = "invert"
            version = "1"

            def run(self, inputs, warn):
                return {"cloth_mask": 255 - inputs["cloth"].min(axis=2)}
    """

    name = ""
    """Equals the name of the engine's folder."""

    version = "1"
    """Part of the fingerprint: raise it when the same input may give other bytes than before."""

    inputs: Optional[Tuple[str, ...]] = None
    """The artifacts that this engine needs; None: all that its stage allows."""

    extras: Dict[str, str] = {}
    """Artifact -> kind, of those that this engine can give beside its stage's outputs, to a caller who asks for them."""

    stand_in = False
    """True for a default engine that stands in for a research model: results are marked so."""

    licence = "MIT"
    """Licence under which the engine, with its weights, may be used (SPDX where there is one)."""

    commercial = "yes"
    """Whether what it makes may be used commercially by this licence: yes, no or unclear."""

    digital_source = "compositeSynthetic"
    """Of a generator: what its picture is, a term of IPTC's Digital Source Type; this one is a composition of several pictures
    with some of it painted. What a trained network drew is compositeWithTrainedAlgorithmicMedia."""

    categories: Tuple[str, ...] = CATEGORIES
    """Of a generator: the categories of garments that it dresses people in."""

    concurrency = 1
    """How many runs may go on at the same time."""

    start_s = 60.0
    """How long a start may take on a busy machine, in seconds: callers wait so long for a stage that is started anew."""

    def load(self) -> None:
        """Load models and warm them up. Raises WeightsMissing with the command that helps."""

    def rest(self) -> None:
        """Move the models off the device that they run on. Called when nobody has run it for a while, or another engine waits
        for the device, and never during a run. An engine that defines it defines `wake` too.
        """

    def wake(self) -> None:
        """Bring them back; called before the next run."""

    def option_schema(self) -> OptionSchema:
        """What a request may set for one run, with `options.integer`, `number` and `choice`; defaults as the settings say."""
        return {}

    def run_with(self, options: Dict[str, Any], inputs: Artifacts, warn: "Report") -> Artifacts:
        """Do the stage as `run` does, with all options of the schema. An engine that has some defines this instead."""
        return self.run(inputs, warn)

    def run(self, inputs: Artifacts, warn: "Report") -> Artifacts:
        """Do the stage. Raises a StageError for input that it cannot do; anything else is a bug.

        warn: `warn(code, detail)` warns. An engine that works in steps calls `warn.step(done, of)` between them: callers see
        how far it is, and it ends there (by Cancelled, which is to be let through) when nobody waits any more.
        Each of `extras` is given as a function without arguments that makes it: it is called only when asked for.
        """
        if type(self).run_with is Engine.run_with:
            raise NotImplementedError
        return self.run_with(defaults(self.option_schema()), inputs, warn)

    def options(self) -> Dict[str, Any]:
        """The settings that change the output, defaults of the schema included; part of the fingerprint. JSON values only."""
        return {}

    def runtime(self) -> Dict[str, str]:
        """What it runs on besides Python: framework and version, device."""
        return {}

    def weights(self) -> Tuple[Dict[str, str], ...]:
        """The weight files in use, each with `file`, `digest` (algorithm:hex) and `licence`."""
        return ()
