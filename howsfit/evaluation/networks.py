"""What Torch's libraries measure: torchmetrics, lpips and clean-fid, as they are.

They are in an environment of their own (`make .venv-evaluate/ready`), and imported only where they are needed.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from howsfit.evaluation.backbones import Backbone, torch_hub
from howsfit.evaluation.protocols import Measure

_BATCH = 16  # pictures that Inception looks at together


def ssim(measure: Measure, device: str) -> Callable[[np.ndarray, np.ndarray], float]:
    """torchmetrics' SSIM of two pictures, H x W x 3 of uint8, in double precision."""
    import_torchvision()
    from torchmetrics.functional.image import structural_similarity_index_measure

    settings = measure.settings

    def of(result: np.ndarray, reference: np.ndarray) -> float:
        pair = [
            _batch(_in_colours(picture, settings["colours"])).to(device).double() / 255
            for picture in (result, reference)
        ]
        return float(
            structural_similarity_index_measure(
                *pair, sigma=settings["sigma"], k1=settings["k1"], k2=settings["k2"], data_range=settings["range"]
            )
        )

    return of


def lpips_package(
    measure: Measure, device: str, weights: Mapping[str, Backbone]
) -> Callable[[np.ndarray, np.ndarray], float]:
    """LPIPS of its authors' package, pictures made small first."""
    import_torchvision()
    import lpips

    settings = measure.settings
    with _quiet(), torch_hub(each.path for each in weights.values()):
        network = lpips.LPIPS(net=settings["backbone"], version=settings["lpips"], verbose=False).to(device)

    def of(result: np.ndarray, reference: np.ndarray) -> float:
        small = [_resized(picture, settings["size"]) for picture in (result, reference)]
        pair = [_batch(picture).to(device) / 127.5 - 1 for picture in small]
        with torch.inference_mode():
            return float(network(*pair))

    return of


def lpips_torchmetrics(
    measure: Measure, device: str, weights: Mapping[str, Backbone]
) -> Callable[[np.ndarray, np.ndarray], float]:
    """torchmetrics' LPIPS, which holds its own copy of the network, at full size."""
    import_torchvision()
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    with _quiet(), torch_hub(each.path for each in weights.values()):
        network = LearnedPerceptualImagePatchSimilarity(net_type=measure.settings["backbone"], normalize=True).to(
            device
        )

    def of(result: np.ndarray, reference: np.ndarray) -> float:
        pair = [_batch(picture).to(device) / 255 for picture in (result, reference)]
        with torch.inference_mode():
            network.reset()
            network.update(*pair)
            return float(network.compute())

    return of


class Inception:
    """clean-fid's features of pictures, and the distances of two sets of them."""

    def __init__(self, weights: Backbone, device: str) -> None:
        import_torchvision()
        from cleanfid.inception_torchscript import InceptionV3W

        self._device = torch.device(device)
        # The folder, since clean-fid knows the file's name.
        with _quiet():
            self._network = InceptionV3W(str(weights.path.parent), download=False).to(self._device).eval()

    def features(self, files: Sequence[Path], told: Callable[[int], None]) -> np.ndarray:
        """(pictures, 2048). told: called with how many more there are now."""
        from cleanfid import fid

        found = []
        for at in range(0, len(files), _BATCH):
            some = [str(path) for path in files[at : at + _BATCH]]
            found.append(
                fid.get_files_features(
                    some,
                    self._network,
                    num_workers=0,
                    batch_size=_BATCH,
                    device=self._device,
                    mode="clean",
                    verbose=False,
                )
            )
            told(len(some))
        return np.concatenate(found)

    @staticmethod
    def fid(results: np.ndarray, references: np.ndarray) -> float:
        from cleanfid import fid

        with _quiet():  # of SciPy, that an argument of clean-fid's goes with its next version
            return float(fid.fid_from_feats(results, references))

    @staticmethod
    def kid(results: np.ndarray, references: np.ndarray, settings: Mapping[str, Any]) -> float:
        from cleanfid import fid

        with _seeded(settings["seed"]):  # clean-fid draws its subsets from NumPy's one generator
            return float(
                fid.kernel_distance(
                    results, references, num_subsets=settings["subsets"], max_subset_size=settings["largest_subset"]
                )
            )


def heads_of(measure: Measure) -> dict[str, Path]:
    """Name -> file, of LPIPS's few weights that come with the library itself."""
    import_torchvision()
    backbone = measure.settings.get("backbone")
    if measure.how == "lpips-lpips":
        import lpips

        path = Path(lpips.__file__).parent / "weights" / f"v{measure.settings['lpips']}" / f"{backbone}.pth"
    elif measure.how == "torchmetrics-lpips":
        from torchmetrics.functional.image import lpips as module

        path = Path(module.__file__).parent / "lpips_models" / f"{backbone}.pth"
    else:
        return {}
    return {f"{measure.how.replace('-lpips', '')}/{path.name}": path}


_operators: list[Any] = []
"""Those that were declared in torchvision's place, for as long as the process lives."""


def import_torchvision() -> None:
    """Import it whichever Torch it was built for: no measure needs its compiled operators.

    PyPI's package is built for Torch with CUDA. Beside another build its operators are not there, and its import fails
    for those that it describes itself: they are declared first.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _operators.append(library)
        import torchvision  # noqa: F401


def _in_colours(picture: np.ndarray, colours: str) -> np.ndarray:
    """H x W x 1 for grey ones."""
    return np.asarray(Image.fromarray(picture).convert("L"))[..., None] if colours == "grey" else picture


def _resized(picture: np.ndarray, size: Sequence[int]) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.BILINEAR))


def _batch(picture: np.ndarray) -> torch.Tensor:
    """1 x channels x H x W of float32, values as they are."""
    return torch.from_numpy(picture.transpose(2, 0, 1).copy()).float()[None]


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what libraries say of each other's next versions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
