"""What `howsfit doctor` makes of weights and licences; test_cli.py runs it as a user does."""

import asyncio

import pytest

from howsfit.doctor import _commercial_use, _weights, examine


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    return tmp_path


def findings():
    return {finding.what: finding for finding in _weights()}


def test_weights_that_nobody_asked_for_may_be_missing(folder, monkeypatch):
    found = findings()["weights hr_viton"]
    assert found.good and found.offer == "howsfit weights pull hr_viton"
    assert found.found == "not here; CC-BY-NC-4.0, not for commercial use"
    monkeypatch.setenv("HOWSFIT_TRYON_ENGINE", "hr_viton")
    assert not findings()["weights hr_viton"].good and findings()["weights cihp_pgn"].good


def test_altered_weights_are_bad_even_if_unused(folder):
    (folder / "graphonomy").mkdir()
    (folder / "graphonomy/inference.pth").write_bytes(b"short")
    found = findings()["weights graphonomy"]
    assert not found.good and "too short" in found.found and found.advice == "howsfit weights pull graphonomy"


def test_a_broken_lock_file_is_one_finding(folder):
    (folder / "weights.lock.json").write_text("{")
    (found,) = _weights()
    assert not found.good and "weights.lock.json" in found.found


def stage(name, engine, licence, weights=()):
    return {"stage": name, "engine": engine, "licence": licence, "weights": list(weights)}


def test_the_strictest_licence_decides_about_commercial_use(monkeypatch):
    mine = stage("tryon", "tps", "MIT")
    package = stage("pose", "blazepose", "Apache-2.0", [{"file": "a", "digest": "sha256:0", "licence": "Apache-2.0"}])
    assert _commercial_use([mine, package]).found == "allowed with this set-up"
    weights = [
        {"file": "gen.pth", "digest": "sha256:0", "licence": "CC-BY-NC-4.0", "commercial": "no", "trust": "recorded"}
    ]
    loaded = stage("tryon", "hr_viton", "CC-BY-NC-4.0", weights)
    assert "not with this set-up: tryon runs hr_viton (CC-BY-NC-4.0)" in _commercial_use([package, loaded]).found
    unclear = stage("human_parse", "cihp_pgn", "none stated")  # not loaded: its weights are missing
    assert "human_parse runs cihp_pgn" in _commercial_use([unclear]).found
    assert _commercial_use([stage("densepose", "detectron2", "CC-BY-SA-3.0")]).found == "allowed with this set-up"


def test_an_unreachable_gateway_is_a_finding(folder):
    found = asyncio.run(examine("http://127.0.0.1:1"))
    assert not found[-1].good and any(finding.what == "weights hr_viton" for finding in found)
