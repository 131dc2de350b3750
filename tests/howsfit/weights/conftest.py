"""A publisher, a folder of weights, and manifests that name what it publishes."""

import hashlib
import json

import httpx
import pytest

from stagekit.manifest import read_sets
from tests.howsfit.weights.publisher import publisher as serve


@pytest.fixture
def publisher():
    with serve() as server:
        yield server


@pytest.fixture
def client():
    with httpx.Client(follow_redirects=True, timeout=5) as client:
        yield client


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "weights"


@pytest.fixture
def manifest(tmp_path):
    """manifest(file, file, ..., archive=...): a file with one set `model` of these files; .path is that file."""

    def write(*files, **members):
        entry = {
            "title": "The model",
            "source": "its README",
            "licence": "CC-BY-NC-4.0",
            "commercial": "no",
            "terms": "No sale.",
        }
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps({"model": entry | {"files": list(files)} | members}))
        return read_sets(str(path))["model"]

    write.path = tmp_path / "manifest.json"
    return write


def entry(name, data, *addresses, digest="sha256"):
    """A file of a manifest. digest: an algorithm, or None for one whose publisher gives none."""
    made = {"name": name, "addresses": list(addresses)}
    if digest is None:
        return made | {"at_least": len(data)}
    return made | {"size": len(data), "digests": [f"{digest}:{hashlib.new(digest, data).hexdigest()}"]}
