"""The trainer on small networks: killed, gone on, given up, shared. Run by `make test-training`."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")
pytest.importorskip("accelerate", reason="no Accelerate here: `make test-training` has it")

from accelerate import Accelerator  # noqa: E402

from howsfit.train import origins, sources  # noqa: E402
from services.tryon.engines.hr_viton.condition import ConditionGenerator  # noqa: E402
from services.tryon.engines.hr_viton.generator import ImageGenerator, SpectralConv  # noqa: E402
from tests.servers import ROOT  # noqa: E402
from tests.training.small import shrunk  # noqa: E402
from training.average import Average  # noqa: E402
from training.checkpoints import Checkpoints, read_whole  # noqa: E402
from training.data import OF_CONDITION, Pairs  # noqa: E402
from training.initial import begin_images  # noqa: E402
from training.settings import Settings  # noqa: E402
from training.tasks import ConditionTask  # noqa: E402
from training.trainer import NotFinite, OtherTraining, Rhythm, Trainer  # noqa: E402

STEPS = 6
CPU = torch.device("cpu")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}


def command(kind, data, run, *more):
    """Of a training with small networks."""
    options = (
        f"--steps {STEPS} --batch 2 --perceptual random --save 2 --look 0 --judge 4 --judged 1 --workers 1".split()
    )
    return [sys.executable, "-m", "tests.training.small", "train", kind, *map(str, (data, run, *options, *more))]


def lines(run):
    path = run / "losses.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_after(arguments, run, steps):
    """Begin, and send SIGKILL to the process and its workers once so many steps are written."""
    process = subprocess.Popen(arguments, env=ENVIRONMENT, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
    while lines(run) < steps:
        assert process.poll() is None, "it ended by itself"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("kind", ["condition", "generator"])
def test_killed_three_times_it_ends_where_an_unbroken_run_ends(drawn, tmp_path, kind):
    """Losses bit for bit, and every weight, optimiser's state and average."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    more = ("--height", 256, "--condition", _small_condition(tmp_path)) if kind == "generator" else ()
    subprocess.run(command(kind, drawn, whole, *more), env=ENVIRONMENT, cwd=ROOT, check=True)
    for steps in (1, 3, 5):
        kill_after(command(kind, drawn, broken, *more), broken, steps)
    subprocess.run(command(kind, drawn, broken, *more), env=ENVIRONMENT, cwd=ROOT, check=True)
    assert lines(whole) == STEPS
    for name in ("losses.jsonl", "judged.jsonl"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name
    states = [read_whole(run / "checkpoints" / f"step-{STEPS:08}.pt") for run in (whole, broken)]
    assert states[0].pop("settings") == states[1].pop("settings")
    torch.testing.assert_close(*states, rtol=0, atol=0)
    assert not list((broken / "checkpoints").glob("*.part"))


def _small_condition(folder):
    with shrunk():
        torch.manual_seed(0)
        torch.save(ConditionGenerator().state_dict(), str(folder / "mtviton.pth"))
    return folder / "mtviton.pth"


@pytest.fixture
def small():
    with shrunk():
        yield


def trainer(drawn, folder, task=None, **changed):
    settings = Settings("condition", data="", pairs=4, steps=4, batch=2, **changed)
    pairs = Pairs(sources.pairs(drawn, "train", OF_CONDITION), OF_CONDITION, 256)
    task = task or ConditionTask(settings, origins.vgg("random", 0), CPU)
    return Trainer(
        folder, settings, task, pairs, None, Accelerator(cpu=True), Rhythm(save=1, look=0, keep=2, workers=0)
    )


def test_losses_that_are_no_numbers_stop_it_with_the_batch(drawn, tmp_path, small):
    task = ConditionTask(Settings("condition", "", 4, 4, 2), origins.vgg("random", 0), CPU)
    stepped = task.step
    task.step = lambda batch, seed: stepped(batch, seed) | ({"G": math.nan} if lines(tmp_path) == 2 else {})
    with pytest.raises(NotFinite, match="In step 3 the losses G are no numbers.*--rate.*of step 2, is sound"):
        trainer(drawn, tmp_path, task).train()
    (path,) = tmp_path.glob("not-finite-*.pt")
    kept = read_whole(path)
    assert kept["step"] == 2 and len(kept["batch"]["name"]) == 2 and kept["batch"]["person"].shape == (2, 3, 256, 192)
    assert Checkpoints(tmp_path / "checkpoints", 1).steps() == [1, 2]


def test_weights_that_are_no_numbers_are_not_kept(drawn, tmp_path, small):
    running = trainer(drawn, tmp_path)
    list(running._task.generator.buffers())[0].fill_(math.nan)
    with pytest.raises(NotFinite, match="After step 1 the weights generator"):
        running.train()
    assert not Checkpoints(tmp_path / "checkpoints", 1).steps()


def test_it_goes_on_only_with_the_same_settings(drawn, tmp_path, small):
    trainer(drawn, tmp_path).train()
    with pytest.raises(OtherTraining, match="seed 0, not 1.*another folder"):
        trainer(drawn, tmp_path, seed=1).train()
    trainer(drawn, tmp_path, profile="8gb").train()


def test_the_last_checkpoints_and_the_best_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in range(1, 6):
        checkpoints.save(step, {"step": step}, best=2)
    assert checkpoints.steps() == [2, 4, 5]


def test_rates_fall_as_published():
    settings = Settings("generator", data="", pairs=1, steps=200_000, batch=1)
    published = [1 - max(0, step // 1000 * 1000 - 100_000) / 100_001 for step in (0, 99_999, 101_000, 150_500, 199_999)]
    assert [settings.factor(step) for step in (0, 99_999, 101_000, 150_500, 199_999)] == published
    assert Settings("condition", data="", pairs=1, steps=10, batch=1).factor(9) == 1


def test_the_average_is_lent_and_given_back(small):
    network = ImageGenerator()
    begin_images(network)
    average = Average(network, 0.5)
    before = {name: array.clone() for name, array in network.state_dict().items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    average.update(1000)
    after = {name: array.clone() for name, array in network.state_dict().items()}
    with average.shown():
        assert torch.allclose(network.conv_img.weight, before["conv_img.weight"] + 0.5)
        for module in network.modules():
            if isinstance(module, SpectralConv):
                largest = float(torch.linalg.svdvals(module.kernel().detach().flatten(1))[0])
                assert largest == pytest.approx(1, abs=0.05), "the vectors go with the averaged kernel"
    assert all(torch.equal(array, after[name]) for name, array in network.state_dict().items())


def test_spectral_kernels_begin_wide_and_others_narrow(small):
    network = ImageGenerator()
    begin_images(network)
    spectral, plain = network.head_0.conv_0, network.head_0.norm_0.conv_gamma
    assert float(spectral.weight_orig.detach().std()) == pytest.approx((9 * 1024) ** -0.5 / 3**0.5, rel=0.05)
    assert float(plain.weight.detach().std()) == pytest.approx(0.02 * (2 / (9 * (8 + 1024))) ** 0.5, rel=0.05)
    assert not plain.bias.any() and not spectral.bias.any() and not network.head_0.norm_0.noise_scale.any()


def test_two_processes_learn_one_thing(drawn, tmp_path):
    """Each from its half of the batch: the first one's weights are kept, and its losses are the mean."""
    launch = ("-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1")
    options = ("--mixed_precision", "no", "--dynamo_backend", "no", "-m")
    arguments = command("condition", drawn, tmp_path / "run", "--no-check")
    subprocess.run([arguments[0], *launch, *options, *arguments[2:]], env=ENVIRONMENT, cwd=ROOT, check=True)
    told = [json.loads(line) for line in (tmp_path / "run" / "losses.jsonl").read_text().splitlines()]
    assert [each["step"] for each in told] == list(range(1, STEPS + 1)) and told[-1]["ce"] < told[0]["ce"]
