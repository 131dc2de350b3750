"""Real stores for tests: SeaweedFS for S3, and PostgreSQL, each in a folder of its own on free ports."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gateway.storage.blobs import S3Blobs
from tests.servers import free_port

KEYS = {"access_key": "howsfit", "secret_key": "howsfit-secret"}


class SeaweedFS:
    """`weed mini`: master, volume, filer and S3 in one process. It can be stopped, killed, and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # gRPC ports are the others + 10000 by default, which may be past 65535.
        parts = ("s3", "master", "volume", "filer")
        ports = {name: free_port() for part in parts for name in (f"{part}.port", f"{part}.port.grpc")}
        self.endpoint = f"http://127.0.0.1:{ports['s3.port']}"
        (folder / "data").mkdir()
        self.set_secret(KEYS["secret_key"])
        self._command = [
            str(Path(sys.executable).parent / "weed"),
            "mini",
            f"-dir={folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-s3.config={folder / 's3.json'}",
            "-s3.domainName=localhost",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
            *(f"-{name}={port}" for name, port in ports.items()),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def set_secret(self, secret_key: str) -> None:
        """The only one that is taken after the next start."""
        self._secret_key = secret_key
        identity = {
            "name": "howsfit",
            "credentials": [{"accessKey": KEYS["access_key"], "secretKey": secret_key}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
        (self._folder / "s3.json").write_text(json.dumps({"identities": [identity]}))

    def start(self) -> None:
        # In the folder, for it writes next to where it is started; and with a home there, for it reads settings from it.
        with (self._folder / "weed.log").open("ab") as log:
            environ = os.environ | {"HOME": str(self._folder)}
            self._process = subprocess.Popen(self._command, cwd=self._folder, env=environ, stdout=log, stderr=log)
        self._wait_until_written_to()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def blobs(self, bucket: str, **options: object) -> S3Blobs:
        return S3Blobs(bucket, **({"endpoint": self.endpoint} | KEYS | options))

    def digests(self, bucket: str) -> list[str]:
        """Of all blobs that are in a bucket, whoever knows of them."""
        pages = self.blobs(bucket)._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return ["sha256:" + entry["Key"].rpartition("/")[2] for page in pages for entry in page.get("Contents", [])]

    def _wait_until_written_to(self) -> None:
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["access_key"],
            aws_secret_access_key=self._secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, connect_timeout=1),
        )
        for _ in range(300):
            assert self._process is not None and self._process.poll() is None, (self._folder / "weed.log").read_text()
            with contextlib.suppress(ClientError, BotoCoreError):
                with contextlib.suppress(
                    client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou
                ):
                    client.create_bucket(Bucket="tests")
                client.put_object(Bucket="tests", Key="ready", Body=b"")
                return
            time.sleep(0.1)
        raise RuntimeError((self._folder / "weed.log").read_text()[-4000:])


@contextlib.contextmanager
def seaweedfs(folder: Path) -> Iterator[SeaweedFS]:
    server = SeaweedFS(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Postgres:
    """A cluster of PostgreSQL's own programs. It refuses to run as root, so there it runs as `nobody`."""

    def __init__(self, folder: Path) -> None:
        """folder: one that other users may enter, which pytest's are not."""
        self._data = folder / "data"
        self._port = free_port()
        self._as = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        self._data.mkdir()
        if self._as:
            shutil.chown(self._data, "nobody", "nogroup")
            folder.chmod(0o755)
        self._run("initdb", "-D", self._data, "-U", "howsfit", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-l", self._data / "log", "-w", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-D", self._data, "-m", how, "-w", "stop")

    def log(self) -> str:
        """All that it has written so far."""
        return (self._data / "log").read_text()

    def database(self, name: str) -> str:
        """The URL of a new and empty one."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://howsfit@127.0.0.1:{self._port}/{name}"

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(_postgres_programs() / program), *map(str, arguments)]
        # Its output goes to a file: the server keeps what it inherits open, and a pipe would never end.
        with open(os.devnull, "wb") as nowhere:
            subprocess.run(command, check=True, cwd="/", stdout=nowhere, stderr=nowhere, **self._as)


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="howsfit-postgres-") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(at) for at in [shutil.which("initdb")] if at
    ]
    if not found:
        pytest.skip("no PostgreSQL here: install the package postgresql")
    return found[-1].parent
