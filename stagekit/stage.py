"""What a stage declares, and how its engine is found.

No NumPy here: the gateway, whose image has none, imports this package too.
"""

import hashlib
import importlib
import json
import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from stagekit.engine import Check, Engine
from stagekit.kinds import KINDS


class Stage(NamedTuple):
    """A stage: the artifacts it may take and those it gives, each with its kind (stagekit/kinds.py). Declared once, in
    `services/<name>/stage.py`: a new artifact begins with the stage that gives it. The gateway refuses two opinions on a kind.
    """

    name: str
    inputs: Dict[str, str]
    outputs: Dict[str, str]
    default_engine: str
    check: Optional[Check] = None
    """Called after every run, whichever engine made it, to warn of doubts. It changes no output and so no fingerprint."""

    cut_out: Tuple[str, ...] = ()
    """Pictures among the inputs that may have been cut out: their transparency is kept, for the engine to read."""

    optional: Dict[str, str] = {}
    """Artifact -> kind, of what is of use where it is there: no stage need make it, a caller may bring it."""

    def engine_setting(self) -> str:
        """The environment variable that chooses the engine, e.g. HOWSFIT_POSE_ENGINE."""
        return "HOWSFIT_%s_ENGINE" % self.name.upper()


def make_engine(stage: Stage, name: Optional[str] = None) -> Engine:
    """Make the stage's engine: `name`, else the one that the environment chooses, else the default.

    Raises ValueError when there is no such engine, or it declares what its stage does not allow.
    """
    name = name or os.environ.get(stage.engine_setting()) or stage.default_engine
    package = "services.%s.engines.%s" % (stage.name, name)
    try:
        module = importlib.import_module(package + ".engine")
    except ModuleNotFoundError as error:
        if error.name is None or not (package + ".engine").startswith(error.name):
            raise ValueError(
                "Engine '%s' of stage '%s' needs the Python module '%s', which is not installed here. Install "
                "services/%s/engines/%s/requirements.txt, or run the engine in its own container."
                % (name, stage.name, error.name, stage.name, name)
            ) from error
        raise ValueError(
            "Stage '%s' has no engine '%s' (set by %s). Look into services/%s/engines for those there are."
            % (stage.name, name, stage.engine_setting(), stage.name)
        ) from None
    engine: Engine = module.Engine()
    _check(stage, engine, name)
    return engine


def engine_inputs(stage: Stage, engine: Engine) -> Tuple[str, ...]:
    """The artifacts that this engine needs."""
    return tuple(stage.inputs) if engine.inputs is None else engine.inputs


def kinds_of(stage: Stage, engine: Engine) -> Dict[str, str]:
    """Artifact -> kind, of all that the stage may take, and that it gives with this engine."""
    return dict(dict(dict(stage.inputs, **stage.optional), **stage.outputs), **engine.extras)


def fingerprint(stage: Stage, engine: Engine) -> str:
    """Digest of stage, engine, version, weights and options: same fingerprint and input, same output."""
    facts: Dict[str, Any] = {
        "stage": stage.name,
        "engine": engine.name,
        "version": engine.version,
        "inputs": sorted(engine_inputs(stage, engine)),
        "weights": sorted(weight["digest"] for weight in engine.weights()),
        "options": engine.options(),
    }
    return "sha256:" + hashlib.sha256(json.dumps(facts, sort_keys=True).encode("utf-8")).hexdigest()


def _check(stage: Stage, engine: Engine, name: str) -> None:
    if engine.name != name:
        raise ValueError("The engine in services/%s/engines/%s calls itself '%s'." % (stage.name, name, engine.name))
    foreign = set(engine_inputs(stage, engine)) - set(stage.inputs)
    if foreign:
        raise ValueError("Engine '%s' wants %s, which stage '%s' does not allow." % (name, sorted(foreign), stage.name))
    unknown = set(kinds_of(stage, engine).values()) - set(KINDS)
    if unknown:
        raise ValueError("Stage '%s' names unknown kinds: %s." % (stage.name, sorted(unknown)))
