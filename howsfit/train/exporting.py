"""What was trained, as the engine `hr_viton` takes it: the published names, and a manifest with digest, licence and data."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from howsfit import files
from howsfit.train import origins
from howsfit.train.origins import FILES
from stagekit.manifest import read_sets
from stagekit.weights import digest

if TYPE_CHECKING:
    from torch import Tensor

MANIFEST = "weights.json"
KEY = "hr_viton"


def export(run: Path, out: Path, licence: str | None, commercial: str | None, data: str | None) -> list[Path]:
    """Write the averaged weights of a training, those of the condition generator before an image generator, and weights.json.

    licence, commercial: of what was trained; what began from others' weights is under theirs. data: what it learned from, in a
    sentence; None: as the training knows it. Returns the files. Raises ValueError with what to say instead, OSError.
    """
    document = origins.read_run(run)
    settings = document["settings"]
    terms = _terms(document, licence, commercial)
    files.check((), [out / name for name in (*FILES.values(), MANIFEST)])
    states = {FILES[settings["kind"]]: origins.averaged(run, settings["kind"])}
    if settings["kind"] == "generator":
        kept = FILES["condition"]
        states = {kept: origins.origin(str(run / kept), "condition").state} | states
    written = [_write(out / name, state) for name, state in states.items()]
    source = f"`howsfit train`, {settings['steps']} steps at {settings['height']} pixels' height on {data or document['data']}"
    if settings["perceptual"] == "imagenet":
        source += "; judged by VGG19, which learned from ImageNet"
    entry: dict[str, Any] = {
        "title": "HR-VITON, trained anew",
        "source": source,
        **terms,
        "files": [_described(path, states[path.name]) for path in written],
    }
    manifest = out / MANIFEST
    files.write(manifest, json.dumps({KEY: entry}, indent=2, ensure_ascii=False).encode() + b"\n")
    read_sets(str(manifest))
    return [*written, manifest]


def _terms(document: dict[str, Any], licence: str | None, commercial: str | None) -> dict[str, str]:
    inherited, may = document["licence"], document["commercial"]
    if inherited and licence not in (None, inherited):
        raise ValueError(
            f"This training began from weights under {inherited}, and what came of it is under that, too. Leave --licence out."
        )
    if may and commercial == "yes":
        raise ValueError(
            "This training began from weights that may not be used commercially, or of which it is not known. Leave "
            "--commercial out."
        )
    if not (inherited or licence):
        raise ValueError("Say under which licence the weights are to be used: --licence CC0-1.0, or proprietary.")
    told = inherited or licence or ""
    return {
        "licence": told,
        "commercial": may or commercial or "unclear",
        "terms": f"{told}, as said at the export; the terms of the data hold besides.",
    }


def _write(path: Path, state: "dict[str, Tensor]") -> Path:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    with files.beside(path) as part:
        torch.save(state, str(part))
    return path


def _described(path: Path, state: "dict[str, Tensor]") -> dict[str, Any]:
    """As in an engine's weights.json. Counters of batch norms do not count there."""
    arrays = {name: array for name, array in state.items() if not name.endswith("num_batches_tracked")}
    shown = (name for name in arrays if name in ("conv_img.weight", "conv_0.weight", "flow_conv.0.weight"))
    return {
        "name": path.name,
        "size": path.stat().st_size,
        "digests": [digest(str(path))],
        "structure": {
            "kind": "torch",
            "arrays": len(arrays),
            "elements": sum(array.numel() for array in arrays.values()),
            "shapes": {name: list(arrays[name].shape) for name in shown},
        },
    }
