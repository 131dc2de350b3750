"""`docker compose run weights`: fills a volume, which the stages see read-only."""

import json

import pytest

from tests.engines.conftest import run
from tests.howsfit.weights.conftest import entry
from tests.howsfit.weights.publisher import publisher

pytestmark = pytest.mark.engines

VOLUME = "howsfit-engines-weights"


@pytest.fixture(scope="module")
def weights(yard):
    """weights(subcommand, ..., mount=...): what it says, in its container, on a volume of its own."""
    yard.compose("--profile", "weights", "build", "weights")

    def weights(*arguments, mount="rw"):
        folders = ["-v", f"{VOLUME}:/weights:{mount}", "-v", f"{yard.weights}:/in:ro"]
        # The host's network, because the publisher is on this machine.
        options = ["--rm", "--read-only", "--tmpfs", "/tmp", "--network", "host", "--cap-drop", "ALL", *folders]
        return run("docker", "run", *options, "howsfit/weights:test", *arguments)

    # As where the stages were up first: the volume is there, and belongs to root.
    run("docker", "run", "--rm", "-v", f"{VOLUME}:/weights:ro", "python:3.11-slim-bookworm", "true")
    yield weights
    run("docker", "volume", "rm", "--force", VOLUME)


def test_it_fills_a_volume_that_is_then_read_only(weights, yard):
    with publisher() as server:
        data = server.publish("gen.pth", 500_000)
        model = {"title": "M", "source": "S", "licence": "MIT", "commercial": "yes", "terms": "None."}
        model["files"] = [entry("gen.pth", data, server.at("missing", "gen.pth"), server.at("drive", "gen.pth"))]
        (yard.weights / "manifest.json").write_text(json.dumps({"model": model}))
        weights("pull", "model", "--accept", "--manifest", "/in/manifest.json")
    assert "published" in weights("verify", "model", "--manifest", "/in/manifest.json", mount="ro")
    owner = ("--entrypoint", "stat", "howsfit/weights:test", "-c", "%a %u", "/weights/model/gen.pth")
    assert run("docker", "run", "--rm", "-v", f"{VOLUME}:/weights:ro", *owner).split() == ["644", "10001"]


def test_it_tells_of_every_set(weights):
    listed = weights("list")
    assert "hr_viton" in listed and "not for commercial use" in listed and "not here" in listed
