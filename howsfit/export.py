"""Write a published network as an ONNX model, inside the container of the engine that can read its weights."""

import os
import shutil
import subprocess
from pathlib import Path

MODELS = ("cihp_pgn", "graphonomy")
MEMORY = "4g"
"""The arrays and the model made of them are in memory at once: 2.6 GB for CIHP_PGN."""


def export(model: str, weights: Path) -> Path:
    """Run the engine's own export in its container, which is built if need be.

    weights: the folder that holds `<model>/...`. Returns the file, `<model>_onnx/<model>.onnx` below it. Raises ValueError
    with what went wrong.
    """
    if model not in MODELS:
        raise ValueError(f"There is no export of '{model}'. There is one of: {', '.join(MODELS)}.")
    if not (weights / model).is_dir():
        raise ValueError(f"There is no folder {weights / model}. docs/human_parse.md says what belongs there.")
    if shutil.which("docker") is None:
        raise ValueError(
            "Docker is not installed here. In an environment with the packages of services/human_parse/engines/"
            f"{model}/requirements.txt this does the same: python -m services.human_parse.engines.{model}.export"
        )
    environment = os.environ | {
        "HOWSFIT_HUMAN_PARSE_ENGINE": model,
        "HOWSFIT_HUMAN_PARSE_MEMORY": MEMORY,
        "HOWSFIT_WEIGHTS": str(weights.resolve()),
    }
    _run(["docker", "compose", "build", "human-parse"], environment)
    target = weights / f"{model}_onnx" / f"{model}.onnx"
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
    finally:
        part.unlink(missing_ok=True)
    return target


def _run(command: list[str], environment: dict[str, str], output: int = subprocess.DEVNULL) -> None:
    done = subprocess.run(command, env=environment, stdout=output, stderr=subprocess.PIPE)
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip()
        raise ValueError(f"`{' '.join(command[:3])}` failed: {told[-1500:]}")
