"""HR-VITON in the containers, on made-up weights: what it draws is noise; that a photo comes through is what is tested.

Builds Torch into an image and writes 0.6 GB of weights. Without the sample photographs it takes the bundled pictures.
"""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.engines.conftest import CPUS
from tests.servers import ROOT

pytestmark = pytest.mark.engines

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT.parent / "shared" / "samples"))
SETTINGS = {
    "HOWSFIT_TRYON_ENGINE": "hr_viton",
    "HOWSFIT_TRYON_MEMORY": "4g",
    "HOWSFIT_TRYON_CPUS": CPUS,
    "HOWSFIT_TRYON_HEIGHT": "512",
    "HOWSFIT_STAGE_TIMEOUT_S": "300",
}


def test_without_weights_the_service_says_where_to_get_them(built):
    said = built.said_without_weights("tryon", **SETTINGS)
    assert "weights-missing" in said and "/weights/hr_viton" in said and "https://" in said and "CC-BY-NC" in said


def test_a_photo_comes_through(built):
    built.inside("tryon-hr_viton", "python", "-m", "tests.specs.checkpoints", "/weights/hr_viton")
    built.compose("up", "--build", "--wait", "--wait-timeout", "300", **SETTINGS)
    photo, garment = pictures()
    with built.client() as client:
        files = {"photo": photo, "garment": garment}
        result = client.post("/v1/tryons", files=files, headers={"Prefer": "wait=120"}).json()
        client.get(result["urls"]["events"])  # the stream ends with the try-on
        result = client.get(result["urls"]["get"]).json()
        assert result["status"] == "succeeded", result["error"]
        assert {stage["stage"]: stage["engine"] for stage in result["stages"]}["tryon"] == "hr_viton"
        drawn = Image.open(io.BytesIO(client.get(result["artifacts"]["tryon"]).content))
    assert drawn.size == (768, 1024) and len(drawn.getcolors(1 << 20) or range(1 << 20)) > 1000


def pictures():
    if (SAMPLES / "image" / "00006_00.jpg").is_file():
        return ((SAMPLES / folder / "00006_00.jpg").read_bytes() for folder in ("image", "cloth"))
    bundled = ROOT / "howsfit" / "samples"
    return (bundled / "person.jpg").read_bytes(), (bundled / "garment_tee.jpg").read_bytes()
