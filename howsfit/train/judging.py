"""Held-out pairs judged by protocol `fast` of `howsfit evaluate`, while a training runs."""

from pathlib import Path

import numpy as np
from PIL import Image

from howsfit.evaluation.evaluate import evaluate
from howsfit.evaluation.protocols import find


class Judged:
    """Writes results and photos of one size into a folder, which `howsfit evaluate` can be run on, too."""

    def __init__(self, folder: Path) -> None:
        self.results, self.photos = folder / "results", folder / "photos"

    def __call__(self, step: int, names: list[str], pictures: np.ndarray, truths: np.ndarray) -> dict[str, float]:
        """pictures, truths: uint8 (N, H, W, 3). Mean SSIM and PSNR, as `ssim` and `psnr`."""
        for folder, shown in ((self.photos, truths), (self.results, pictures)):
            folder.mkdir(parents=True, exist_ok=True)
            for other in {path.stem for path in folder.glob("*.png")} - set(names):
                (folder / f"{other}.png").unlink()
            for name, each in zip(names, shown, strict=True):
                Image.fromarray(each).save(folder / f"{name}.png", compress_level=1)
        document = evaluate(self.results, self.photos, find("fast"), lambda what, done, total: None).document
        return {name: float(number["value"]) for name, number in document["numbers"].items()}
