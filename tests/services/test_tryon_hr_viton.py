"""HR-VITON's networks on made-up weights: the fast path against the plain one, the checkpoints, the engine.

Needs Torch; `make test-parity` runs it on Torch 1.10 and on Torch 2.13. Parity with the published networks is
tests/parity/hr_viton.py.
"""

import pickle
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-parity` has it")

from services.tryon.engines.hr_viton import checkpoint  # noqa: E402
from services.tryon.engines.hr_viton.engine import Engine, choose_precision  # noqa: E402
from services.tryon.engines.hr_viton.fast import FastGenerator  # noqa: E402
from services.tryon.engines.hr_viton.generator import ImageGenerator, Noise  # noqa: E402
from services.tryon.engines.hr_viton.neighbourhoods import OUTSIDE, Neighbourhoods  # noqa: E402
from services.tryon.engines.hr_viton.passage import MERGE, blur  # noqa: E402
from stagekit.errors import WeightsMissing  # noqa: E402
from stagekit.stage import fingerprint, make_engine  # noqa: E402
from stagekit.torch_device import multiplies_bfloat16  # noqa: E402
from tests.parity.hr_viton import filled  # noqa: E402

SIZE = (256, 256)


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def generator():
    """The image generator with made-up weights and audible noise."""
    network = filled("gen", ImageGenerator())
    random = torch.Generator().manual_seed(1)
    for name, parameter in network.named_parameters():
        if name.endswith("noise_scale"):
            parameter.data.copy_(0.1 * torch.randn(parameter.shape, generator=random))
    return network


@pytest.fixture(scope="module")
def inputs():
    """A picture and a label map with straight and curved borders."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    labels = (x // 40 + 2 * ((x - 128) ** 2 + (y - 90) ** 2 < 60**2)) % 7
    picture = torch.rand(1, 9, *SIZE, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return picture, torch.from_numpy(labels.astype(np.uint8))[None]


def test_fast_path_gives_what_the_plain_one_gives(generator, inputs) -> None:
    plain = generator(*inputs, seed=3)
    assert float((FastGenerator(generator)(*inputs, seed=3) - plain).abs().max()) < 1e-3


@pytest.mark.skipif(int(torch.__version__.split(".")[0]) < 2, reason="bfloat16 is for Torch 2")
def test_bfloat16_differs_little(generator, inputs) -> None:
    difference = FastGenerator(generator, torch.bfloat16)(*inputs) - generator(*inputs)
    assert 10 * float(torch.log10(4 / (difference**2).mean())) > 40


def test_the_seed_decides_the_noise(generator, inputs) -> None:
    fast = FastGenerator(generator)
    first, again, other = fast(*inputs, seed=1), fast(*inputs, seed=1), fast(*inputs, seed=2)
    assert torch.equal(first, again)
    assert float((first - other).abs().max()) > 0.01


def test_the_threads_are_given_back(generator, inputs) -> None:
    before = torch.get_num_threads()
    FastGenerator(generator)(*inputs)
    assert torch.get_num_threads() == before


def test_noise_is_drawn_column_by_column() -> None:
    expected = torch.randn(1, 3, 5, 1, generator=torch.Generator().manual_seed(4)).permute(0, 3, 2, 1)
    assert torch.equal(Noise(4).plane(1, 5, 3), expected)


def test_neighbourhoods_are_the_map_around_each_pixel() -> None:
    parse = torch.from_numpy(np.random.default_rng(0).integers(0, 7, (9, 11)).astype(np.uint8))
    hood = Neighbourhoods(parse)
    padded = np.pad(parse.numpy(), 2, constant_values=OUTSIDE)
    for y, x in np.ndindex(9, 11):
        parts = hood.parts[hood.index[y, x]]
        for place, (dy, dx) in enumerate(np.ndindex(3, 3)):
            found = hood.labels[parts[place]].numpy()
            assert np.array_equal(found, padded[y + dy : y + dy + 3, x + dx : x + dx + 3].ravel())
    plain = Neighbourhoods(torch.zeros(40, 50, dtype=torch.uint8))
    assert len(plain.parts) == 25, "five columns by five rows: two at each border, one between"


def test_blur_is_the_published_one() -> None:
    spot = torch.zeros(1, 2, 31, 31)
    spot[0, 0, 15, 15] = 1
    at = np.exp(-((np.arange(15) - 7) ** 2) / 18)
    expected = np.outer(at, at) / at.sum() ** 2
    assert np.allclose(blur(spot)[0, 0, 8:23, 8:23], expected, atol=1e-7)
    assert float(blur(torch.ones(1, 1, 20, 20))[0, 0, 0, 0]) < 0.4, "zero outside, not reflected"


def test_thirteen_labels_become_seven() -> None:
    published = [[0], [2, 4, 7, 8, 9, 10, 11], [3], [1], [5], [6], [12]]
    assert [[i for i, to in enumerate(MERGE) if to == label] for label in range(7)] == published


class Small(torch.nn.Module):
    """Parameters named as the published ones."""

    def __init__(self) -> None:
        super().__init__()
        self.head_0 = torch.nn.Module()
        self.head_0.norm_0 = torch.nn.Module()
        self.head_0.norm_0.conv_gamma = torch.nn.Conv2d(2, 3, 1)
        self.head_0.norm_0.noise_scale = torch.nn.Parameter(torch.zeros(3))


def old_names(state: dict) -> dict:
    return {name.replace("norm_0.conv", "ace_0.Spade.conv").replace("norm_0", "ace_0"): v for name, v in state.items()}


@pytest.mark.parametrize("spelling", [dict, old_names, lambda s: {"module." + name: v for name, v in s.items()}])
def test_old_spellings_are_read(tmp_path: Path, spelling) -> None:
    source, target = Small(), Small()
    torch.save(spelling(source.state_dict()), str(tmp_path / "gen.pth"))
    checkpoint.load(target, tmp_path / "gen.pth")
    assert torch.equal(target.head_0.norm_0.conv_gamma.weight, source.head_0.norm_0.conv_gamma.weight)


def test_a_wrong_file_is_refused_with_what_differs(tmp_path: Path) -> None:
    path, state = tmp_path / "gen.pth", Small().state_dict()
    del state["head_0.norm_0.noise_scale"]
    state["elsewhere"] = torch.zeros(1)
    state["head_0.norm_0.conv_gamma.bias"] = torch.zeros(5)
    torch.save(state, str(path))
    with pytest.raises(WeightsMissing, match="lacks head_0.norm_0.noise_scale; has the unknown elsewhere; .*bias is"):
        checkpoint.load(Small(), path)
    path.write_bytes(b"<!DOCTYPE html><title>Google Drive - Virus scan warning</title>")
    with pytest.raises(WeightsMissing, match="web page"):
        checkpoint.load(Small(), path)
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(WeightsMissing, match="cannot be read"):
        checkpoint.load(Small(), path)
    torch.save([1, 2], str(path))
    with pytest.raises(WeightsMissing, match="no named arrays"):
        checkpoint.load(Small(), path)


class Harmful:
    def __reduce__(self):
        return (Path.touch, (Path("/tmp/howsfit-harm"),))


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    for name, save in (("zip", torch.save), ("legacy", lambda o, p: Path(p).write_bytes(pickle.dumps(o)))):
        path = tmp_path / name
        save({"weight": Harmful()}, str(path))
        with pytest.raises(WeightsMissing, match="cannot be read"):
            checkpoint.read(path)
    assert not Path("/tmp/howsfit-harm").exists()


def test_missing_weights_are_told_with_their_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsMissing, match="weights pull hr_viton.*gen.pth from https://.*CC-BY-NC") as caught:
        Engine().load()
    assert str(tmp_path / "hr_viton") in caught.value.detail


def test_seed_precision_and_size_are_part_of_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    from services.tryon.stage import STAGE

    seen = {fingerprint(STAGE, make_engine(STAGE, "hr_viton"))}
    for name, value in (("TRYON_SEED", "5"), ("TRYON_HEIGHT", "512")):
        monkeypatch.setenv("HOWSFIT_" + name, value)
        seen.add(fingerprint(STAGE, make_engine(STAGE, "hr_viton")))
    assert len(seen) == 3


def test_precision_follows_the_processor(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t: fpu avx512f avx512_bf16\n")
    assert multiplies_bfloat16(str(cpuinfo))
    cpuinfo.write_text("flags\t: fpu avx2\n")
    assert not multiplies_bfloat16(str(cpuinfo)) and not multiplies_bfloat16(str(tmp_path / "none"))
    cpu = torch.device("cpu")
    assert choose_precision("fp32", cpu) == torch.float32
    if int(torch.__version__.split(".")[0]) < 2:
        assert choose_precision("auto", cpu) == torch.float32
        with pytest.raises(ValueError, match="Torch 2"):
            choose_precision("bf16", cpu)


def test_a_program_in_a_checkpoint_is_refused_before_torch_would_run_it(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "gen.pth"))
    with pytest.raises(WeightsMissing, match="TorchScript program"):
        checkpoint.read(tmp_path / "gen.pth")
