"""What the compose files say, as Compose reads them. Nothing is started."""

import json
import re

import pytest

from howsfit.stages import find_stage
from stagekit.folders import stage_names
from tests.compose import Compose
from tests.servers import ROOT

pytestmark = pytest.mark.cluster

ENGINES = "docker-compose.engines.yml"
"""It holds what the others extend, and is not named beside them."""

ALL = [p.name for p in sorted(ROOT.glob("docker-compose*.yml"), key=lambda p: len(p.name)) if p.name != ENGINES]


def read(*files, **settings):
    compose = Compose("howsfit-test-files", *files)
    return json.loads(compose("--profile", "*", "config", "--format", "json", **settings))["services"]


def test_a_stage_is_never_waited_for():
    for service in read(*ALL).values():
        waited = {name for name, how in service.get("depends_on", {}).items() if how["condition"] != "service_started"}
        assert not waited & {stage.replace("_", "-") for stage in stage_names()}


def test_every_log_is_bounded():
    for name, service in read(*ALL).items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name


def test_every_stage_with_a_choice_of_engines_has_its_default_one_beside_it():
    services = read()
    fallbacks = json.loads(services["gateway"]["environment"]["HOWSFIT_FALLBACKS"])
    for name in stage_names():
        engines = [path.parent.name for path in (ROOT / "services" / name / "engines").glob("*/engine.py")]
        assert (name in fallbacks) == (len(engines) > 1)
    for name, address in fallbacks.items():
        stage, service = find_stage(name), services[re.fullmatch("http://(.*):8000", address).group(1)]
        assert service["profiles"] == ["fallbacks"]
        assert service["build"]["dockerfile"] == "services/Dockerfile"
        assert (service["build"]["args"]["STAGE"], service["build"]["args"]["ENGINE"]) == (name, stage.default_engine)
        assert service["image"].split(":")[0] == f"howsfit/{name.replace('_', '-')}-{stage.default_engine}"
        own = services[name.replace("_", "-")]
        assert service["networks"] == own["networks"] and service["read_only"]
    own = '{"tryon": "http://elsewhere:8000"}'
    assert read(HOWSFIT_FALLBACKS=own)["gateway"]["environment"]["HOWSFIT_FALLBACKS"] == own


@pytest.mark.parametrize(
    ("files", "settings", "torch"),
    [
        (ALL[:1], {}, "1.10"),
        (ALL[:1], {"HOWSFIT_TORCH": "2.13"}, "2.13"),
        (["docker-compose.yml", "docker-compose.gpu.yml"], {}, "2.13-cuda"),
        (["docker-compose.yml", "docker-compose.gpu.yml"], {"HOWSFIT_TORCH": "1.10"}, "1.10"),
    ],
    ids=["processor", "chosen", "card", "chosen for a card"],
)
def test_torch_can_be_chosen_and_a_card_gets_one_that_knows_it(files, settings, torch):
    tryon = read(*files, HOWSFIT_TRYON_ENGINE="hr_viton", **settings)["tryon"]
    assert tryon["build"]["args"]["TORCH"] == torch and tryon["build"]["args"]["VERSION"]
    dockerfile = (ROOT / tryon["build"]["dockerfile"]).read_text()
    (requirements,) = re.findall(f"AS torch-{re.escape(torch)}\nENV .*REQUIREMENTS=(.*)", dockerfile)
    locked = (ROOT / "services/tryon/engines/hr_viton" / requirements).read_text()
    assert ("nvidia-cuda-runtime" in locked) == (torch == "2.13-cuda")
    devices = tryon.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    assert bool(devices) == (len(files) > 1) == (tryon["environment"].get("HOWSFIT_DEVICE") == "cuda")
