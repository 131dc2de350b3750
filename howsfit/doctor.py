"""Checks of a machine and of every stage: what was found, and what to do about it."""

import os
import platform
import shutil
from pathlib import Path
from typing import NamedTuple

import httpx

from gateway.errors import GatewayError, StartupError
from gateway.settings import Settings
from howsfit.client import TryonFailed, connect

ENOUGH_DISK = 2_000_000_000
ENOUGH_MEMORY = 2_000_000_000


class Finding(NamedTuple):
    """One line of the table."""

    what: str
    found: str
    good: bool
    advice: str = ""


async def examine(url: str | None, key: str | None = None) -> list[Finding]:
    """Look at everything; never raises for what is merely wrong."""
    return [_python(), _cores(), _memory(), *await _folder(), *await _stages(url, key)]


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
        await Settings().blobs().check()
    except GatewayError as error:
        return [
            Finding("data folder", f"{folder}: {error}", False, "set HOWSFIT_DATA_DIR to a folder you may write to")
        ]
    free = shutil.disk_usage(Path(folder)).free
    return [
        Finding("data folder", f"{folder}, writable", True),
        Finding("free disk", f"{free / 1e9:.0f} GB", free >= ENOUGH_DISK, "free 2 GB, or move HOWSFIT_DATA_DIR"),
    ]


async def _stages(url: str | None, key: str | None) -> list[Finding]:
    try:
        async with connect(url, key) as client:
            stages = await client.stages()
    except (StartupError, ValueError, TryonFailed, httpx.TransportError) as error:
        return [Finding("stages", str(error), False, "mend what it says")]
    return [
        Finding(
            f"stage {stage['stage']}",
            f"{stage['engine']} ({stage['licence']}), {stage['health'].get('status', 'down')}",
            stage["health"]["ready"],
            str(stage["health"].get("detail", "see its log")),
        )
        for stage in stages
    ]
