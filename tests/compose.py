"""Docker Compose for tests: a cluster in a project of its own, so that one that runs on this machine is left alone."""

import contextlib
import os
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.servers import ROOT, free_port


class Compose:
    """`docker compose` with the repository's files: compose("ps", "--quiet")."""

    def __init__(self, project: str, *files: str, **settings: str) -> None:
        """files: by default docker-compose.yml alone. settings: HOWSFIT_... variables of all calls."""
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._environment = (
            os.environ
            | {
                "COMPOSE_PROJECT_NAME": project,
                "COMPOSE_FILE": ":".join(files or ("docker-compose.yml",)),
                "COMPOSE_PATH_SEPARATOR": ":",
                "HOWSFIT_PORT": str(port),
                "HOWSFIT_TAG": "test",
            }
            | settings
        )

    def __call__(self, *arguments: str, check: bool = True, **settings: str) -> str:
        """What it prints. check: the test fails when it does. settings: HOWSFIT_... variables."""
        command = ["docker", "compose", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment | settings, capture_output=True, text=True)
        if check and done.returncode:
            pytest.fail(f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-6000:]}")
        return done.stdout

    @contextlib.contextmanager
    def up(self) -> Iterator[httpx.Client]:
        """Built, started and healthy; yields a client of the gateway, and takes everything down at the end."""
        try:
            self("up", "--build", "--wait", "--wait-timeout", "300")
            with httpx.Client(base_url=self._url, timeout=120) as client:
                yield client
        finally:
            self("--profile", "*", "down", "--volumes", "--timeout", "10", check=False)
