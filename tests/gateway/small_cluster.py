"""A gateway and small stages in processes of their own, which tests kill and start again; and a client that bears with it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from PIL import Image

from gateway.jobs.job import ENDED
from tests import stores
from tests.gateway.small_stages import STAGES
from tests.pictures import encoded
from tests.servers import ROOT, _wait_until_ready, free_port


class Served:
    """An app served by a subprocess: it can be killed, and started again at the same address."""

    def __init__(self, app: str, env: dict[str, str], log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._command = [sys.executable, "-m", "stagekit.serve", app, "--host", "127.0.0.1", "--port", str(port)]
        self._env = os.environ | env
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Served":
        self.launch()
        self.wait_until_ready()
        return self

    def launch(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._env, stdout=output, stderr=subprocess.STDOUT
            )

    def wait_until_ready(self) -> None:
        _wait_until_ready(self.url, self.process, self.log)

    def kill(self) -> None:
        """SIGKILL: it gets no chance to clear up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class SmallStages:
    """One process for each stage of small_stages, started together."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "runs").touch()
        env = {"SMALL_STAGES_FOLDER": str(folder)} | settings
        self.served = {
            name: Served(f"tests.gateway.small_stages:{name}", env, folder / f"{name}.log") for name in STAGES
        }

    def __enter__(self) -> "SmallStages":
        for served in self.served.values():
            served.launch()
        for served in self.served.values():
            served.wait_until_ready()
        return self

    def __exit__(self, *exc: object) -> None:
        for served in self.served.values():
            served.stop()

    def addresses(self) -> dict[str, str]:
        return {name: served.url for name, served in self.served.items()}

    def runs(self, stage: str | None = None) -> list[tuple[float, str, str]]:
        """(time, stage, inputs) of every run that began."""
        lines = (self.folder / "runs").read_text().splitlines()
        found = [(float(at), name, inputs) for at, name, inputs in (line.split() for line in lines)]
        return [run for run in found if stage in (None, run[1])]

    def hold(self, stage: str) -> Path:
        """Runs of this stage wait as long as the file exists that this gives."""
        return self.mark(f"hold-{stage}")

    def mark(self, name: str) -> Path:
        """Make one of the files that small_stages looks at."""
        path = self.folder / name
        path.touch()
        return path


def gateway(folder: Path, stages: dict[str, str], name: str = "gateway", **settings: str) -> Served:
    """A gateway that keeps its data in the folder, unless told otherwise. stages: name -> address."""
    env = {
        "HOWSFIT_STAGES": json.dumps(stages),
        "HOWSFIT_EXECUTOR": name,
        "HOWSFIT_MAX_WAITING": "1000",
        "HOWSFIT_DATA_DIR": str(folder / "data"),
    }
    return Served("gateway.main:app", env | settings, folder / f"{name}.log")


def s3_settings(s3: stores.SeaweedFS, bucket: str) -> dict[str, str]:
    s3.blobs(bucket)._s3.create_bucket(Bucket=bucket)
    return {
        "HOWSFIT_S3_BUCKET": bucket,
        "HOWSFIT_S3_ENDPOINT": s3.endpoint,
        "HOWSFIT_S3_ACCESS_KEY": stores.KEYS["access_key"],
        "HOWSFIT_S3_SECRET_KEY": stores.KEYS["secret_key"],
    }


def photo(number: int) -> bytes:
    """A small picture; no two numbers have the same colour, and none has that of a garment."""
    return encoded(Image.new("RGB", (72, 96), (number % 256, number // 256, 200)))


def garment(number: int) -> bytes:
    return encoded(Image.new("RGB", (72, 96), (number % 256, number // 256, 100)))


def patiently(client: httpx.Client, method: str, url: str, within_s: float = 120, **options) -> httpx.Response:
    """Send a request as a shop would: again and again while the gateway is down, or says that it cannot just now."""
    give_up = time.monotonic() + within_s
    while True:
        try:
            answer = client.request(method, url, **options)
            if answer.status_code not in (429, 502, 503, 504):
                return answer
            trouble = answer.text
        except httpx.TransportError as error:
            trouble = repr(error)
        if time.monotonic() > give_up:
            raise TimeoutError(f"{method} {url} in vain for {within_s} s: {trouble}")
        time.sleep(0.2)


def ended(client: httpx.Client, tryon_id: str, within_s: float = 60) -> dict:
    """The document of a try-on once it has ended."""
    give_up = time.monotonic() + within_s
    while (document := patiently(client, "GET", f"/v1/tryons/{tryon_id}").json())["status"] not in ENDED:
        assert time.monotonic() < give_up, document
        time.sleep(0.1)
    return document


def wait_for(condition, within_s: float = 120) -> None:
    give_up = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up, "no progress"
        time.sleep(0.05)
