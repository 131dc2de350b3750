"""Photo and garment through the gateway with FASHN VTON in one process, its network a smaller one on made-up weights.

Needs Torch beside everything else; run by `make test-fashn`.
"""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="no Torch here: `make test-fashn` has it")
pytest.importorskip("mediapipe", reason="no default engines here: `make test-fashn` has them")

import howsfit  # noqa: E402
from services.tryon.engines.fashn_vton.engine import Engine  # noqa: E402
from services.tryon.engines.fashn_vton.network import Shape  # noqa: E402
from tests.servers import ROOT  # noqa: E402
from tests.specs.fashn_vton.weights import write_weights  # noqa: E402

SMALL = Shape(height=144, width=96, hidden=128, heads=4, axes=(8, 12, 12), mixers=1, doubles=1, singles=2)


def test_a_try_on_runs_whole(tmp_path, monkeypatch):
    write_weights(tmp_path / "weights", SMALL)
    monkeypatch.setattr(Engine, "shape", SMALL)
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("HOWSFIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOWSFIT_TRYON_ENGINE", "fashn_vton")
    monkeypatch.setenv("HOWSFIT_FASHN_STEPS", "3")
    samples = ROOT / "howsfit" / "samples"
    result, drawn, pasted = asyncio.run(
        dress((samples / "person.jpg").read_bytes(), (samples / "garment_tee.jpg").read_bytes())
    )
    assert {stage["stage"]: stage["engine"] for stage in result["stages"]}["tryon"] == "fashn_vton"
    assert drawn.shape == (1024, 768, 3) and drawn.std() > 5
    assert pasted.shape[2] == 3


async def dress(photo, garment):
    async with howsfit.connect() as client:
        result = await client.try_on(photo, garment)
        pictures = [await client.artifact(result, name) for name in ("tryon", "tryon_photo")]
    return result, *(np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) for picture in pictures)
