"""A folder of results, measured by a protocol."""

import importlib.metadata
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from howsfit.evaluation import measures, statistics
from howsfit.evaluation.backbones import Backbone, backbones
from howsfit.evaluation.pictures import Sets, digest_of, read_pair, sets_of
from howsfit.evaluation.protocols import Measure, Protocol
from stagekit.weights import digest

FORMAT = "howsfit-evaluation/1"

Told = Callable[[str, int, int], None]
"""Called with what is being done, how many of it are done, and of how many."""

PairMeasure = Callable[[np.ndarray, np.ndarray], float]
"""Of a result and its photo, H x W x 3 of uint8."""


class Evaluation(NamedTuple):
    """What a folder's results are worth."""

    document: dict[str, Any]
    """All that evaluation.json tells; its numbers may be infinite."""

    sets: Sets


def evaluate(
    results: Path,
    against: Path,
    protocol: Protocol,
    told: Told,
    part: str = "test",
    unpaired: bool = False,
    device: str = "cpu",
    weights_dir: Path | None = None,
) -> Evaluation:
    """Measure all pictures of `results`. against, part, unpaired: as pictures.sets_of takes them.

    Raises ValueError with what to do about it: for unpaired sets where the protocol has only measures of pairs, for sets of
    fewer than two pictures, pictures of different sizes, a library that is not here; WeightsMissing.
    """
    sets = sets_of(results, against, part, unpaired)
    wanted = protocol.measures if sets.paired else protocol.of("sets")
    if not wanted:
        raise ValueError(
            f"These results are unpaired: no photo shows the persons in their garments. Protocol {protocol.name} compares "
            "pairs only; vton-eval has FID and KID."
        )
    versions = {measure.name: _versions(measure, protocol) for measure in wanted}
    keys = dict.fromkeys(key for measure in wanted for key in measure.weights)
    files = {key: backbones([key], weights_dir) for key in keys}
    pairs, distances = [m for m in wanted if m.of == "pair"], [m for m in wanted if m.of == "sets"]
    rows = _measure_pairs(sets, [(measure, _pair_measure(measure, device, files)) for measure in pairs], told)
    numbers: dict[str, Any] = {}
    for measure in pairs:
        values = np.array([row[measure.name] for row in rows])
        low, high = statistics.interval(values)
        numbers[measure.name] = {"value": float(values.mean()), "interval": [low, high]}
    numbers |= _measure_sets(sets, distances, device, files, told)
    document = {
        "format": FORMAT,
        "protocol": {
            "name": protocol.name,
            "version": protocol.version,
            "source": protocol.source,
            "measures": {m.name: {**m._asdict(), "settings": dict(m.settings)} for m in wanted},
        },
        "setting": "paired" if sets.paired else "unpaired",
        "device": device,
        "python": platform.python_version(),
        "libraries": {name: version for each in versions.values() for name, version in each.items()},
        "weights": _weights(wanted, files),
        "photos": {
            "folder": str(against), "part": part, "pictures": len(sets.photos), "digest": digest_of(sets.photos)
        },
        "results": {"folder": str(results), "pictures": len(sets.results), "digest": digest_of(sets.results)},
        "missing": sets.missing,
        "bootstrap": {
            "resamples": statistics.RESAMPLES, "seed": statistics.SEED, "confidence": statistics.CONFIDENCE
        },
        "numbers": numbers,
        "pictures": rows,
    }  # fmt: skip
    return Evaluation(document, sets)


def _versions(measure: Measure, protocol: Protocol) -> dict[str, str]:
    """Of its libraries. Raises ValueError where one is not here."""
    try:
        return {name: importlib.metadata.version(name) for name in measure.libraries}
    except importlib.metadata.PackageNotFoundError as error:
        raise ValueError(
            f"Protocol {protocol.name} needs {error.name}, which is not in this environment. `make .venv-evaluate/ready` makes "
            "one that has all: run `.venv-evaluate/bin/howsfit evaluate …` there. Protocol fast does without."
        ) from None


def _pair_measure(measure: Measure, device: str, files: dict[str, dict[str, Backbone]]) -> PairMeasure:
    if measure.how == "own-ssim":
        return lambda result, reference: measures.ssim(result / 255, reference / 255)
    if measure.how == "own-psnr":
        return lambda result, reference: measures.psnr(result / 255, reference / 255)
    from howsfit.evaluation import networks  # Torch takes seconds to import

    if measure.how == "torchmetrics-ssim":
        return networks.ssim(measure, device)
    (key,) = measure.weights
    make = networks.lpips_package if measure.how == "lpips-lpips" else networks.lpips_torchmetrics
    return make(measure, device, files[key])


def _measure_pairs(sets: Sets, measured: list[tuple[Measure, PairMeasure]], told: Told) -> list[dict[str, Any]]:
    """A row for each pair: name, person, and its numbers. One pair is in memory at a time."""
    rows: list[dict[str, Any]] = []
    for pairing in sets.pairings if measured else ():
        result, reference = read_pair(pairing)
        rows.append(
            {"name": pairing.name, "person": pairing.person}
            | {measure.name: of(result, reference) for measure, of in measured}
        )
        told("Comparing pairs", len(rows), len(sets.pairings))
    return rows


def _measure_sets(
    sets: Sets, wanted: list[Measure], device: str, files: dict[str, dict[str, Backbone]], told: Told
) -> dict[str, Any]:
    """FID and KID have no interval: sets drawn from sets are further apart than these are."""
    if not wanted:
        return {}
    if min(len(sets.results), len(sets.references)) < 2:
        raise ValueError("FID and KID compare sets of two pictures or more, better of thousands.")
    from howsfit.evaluation.networks import Inception

    (weights,) = files[wanted[0].weights[0]].values()
    network = Inception(weights, device)
    all_, done = len(sets.results) + len(sets.references), 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        told("Looking at sets", done, all_)

    made, real = (network.features(paths, more) for paths in (sets.results, sets.references))
    found = {}
    for measure in wanted:
        value = network.fid(made, real) if measure.how == "cleanfid-fid" else network.kid(made, real, measure.settings)
        found[measure.name] = {"value": value}
    return found


def _weights(wanted: tuple[Measure, ...], files: dict[str, dict[str, Backbone]]) -> dict[str, Any]:
    """File -> digest, licence, trust; what comes with a library has its licence."""
    found = {
        name: {"digest": each.digest, "licence": each.licence, "trust": each.trust}
        for some in files.values()
        for name, each in some.items()
    }
    for measure in wanted:
        if measure.weights:
            from howsfit.evaluation.networks import heads_of

            for name, path in heads_of(measure).items():
                found[name] = {"digest": digest(str(path)), "licence": "as the library", "trust": "published"}
    return found
