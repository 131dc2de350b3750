"""What a stage declares, and how its engine is found.

No NumPy here: the gateway, whose image has none, imports this package too.
"""

import hashlib
import importlib
import json
import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from stagekit.engine import Check, Engine

ARTIFACTS = {
    "photo": "picture",
    "garment": "picture",
    "person": "image",
    "frame": "transform",
    "cloth": "image",
    "cloth_mask": "mask",
    "pose": "keypoints",
    "pose_image": "image",
    "densepose": "image",
    "densepose_i": "map",
    "densepose_u": "map",
    "densepose_v": "map",
    "parse": "labels",
    "parse_confidence": "map",
    "parse_edges": "map",
    "category": "category",
    "agnostic": "image",
    "agnostic_mask": "mask",
    "parse_agnostic": "labels",
    "tryon": "image",
    "warped_cloth": "image",
    "warped_mask": "map",
    "parse_predicted": "labels",
    "tryon_photo": "picture",
}
"""Every artifact's kind; `artifacts.py` says what each kind is. A new artifact begins here."""

CUT_OUT = ("garment",)
"""Pictures that may have been cut out: their transparency is kept, for their stage to read."""


class Stage(NamedTuple):
    """A stage: the artifacts it may take and those it gives. Declared once, in `services/<name>/stage.py`."""

    name: str
    inputs: Tuple[str, ...]
    outputs: Tuple[str, ...]
    default_engine: str
    check: Optional[Check] = None
    """Called after every run, whichever engine made it, to warn of doubts. It changes no output and so no fingerprint."""

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
    return stage.inputs if engine.inputs is None else engine.inputs


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
    unknown = set(stage.inputs + stage.outputs + engine.extras) - set(ARTIFACTS)
    if unknown:
        raise ValueError("Stage '%s' names unknown artifacts: %s." % (stage.name, sorted(unknown)))
