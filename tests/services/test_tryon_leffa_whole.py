"""Photo and garment through the gateway with Leffa in one process, its networks smaller ones on made-up weights.

Needs diffusers beside everything else; run by `make test-diffusion`.
"""

import asyncio
import io

import cv2
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("diffusers", reason="no diffusers here: `make test-diffusion` has it")
pytest.importorskip("mediapipe", reason="no default engines here: `make test-diffusion` has them")

import howsfit  # noqa: E402
from services.tryon.engines.leffa.engine import Engine  # noqa: E402
from tests.servers import ROOT  # noqa: E402
from tests.specs.leffa.weights import SPECS, configuration_of, write_weights  # noqa: E402


def test_a_try_on_runs_whole(tmp_path, monkeypatch):
    configuration = configuration_of(dict(np.load(SPECS / "golden_1.npz")))
    write_weights(tmp_path / "weights", configuration)
    monkeypatch.setattr(Engine, "configuration", configuration)
    monkeypatch.setattr(Engine, "sizes", {128: 96})
    for name, value in {
        "WEIGHTS_DIR": str(tmp_path / "weights"),
        "DATA_DIR": str(tmp_path / "data"),
        "TRYON_ENGINE": "leffa",
        "AGNOSTIC_RECIPE": "hd",
        "LEFFA_STEPS": "2",
        "LEFFA_BUDGET_S": "0",
    }.items():
        monkeypatch.setenv("HOWSFIT_" + name, value)
    samples = ROOT / "howsfit" / "samples"
    result, drawn, mask, person = asyncio.run(
        dress((samples / "person.jpg").read_bytes(), (samples / "garment_tee.jpg").read_bytes())
    )
    assert {stage["stage"]: stage["engine"] for stage in result["stages"]}["tryon"] == "leffa"
    assert drawn.shape == (1024, 768, 3) and drawn.std() > 5
    far = cv2.dilate(mask, np.ones((81, 81), np.uint8)) == 0
    assert far.mean() > 0.1 and np.array_equal(drawn[far], person[far]), "repainted"
    assert not np.array_equal(drawn[mask > 0], person[mask > 0])


async def dress(photo, garment):
    async with howsfit.connect() as client:
        result = await client.try_on(photo, garment, options={"tryon": {"repaint": True}})
        pictures = [await client.artifact(result, name) for name in ("tryon", "agnostic_mask", "person")]
    return result, *(np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) for picture in pictures)
