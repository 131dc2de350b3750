"""Engines that share a device, and models that leave it. Runs on Python 3.6 too."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from stagekit import Engine, Stage
from stagekit.artifacts import encode
from stagekit.errors import Cancelled
from stagekit.line import Line
from stagekit.report import Report
from stagekit.runner import Runner
from stagekit.settings import Settings
from stagekit.turns import Turns
from tests.stagekit.test_runner import run, wait_until

STAGE = Stage("cloth_mask", {"cloth": "image"}, {"cloth_mask": "mask"}, "heavy")
CLOTH = {"cloth": encode("cloth", "image", np.full((1024, 768, 3), 9, np.uint8))}


class Device:
    """Holds the models of one engine: a second one's would be too much."""

    def __init__(self):
        self.holds = []
        self.most = 0

    def bring(self, engine):
        self.holds.append(engine)
        self.most = max(self.most, len(self.holds))

    def take_off(self, engine):
        self.holds.remove(engine)


class Heavy(Engine):
    name = "heavy"

    def __init__(self, device):
        self.device = device
        self.go = threading.Event()
        self.go.set()

    def load(self):
        self.device.bring(self)

    def rest(self):
        self.device.take_off(self)

    def wake(self):
        self.device.bring(self)

    def run(self, inputs, warn):
        assert self in self.device.holds
        assert self.go.wait(10)
        return {"cloth_mask": np.full((1024, 768), 255, np.uint8)}


@pytest.fixture
def runner_of(tmp_path):
    """A function that makes runners of engines that share a device."""
    made = []

    def make(engine, **settings):
        settings = dict({"device_lock": str(tmp_path / "device")}, **settings)
        made.append(Runner(STAGE, engine, Settings()._replace(**settings)))
        return made[-1]

    yield make
    for runner in made:
        runner.engine.go.set()
        runner.stop()


def started(runner):
    runner.load()
    assert runner.state == "ready"
    return runner


def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_models_rest_when_nobody_has_run_them_for_a_while_and_are_back_for_the_next_run(runner_of):
    device = Device()
    runner = started(runner_of(Heavy(device), device_lock="", idle_offload_s=0.3))
    assert runner.turns.document() == {"awake": True, "place": None, "line": None}
    assert "device" in run(runner, CLOTH).timings_s and device.holds
    wait_until(lambda: not device.holds)
    assert runner.turns.document()["awake"] is False
    run(runner, CLOTH)
    assert device.holds


def test_a_run_that_takes_longer_than_that_keeps_them(runner_of):
    device = Device()
    engine = Heavy(device)
    runner = started(runner_of(engine, idle_offload_s=0.1))
    engine.go.clear()
    running = in_thread(lambda: run(runner, CLOTH))
    time.sleep(0.5)
    assert device.holds == [engine]
    engine.go.set()
    running.join()
    wait_until(lambda: not device.holds)


def test_two_engines_share_a_device_that_holds_one(runner_of):
    device = Device()
    runners = [started(runner_of(Heavy(device))) for _ in range(2)]
    assert device.holds == [runners[1].engine], "the first one has stepped aside to let the second one load"
    for _ in range(2):
        threads = [in_thread(lambda r=runner: run(r, CLOTH)) for runner in runners]
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
    assert device.most == 1


def test_without_another_one_an_engine_keeps_its_turn(runner_of):
    device = Device()
    runner = started(runner_of(Heavy(device)))
    for _ in range(3):
        run(runner, CLOTH)
        time.sleep(0.3)
    assert device.holds == [runner.engine] and runner.turns.document() == {"awake": True, "place": 0, "line": 1}


def test_who_waits_for_the_device_hears_its_place_and_may_give_up(runner_of, tmp_path):
    first, second = (Heavy(Device()) for _ in range(2))
    busy = started(runner_of(first))
    first.go.clear()
    running = in_thread(lambda: run(busy, CLOTH))
    wait_until(lambda: busy.turns._running)
    turns = Turns(second, folder=str(tmp_path / "device"))
    report, raised = Report("tryon"), []

    def wait():
        try:
            with turns.taken(report):
                raised.append("its turn came")
        except Cancelled as error:
            raised.append(error)

    waiting = in_thread(wait)
    wait_until(lambda: report.document()["queue"] == 1)
    assert turns.document() == {"awake": False, "place": 1, "line": 2}
    report.cancel()
    waiting.join()
    assert isinstance(raised[0], Cancelled) and busy.turns.document()["line"] == 1
    first.go.set()
    running.join()


def test_who_came_first_goes_first_though_the_holder_has_more_to_do(runner_of):
    device = Device()
    order = []

    class Noting(Heavy):
        def run(self, inputs, warn):
            order.append(self)
            return super().run(inputs, warn)

    busy, other = (started(runner_of(Noting(device))) for _ in range(2))
    busy.engine.go.clear()
    threads = [in_thread(lambda: run(busy, CLOTH))]
    wait_until(lambda: order)
    threads.append(in_thread(lambda: run(other, CLOTH)))
    wait_until(lambda: (other.turns.document()["place"], busy.turns.document()["line"]) == (1, 2))
    threads.append(in_thread(lambda: run(busy, CLOTH)))
    wait_until(lambda: busy._admitted == 2)
    busy.engine.go.set()
    for thread in threads:
        thread.join(20)
    assert order == [busy.engine, other.engine, busy.engine] and device.most == 1


HOLDER = """
import sys, time
from stagekit.line import Line
ticket = Line(sys.argv[1]).join()
print(ticket.before(), flush=True)
time.sleep(60)
"""


def test_a_holder_that_is_killed_lets_the_next_one_go_on(tmp_path):
    folder = str(tmp_path / "line")
    holders = []
    for place in range(2):
        holders.append(
            subprocess.Popen([sys.executable, "-c", HOLDER, folder], stdout=subprocess.PIPE, universal_newlines=True)
        )
        assert holders[-1].stdout.readline() == "%d\n" % place
    ticket = Line(folder).join()
    assert ticket.before() == 2 and not ticket.is_wanted()
    for number, holder in enumerate(holders, 1):
        holder.kill()
        holder.communicate()
        assert ticket.before() == 2 - number
    behind = Line(folder).join()
    assert ticket.is_wanted() and behind.before() == 1
    ticket.leave()
    assert behind.before() == 0
    behind.leave()
    assert Line(folder).tickets() == []


def test_a_folder_that_cannot_be_used_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="HOWSFIT_DEVICE_LOCK"):
        Line(str(tmp_path / "file"))


def test_nothing_happens_for_an_engine_that_moves_nothing(tmp_path):
    turns = Turns(Engine(), 0.1, str(tmp_path / "none"))
    with turns.loading(), turns.taken(Report("tryon")):
        assert turns.document() is None and not (tmp_path / "none").exists()
