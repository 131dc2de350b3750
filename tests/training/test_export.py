"""What was trained, in the serving engine: whole networks, two steps. Run by `make test-training`; takes 3 GB."""

import asyncio
import io
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")
pytest.importorskip("accelerate", reason="no Accelerate here: `make test-training` has it")
pytest.importorskip("mediapipe", reason="no default engines here: `make test-training` has them")

import howsfit  # noqa: E402
from howsfit.cli import app  # noqa: E402
from stagekit.weights import digest  # noqa: E402
from tests.servers import ROOT  # noqa: E402

OPTIONS = ("--steps", "1", "--batch", "1", "--perceptual", "random", "--look", "0", "--judge", "0", "--workers", "0")


def run(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_what_was_trained_dresses_a_person_through_the_gateway(drawn, tmp_path, monkeypatch):
    """Trained, exported, imported by its manifest, loaded by the engine, and named with its digest in the answer."""
    condition, generator, out, weights = (tmp_path / name for name in ("condition", "generator", "export", "weights"))
    run("train", "condition", drawn, condition, *OPTIONS)
    run("train", "generator", drawn, generator, "--condition", condition, "--height", 256, "--profile", "8gb", *OPTIONS)
    with pytest.raises(ValueError, match="Say under which licence"):
        run("train", "export", generator, out)
    run("train", "export", generator, out, "--licence", "CC0-1.0", "--commercial", "yes", "--data", "drawn dolls")
    (entry,) = json.loads((out / "weights.json").read_bytes()).values()
    assert entry["licence"] == "CC0-1.0" and entry["commercial"] == "yes" and "1 steps" in entry["source"]
    assert "drawn dolls" in entry["source"] and [file["name"] for file in entry["files"]] == ["mtviton.pth", "gen.pth"]
    run("weights", "import", out, "--manifest", out / "weights.json", "--weights", weights, "--accept")
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(weights))
    monkeypatch.setenv("HOWSFIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOWSFIT_TRYON_ENGINE", "hr_viton")
    monkeypatch.setenv("HOWSFIT_TRYON_HEIGHT", "512")
    samples = ROOT / "howsfit" / "samples"
    result, picture = asyncio.run(
        dress((samples / "person.jpg").read_bytes(), (samples / "garment_tee.jpg").read_bytes())
    )
    (stage,) = (each for each in result["stages"] if each["stage"] == "tryon")
    assert stage["engine"] == "hr_viton"
    assert digest(str(out / "gen.pth")) in json.dumps(result)
    assert picture.shape == (1024, 768, 3)


async def dress(photo, garment):
    async with howsfit.connect() as client:
        result = await client.try_on(photo, garment)
        picture = await client.artifact(result, "tryon")
    return result, np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
