"""What the commands that run many jobs have in common: gateways, journal, progress, failures."""

import contextlib
import csv
import io
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from gateway.cluster.graph import Declaration, StageGraph
from howsfit import files
from howsfit.client import Client, connect
from howsfit.dataset import jobs
from howsfit.dataset.journal import Journal
from howsfit.dataset.pool import cores as cores_here
from howsfit.dataset.progress import counted

HERE = ""
"""Address of the gateway in this process."""


@dataclass(frozen=True)
class Place:
    """Where jobs run, and what is kept of them in between."""

    state: Path
    """Folder of the command's own files."""

    urls: Sequence[str] = ()
    """Gateways; none: one in this process."""

    key: str | None = None
    in_flight: int = 4

    @property
    def gateway(self) -> Path:
        """Where the gateway in this process keeps its jobs."""
        return self.state / "gateway"

    @property
    def failures(self) -> Path:
        return self.state / "failures.csv"


@contextlib.asynccontextmanager
async def connected(
    place: Place, engines: Mapping[str, str], err: Console
) -> AsyncIterator[tuple[dict[str, Client], StageGraph]]:
    """Address -> client; and the stages of the first one.

    Raises ValueError, StartupError, TryonFailed, or httpx.TransportError where the first is out of reach.
    """
    async with contextlib.AsyncExitStack() as stack:
        with err.status("Starting"):
            clients = {
                url.rstrip("/"): await stack.enter_async_context(connect(url, place.key))
                for url in dict.fromkeys(place.urls)
            }
            if not clients:
                here = connect(engines=engines, max_running=place.in_flight, data_dir=place.gateway)
                clients[HERE] = await stack.enter_async_context(here)
            stages = await next(iter(clients.values())).stages()
        yield clients, StageGraph(map(Declaration.from_info, stages), partial=True)


def left(names: Iterable[str], journal: Journal, retry: bool) -> list[str]:
    """What there may be to do: all but what failed, unless that is to be tried again."""
    wanted = []
    for name in names:
        if journal.entry(name).failed:
            if not retry:
                continue
            journal.again(name)
        wanted.append(name)
    return wanted


async def work(
    tasks: Iterable[jobs.Task],
    total: int,
    clients: Mapping[str, Client],
    journal: Journal,
    place: Place,
    what: str,
    err: Console,
) -> None:
    """Do them all, and say how fast. what: a plural. Raises jobs.Stopped."""
    with counted(err, what, total) as counter:

        def told(outcome: jobs.Outcome) -> None:
            counter.count(outcome.problem is not None, outcome.there)
            if outcome.problem is not None:
                said = outcome.problem.get("detail") or outcome.problem.get("title") or "failed"
                err.print(f"[red]{escape(outcome.name)}:[/red] {escape(said)}", highlight=False)

        await jobs.run(tasks, clients, journal, place.in_flight, told)
        seconds = max(counter.seconds, 1e-9)
        rate, cores = counter.done / seconds, cores_here()
    if counter.there:
        err.print(f"{counter.there} {what} were there already.", highlight=False)
    if counter.done:
        err.print(
            f"{counter.done} {what} in {seconds:.1f} s: {rate:.2f} a second, {rate / cores:.2f} for each of {cores} cores here",
            highlight=False,
        )


def settle(journal: Journal, place: Place, err: Console) -> bool:
    """Write why things failed, and clear up where nothing did. Returns whether all is well."""
    failed = {name: entry.failures[-1] for name, entry in sorted(journal.entries.items()) if entry.failed}
    if not failed:
        for path in (place.failures, journal.path):
            path.unlink(missing_ok=True)
        shutil.rmtree(place.gateway, ignore_errors=True)
        with contextlib.suppress(OSError):
            place.state.rmdir()  # empty, or with what is to stay
        return True
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("name", "stage", "code", "detail"))
    for name, problem in failed.items():
        table.writerow((name, *(problem.get(key, "") for key in ("stage", "code", "detail"))))
    files.write(place.failures, files.as_utf8(text.getvalue()))
    err.print(
        f"[red]{len(failed)} failed[/red], and are not tried again but with --retry. {escape(str(place.failures))} says why.",
        highlight=False,
    )
    return False
