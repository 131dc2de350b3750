"""What is measured, and how. A protocol is pinned: whoever changes what it measures gives it another version.

Published numbers differ by colours, sizes, windows and libraries, so these are said of each measure. Where a source
leaves one open, it is chosen here, once.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple


class Measure(NamedTuple):
    """One number of a pair of pictures, or of two sets."""

    name: str

    of: Literal["pair", "sets"]
    """pair: of each result and the photo that shows the same; sets: of all results and all photos."""

    better: Literal["higher", "lower"]

    how: Literal[
        "own-ssim", "own-psnr", "torchmetrics-ssim", "lpips-lpips", "torchmetrics-lpips", "cleanfid-fid", "cleanfid-kid"
    ]
    """The library that makes it, "own" for measures.py, and what."""

    source: str

    libraries: tuple[str, ...]
    """Distributions whose versions decide about the number."""

    settings: Mapping[str, Any] = MappingProxyType({})
    """colours: "rgb" or "grey" (ITU-R 601); size: width and height that pictures are brought to first; backbone."""

    weights: tuple[str, ...] = ()
    """Sets of weights.json."""


class Protocol(NamedTuple):
    """Measures that are told together."""

    name: str
    version: int
    about: str
    source: str
    measures: tuple[Measure, ...]

    ranks: str
    """The measure by which results are the worst."""

    def of(self, what: str) -> tuple[Measure, ...]:
        """Its measures of pairs, or of sets."""
        return tuple(measure for measure in self.measures if measure.of == what)

    @property
    def weights(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for measure in self.measures for key in measure.weights))


WANG = "Wang et al., Image quality assessment: from error visibility to structural similarity, IEEE TIP 2004"
ZHANG = "Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018"
PARMAR = "Parmar et al., On aliased resizing and surprising subtleties in GAN evaluation, CVPR 2022"

_PICTURES = ("numpy", "pillow")
_TORCH = (*_PICTURES, "torch", "torchvision")

# The window of Wang et al.: Gaussian, sigma 1.5, 11 x 11; K1 0.01, K2 0.03; edges reflected, as torchmetrics has it. Double
# precision: in single, variances are lost in rounding, SSIM is some 0.00005 lower, and differs between machines.
_WINDOW = {"window": "gaussian", "sigma": 1.5, "k1": 0.01, "k2": 0.03, "range": 1.0, "precision": "double"}

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="hr-viton",
            version=1,
            about="grey SSIM; LPIPS of AlexNet at 128 x 128",
            source="Lee et al., High-resolution virtual try-on with misalignment and occlusion-handled conditions, ECCV 2022",
            measures=(
                Measure(
                    "ssim", "pair", "higher", "torchmetrics-ssim", WANG,
                    (*_PICTURES, "torch", "torchmetrics"), {"colours": "grey", **_WINDOW},
                ),
                Measure(
                    "lpips", "pair", "lower", "lpips-lpips", ZHANG, (*_TORCH, "lpips"),
                    {"colours": "rgb", "size": [128, 128], "resampling": "bilinear", "backbone": "alex", "lpips": "0.1"},
                    ("evaluation/alexnet",),
                ),
            ),
            ranks="lpips",
        ),
        Protocol(
            name="vton-eval",
            version=1,
            about="SSIM in colour; LPIPS of SqueezeNet at full size; FID and KID of clean-fid",
            source="Chong et al., CatVTON: concatenation is all you need for virtual try-on, ICLR 2025",
            measures=(
                Measure(
                    "ssim", "pair", "higher", "torchmetrics-ssim", WANG,
                    (*_PICTURES, "torch", "torchmetrics"), {"colours": "rgb", **_WINDOW},
                ),
                Measure(
                    "lpips", "pair", "lower", "torchmetrics-lpips", ZHANG, (*_TORCH, "torchmetrics"),
                    {"colours": "rgb", "backbone": "squeeze"}, ("evaluation/squeezenet",),
                ),
                Measure(
                    "fid", "sets", "lower", "cleanfid-fid", PARMAR, (*_TORCH, "clean-fid", "scipy"),
                    {"mode": "clean"}, ("evaluation/inception",),
                ),
                Measure(
                    "kid", "sets", "lower", "cleanfid-kid", PARMAR, (*_TORCH, "clean-fid", "scipy"),
                    {"mode": "clean", "subsets": 100, "largest_subset": 1000, "seed": 0}, ("evaluation/inception",),
                ),
            ),
            ranks="lpips",
        ),
        Protocol(
            name="fast",
            version=1,
            about="SSIM and PSNR in colour, without Torch and weights",
            source="as torchmetrics 1.9 computes them, in double precision",
            measures=(
                Measure(
                    "ssim", "pair", "higher", "own-ssim", WANG,
                    (*_PICTURES, "opencv-python-headless"), {"colours": "rgb", **_WINDOW},
                ),
                Measure(
                    "psnr", "pair", "higher", "own-psnr", "10 log10(1 / mean squared error)", _PICTURES,
                    {"colours": "rgb", "range": 1.0, "precision": "double"},
                ),
            ),
            ranks="ssim",
        ),
    )
}  # fmt: skip


def find(name: str) -> Protocol:
    """Raises ValueError, which lists those that there are."""
    if name not in PROTOCOLS:
        listed = "\n".join(f"  {protocol.name}: {protocol.about}" for protocol in PROTOCOLS.values())
        raise ValueError(f"There is no protocol '{name}'. There are:\n{listed}")
    return PROTOCOLS[name]
