"""Declarations, fingerprints, settings and traces. Runs on Python 3.6 too."""

import pytest

from stagekit import Engine, Stage
from stagekit.settings import Settings, read_settings
from stagekit.stage import fingerprint, make_engine
from stagekit.tracing import trace_id, traceparent

STAGE = Stage("pose", {"person": "image"}, {"pose": "keypoints", "pose_image": "image"}, "fake")


class Fake(Engine):
    name = "fake"
    sharpness = 1

    def options(self):
        return {"sharpness": self.sharpness}


def test_a_fingerprint_changes_with_what_changes_the_output():
    engine = Fake()
    before = fingerprint(STAGE, engine)
    assert before.startswith("sha256:") and before == fingerprint(STAGE, Fake())
    engine.sharpness = 2
    assert fingerprint(STAGE, engine) != before
    engine.sharpness = 1
    engine.version = "2"
    assert fingerprint(STAGE, engine) != before
    engine = Fake()
    engine.weights = lambda: ({"file": "a.pth", "digest": "sha256:00", "licence": "MIT"},)
    assert fingerprint(STAGE, engine) != before


def test_an_unknown_engine_is_named(monkeypatch):
    with pytest.raises(ValueError, match="services/pose/engines"):
        make_engine(STAGE, "magic")
    monkeypatch.setenv("HOWSFIT_POSE_ENGINE", "wand")
    with pytest.raises(ValueError, match="wand"):
        make_engine(STAGE)


def test_settings_come_from_the_environment():
    assert read_settings({}) == Settings()
    assert read_settings({"HOWSFIT_QUEUE_SIZE": "3", "HOWSFIT_MAX_IMAGE_MB": "1.5"}).queue_size == 3
    with pytest.raises(ValueError, match="HOWSFIT_QUEUE_SIZE must be of type int"):
        read_settings({"HOWSFIT_QUEUE_SIZE": "many"})


def test_a_trace_goes_on_and_a_broken_one_begins_anew():
    known = "0af7651916cd43dd8448eb211c80319c"
    assert trace_id("00-%s-b7ad6b7169203331-01" % known) == known
    assert trace_id(traceparent(known)) == known
    for broken in (None, "", "x", "00-%s-b7ad6b7169203331-01" % ("0" * 32)):
        assert len(trace_id(broken)) == 32 and trace_id(broken) != known
