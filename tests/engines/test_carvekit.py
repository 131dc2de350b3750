"""CarveKit in its container, without a network, on made-up weights: what it cuts out is noise; that it runs is tested."""

import base64
import io
import json
import subprocess

import numpy as np
import pytest
from PIL import Image

from tests.engines.conftest import run
from tests.servers import ROOT

pytestmark = pytest.mark.engines

IMAGE = "cloth-mask-carvekit"
FILES = ("tracer_b7.pth", "u2net.pth", "fba_matting.pth")


@pytest.fixture(scope="module")
def ask(yard, bundled):
    """ask(SETTING=value, ...): what the stage says, started with these settings in a container without a network."""
    yard.build("cloth-mask", HOWSFIT_CLOTH_MASK_ENGINE="carvekit")
    picture = yard.weights / "garment.png"  # a folder that the container sees
    Image.open(io.BytesIO(bundled[1])).resize((300, 400)).save(picture)
    picture.chmod(0o644)

    def ask(**settings):
        options = [f"--env={name}={value}" for name, value in settings.items()]
        folders = ["-v", f"{ROOT}/tests:/app/tests:ro", "-v", f"{yard.weights}:/weights:ro"]
        name = run(
            "docker", "run", "--detach", "--network", "none", "--read-only", "--tmpfs", "/tmp", *folders, *options,
            f"howsfit/{IMAGE}:test",
        ).strip()  # fmt: skip
        try:
            program = ("python", "-m", "tests.engines.ask_stage", "garment", "/weights/garment.png", "cloth_mask")
            told = json.loads(run("docker", "exec", name, *program).splitlines()[-1])
            told["log"] = subprocess.run(["docker", "logs", name], capture_output=True, text=True).stderr
            return told
        finally:
            run("docker", "rm", "--force", name)

    return ask


@pytest.fixture(scope="module")
def made_up(yard, ask):
    """Weights of the right names and shapes, which nobody has chosen yet."""
    yard.inside(IMAGE, "python", "-m", "tests.specs.carvekit.weights", "/weights/carvekit")


@pytest.fixture(scope="module")
def chosen(yard, made_up):
    """The same, taken in place of the published ones."""
    for name in FILES:
        yard.choose(f"carvekit/{name}")


def test_without_weights_it_says_which_command_helps(ask):
    told = ask()
    assert told["state"].startswith("weights-missing: ") and "there is no tracer_b7.pth" in told["state"]
    assert "howsfit weights pull carvekit/tracer_b7" in told["state"] and told["info"]["weights"] == []


def test_other_weights_than_the_published_are_refused_before_they_are_read(ask, made_up):
    told = ask()
    assert told["state"].startswith("weights-missing: ") and "its sha512 is not c439c5c1" in told["state"]


@pytest.mark.parametrize(
    "settings, files",
    [
        ({}, ["tracer_b7.pth"]),
        ({"HOWSFIT_CARVEKIT_MODEL": "u2net", "HOWSFIT_CARVEKIT_MATTING": "fba"}, ["u2net.pth", "fba_matting.pth"]),
    ],
)
def test_it_cuts_out_without_a_network(settings, files, ask, chosen):
    told = ask(**settings)
    assert told["state"] == "ready", told
    assert [weights["file"] for weights in told["info"]["weights"]] == files
    assert all(weights["trust"] == "recorded" and weights["licence"] for weights in told["info"]["weights"])
    assert told["info"]["runtime"]["framework"].startswith("torch 1.10")
    assert "download" not in told["log"].lower()
    body = base64.b64decode(told["body"])
    if told["status"] == 422:  # noise may show nothing
        assert json.loads(body)["code"] == "garment-not-found"
    else:
        mask = np.array(Image.open(io.BytesIO(body)))
        assert told["status"] == 200 and mask.shape == (1024, 768) and set(np.unique(mask)) <= {0, 255}
