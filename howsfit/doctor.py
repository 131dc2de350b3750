"""Checks of a machine and of every stage: what was found, and what to do about it."""

import os
import platform
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from gateway.errors import GatewayError, StartupError
from gateway.settings import Settings
from gateway.storage.blobs import chosen_store
from howsfit.client import TryonFailed, connect
from howsfit.weights.sets import COMMERCIAL, SetState, look
from stagekit.errors import WeightsMissing
from stagekit.manifest import read_manifest, sets_of
from stagekit.weights import all_weights

ENOUGH_DISK = 2_000_000_000
ENOUGH_MEMORY = 2_000_000_000


class Finding(NamedTuple):
    """One line of the table."""

    what: str
    found: str
    good: bool
    advice: str = ""

    offer: str = ""
    """What could be done about something that is good as it is."""


async def examine(url: str | None, key: str | None = None) -> list[Finding]:
    """Look at everything; never raises for what is merely wrong."""
    return [_python(), _cores(), _memory(), *await _folder(), *_weights(), *await _stages(url, key)]


def _python() -> Finding:
    version = platform.python_version_tuple()
    return Finding(
        "Python", platform.python_version(), (int(version[0]), int(version[1])) >= (3, 11), "use 3.11 or newer"
    )


def _cores() -> Finding:
    return Finding("processor cores", str(os.cpu_count()), True)


def _memory() -> Finding:
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Finding("free memory", f"{free / 1e9:.1f} GB", free >= ENOUGH_MEMORY, "free 2 GB")


async def _folder() -> list[Finding]:
    folder = Settings().data_dir
    try:
        await chosen_store(Settings()).check()
    except GatewayError as error:
        return [
            Finding("data folder", f"{folder}: {error}", False, "set HOWSFIT_DATA_DIR to a folder you may write to")
        ]
    free = shutil.disk_usage(Path(folder)).free
    return [
        Finding("data folder", f"{folder}, writable", True),
        Finding("free disk", f"{free / 1e9:.0f} GB", free >= ENOUGH_DISK, "free 2 GB, or move HOWSFIT_DATA_DIR"),
    ]


def _weights() -> list[Finding]:
    """All that the engines could use, whether or not they are here and chosen."""
    try:
        states = look(Path(all_weights()), read_manifest(), os.environ, quick=True)
    except WeightsMissing as error:
        return [Finding("weights", str(error), False, "mend what it says")]
    return [_weight_set(state) for state in states]


def _weight_set(state: SetState) -> Finding:
    weights = state.weights
    found = f"{state.told()}; {weights.licence}, {COMMERCIAL[weights.commercial]}"
    # What nobody asked for may be missing, but not be altered.
    good = not state.wrong or (state.missing and not state.used)
    command = weights.command() if state.wrong else ""
    return Finding(f"weights {weights.key}", found, good, command, command)


async def _stages(url: str | None, key: str | None) -> list[Finding]:
    try:
        async with connect(url, key) as client:
            stages = await client.stages()
    except (StartupError, ValueError, TryonFailed, httpx.TransportError) as error:
        return [Finding("stages", str(error), False, "mend what it says")]
    return [*map(_stage, stages), _commercial_use(stages)]


def _stage(stage: dict[str, Any]) -> Finding:
    weights = "".join(f", {each['file']}: {each['trust']}" for each in stage["weights"] if "trust" in each)
    return Finding(
        f"stage {stage['stage']}",
        f"{stage['engine']} ({stage['licence']}), {stage['health'].get('status', 'down')}{weights}",
        stage["health"]["ready"],
        str(stage["health"].get("detail", "see its log")),
    )


def _commercial_use(stages: list[dict[str, Any]]) -> Finding:
    """Whether this set-up may be used commercially: the strictest of its engines' licences decides."""
    against = []
    for stage in stages:
        allowed = {each["commercial"] for each in stage["weights"] if "commercial" in each}
        if not allowed:  # an engine that is not loaded does not tell
            allowed = {each.commercial for each in sets_of(stage["engine"], read_manifest(), os.environ)}
        if allowed - {"yes"}:
            against.append(f"{stage['stage']} runs {stage['engine']} ({stage['licence']})")
    found = "not with this set-up: " + "; ".join(against) if against else "allowed with this set-up"
    return Finding("commercial use", found, True)
