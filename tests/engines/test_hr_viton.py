"""HR-VITON in the containers, on made-up weights: what it draws is noise; that a photo comes through is what is tested.

Builds Torch into an image and writes 0.6 GB of weights. Without the sample photographs it takes the bundled pictures.
"""

import io
import os
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.servers import ROOT, free_port

pytestmark = pytest.mark.engines
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT.parent / "shared" / "samples"))
ENVIRONMENT = os.environ | {
    "COMPOSE_PROJECT_NAME": "howsfit-test-hr-viton",
    "HOWSFIT_PORT": str(free_port()),
    "HOWSFIT_TAG": "test-hr-viton",
    "HOWSFIT_TRYON_ENGINE": "hr_viton",
    "HOWSFIT_TRYON_MEMORY": "4g",
    "HOWSFIT_TRYON_CPUS": "2",
    "HOWSFIT_TRYON_HEIGHT": "512",
    "HOWSFIT_STAGE_TIMEOUT_S": "300",
}
VOLUME = ENVIRONMENT["COMPOSE_PROJECT_NAME"] + "_weights"


def docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    if check and done.returncode:
        pytest.fail(f"docker {' '.join(arguments)}:\n{done.stdout[-2000:]}{done.stderr[-6000:]}")
    return done.stdout


@pytest.fixture(scope="module")
def image():
    docker("compose", "build", "tryon")
    yield f"howsfit/tryon-hr_viton:{ENVIRONMENT['HOWSFIT_TAG']}"
    docker("compose", "down", "--volumes", "--timeout", "10", check=False)


def test_without_weights_the_service_says_where_to_get_them(image):
    docker("compose", "up", "--detach", "--no-build", "tryon")
    asked = (
        "import time, urllib.request, urllib.error\n"
        "for _ in range(60):\n"
        "    try: urllib.request.urlopen('http://127.0.0.1:8000/readyz')\n"
        "    except urllib.error.HTTPError as error:\n"
        "        said = error.read().decode()\n"
        "        if 'weights-missing' in said: print(said); break\n"
        "    except OSError: pass\n"
        "    time.sleep(1)\n"
    )
    said = docker("compose", "exec", "--no-TTY", "tryon", "python", "-c", asked)
    assert "weights-missing" in said and "/weights/hr_viton" in said and "https://" in said and "CC-BY-NC" in said
    docker("compose", "down", "--timeout", "10")


def test_a_photo_comes_through(image):
    tests, command = f"{ROOT / 'tests'}:/app/tests:ro", ("python", "-m", "tests.specs.checkpoints", "/weights/hr_viton")
    docker("run", "--rm", "--user", "0", "-v", tests, "-v", f"{VOLUME}:/weights", image, *command)
    docker("compose", "up", "--build", "--wait", "--wait-timeout", "300")
    photo, garment = pictures()
    with httpx.Client(base_url=f"http://127.0.0.1:{ENVIRONMENT['HOWSFIT_PORT']}", timeout=320) as client:
        files = {"photo": photo, "garment": garment}
        result = client.post("/v1/tryons", files=files, headers={"Prefer": "wait=120"}).json()
        if result["status"] not in ("succeeded", "failed"):
            client.get(result["urls"]["events"])
            result = client.get(f"/v1/tryons/{result['id']}").json()
        assert result["status"] == "succeeded", result["error"]
        assert {stage["stage"]: stage["engine"] for stage in result["stages"]}["tryon"] == "hr_viton"
        drawn = Image.open(io.BytesIO(client.get(result["artifacts"]["tryon"]).content))
    assert drawn.size == (768, 1024) and len(drawn.getcolors(1 << 20) or range(1 << 20)) > 1000


def pictures():
    if (SAMPLES / "image" / "00006_00.jpg").is_file():
        return ((SAMPLES / folder / "00006_00.jpg").read_bytes() for folder in ("image", "cloth"))
    bundled = ROOT / "howsfit" / "samples"
    return (bundled / "person.jpg").read_bytes(), (bundled / "garment_tee.jpg").read_bytes()
