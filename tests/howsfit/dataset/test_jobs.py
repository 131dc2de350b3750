"""Many jobs on several gateways, here without any: what a worker does when one is away, overloaded, or refuses."""

import asyncio
import itertools

import httpx
import pytest

from howsfit.client import TryonFailed
from howsfit.dataset import jobs
from howsfit.dataset.journal import opened

BROKEN = {"status": 500, "code": "internal", "detail": "Sorry."}
OVERLOADED = {"status": 503, "code": "overloaded", "detail": "Come back later."}


class Gateway:
    """Answers as a client does. answers: what each start comes to, then success: a problem is raised, a code is the job's."""

    def __init__(self, *answers, away=False):
        self.answers, self.away = list(answers), away
        self.started, self.running, self.most, self.forgotten = [], 0, 0, []

    async def start(self, path, files, options, engines, commercial, category, only, key):
        if self.away:
            raise httpx.ConnectError("nobody there")
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, dict):
            raise TryonFailed(answer)
        self.started.append(key)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.01)
        self.running -= 1
        error = {"code": answer, "detail": "told"} if answer else None
        return {"id": f"job-{len(self.started)}", "status": "failed" if error else "succeeded", "error": error}

    async def job(self, job):
        if self.away:
            raise httpx.ConnectError("nobody there")
        raise TryonFailed({"status": 404, "code": "not-found"})

    async def forget(self, job):
        self.forgotten.append(job)


def run(tmp_path, *gateways, tasks=8, in_flight=2, patience_s=0.1, begun=0):
    """Do so many tasks, of which the first were begun at the first gateway: (outcomes, taken)."""
    outcomes, taken = [], []

    async def take(client, document):
        taken.append((client, document["id"]))

    def task(number):
        request = jobs.Request("/v1/preprocess/person", {"photo": b"%d" % number}, {}, {})
        return jobs.Task(str(number), lambda: request, take, lambda: False)

    async def work():
        with opened(tmp_path / "state/journal.jsonl") as journal:
            clients = {f"http://{number}": gateway for number, gateway in enumerate(gateways)}
            for number in range(begun):
                journal.began(str(number), "http://0", f"job-{number}")
            await jobs.run(map(task, range(tasks)), clients, journal, in_flight, outcomes.append, patience_s)

    asyncio.run(work())
    return outcomes, taken


def test_the_work_is_shared_and_bounded(tmp_path):
    gateways = Gateway(), Gateway()
    outcomes, taken = run(tmp_path, *gateways)
    assert sorted(outcome.name for outcome in outcomes) == [str(number) for number in range(8)]
    assert len(taken) == 8 and all(outcome.problem is None for outcome in outcomes)
    for gateway in gateways:
        assert gateway.most == 2 and len(gateway.started) >= 3 and len(gateway.forgotten) == len(gateway.started)
    keys = [*itertools.chain.from_iterable(gateway.started for gateway in gateways)]
    assert len(set(keys)) == 8


def test_what_passes_is_waited_for_and_tried_again(tmp_path):
    gateway = Gateway(OVERLOADED, OVERLOADED, "stage-unreachable")
    outcomes, _ = run(tmp_path, gateway, tasks=1, patience_s=5)
    assert [outcome.problem for outcome in outcomes] == [None]
    assert len(set(gateway.started)) == 2, "another attempt has another key, or it would be the job that failed"


def test_what_lies_in_the_picture_fails_once(tmp_path):
    gateway = Gateway("no-person", {"status": 422, "code": "wrong-kind", "detail": "Too small."})
    outcomes, taken = run(tmp_path, gateway, tasks=3, in_flight=1)
    assert [outcome.problem and outcome.problem["code"] for outcome in outcomes] == ["no-person", "wrong-kind", None]
    assert len(taken) == 1 and len(gateway.started) == 2


@pytest.mark.parametrize("begun", [0, 3], ids=["", "even what was begun there"])
@pytest.mark.parametrize("tasks", [4, 80], ids=["few, which the other waits for", "many"])
def test_one_gateway_that_is_away_leaves_its_work_to_the_other(tasks, begun, tmp_path):
    away, there = Gateway(away=True), Gateway()
    outcomes, _ = run(tmp_path, away, there, tasks=tasks, begun=begun)
    assert len(outcomes) == tasks and len(there.started) == tasks


def test_a_picture_that_breaks_the_gateway_is_left_and_a_gateway_that_is_broken_ends_the_command(tmp_path):
    one, all_ = Gateway(*[BROKEN] * 3), Gateway(*[BROKEN] * 100)
    outcomes, _ = run(tmp_path, one, tasks=4, in_flight=1, patience_s=5)
    assert [outcome.problem for outcome in outcomes] == [BROKEN, None, None, None]
    with pytest.raises(jobs.Stopped, match="http://0 is broken: Sorry.*Run the same command again"):
        run(tmp_path / "other", all_, tasks=100, patience_s=5)


@pytest.mark.parametrize(
    ("gateway", "said"),
    [
        (Gateway(away=True), "away .nobody there.*Run the same command again"),
        (Gateway(*[OVERLOADED] * 100), "away .Come back later"),
        (Gateway({"status": 503, "code": "weights-missing", "detail": "pull them"}), "refuses it: pull them"),
        (Gateway({"status": 400, "code": "bad-engine", "detail": "no such engine"}), "refuses it: no such engine"),
        (Gateway("weights-missing"), "refuses it: told"),
    ],
)
def test_what_holds_for_all_stops_the_command(gateway, said, tmp_path):
    with pytest.raises(jobs.Stopped, match=said):
        run(tmp_path, gateway)
