"""What networks measure: the numbers of torchmetrics, lpips and clean-fid themselves, with backbones that no download brought.

Run by `make test-evaluate`.
"""

import importlib.util
import json
import socket
import warnings

import numpy as np
import pytest

if importlib.util.find_spec("torchmetrics") is None:
    pytest.skip("no Torch with torchmetrics: make test-evaluate", allow_module_level=True)

import torch  # noqa: E402

from howsfit.evaluation import networks  # noqa: E402
from howsfit.evaluation.backbones import backbones, torch_hub  # noqa: E402
from howsfit.evaluation.evaluate import evaluate  # noqa: E402
from howsfit.evaluation.pictures import read  # noqa: E402
from howsfit.evaluation.protocols import PROTOCOLS  # noqa: E402
from howsfit.evaluation.report import write  # noqa: E402
from stagekit.errors import WeightsMissing  # noqa: E402
from tests.howsfit.evaluation.deterministic import write_backbones  # noqa: E402
from tests.howsfit.evaluation.drawn import photo, result, write_photos, write_results  # noqa: E402
from tests.howsfit.evaluation.test_measures import OF_TORCHMETRICS  # noqa: E402

networks.import_torchvision()


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it asks the network"))


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    write_backbones(folder)
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Results of six persons, and their photos."""
    folder = tmp_path_factory.mktemp("pictures")
    return write_results(folder / "results", 20), write_photos(folder / "photos")


@pytest.fixture(scope="session")
def evaluated(folders, weights):
    """Protocol -> evaluation."""
    names = ("hr-viton", "vton-eval")
    return {name: evaluate(*folders, PROTOCOLS[name], silently, weights_dir=weights) for name in names}


def silently(*_):
    pass


def quietly(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def tensor(picture, precision=None):
    return torch.from_numpy(picture.transpose(2, 0, 1).copy())[None].to(precision or torch.float32) / 255


@pytest.mark.parametrize(("which", "values"), OF_TORCHMETRICS.items())
def test_the_numbers_that_other_tests_know_are_torchmetrics(which, values):
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    pair = tensor(result(*which), torch.float64), tensor(photo(which[0]), torch.float64)
    assert float(structural_similarity_index_measure(*pair, data_range=1.0)) == pytest.approx(values[0], abs=1e-12)
    assert float(peak_signal_noise_ratio(*pair, data_range=1.0)) == pytest.approx(values[1], rel=1e-12)


def test_ssim_is_that_of_torchmetrics_in_colour_and_grey(evaluated, folders):
    from PIL import Image
    from torchmetrics.functional.image import structural_similarity_index_measure

    results, photos = folders
    for name, mode in (("vton-eval", "RGB"), ("hr-viton", "L")):
        for row in evaluated[name].document["pictures"]:
            paths = results / f"{row['name']}.png", photos / f"{row['person']}.png"
            arrays = [np.asarray(Image.open(path).convert(mode)).reshape(128, 96, -1) for path in paths]
            theirs = structural_similarity_index_measure(*(tensor(a, torch.float64) for a in arrays), data_range=1.0)
            assert row["ssim"] == pytest.approx(float(theirs), abs=1e-12)
            single = structural_similarity_index_measure(*map(tensor, arrays), data_range=1.0)
            assert row["ssim"] == pytest.approx(float(single), abs=2e-4)


def test_lpips_is_that_of_its_package_and_of_torchmetrics(evaluated, folders, weights):
    import lpips
    from PIL import Image
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity

    results, photos = folders
    files = backbones(["evaluation/alexnet", "evaluation/squeezenet"], weights)
    with torch_hub(each.path for each in files.values()):
        network = quietly(lambda: lpips.LPIPS(net="alex", verbose=False)).requires_grad_(False)
        for row in evaluated["hr-viton"].document["pictures"]:
            paths = results / f"{row['name']}.png", photos / f"{row['person']}.png"
            small = [np.asarray(Image.open(path).resize((128, 128), Image.Resampling.BILINEAR)) for path in paths]
            theirs = float(network(*(tensor(each) for each in small), normalize=True))
            assert row["lpips"] == pytest.approx(theirs, rel=1e-5) and theirs > 0
        for row in evaluated["vton-eval"].document["pictures"]:
            pair = [tensor(read(path)) for path in (results / f"{row['name']}.png", photos / f"{row['person']}.png")]
            theirs = quietly(
                lambda pair=pair: learned_perceptual_image_patch_similarity(*pair, net_type="squeeze", normalize=True)
            )
            assert row["lpips"] == pytest.approx(float(theirs), rel=1e-5) and theirs > 0


def test_fid_and_kid_are_those_of_clean_fid(evaluated, folders, weights):
    from cleanfid import fid
    from cleanfid.inception_torchscript import InceptionV3W

    network = quietly(lambda: InceptionV3W(str(weights / "evaluation"), download=False).eval())
    told = {"mode": "clean", "num_workers": 0, "verbose": False, "device": torch.device("cpu")}
    folders = [str(folder) for folder in folders]
    theirs = quietly(lambda: fid.compute_fid(*folders, custom_feat_extractor=network, use_dataparallel=False, **told))
    numbers = evaluated["vton-eval"].document["numbers"]
    assert numbers["fid"]["value"] == pytest.approx(float(theirs), rel=1e-6) and theirs > 1e-3
    made, real = (fid.get_folder_features(folder, network, **told) for folder in folders)
    np.random.seed(0)
    assert numbers["kid"]["value"] == pytest.approx(fid.kernel_distance(made, real), rel=1e-6)


def test_a_set_against_itself_is_as_near_as_can_be(folders, weights):
    document = evaluate(folders[1], folders[1], PROTOCOLS["vton-eval"], silently, weights_dir=weights).document
    numbers = {name: each["value"] for name, each in document["numbers"].items()}
    assert numbers["ssim"] == pytest.approx(1, abs=1e-12) and numbers["lpips"] == 0
    assert numbers["fid"] == pytest.approx(0, abs=1e-4)
    assert numbers["kid"] <= 0, "it is an unbiased estimate, and the two sets share every picture"


def test_unpaired_sets_have_fid_and_kid_alone(folders, weights, tmp_path):
    unpaired = evaluate(*folders, PROTOCOLS["vton-eval"], silently, unpaired=True, weights_dir=weights).document
    assert set(unpaired["numbers"]) == {"fid", "kid"} and unpaired["pictures"] == []
    with pytest.raises(ValueError, match="unpaired.*vton-eval has FID and KID"):
        evaluate(*folders, PROTOCOLS["hr-viton"], silently, unpaired=True, weights_dir=weights)


def test_the_document_tells_libraries_and_digests_of_all_weights(evaluated, tmp_path):
    document = evaluated["hr-viton"].document
    assert set(document["libraries"]) == {"numpy", "pillow", "torch", "torchvision", "torchmetrics", "lpips"}
    assert document["libraries"]["torch"].startswith("2.13.0")
    told = {name: each["digest"] for name, each in document["weights"].items()}
    assert set(told) == {"alexnet-owt-7be5be79.pth", "lpips/alex.pth"}
    # The package's own heads, as public copies of it have them.
    assert told["lpips/alex.pth"] == "sha256:df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"
    written = {path.name for path in write(tmp_path, evaluated["vton-eval"], PROTOCOLS["vton-eval"])}
    assert written == {"evaluation.json", "pictures.csv", "pictures.parquet", "worst.png"}
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(tmp_path / "pictures.parquet").to_pylist()
    assert rows == json.loads((tmp_path / "evaluation.json").read_bytes())["pictures"]


def test_without_weights_the_command_that_gets_them_is_told(folders, tmp_path):
    for name, key in (("hr-viton", "evaluation/alexnet"), ("vton-eval", "evaluation/squeezenet")):
        with pytest.raises(WeightsMissing, match=f"howsfit weights pull {key}"):
            evaluate(*folders, PROTOCOLS[name], silently, weights_dir=tmp_path)
