"""Real servers for tests: a subprocess on a free port, waited for until it is ready."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def server(*command: str, env: dict[str, str] | None = None, port: int, log: Path) -> Iterator[str]:
    """Run a command that serves on `port`; yields its URL once /readyz answers 200."""
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | (env or {}), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_ready(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def howsfit_serve(folder: Path, env: dict[str, str] | None = None) -> contextlib.AbstractContextManager[str]:
    """Gateway and all stages in one process, with its data below `folder`, and without the web app, built or not."""
    port = free_port()
    command = (sys.executable, "-m", "howsfit.cli", "serve", "--port", str(port))
    env = {"HOWSFIT_DATA_DIR": str(folder / "data"), "HOWSFIT_WEB_DIR": str(folder / "no-web")} | (env or {})
    return server(*command, env=env, port=port, log=folder / "serve.log")


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url + "/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{url} was not ready in two minutes:\n{log.read_text()[-4000:]}")
