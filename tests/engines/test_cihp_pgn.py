"""CIHP_PGN in its Python 3.6, its way out to ONNX, and both in a cluster with everything else."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.engines.conftest import CPUS
from tests.servers import ROOT

pytestmark = pytest.mark.engines

OLD, NEW = "human-parse-cihp_pgn", "human-parse-cihp_pgn_onnx"
GOLDEN = "tests/specs/cihp_pgn/golden_1.npz"
SETTINGS = {
    "HOWSFIT_HUMAN_PARSE_MEMORY": "3g",
    "HOWSFIT_HUMAN_PARSE_CPUS": CPUS,
    "HOWSFIT_PARSE_SCALES": "1",
    "HOWSFIT_STARTUP_TIMEOUT_S": "300",
    "HOWSFIT_STAGE_TIMEOUT_S": "300",
}
HR_VITON = (ROOT / "services" / "tryon" / "engines" / "hr_viton").is_dir()
if HR_VITON:
    SETTINGS |= {"HOWSFIT_TRYON_ENGINE": "hr_viton", "HOWSFIT_TRYON_MEMORY": "4g", "HOWSFIT_TRYON_HEIGHT": "512"}


@pytest.fixture(scope="module")
def old(yard):
    """The image on Python 3.6, and the deterministic checkpoint."""
    yard.build("human-parse", HOWSFIT_HUMAN_PARSE_ENGINE="cihp_pgn")
    yard.inside(OLD, "python", "-m", "tests.specs.cihp_pgn.checkpoint", "/weights/cihp_pgn")
    return yard


@pytest.fixture(scope="module")
def exported(old):
    """The image on today's Python, and the exported model."""
    assert old.export("cihp_pgn") == old.weights / "cihp_pgn_onnx" / "cihp_pgn.onnx"
    old.build("human-parse", HOWSFIT_HUMAN_PARSE_ENGINE="cihp_pgn_onnx")
    return old


def test_tensorflow_gives_the_golden_run(old):
    told = old.inside(OLD, "python", "-m", "tests.parity", "cihp_pgn", GOLDEN, "--weights", "/weights/cihp_pgn")
    assert "labels equal on 1.0000" in told, told


def test_onnx_runtime_gives_the_golden_run(exported):
    model = "/weights/cihp_pgn_onnx/cihp_pgn.onnx"
    told = exported.inside(NEW, "python", "-m", "tests.parity", "cihp_pgn_onnx", GOLDEN, "--model", model)
    assert "labels equal on 1.0000" in told, told


def test_what_is_wrong_with_the_weights_is_told(old):
    empty, no_files, foreign = old.inside(OLD, "python", "-m", "tests.engines.broken_cihp_pgn").splitlines()[-3:]
    assert "no file `checkpoint`" in empty and "drive.google.com" in empty and "research only" in empty
    assert "no model.ckpt-593292.index" in no_files
    assert "625 variables differ: bn2a_branch1/beta is missing" in foreign


@pytest.fixture(scope="module")
def parses(exported, bundled):
    """Of the bundled photo by each of the two engines, in one cluster: the stages' list and the parse."""
    found = {}
    if HR_VITON:
        exported.build("tryon", **SETTINGS)
        exported.inside("tryon-hr_viton", "python", "-m", "tests.specs.checkpoints", "/weights/hr_viton")
    for engine in ("cihp_pgn", "cihp_pgn_onnx"):
        settings = SETTINGS | {"HOWSFIT_HUMAN_PARSE_ENGINE": engine}
        exported.compose("up", "--build", "--wait", "--wait-timeout", "400", **settings)
        with exported.client() as client:
            stages = {stage["stage"]: stage for stage in client.get("/v1/stages").json()["stages"]}
            files = dict(zip(("photo", "garment"), bundled, strict=True))
            document = client.post("/v1/tryons", files=files, headers={"Prefer": "wait=120"}).json()
            document = client.get(document["urls"]["events"]).text and client.get(document["urls"]["get"]).json()
            parse = Image.open(io.BytesIO(client.get(document["artifacts"]["parse"]).content))
        found[engine] = (stages, document, parse)
    return found


def test_python_3_6_parses_a_photo_beside_everything_else(parses):
    stages, document, parse = parses["cihp_pgn"]
    assert stages["human_parse"]["runtime"]["python"].startswith("3.6.")
    assert stages["human_parse"]["runtime"]["framework"] == "tensorflow 1.15.5"
    assert parse.size == (768, 1024) and parse.mode == "P"
    assert len(np.unique(np.array(parse))) > 3
    if HR_VITON:
        assert "1.10" in stages["tryon"]["runtime"]["framework"]
    ran = {stage["stage"]: stage["status"] for stage in document["stages"]}
    assert ran["human_parse"] == ran["tryon"] == "succeeded", document["error"]


def test_the_exported_network_gives_the_same_parse(parses):
    (_, _, before), (stages, _, after) = parses["cihp_pgn"], parses["cihp_pgn_onnx"]
    assert stages["human_parse"]["runtime"]["python"].startswith("3.11.")
    assert np.mean(np.array(before) == np.array(after)) > 0.999
