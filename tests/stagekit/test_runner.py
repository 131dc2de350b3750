"""Loading, queueing, deadlines and failures of a runner. Runs on Python 3.6 too."""

import asyncio
import threading
import time

import numpy as np
import pytest

from stagekit import Engine, Stage
from stagekit.artifacts import encode
from stagekit.errors import (
    DeadlineExceeded,
    EngineFailed,
    MissingArtifact,
    NotReady,
    OutOfMemory,
    Overloaded,
    StageError,
    WeightsMissing,
)
from stagekit.runner import Runner
from stagekit.settings import Settings

STAGE = Stage("cloth_mask", {"cloth": "image", "pose": "keypoints"}, {"cloth_mask": "mask"}, "fake")
CLOTH = {"cloth": encode("cloth", "image", np.full((1024, 768, 3), 9, np.uint8))}


class Fake(Engine):
    """Gives a white mask once `go` is set, or raises `error`."""

    name = "fake"
    inputs = ("cloth",)

    def __init__(self, error=None, load_error=None):
        self.error, self.load_error = error, load_error
        self.go = threading.Event()
        self.go.set()
        self.loads = self.runs = 0

    def load(self):
        self.loads += 1
        if self.load_error:
            raise self.load_error

    def run(self, inputs, warn):
        self.runs += 1
        assert self.go.wait(10)
        if self.error:
            raise self.error
        warn("white", "All white.")
        return {"cloth_mask": np.full((1024, 768), 255, np.uint8)}


def started(engine, **settings):
    runner = Runner(STAGE, engine, Settings()._replace(**settings))
    runner.load()
    return runner


def wait_until(condition):
    deadline = time.time() + 10
    while not condition():
        assert time.time() < deadline, "no progress"
        time.sleep(0.01)


def wait_for(coroutine):
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def run(runner, parts=CLOTH, timeout_s=None):
    return wait_for(runner.run(parts, timeout_s, "trace"))


def test_a_run_gives_outputs_warnings_and_timings():
    outcome = run(started(Fake()))
    assert outcome.parts["cloth_mask"].media_type == "image/png"
    assert outcome.warnings == [{"code": "white", "detail": "All white.", "stage": "cloth_mask"}]
    assert set(outcome.timings_s) == {"queue", "decode", "run", "encode"}


def checked(check):
    runner = Runner(STAGE._replace(check=check), Fake(), Settings())
    runner.load()
    return run(runner)


def test_the_stage_checks_what_any_engine_made():
    def check(inputs, outputs, warn):
        if outputs["cloth_mask"].all() and not inputs["cloth"].any(axis=2).all():
            warn("unlikely", "Never said: the cloth is grey.")
        warn("all-white", "%d %% of the mask are white." % (100 * outputs["cloth_mask"].mean() / 255))

    outcome = checked(check)
    assert [warning["code"] for warning in outcome.warnings] == ["white", "all-white"]
    assert outcome.warnings[1] == {
        "code": "all-white",
        "detail": "100 % of the mask are white.",
        "stage": "cloth_mask",
    }
    assert "check" in outcome.timings_s


def test_a_check_that_fails_costs_no_result():
    outcome = checked(lambda inputs, outputs, warn: outputs["no such artifact"])
    assert outcome.parts and [warning["code"] for warning in outcome.warnings] == ["white", "not-checked"]


def test_the_engine_loads_once():
    runner = Runner(STAGE, Fake(), Settings())
    runner.start()
    runner.start()
    runner._loading.join()
    assert runner.engine.loads == 1 and runner.state == "ready"


def test_before_it_is_loaded_it_refuses():
    with pytest.raises(NotReady):
        run(Runner(STAGE, Fake(), Settings()))


def test_missing_weights_are_told():
    runner = started(Fake(load_error=WeightsMissing("Run `howsfit weights pull`.")))
    assert runner.state == "setup_failed"
    with pytest.raises(WeightsMissing, match="pull"):
        run(runner)


def test_a_start_may_take_what_the_engine_allows_or_some_times_what_the_last_one_took():
    engine = Fake()
    assert started(engine).start_s == engine.start_s == 60
    runner = Runner(STAGE, engine, Settings())
    assert runner.start_s == 60, "nothing is known of the last one while it starts"
    runner.setup_s = 40
    assert runner.start_s == 160


def test_weights_that_come_later_are_noticed_and_another_failure_is_final():
    missing = Fake(load_error=WeightsMissing("Run `howsfit weights pull`.", "howsfit weights pull"))
    broken = Fake(load_error=RuntimeError("no such device"))
    runners = [Runner(STAGE, engine, Settings()) for engine in (missing, broken)]
    for runner in runners:
        runner.look_again_s = 0.01
        runner.start()
    wait_until(lambda: missing.loads > 2 and broken.loads)
    assert runners[0].state == "setup_failed" and runners[0].problem.problem()["command"] == "howsfit weights pull"
    missing.load_error = None
    wait_until(lambda: runners[0].state == "ready")
    loads = missing.loads
    time.sleep(0.1)
    assert missing.loads == loads and broken.loads == 1
    for runner in runners:
        runner.stop()


def test_a_failing_load_is_told():
    runner = started(Fake(load_error=RuntimeError("no such file")))
    with pytest.raises(NotReady, match="no such file"):
        run(runner)


@pytest.mark.parametrize(
    "raised, expected",
    [
        (ValueError("x"), EngineFailed),
        (MemoryError(), OutOfMemory),
        (RuntimeError("CUDA out of memory"), OutOfMemory),
        (WeightsMissing("x"), WeightsMissing),
    ],
)
def test_what_an_engine_raises_becomes_typed_and_the_service_goes_on(raised, expected):
    engine = Fake(error=raised)
    runner = started(engine)
    with pytest.raises(expected):
        run(runner)
    engine.error = None
    assert run(runner).parts


def test_missing_and_unknown_artifacts():
    runner = started(Fake())
    with pytest.raises(MissingArtifact, match="'cloth' is missing"):
        run(runner, {})
    with pytest.raises(MissingArtifact, match="'photo' is not an input"):
        run(runner, dict(CLOTH, photo=CLOTH["cloth"]))


def test_an_input_of_the_stage_that_the_engine_does_not_use_is_ignored():
    assert run(started(Fake()), dict(CLOTH, pose=CLOTH["cloth"])).parts


def test_beyond_the_queue_it_is_overloaded():
    engine = Fake()
    runner = started(engine, queue_size=1)

    async def three():
        engine.go.clear()
        runs = [asyncio.ensure_future(runner.run(CLOTH, None, "trace")) for _ in range(3)]
        await asyncio.sleep(0.2)
        engine.go.set()
        return await asyncio.gather(*runs, return_exceptions=True)

    results = wait_for(three())
    refused = [r for r in results if isinstance(r, StageError)]
    assert len(refused) == 1 and isinstance(refused[0], Overloaded) and refused[0].retry_after_s >= 1
    assert run(runner).parts


def test_a_deadline_takes_a_run_out_of_the_queue():
    engine = Fake()
    runner = started(engine)

    async def first_blocks_second():
        engine.go.clear()
        first = asyncio.ensure_future(runner.run(CLOTH, None, "trace"))
        await asyncio.sleep(0.1)
        with pytest.raises(DeadlineExceeded):
            await runner.run(CLOTH, 0.05, "trace")
        engine.go.set()
        return await first

    assert wait_for(first_blocks_second()).parts
    assert engine.runs == 1 and runner.queued == 0


def test_recent_runs_are_remembered_with_thumbnails():
    runner = started(Fake(), debug_runs=2)
    for _ in range(3):
        run(runner)
    assert len(runner.recent) == 2
    assert runner.recent[0].thumbnails["cloth_mask"].startswith("data:image/jpeg;base64,")
    runner = started(Fake(), debug_runs=0)
    run(runner)
    assert not runner.recent
