"""The research engines in their own containers, with deterministic weights. Needs Docker; run by `make test-engines`."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import time

import httpx
import pytest
from PIL import Image

from howsfit.export import export
from tests.servers import ROOT, free_port

CPUS = str(os.cpu_count())
ASK = """
import time, urllib.error, urllib.request
for _ in range(60):
    try:
        urllib.request.urlopen('http://127.0.0.1:8000/readyz')
    except urllib.error.HTTPError as error:
        said = error.read().decode()
        if 'weights-missing' in said:
            print(said)
            break
    except OSError:
        pass
    time.sleep(1)
"""


class Yard:
    """Builds engines' images, runs programs in them, and brings a whole cluster up around them."""

    def __init__(self, weights, project="howsfit-engines", tag="test"):
        self.weights, self.project, self.tag = weights, project, tag
        self.environment = os.environ | {
            "COMPOSE_PROJECT_NAME": project,
            "HOWSFIT_TAG": tag,
            "HOWSFIT_PORT": str(free_port()),
            "HOWSFIT_WEIGHTS": str(weights),
        }

    def build(self, service, **settings):
        self.compose("build", service, **settings)

    def compose(self, *arguments, **settings):
        """settings: HOWSFIT_... variables."""
        return run("docker", "compose", *arguments, env=self.environment | settings)

    def said_without_weights(self, service, **settings):
        """What a service that is built answers on /readyz for want of its weights."""
        self.compose("up", "--detach", "--no-build", service, **settings)
        said = self.compose("exec", "--no-TTY", service, "python", "-c", ASK, **settings)
        self.compose("down", "--timeout", "10", **settings)
        return said

    def inside(self, image, *command):
        """Run a program in an image, with these tests beside it and the folder of weights to write to."""
        folders = ["-v", f"{ROOT}/tests:/app/tests:ro", "-v", f"{self.weights}:/weights", "--tmpfs", "/tmp"]
        user = f"{os.getuid()}:{os.getgid()}"
        return run("docker", "run", "--rm", "--user", user, *folders, f"howsfit/{image}:{self.tag}", *command)

    @contextlib.contextmanager
    def stage(self, image, path="/readyz", weights=".", **settings):
        """A client of the stage in an image, once a path answers; by default once it is ready.

        weights: a folder within that of weights. settings: HOWSFIT_... variables.
        """
        port = free_port()
        name = f"{self.project}-{port}"
        options = ["--read-only", "--tmpfs", "/tmp", "-p", f"127.0.0.1:{port}:8000"]
        for variable, value in ({"HOWSFIT_PARSE_SCALES": "1"} | settings).items():
            options += ["-e", f"{variable}={value}"]
        volume = ["-v", f"{(self.weights / weights).resolve()}:/weights:ro"]
        run("docker", "run", "--detach", "--name", name, *options, *volume, f"howsfit/{image}:{self.tag}")
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300) as client:
                wait_until_answered(client, path, name)
                yield client
        finally:
            run("docker", "rm", "--force", name)

    def choose(self, name, weights="."):
        """Trust "engine/file", made by a test, in place of the published one. weights: a folder within that of weights."""
        folder = (self.weights / weights).resolve()
        command = (sys.executable, "-m", "howsfit.weights", "import", str(folder / name), "--as", name, "--accept")
        run(*command, env=os.environ | {"HOWSFIT_WEIGHTS_DIR": str(folder)})

    def export(self, model):
        """`howsfit export MODEL`; returns the file."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(ROOT)
            for name in ("COMPOSE_PROJECT_NAME", "HOWSFIT_TAG"):
                patch.setenv(name, self.environment[name])
            return export(model, self.weights)

    def client(self):
        return httpx.Client(base_url=f"http://127.0.0.1:{self.environment['HOWSFIT_PORT']}", timeout=300)


def wait_until_answered(client, path, container):
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if client.get(path).status_code == 200:
                return
        time.sleep(0.5)
    pytest.fail(f"{container} did not answer in four minutes:\n" + run("docker", "logs", container))


def run(*command, env=None):
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-6000:]}")
    return done.stdout


@contextlib.contextmanager
def yard_in(folder, **options):
    """A Yard with its weights in a new folder, which is removed with its containers at the end."""
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)  # pytest's own are for their owner only, and the services run as somebody else
    yard = Yard(folder, **options)
    try:
        yield yard
    finally:
        yard.compose("down", "--volumes", "--timeout", "10")
        shutil.rmtree(folder)  # gigabytes


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    with yard_in(tmp_path_factory.mktemp("weights")) as yard:
        yield yard


@pytest.fixture(scope="module")
def built(yard, request):
    """The yard, once the stage tryon is built with the SETTINGS of the tests' module."""
    yard.build("tryon", **request.module.SETTINGS)
    return yard


def dress(client, bundled):
    """The engine of each stage, and the picture, of a try-on that ran whole."""
    pictures = dict(zip(("photo", "garment"), bundled, strict=True))
    answer = client.post("/v1/tryons", files=pictures, headers={"Prefer": "wait=120"}).raise_for_status().json()
    assert answer["status"] == "succeeded", answer["error"]
    engines = {stage["stage"]: stage["engine"] for stage in answer["stages"]}
    return engines, Image.open(io.BytesIO(client.get(answer["artifacts"]["tryon"]).content))
