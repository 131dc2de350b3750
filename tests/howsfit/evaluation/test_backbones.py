"""The weights that compare pictures: what is known of them, and what is said where they are not here."""

import os

import pytest

from howsfit.evaluation.backbones import backbones
from howsfit.evaluation.protocols import PROTOCOLS
from howsfit.weights.sets import every_set, find
from stagekit.errors import WeightsMissing
from tests.servers import ROOT


def test_every_protocols_weights_can_be_fetched_and_told_from_others():
    known = every_set()
    needed = {key for protocol in PROTOCOLS.values() for key in protocol.weights}
    assert needed == {key for key in known if key.startswith("evaluation/")}
    assert {weights.key for weights in find(["evaluation"], known, os.environ)} == needed
    for key in needed:
        weights = known[key]
        assert weights.licence and weights.terms and weights.commercial == "unclear"
        for file in weights.files:
            (digest,) = file.digests
            assert digest.startswith("sha256:") and len(digest) == 71 and file.size
            assert all(address.startswith("https://") for address in file.addresses) and file.addresses
            if "-" in file.name and file.name.endswith(".pth"):
                assert digest[7:15] == file.name.rpartition("-")[2][:8], "torchvision's names begin with the digest"


def test_the_container_of_weights_knows_them_too():
    dockerfile = (ROOT / "deploy" / "weights" / "Dockerfile").read_text()
    for folder in ("evaluation", "train"):
        assert f"COPY howsfit/{folder}/weights.json howsfit/{folder}/\n" in dockerfile


def test_what_is_missing_or_another_file_is_told_with_the_command(tmp_path):
    with pytest.raises(
        WeightsMissing, match="there is no squeezenet1_1-b8a52dc0.pth.*`howsfit weights pull evaluation/sq"
    ):
        backbones(["evaluation/squeezenet"], tmp_path)
    path = tmp_path / "evaluation/squeezenet1_1-b8a52dc0.pth"
    path.parent.mkdir()
    path.write_bytes(bytes(4958839))
    with pytest.raises(WeightsMissing, match="not the file that it should be: its sha256"):
        backbones(["evaluation/squeezenet"], tmp_path)
