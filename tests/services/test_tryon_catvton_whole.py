"""Photo and garment through the gateway with CatVTON in one process, its networks smaller ones on made-up weights.

Needs diffusers beside everything else; run by `make test-diffusion`.
"""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("diffusers", reason="no diffusers here: `make test-diffusion` has it")
pytest.importorskip("mediapipe", reason="no default engines here: `make test-diffusion` has them")

import howsfit  # noqa: E402
from services.tryon.engines.catvton.engine import Engine  # noqa: E402
from services.tryon.engines.catvton.pictures import Form  # noqa: E402
from tests.servers import ROOT  # noqa: E402
from tests.specs.catvton.weights import SMALL_UNET, SMALL_VAE, write_weights  # noqa: E402


def test_a_try_on_runs_whole(tmp_path, monkeypatch):
    write_weights(tmp_path / "weights", SMALL_UNET, SMALL_VAE, "mix-48k-1024")
    monkeypatch.setattr(Engine, "unet_config", SMALL_UNET)
    monkeypatch.setattr(Engine, "vae_config", SMALL_VAE)
    monkeypatch.setattr(Engine, "forms", {"mix-48k-1024": Form(256, 192, blur=2)})
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("HOWSFIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOWSFIT_TRYON_ENGINE", "catvton")
    monkeypatch.setenv("HOWSFIT_AGNOSTIC_ENGINE", "catvton_mask")
    monkeypatch.setenv("HOWSFIT_CATVTON_STEPS", "3")
    samples = ROOT / "howsfit" / "samples"
    photo, tee = ((samples / name).read_bytes() for name in ("person.jpg", "garment_tee.jpg"))
    result, pictures = asyncio.run(dress(photo, tee))
    engines = {stage["stage"]: stage["engine"] for stage in result["stages"]}
    assert engines["tryon"] == "catvton" and engines["agnostic"] == "catvton_mask"
    drawn, person, mask = (pictures[name] for name in ("tryon", "person", "agnostic_mask"))
    assert drawn.shape == (1024, 768, 3) and drawn.std() > 5
    far = np.asarray(Image.fromarray(mask[..., 0]).resize((96, 128), Image.Resampling.BOX)) == 0
    kept = np.repeat(np.repeat(far, 8, axis=0), 8, axis=1)
    assert 0.2 < kept.mean() < 0.9
    apart = np.abs(drawn.astype(int) - person).max(axis=2)
    assert np.median(apart[kept]) < 3 < np.median(apart[~kept]), "repainted beside the mask only"
    assert pictures["tryon_photo"].shape[2] == 3


async def dress(photo, garment):
    async with howsfit.connect() as client:
        result = await client.try_on(photo, garment, options={"tryon": {"repaint": True}})
        names = ("tryon", "person", "agnostic_mask", "tryon_photo")
        return result, {name: decoded(await client.artifact(result, name)) for name in names}


def decoded(picture):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
