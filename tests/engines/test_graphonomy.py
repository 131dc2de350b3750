"""Graphonomy on Torch 1.10, its ONNX model, and what is told of wrong weights."""

import io

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.engines

OLD, NEW = "human-parse-graphonomy", "human-parse-graphonomy_onnx"
GOLDEN = "tests/specs/graphonomy/golden_1.npz"


@pytest.fixture(scope="module")
def old(yard):
    """The image with Torch 1.10, and the deterministic weights."""
    yard.build("human-parse", HOWSFIT_HUMAN_PARSE_ENGINE="graphonomy")
    yard.inside(OLD, "python", "-m", "tests.specs.graphonomy.weights", "/weights/graphonomy")
    return yard


def test_torch_gives_the_golden_run(old):
    told = old.inside(OLD, "python", "-m", "tests.parity", "graphonomy", GOLDEN, "--weights", "/weights/graphonomy")
    assert "labels equal on 1.0000" in told, told


def test_what_is_wrong_with_the_weights_is_told(old):
    empty, trap, foreign, good = old.inside(OLD, "python", "-m", "tests.engines.broken_graphonomy").splitlines()
    assert "no inference.pth" in empty and "drive.google.com" in empty and "research only" in empty
    assert "posix.system" in trap and trap.endswith("False"), "the code in the file was not run"
    assert "3 entries of inference.pth differ: moon is unknown" in foreign
    assert "(7, 256, 1, 1), not (20, 256, 1, 1)" in foreign and "semantic.bias is missing" in foreign
    assert good.endswith("Graphonomy'>"), "counters may be missing: Torch 0.4 had none"


@pytest.fixture(scope="module")
def exported(old):
    assert old.export("graphonomy") == old.weights / "graphonomy_onnx" / "graphonomy.onnx"
    old.build("human-parse", HOWSFIT_HUMAN_PARSE_ENGINE="graphonomy_onnx")
    return old


def test_onnx_runtime_gives_the_golden_run(exported):
    model = "/weights/graphonomy_onnx/graphonomy.onnx"
    told = exported.inside(NEW, "python", "-m", "tests.parity", "graphonomy_onnx", GOLDEN, "--model", model)
    assert "labels equal on 1.0000" in told, told


def test_both_engines_serve_the_same_parse(exported, artifacts):
    """Each in its container, through the stage protocol."""
    parses = []
    for image, framework in ((OLD, "torch 1.10"), (NEW, "onnxruntime")):
        with exported.stage(image) as stage:
            assert stage.get("/info").json()["runtime"]["framework"].startswith(framework)
            answer = stage.post("/run?artifact=parse", files={"person": artifacts["person"]})
            assert answer.status_code == 200, answer.text
            parses.append(np.array(Image.open(io.BytesIO(answer.content))))
    assert parses[0].shape == (1024, 768)
    assert np.mean(parses[0] == parses[1]) > 0.999
